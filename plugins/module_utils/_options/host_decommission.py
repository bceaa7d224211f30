# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What a task may say to host_decommission."""

from __future__ import annotations

from .identity_audit import SIGNING_KEY
from .machine_identity import CRL_ISSUERS, LIVE_BUNDLE, LIVE_ISSUERS
from .option import Option

OPTIONS = {
    "host": Option("The host that goes, by its name in the inventory. The default is the host of the task."),
    "gone": Option(
        "The host is gone already, or will never be reached again. Its identities are withdrawn in the ledger, and "
        "what nobody saw destroyed is said.",
        type="bool",
        default=False,
    ),
    "looked": Option(
        "What a look at the host has found after everything was removed, one entry for each identity. The role "
        "C(decommission) takes it from M(keystead.identity.machine_identity) in check mode.",
        type="list",
        elements="dict",
        options={
            "store": Option("The store on the host.", required=True),
            "identity": Option("The name of the identity.", required=True),
            "left": Option("What is still to be done, as sentences.", type="list", elements="str", required=True),
            "copies": Option(
                "Whether copies in secret managers and the like were looked for as well.", type="bool", default=False
            ),
        },
    ),
    "paths_left": Option("Those of RV(paths) where there is still something.", type="list", elements="str"),
    "issuers": LIVE_ISSUERS._replace(
        help="Who may have signed. With O(evidence), each is asked whether what it signed is revoked, where it can "
        "say; a certificate of another one is judged by what is published alone. Without it, RV(unnamed) says who is "
        "missing."
    ),
    "crl_issuers": CRL_ISSUERS._replace(
        help="With O(evidence), certificates of those who sign revocation lists with another key than the one that "
        "signed the certificates, as in O(keystead.identity.cert_status#lookup:crl_issuers)."
    ),
    "ca_bundle": LIVE_BUNDLE,
    "evidence": Option(
        "Have a signed certificate of destruction written: a folder, whose files cannot be changed without being seen. "
        "M(keystead.identity.identity_audit) verifies it. Nothing is written as long as something can still be done.",
        type="dict",
        options={
            "directory": Option(
                "Where the folders are kept, on the controller: C(DIRECTORY/HOST/DAY-DIGEST).",
                type="path",
                required=True,
            ),
            "key": Option(
                "What signs them: exactly one of these.", type="dict", options=SIGNING_KEY, one_of=True, required=True
            ),
        },
    ),
}
