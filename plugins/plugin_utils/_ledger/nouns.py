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

    It is about no identity, so that its outcome may have any name. `serial_number` is lower-case hex. With `instead`
    its reason takes the place of one that is recorded already.
    """

    credential_id: str
    public_id: str
    serial_number: str
    issuer_id: str
    not_after: datetime
    reason: str
    when: datetime
    instead: bool = False


class KeyClaimed(t.NamedTuple):
    """A run is at work on the key of one name in one place, or goes on with that: its `holder` names it, as JSON.

    Where another one is, nothing of the outcome is written and Held is raised, but for `dead`, which has ended. One
    that `goes_on` has it already, or it was taken over, perhaps by a run that has come to its end since: Held too.
    """

    place: str
    label: str
    holder: str
    dead: str | None = None
    goes_on: bool = False


class KeyLeft(t.NamedTuple):
    """The run is no longer at work on that key."""

    place: str
    label: str
    holder: str


class KeyPrepared(t.NamedTuple):
    """A generation was made, and is not the active one: which key that is, for what has its name may be another."""

    place: str
    label: str
    number: int
    uri: str
    public_id: str | None = None


class Ordered(t.NamedTuple):
    """The issuer will answer later: what it needs to know of the order then. The intent stays this run's."""

    reference: str


class PeersNamed(t.NamedTuple):
    """The identity says anew whom it trusts, as JSON; None where it says nothing of it."""

    trusts: str | None


class Proved(t.NamedTuple):
    """The generation was seen to be used, without a change; `endpoint` is where, if a handshake showed it."""

    endpoint: ProvedAt | None = None


class Cleared(t.NamedTuple):
    """What was placed for an order of this identity, of whichever generation, is taken away: `left` is known of it."""

    reference: str
    left: str
