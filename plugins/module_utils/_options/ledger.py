# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What a task may say to ledger_migrate and ledger_rebuild."""

from __future__ import annotations

from .issuers import issuer
from .machine_identity import STORE
from .option import Option

MIGRATE = {
    "convergers": Option(
        "Roles of PostgreSQL whose runs use the ledger. They add events, and may neither change nor delete one.",
        type="list",
        elements="str",
    ),
    "auditors": Option("Roles of PostgreSQL that may only read the ledger.", type="list", elements="str"),
    "signers": Option(
        "Roles of PostgreSQL that may read the ledger, and add checkpoints to it, as "
        "M(keystead.identity.identity_audit) signs them.",
        type="list",
        elements="str",
    ),
}
REBUILD = {
    **STORE,
    "issuers": Option(
        "Who may have signed what the stores hold. What none of them knows is not recorded.",
        type="list",
        elements="dict",
        options=issuer("").options,
        one_of=True,
        required=True,
    ),
    "lost_ledger": Option(
        "The id of the ledger that is lost, as the message about a store of another ledger names it. Stores that "
        "belong to it are taken over, and those of any other ledger are refused."
    ),
    "may_be_missing": Option(
        "Whether this host may have no store at O(store). Otherwise one that is not there is an error, since what a "
        "store elsewhere on the host holds would be recorded as what no host has.",
        type="bool",
        default=False,
    ),
    "source": Option(
        "V(store) records what the store of a host holds. V(issuers) records what the issuers list, what still lives "
        "and what no host showed; it runs on the controller, after all stores were recorded.",
        default="store",
        choices=("store", "issuers"),
    ),
}
