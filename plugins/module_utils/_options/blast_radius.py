# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What a task may say to blast_radius."""

from __future__ import annotations

from .cert_revoke import REASONS
from .ledger_info import CERTIFICATES, RECORDS, SELECT
from .option import Option

OPTIONS = {
    **SELECT,
    **CERTIFICATES,
    "authority": Option(
        "Certificates of authorities, each as PEM or by the path of a file on the controller: everything is touched "
        "that was signed by one of them or below it, a root included.",
        type="list",
        elements="str",
    ),
    "issued_after": Option(
        "Only what was issued at this moment or later, in ISO 8601 with a time zone. Of what was asked for and never "
        "answered, that is when it was asked for; what nobody knows it of is among it."
    ),
    "issued_before": Option(
        "Only what was issued before this moment, in ISO 8601 with a time zone, as V('2026-03-01T10:40:00Z')."
    ),
    **RECORDS,
    "reason": Option(
        "What happened (RFC 5280, 5.3.1), and why certificates will be revoked. With V(key_compromise), everything is "
        "touched that a key is good for: each certificate of the same key, on whatever host, and all that was signed "
        "below an authority with that key. With any other reason, only what is selected.",
        default="key_compromise",
        choices=REASONS,
    ),
    "contact_required": Option(
        "Fail where nobody answers for something that is touched. What was found is returned all the same.",
        type="bool",
        default=True,
    ),
}
