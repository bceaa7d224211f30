# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The port of the ledger: what it is asked, what it is told, and what it remembers."""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import Denied, Pending
from .nouns import Cleared, CredentialRevoked, KeyClaimed, KeyLeft, KeyPrepared, Ordered, PeersNamed, Proved

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from .asked import Asked
    from .nouns import ProvedAt

INTENT_HOLDS = 900
"""Seconds after which an intent whose run never came back may be taken over with another key."""


class Batch(t.NamedTuple):
    """What one run does to one store of one host: the unit of a transaction and of the chain of events.

    `actor` is who acts: operating_system_user, controller, awx_job, playbook, collection_version. `at` is aware.
    """

    host: str
    store: str
    actor: Mapping[str, str | None]
    at: datetime


class Intent(t.NamedTuple):
    """What a run is about to do: generation `number` of an identity, for the key `public_id` (SHA-256 of its SPKI).

    `holder` names the run; the same run, or the same key in a later run, may repeat an intent. What was signed for the
    earlier one may be `lost` for good: it is then kept as an orphan. A key that was found on the host, and not made for
    this identity, may be `shared` with others. A host was `found` to have the credential with this id already: where an
    issuer's list alone told of it, and nobody knew on which host it is, its record gets its place. `reference` is the
    order that an earlier run began and this one goes on with, `asked` what is asked for, as JSON. `trusts` names the
    peers, as JSON; None where it does not.
    """

    name: str
    number: int
    public_id: str
    issuer_id: str
    key_type: str
    holder: str
    kind: str = "x509"
    scope: str | None = None
    custody: str = "file"
    key_uri: str | None = None
    reason: str = ""
    contact: str | None = None
    service: str | None = None
    labels: Mapping[str, str] = {}
    shared: bool = False
    lost: bool = False
    found: str | None = None
    reference: str | None = None
    asked: str | None = None
    trusts: str | None = None


UNPLACED = ""
"""The host of what an issuer lists and no host is known to hold."""


class OpenIntent(t.NamedTuple):
    """A generation that was never published; with `certificate` and `chain` (PEM) when the answer to it is known."""

    number: int
    public_id: str
    issuer_id: str
    key_type: str
    holder: str | None
    since: datetime
    certificate: str | None = None
    chain: str | None = None
    key_uri: str | None = None
    reference: str | None = None
    asked: str | None = None


class Remembered(t.NamedTuple):
    """One identity as the ledger knows it. Everything from `credential_id` to `not_after` is about `last`.

    `state` is present, absent or released. `newest` is the highest number that was ever issued: it never falls, not
    even when the identity is removed, and an open intent does not raise it (a retry uses the same number again).
    `generation` is the published one; `last` is the same, or, once the identity is gone, the one that was published
    last. `revoked` are id and reason of every credential that was revoked and has not ended. `links` are the paths of
    live deliveries. `key_since` is since when the key of `last` has been in use, as far as the ledger knows: when it
    was first intended for an identity, or a certificate of it began. `renew_at` is when the issuer of `last` wants it
    renewed, and `ask_again` when it is to be asked for that again. `trusts` names the peers, as JSON. `doubted` tells
    whether that issuer was asked for another one since, and signed it, or may have, though `last` is the published one.
    `asked` is the last intent. `unproved` tells whether the service may still show a generation that was replaced.
    """

    name: str
    kind: str
    scope: str | None
    state: str
    contact: str | None
    service: str | None
    newest: int
    generation: int | None = None
    last: int | None = None
    credential_id: str | None = None
    public_id: str | None = None
    issuer_id: str | None = None
    serial_number: int | None = None
    certificate: str | None = None
    not_after: datetime | None = None
    revoked: tuple[tuple[str, str], ...] = ()
    links: tuple[str, ...] = ()
    open_intent: OpenIntent | None = None
    key_since: datetime | None = None
    renew_at: datetime | None = None
    ask_again: datetime | None = None
    trusts: str | None = None
    doubted: bool = False
    asked: Asked | None = None
    unproved: bool = False


class Event(t.NamedTuple):
    """One step that was tried. `outcome` is ok, failed, pending, orphaned; `action` is a step's, or `intend`."""

    action: str
    reason: str
    outcome: str = "ok"
    message: str = ""
    seconds: float = 0.0
    attempts: int = 1


class Issued(t.NamedTuple):
    """The issuer answered: PEM certificate and chain, RFC 4514 names, ids in lower-case hex, `names` by their kind."""

    certificate: str
    credential_id: str
    public_id: str
    serial_number: int
    issuer_dn: str
    subject: str
    names: Mapping[str, Sequence[str]]
    key_type: str
    not_before: datetime
    not_after: datetime
    chain: str = ""


