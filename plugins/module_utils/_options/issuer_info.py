# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What a task may say to issuer_info."""

from __future__ import annotations

from .issuers import issuer
from .machine_identity import OPTIONS as IDENTITIES
from .option import Option

OPTIONS = {
    "issuer": issuer("Whose list is looked at. It is never a group default."),
    "issuers": IDENTITIES["issuers"]._replace(help="Further issuers to look at."),
    "issued_after": Option(
        "Only what was issued at this moment or later, in ISO 8601 with a time zone, as V('2026-03-01T10:40:00Z'). "
        "Whether an issuer is empty is told only without it."
    ),
}
