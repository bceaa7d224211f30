# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What a task may say to identity_policy."""

from __future__ import annotations

import re

from .identity_audit import SIGNING_KEY
from .issuers import issuer
from .ledger_info import RECORDS, SELECT
from .lookups import IDENTITY as PLACE
from .machine_identity import IDENTITY
from .option import Option, Table

_OF_TASK = re.compile(r"O\((?=identities\[\]|issuer\b)")


def _below(path: str, table: Table) -> Table:
    """Return a table of machine_identity for a place below an option: what it says of others is said of those there."""
    return {
        name: option._replace(
            help=_OF_TASK.sub(f"O({path}.", option.help),
            options=None if option.options is None else _below(path, option.options),
        )
        for name, option in table.items()
    }


FRAMEWORKS = ("pci_dss", "soc2", "iso_27001", "nis2", "cnsa_2_0", "baseline_requirements")
MANAGED = Option(
    "V(true) judges only what the ledger has, V(false) only what O(records) have. The default is both.", type="bool"
)
AS_OF = Option(
    "The day, in UTC, or the moment, in ISO 8601 with a time zone, for which to judge. What fails then is said of what "
    "there is now, and of the policy as it will be. It is not in the past, and a day counts to its end. The default is "
    "now.",
)
CERTIFICATES = Option(
    "Certificates, each as PEM or by the path of a file on the controller, which are judged in the place of the "
    "ledger. Of several in one, the first.",
    type="list",
    elements="str",
)
DECLARATIONS = Option(
    "What a task of M(keystead.identity.machine_identity) would declare for the host, which is judged in the place of "
    "the ledger.",
    type="dict",
    options=_below(
        "declarations",
        {
            "issuer": issuer("Who would sign."),
            "identities": Option("The identities.", type="list", elements="dict", options=IDENTITY, required=True),
        },
    ),
)
OPTIONS = {
    "as_of": AS_OF,
    "until": Option(
        "Returns RV(calendar) to the end of this day, or to this moment: on which days the policy changes or something "
        "ends, and what fails from then on. Without it, that is empty."
    ),
    "compare_with": Option(
        "The path of a second policy. RV(difference) says what would change if it took the place of O(policy).",
        type="path",
    ),
    "findings": Option(
        "Also look for what no rule says, and return it in RV(findings). Of RSA keys, all that the ledger ever saw are "
        "compared, which takes seconds for ten thousand.",
        type="bool",
        default=False,
    ),
    "frameworks": Option(
        "Of these frameworks, RV(controls) says how each control stands. The default is none, and with O(evidence) "
        "all of them.",
        type="list",
        elements="str",
        choices=FRAMEWORKS,
    ),
    "public_issuers": Option(
        "Who signs what is publicly trusted, and so under the Baseline Requirements: ids of issuers, or the names that "
        "certificates have for them, as O(issuer) has them. What bears one of these names, and of which nothing tells "
        "the id of its issuer, is judged as if the first of them that is an id had signed it.",
        type="list",
        elements="str",
        default=["acme:https://acme-v02.api.letsencrypt.org/directory"],
    ),
    "public_keys": Option(
        "The public keys that sign checkpoints of the record of events (M(keystead.identity.identity_audit)), as PEM "
        "or the paths of PEM files. Without one, the record is no evidence, since anybody could have written and "
        "signed it anew.",
        type="list",
        elements="str",
    ),
    "checkpoints": Option(
        "Files with checkpoints that were shipped, to compare the record with. Without them, it could have been cut "
        "after any checkpoint that it has.",
        type="list",
        elements="path",
    ),
    "evidence": Option(
        "Writes a signed folder of evidence for each framework. One that is there is never replaced; where it was "
        "altered, the task fails. M(keystead.identity.identity_audit) verifies them.",
        type="dict",
        options={
            "directory": Option(
                "Where the folders are kept, on the controller: C(DIRECTORY/FRAMEWORK/DAY-DIGEST).",
                type="path",
                required=True,
            ),
            "key": Option(
                "What signs them: exactly one of these.", type="dict", options=SIGNING_KEY, one_of=True, required=True
            ),
        },
    ),
    **SELECT,
    "certificates": CERTIFICATES,
    "declarations": DECLARATIONS,
    "managed": MANAGED,
    **RECORDS,
    "limit": Option("How many entries to return at most in each list, from 1 to 100000.", type="int", default=1000),
}
LOOKUP = {
    "part": Option(
        "How to return what fails: each as one sentence with V(msg), or with V(record) as a dictionary, as RV("
        "keystead.identity.identity_policy#module:fails). V(not_judged) returns instead, each as one sentence, which "
        "rules cannot tell, since what they ask is not known. Nothing else is said of these.",
        default="msg",
        choices=("msg", "record", "not_judged"),
    ),
    "policy": Option(
        "The path of the policy on the controller. The default is the one that comes with the collection.", type="path"
    ),
    "as_of": AS_OF,
    **{name: PLACE[name] for name in ("host", "store")},
    "declarations": DECLARATIONS._replace(
        help="What a task of M(keystead.identity.machine_identity) would declare for the host. Of each identity, what "
        "fails is returned behind that of the terms."
    ),
}
