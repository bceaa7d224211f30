# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the ledger is told of credentials by themselves: where one was shown, and that one was taken back."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from datetime import datetime


class ProvedAt(t.NamedTuple):
    """Where a handshake showed that a generation is served, as the controller reaches it; `server_name` is the SNI."""

    host: str
    port: int
    server_name: str | None = None
    starttls: str | None = None


class CredentialRevoked(t.NamedTuple):
    """A credential was taken back, whoever has it: by its id, wherever the ledger has it, and also where it has not.

    It is about no identity, so that its outcome may have any name. `serial_number` is lower-case hex.
    """

    credential_id: str
    public_id: str
    serial_number: str
    issuer_id: str
    not_after: datetime
    reason: str
    when: datetime
