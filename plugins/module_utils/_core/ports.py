# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""The ports of the house. Each is one job; a power that not every backend has is a port of its own."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from datetime import datetime

    from .challenge import Challenge
    from .errors import KeysteadError
    from .model import Generation, Subject, X509Facts
    from .publication import CopyState


class Request(t.NamedTuple):
    """What an issuer is asked for, proved by `csr` (DER, PKCS#10, RFC 2986), which was checked against the task.

    It may take the place of a certificate (DER) of the same issuer.
    """

    name: str
    subject: Subject
    profile: str
    lifetime: int
    csr: bytes
    replaces: bytes | None = None


class Order(t.NamedTuple):
    """A request that an issuer will answer later (RFC 8555 orders, EST 202).

    `reference` is all that an issuer needs to go on with it in a later run; one without a pause, in seconds, is to be
    finished at once.
    """

    request: Request
    reference: str
    retry_after: float = 0.0


@dataclass(frozen=True)
class Good:
    """Not revoked, as far as the issuer's own records say."""


class Revoked(t.NamedTuple):
    """Revoked, why (RFC 5280, 5.3.1, in snake_case) and since when."""

    reason: str
    when: datetime


@dataclass(frozen=True)
class Unknown:
    """The issuer does not know."""


class IssuedRecord(t.NamedTuple):
    """What an issuer remembers to have signed, for which key (SHA-256 of the SPKI), and when."""

    generation: Generation
    public_id: str
    serial_number: int
    issued_at: datetime


class Issuer(t.Protocol):
    """Signs. A refusal of one request is returned in its place, so that it does not stop its siblings.

    `id` says who signs without any secret: backend, place, issuer key; `place` is where that is, whatever its key.
    `roots` are the trust anchors that it names itself, DER.
    """

    @property
    def id(self) -> str: ...

    @property
    def place(self) -> str: ...

    def roots(self) -> tuple[bytes, ...]: ...

    def begin(self, requests: t.Sequence[Request]) -> list[Generation | Order | KeysteadError]: ...

    def finish(self, orders: t.Sequence[Order]) -> list[Generation | Order | KeysteadError]: ...


@t.runtime_checkable
class Challenges(t.Protocol):
    """Wants to see something on the host before it goes on with its orders.

    `challenges` returns what, for each order; one execution on the host shows all of it. An order that is gone is
    refused in its place.
    """

    def challenges(self, orders: t.Sequence[Order]) -> list[tuple[Challenge, ...] | KeysteadError]: ...


class Schedule(t.NamedTuple):
    """When an issuer wants a certificate renewed, None where it does not say, and when it is to be asked again."""

    renew_at: datetime | None
    ask_again: datetime


@t.runtime_checkable
class Scheduler(t.Protocol):
    """Says when it wants what it signed renewed (RFC 9773). Equal answers of it give equal times, whoever asks."""

    def schedule(self, certificate: bytes) -> Schedule: ...


@t.runtime_checkable
class Revoker(t.Protocol):
    """Takes certificates (DER) back."""

    def revoke(self, certificates: t.Sequence[bytes], reason: str) -> list[Revoked | KeysteadError]: ...

    def status(self, certificate: bytes) -> Good | Revoked | Unknown: ...


@t.runtime_checkable
class Lister(t.Protocol):
    """Can say what it has signed, so that an answer that got lost is found again."""

    def issued(self, since: datetime) -> t.Iterator[IssuedRecord]: ...


@t.runtime_checkable
class Advisor(t.Protocol):
    """Has more to say than its answers, for example that an authority grants less than was asked.

    `advice` returns what was not said yet, each a sentence that the user reads as a warning.
    """

    def advice(self) -> list[str]: ...


class Check(t.NamedTuple):
    """What was found before a run. `state` is ok, warning or failed; where it is not ok, `remedy` says what helps."""

    name: str
    state: str
    found: str
    remedy: str = ""


@t.runtime_checkable
class Preflight(t.Protocol):
    """Can say whether it would sign, without signing or changing anything: that it answers, login, rights, keys.

    It yields what it finds as it goes, and an error that ends it is a finding too.
    """

    def preflight(self) -> t.Iterator[Check]: ...


@t.runtime_checkable
class Remedy(t.Protocol):
    """Knows what to change where it signs, when what it signed is not what was asked; empty where it does not."""

    def remedy(self, found: X509Facts, request: Request) -> str: ...


class SigningKey(t.Protocol):
    """A key is something that signs.

    `uri` names it where it lives, for ever: RFC 7512 in a token. `sign` returns what stands in a certificate as the
    signature of `data` (RFC 5758, 8017, 8410, 9881): ECDSA in DER with the hash that fits the curve, RSA by PKCS #1
    v1.5 with SHA-256, Ed25519 and ML-DSA without a hash before.
    """

    @property
    def uri(self) -> str: ...

    def public_key(self) -> t.Any: ...

    def sign(self, data: bytes) -> bytes: ...


class Slot(t.NamedTuple):
    """Where the keys of one identity or authority belong in a custody.

    `label` is theirs alone and names them to whoever looks into the backend; `current` is the URI of the key of the
    current generation, `used` those of all generations that there are, the current one included.
    """

    label: str
    current: str | None = None
    used: tuple[str, ...] = ()


class KeyStore(t.Protocol):
    """Where private keys of one identity live. None of its methods returns private bytes.

    `current` is the key of the current generation, None where it is gone. `staged` waits for its credential: a key of
    this identity that no generation has; `stage` makes one. `promote` gives the current key what names it in the
    backend, and may be repeated. `delete` destroys every key of this identity that no generation has, and proves it.
    """

    def current(self) -> t.Any: ...

    def staged(self) -> t.Any: ...

    def stage(self, key_type: str) -> t.Any: ...

    def promote(self) -> None: ...

    def delete(self) -> None: ...


@t.runtime_checkable
class Leftovers(t.Protocol):
    """A key store that can tell what a run that was killed left undone: what `promote` or `delete` would change.

    `left` returns that as a sentence, and None where there is nothing.
    """

    def left(self) -> str | None: ...


@t.runtime_checkable
class Named(t.Protocol):
    """A key store whose keys have a name that a task says, and nothing that tells whose they are.

    `place` is that name as it stands in the URIs of the keys, without their version.
    """

    @property
    def place(self) -> str: ...


class Publisher(t.Protocol):
    """Another place that a generation is copied to: a file of the host, or a service that the controller reaches.

    `parts` are the declared ones in their order, as they stand in the generation. `read` changes nothing and says how
    the copy differs from them; where they are None, there is no generation yet, and only what is in the way counts. It
    raises Misconfigured for what belongs to somebody else. `write` puts them there as a whole, may be repeated, and
    proves it by reading. `delete` takes away what was written, unless somebody changed it since, and proves it.
    """

    def read(self, parts: t.Mapping[str, bytes] | None) -> CopyState: ...

    def write(self, parts: t.Mapping[str, bytes]) -> None: ...

    def delete(self) -> None: ...
