# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""The ports of the house. Each is one job; a power that not every backend has is a port of its own."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

if t.TYPE_CHECKING:
    from datetime import datetime

    from .errors import KeysteadError
    from .model import Credential, Generation, Subject, X509Facts
    from .publication import CopyState


class Request(t.NamedTuple):
    """What an issuer is asked for, proved by `csr` (DER, PKCS#10, RFC 2986), which was checked against the task.

    Of whatever kind the credential is to be, so its key is proved to be there. It may take the place of a certificate
    (DER) of the same issuer.
    """

    name: str
    subject: Subject
    profile: str
    lifetime: int
    csr: bytes
    replaces: bytes | None = None
    kind: str = "x509"


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
class Revoker(t.Protocol):
    """Takes certificates (DER) back."""

    def revoke(self, certificates: t.Sequence[bytes], reason: str) -> list[Revoked | KeysteadError]: ...

    def status(self, certificate: bytes) -> Good | Revoked | Unknown: ...


@t.runtime_checkable
class KeyRevoker(t.Protocol):
    """Takes a certificate (DER) back for whoever has its private key (PEM): one that is known to others already.

    The key is shown to the backend, so it must be none that is still to be used. Raises Denied for another key.
    """

    def revoke_with_key(self, certificate: bytes, private_key: bytes) -> Revoked: ...


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


@t.runtime_checkable
class Chained(t.Protocol):
    """Can say what stands above everything it signs (DER), from who signs on, without being asked to sign."""

    def chain(self) -> tuple[bytes, ...]: ...


class Enrolment(t.NamedTuple):
    """What a host is to say to an issuer itself: by which protocol (of module_utils/_enrol), what, and with a secret.

    `said` goes down as JSON and holds no secret. `secret` goes down a pipe only.
    """

    protocol: str
    said: t.Mapping[str, t.Any]
    secret: str | None = None


@t.runtime_checkable
class EnrolsOnHost(t.Protocol):
    """Must be, or may be, spoken to from the host, which then shows the key and the certificate that it has there.

    `enrolment` returns what the host is to send, None where the controller asks by `begin`; `current` is the
    credential of this issuer that the host can show, None where it has none. `enrolled` reads what the host was
    answered, which may be anything: only what passes V1 is installed.
    """

    def enrolment(self, request: Request, current: Credential | None) -> Enrolment | None: ...

    def enrolled(
        self, request: Request, told: t.Mapping[str, t.Any]
    ) -> Generation | Order | KeysteadError: ...


@t.runtime_checkable
class Foresees(t.Protocol):
    """Can say without asking anybody what would keep a run from asking for a subject.

    `foresee` tells whether a secret would go to the host for it, `current` being as in EnrolsOnHost. Raises
    Misconfigured where a file of the controller that says who we are cannot be used.
    """

    def foresee(self, subject: Subject, current: Credential | None) -> bool: ...


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
    current generation, `used` those of all generations that there are, the current one included. `spent` are those that
    generations had which are gone: such a key never waits for a credential again.
    """

    label: str
    current: str | None = None
    used: tuple[str, ...] = ()
    spent: tuple[str, ...] = ()


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
class Foreseeing(t.Protocol):
    """A key store that can say, without changing anything, what would come of acting.

    `elsewhere` returns where the key is that a URI names, if that is not the place that is declared; else None. `check`
    raises Misconfigured where `stage` would refuse a type of key.
    """

    def elsewhere(self, uri: str) -> str | None: ...

    def check(self, key_type: str) -> None: ...


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
