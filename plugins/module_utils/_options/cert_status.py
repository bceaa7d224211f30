# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What a template may say to the lookup cert_status."""

from __future__ import annotations

from .lookups import IDENTITY
from .machine_identity import CRL_ISSUERS, DURATION, LIVE_BUNDLE, LIVE_ISSUERS, OPTIONS
from .option import Option

LOOKUP = {
    "part": Option(
        "What to return of each certificate: its V(status) in a word, or V(record), a dictionary that also says who "
        "says so, since when and why.",
        default="status",
        choices=("status", "record"),
    ),
    **{name: IDENTITY[name] for name in ("host", "store")},
    "issuer_id": Option(
        "The id of who signed, as the ledger has it, where several certificates have one serial number."
    ),
    "check_status": OPTIONS["check_status"]._replace(
        help="Who is asked. V(ledger) asks nobody else. With V(live), who signed is asked, where O(issuers) has it and "
        "it can say; else what is published by OCSP (RFC 6960), and then in a revocation list (RFC 5280), where the "
        "certificate says so. Of what the ledger has as revoked, nobody is asked. V(published) asks as clients do, "
        "whatever the ledger has: every responder and list that it names, of which one that says V(good) outweighs all "
        "that say V(revoked), and who signed it only where none says anything.",
        choices=("ledger", "live", "published"),
    ),
    "issuers": LIVE_ISSUERS,
    "ca_bundle": LIVE_BUNDLE,
    "crl_issuers": CRL_ISSUERS,
    "roots": Option(
        "Trust anchors, each as PEM or as the path of a PEM file on the controller. What does not lead to one of them, "
        "by what follows it in its file or stands beside it in the ledger, is V(unknown).",
        type="list",
        elements="str",
    ),
    "timeout": Option(f"How long all questions of one call may take together: {DURATION}.", default="60s"),
}
