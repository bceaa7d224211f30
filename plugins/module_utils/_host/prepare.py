# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Phase `prepare`: observe every identity, decide, and for those that need a credential stage a key and a request."""

from __future__ import annotations

import base64
import dataclasses
import os
import typing as t

from .._core import wire
from .._core.checks import Look
from .._core.errors import KeysteadError
from .._core.model import Observed
from .._core.plan import decide
from .observe import observe
from .place import Place, open_place
from .request import Request, failed
from .store import open_store

if t.TYPE_CHECKING:
    from .._core.model import Credential, Identity, Known, Step
    from .proof import Target


def prepare(request: Request, *, check: bool) -> list[dict[str, t.Any]]:
    """Return an answer for each identity: `observed`, and where something is to be issued `csr` and `lease`."""
    store_fd = open_store(request.store, host=request.host, ledger_id=request.ledger_id, create=False)
    looks = [_Look(request, wanted, known) for wanted, known, _entry in request.identities()]
    try:
        for look in looks:
            look.attempt(lambda look=look: look.observe(store_fd))  # type: ignore[misc]
        _prove(looks)
        for look in looks:
            look.attempt(look.decide)
            if look.steps and not check:
                if store_fd is None:
                    store_fd = open_store(request.store, host=request.host, ledger_id=request.ledger_id, create=True)
                look.attempt(lambda look=look: look.get_ready(t.cast("int", store_fd)))  # type: ignore[misc]
        return [look.answer for look in looks]
    finally:
        if store_fd is not None:
            os.close(store_fd)


def _prove(looks: t.Sequence[_Look]) -> None:
    """Ask the consumers of `prove.when: always`, all at the same time."""
    asked = {look.wanted.name: look for look in looks if look.target is not None}
    if not asked:
        return
    from .proof import prove

    for name, verdict in prove([t.cast("t.Any", look.target) for look in asked.values()]).items():
        asked[name].found = dataclasses.replace(asked[name].found, served=verdict)


class _Look:
    """One identity while it is looked at. An error ends its way, and not that of its siblings."""

    def __init__(self, request: Request, wanted: Identity, known: Known) -> None:
        self.request, self.wanted, self.known = request, wanted, known
        self.answer: dict[str, t.Any] = {}
        self.found = Observed(wanted.name)
        self.credential: Credential | None = None
        self.target: Target | None = None
        self.steps: tuple[Step, ...] = ()

    def attempt(self, work: t.Callable[[], None]) -> None:
        if "error" in self.answer:
            return
        try:
            work()
        except KeysteadError as error:
            self.steps = ()
            self.answer = failed(self.wanted.name, error)

    def observe(self, store_fd: int | None) -> None:
        request, wanted = self.request, self.wanted
        place = None if store_fd is None else open_place(request.store, store_fd, wanted.name)
        try:
            self.found, self.credential = observe(place, request.store, wanted, self.known)
            if place and wanted.prove and wanted.prove.when == "always" and self.found.generation is not None:
                from .consumers import target_of

                self.target = target_of(place, wanted)
        finally:
            if place is not None:
                os.close(place.fd)
        if wanted.state == "released" and self.found.generation is not None:
            from .release import refuse_losing_the_key

            refuse_losing_the_key(request.store, self.found)

    def decide(self) -> None:
        look = Look(self.wanted, self.found, self.credential, self.known, self.request.now)
        self.steps = decide(look)
        self.answer = {"name": self.wanted.name, "observed": wire.pack(self.found)}

    def get_ready(self, store_fd: int) -> None:
        self.answer.update(_get_ready(self.request, store_fd, self.wanted, self.steps))


def _get_ready(request: Request, store_fd: int, wanted: Identity, steps: tuple[Step, ...]) -> dict[str, t.Any]:
    """Take the lease, and stage what the steps need."""
    from . import lease

    creates = any(step.action == "stage_key" for step in steps)
    place = open_place(request.store, store_fd, wanted.name, create=creates)
    if place is None:
        return {}
    try:
        taken = lease.take(
            place.fd,
            holder=request.holder,
            now=request.now.timestamp(),
            seconds=request.deadline,
            broken=request.broken.get(wanted.name),
        )
        answer: dict[str, t.Any] = {"lease": taken.token}
        if creates:
            csr, answer["public_id"] = _csr(place, wanted)
            answer["csr"] = base64.b64encode(csr).decode()
        return answer
    finally:
        os.close(place.fd)


def _csr(place: Place, wanted: Identity) -> tuple[bytes, str]:
    """Build the request with the staged key, and say which key that is; a key that a cut-off run staged is used again (R1)."""
    from .._core import pki
    from .._core.keys import key_type_of, spki_sha256
    from .._keystores.registry import KEYSTORES
    from .recovery import recover

    recover(place)
    keys = KEYSTORES[wanted.key.custody](place)
    staged: t.Any = keys.staged()
    if staged is None or key_type_of(staged.public_key()) != wanted.key.type:
        staged = keys.stage(wanted.key.type)
    return pki.request(wanted.subject, staged), spki_sha256(staged.public_key())
