# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the ledger says of the last intent of an identity, whatever came of it."""

from __future__ import annotations

import typing as t


class Asked(t.NamedTuple):
    """Its key (SHA-256 of its SPKI), its state in the ledger, who was asked, and for what, as JSON, if anybody was."""

    public_id: str
    state: str
    issuer_id: str
    asked: str | None