class Delivered(t.NamedTuple):
    """The generation is the published one; `links` are ALL its (path, part): any other live path is withdrawn.

    While `pending` (a consumer was not activated, or not proved where that is declared) the predecessor's deliveries
    stay live; without it they are succeeded. `endpoint` is where a handshake proved it.
    """

    links: tuple[tuple[str, str], ...] = ()
    activated: bool = False
    proved: bool = False
    pending: bool = False
    endpoint: ProvedAt | None = None


class Scheduled(t.NamedTuple):
    """The issuer said when it wants the credential renewed, or does not say, and when it is to be asked again."""

    renew_at: datetime | None
    ask_again: datetime


class Withdrawn(t.NamedTuple):
    """The identity is no longer there: `absent` or `released`. Its record stays."""

    state: str = "absent"


class RevokedChange(t.NamedTuple):
    """The issuer took the credential back: why (RFC 5280, 5.3.1, in snake_case) and since when."""

    reason: str
    when: datetime


class Refused(t.NamedTuple):
    """The issuer signed nothing, or was not even `asked`: the intent is closed and its number free again."""

    asked: bool = True


class Orphaned(t.NamedTuple):
    """The intent is given up although the issuer may have signed, or has, `answer`: kept for whoever sweeps."""

    answer: Issued | None = None


class RolledBack(t.NamedTuple):
    """Generation `to` is the published one again."""

    to: int


class KeyKept(t.NamedTuple):
    """A key is in a backend by itself, of no identity: it was `made`, or adopted where it was found.

    `place` names the token or the engine that it is in, `public_key` is PEM; a secret key has none, and no public id.
    """

    uri: str
    place: str
    label: str
    key_type: str
    made: bool
    public_id: str | None = None
    public_key: str | None = None
    backend: str = "pkcs11"


class KeyGone(t.NamedTuple):
    """A key is no longer in its backend, whoever destroyed it."""

    uri: str


KeyChange = KeyKept | KeyGone | KeyPrepared | KeyClaimed | KeyLeft
"""Changes that are about no identity, so that their outcome may have the name of a key."""
Change = (
    Issued | Ordered | Cleared | Scheduled | Delivered | PeersNamed | Proved | Withdrawn | RevokedChange | Refused
    | Orphaned | RolledBack | KeyChange | CredentialRevoked
)


class Outcome(t.NamedTuple):
    """What happened to one identity, and generation `number` of it: its events, and its changes in their order.

    An intent that is still open after its outcome was recorded is nobody's, and the next run may take it over.
    """

    name: str
    number: int | None = None
    events: tuple[Event, ...] = ()
    changes: tuple[Change, ...] = ()


class Held(Pending):
    """Another run is at work on these identities, or was quicker; nothing of the batch was written."""

    def __init__(self, names: Sequence[str], retry_after: float) -> None:
        """Say which identities, and when another try makes sense."""
        wait = f"run again in {retry_after:.0f} s" if retry_after else "run again"
        super().__init__(f"ledger: another run is at work on {', '.join(names)}; {wait}", retry_after)
        self.names = tuple(names)


class Used(Denied):
    """The keys of these intents are those of other identities (rule C4); nothing of the batch was written."""

    def __init__(self, users: Mapping[str, str]) -> None:
        """Take, by the name of the intent, whose key it is."""
        super().__init__(f"ledger: other identities have the keys of {', '.join(sorted(users))} already; make new ones")
        self.users = dict(users)


class Ledger(t.Protocol):
    """The record of identities, generations, deliveries and events.

    Opened after the fork, used by one run, closed. Every method is one transaction, and raises Unavailable (locked,
    full) or Misconfigured (damaged, not writable).
    """

    @property
    def id(self) -> str | None:
        """The random id that this ledger got when it was made; None when there is none yet (read-only)."""

    def remembered(self, host: str, store: str) -> Mapping[str, Remembered]:
        """Return everything known of one store, by name of the identity."""

    def intend(self, batch: Batch, intents: Sequence[Intent]) -> None:
        """Write down what is going to be done, before it is (A1). Raises Held, or Used: then nothing was written."""

    def record(self, batch: Batch, outcomes: Sequence[Outcome]) -> None:
        """Write down what happened."""

    def pin(self, issuer_id: str, roots: Sequence[str]) -> None:
        """Make these the trust anchors of an issuer: SHA-256 fingerprints in lower-case hex."""

    def pinned(self, issuer_id: str) -> tuple[str, ...]:
        """Return the trust anchors of an issuer, sorted; none when it was never pinned."""

    def close(self) -> None:
        """Let go of the ledger."""
