# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What a task may say to identity_watch."""

from __future__ import annotations

from .identity_audit import OPTIONS as OF_AUDIT
from .issuers import ISSUERS
from .option import Option

OPTIONS = {
    "issuers": Option(
        "Who signs, each exactly one of these. Each is asked whether it would sign now, and when its login, its "
        "authorities, its revocation list and its account end.",
        type="list",
        elements="dict",
        options=ISSUERS,
        one_of=True,
    ),
    "warning": Option(
        "How much time has to be left, for example V(30d). Of what does not live three times as long, a third of its "
        "life.",
        default="30d",
    ),
    "critical": Option(
        "How much time has to be left at the very least, for example V(7d). Of what does not live ten times as long, a "
        "tenth of its life.",
        default="7d",
    ),
    "identities": Option(
        "Also name identities in use that ended, end without having been renewed, are revoked, or have weak or shared "
        "keys.",
        type="bool",
        default=True,
    ),
    "checkpoint_age": Option(
        "How old the last checkpoint of the ledger may be where events followed it, for example V(2d). Without it, no "
        "checkpoint is asked for."
    ),
    "checkpoints": OF_AUDIT["checkpoints"],
    "public_keys": OF_AUDIT["public_keys"]._replace(
        help="The public keys that may have signed checkpoints, as PEM or the paths of PEM files."
    ),
    "ledger_id": OF_AUDIT["ledger_id"]._replace(
        help="The id of the ledger that is meant, as RV(keystead.identity.identity_audit#module:ledger_id) told it "
        "once. Another one in its place is critical."
    ),
    "json": Option("The path of a file on the controller that gets all that was found.", type="path"),
    "metrics": Option(
        "The path of a file on the controller for the textfile collector of Prometheus's node_exporter. It ends in "
        "V(.prom).",
        type="path",
    ),
}
