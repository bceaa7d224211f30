# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Who may sign: the one list of issuers, and what each of them accepts."""

from __future__ import annotations

from .authority import PASSPHRASE
from .option import Option

TRUST = {
    "roots": Option(
        "The trust anchors that an answer must chain to, each as PEM or as the path of a PEM file on the controller. "
        "Without it, the first chain is pinned in the ledger.",
        type="list",
        elements="str",
    ),
    "accept_new_root": Option("The SHA-256 fingerprint, in hexadecimal, of a root that may replace the pinned one."),
    "timeout": Option("The longest that one call may take in total, for example V(30s) or V(2m).", default="30s"),
}
LOCAL = {
    "directory": Option(
        "The directory on the controller in which M(keystead.identity.certificate_authority) keeps the authority.",
        type="path",
        required=True,
    ),
    "authority": Option("The name of the authority that signs.", required=True),
    **PASSPHRASE,
}
ISSUERS = {
    "local": Option(
        "An authority in a directory on the controller. Its key never reaches a host.",
        type="dict",
        options={**LOCAL, **TRUST},
    ),
}


def issuer(text: str) -> Option:
    """Return an option that names exactly one issuer."""
    return Option(text, type="dict", options=ISSUERS, one_of=True)
