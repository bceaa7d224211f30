# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the ledger is told beside outcomes: where a credential was shown, what was taken back, ordered, tidied, said."""

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


class Ordered(t.NamedTuple):
    """The issuer will answer later: what it needs to know of the order then. The intent stays this run's."""

    reference: str


class PeersNamed(t.NamedTuple):
    """The identity says anew whom it trusts, as JSON; None where it says nothing of it."""

    trusts: str | None


class Cleared(t.NamedTuple):
    """What was placed for an order of this identity, of whichever generation, is taken away: `left` is known of it."""

    reference: str
    left: str
