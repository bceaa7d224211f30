# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the rules look at: an identity, an authority or a key as a task declares it, and the host that shall hold it."""

from __future__ import annotations

import typing as t

from ...module_utils._core.model import Subject
from ...module_utils._core.publication import default_parts
from .connection import Reached
from .signer import LEAVE, normal

if t.TYPE_CHECKING:
    from .._action import Task
    from .._declare import Declaration
    from .._key import Backend

Options = t.Mapping[str, t.Any]
OTHER = "other"
"""The profile of a certificate that is there, with usages that no profile has."""


class Candidate(t.NamedTuple):
    """One thing to be judged; durations are in seconds.

    `issuer` is the backend and its options, None where it is not known. `links` are the parts that are linked;
    `activate` is unit, command or none; `publish` pairs publishers with their parts. `shared_with` are other identities
    that have the same key. `key_age` is what the ledger knows. `emergency` tells that its certificate is to go
    although it is in use. `spki` (SHA-256, lower-case hex) and `signature` (the hash that is signed) are of what is
    there, and None for what is to be made. `untold` are names of fields, those of the subject as well, that nobody
    told: what stands there is no fact (`told.py`).
    """

    name: str
    host: str
    kind: str = "x509"
    groups: t.Collection[str] = ()
    subject: Subject = Subject()
    profile: str = "tls_server"
    key_type: str = "ecdsa-p256"
    custody: str = "file"
    origin: str = "host"
    reuse: bool = False
    lifetime: int = 0
    contact: str | None = None
    service: str | None = None
    issuer: tuple[str, Options] | None = None
    links: t.Collection[str] = ()
    activate: str = "none"
    prove: bool = False
    publish: tuple[tuple[str, t.Collection[str]], ...] = ()
    reached: Reached = Reached()
    shared_with: tuple[str, ...] = ()
    key_age: int | None = None
    extractable: bool = False
    emergency: bool = False
    spki: str | None = None
    signature: str | None = None
    untold: frozenset[str] = frozenset()


def candidates(identities: t.Sequence[Options], declared: t.Sequence[Declaration], task: Task) -> list[Candidate]:
    """Return what is to be judged of a task: its present identities. Whatever goes away may go away."""
    pairs = zip(identities, declared, strict=True)
    return [_candidate(options, one, task) for options, one in pairs if one.identity.state == "present"]


def with_others(judged: t.Sequence[Candidate], issuers: t.Iterable[Backend]) -> list[Candidate]:
    """Return candidates as if each of the other issuers of a task signed them, of those that need a leave for it.

    All other rules about who may sign are about who signs: an issuer that is given up is named there to be found.
    """
    found = [normal(*next(iter(one.items()))) for one in issuers]
    need = [(backend, options) for backend, options in found if backend in LEAVE and options.get(LEAVE[backend])]
    return [candidate._replace(issuer=one) for one in need for candidate in judged]


def _candidate(options: Options, declared: Declaration, task: Task) -> Candidate:
    identity, key = declared.identity, options.get("key") or {}
    activate = identity.activate
    return Candidate(
        name=identity.name,
        host=task.host,
        kind=identity.kind,
        groups=task.groups,
        subject=identity.subject,
        profile=identity.profile,
        key_type=identity.key.type,
        custody=identity.key.custody,
        origin=key.get("origin", "host"),
        reuse=key.get("reuse", False),
        lifetime=identity.lifetime,
        contact=declared.contact,
        service=declared.service,
        issuer=normal(*next(iter(declared.issuer.items()))) if declared.issuer else None,
        links=[link.part for link in identity.files.links],
        activate="none" if activate is None else "unit" if activate.unit else "command",
        prove=identity.prove is not None,
        publish=tuple(_publisher(one) for one in options.get("publish") or ()),
        reached=task.reached,
    )


def _publisher(said: Options) -> tuple[str, t.Collection[str]]:
    """Return a publisher and its parts."""
    name = next(name for name, value in said.items() if name != "parts" and value is not None)
    return name, said.get("parts") or said[name].get("parts") or default_parts(name)
