# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Phase `prepare`: observe every identity, decide, and for those that need a credential stage a key and a request."""

from __future__ import annotations

import base64
import os
import typing as t
from functools import partial

from .._core import wire
from .._core.checks import Look
from .._core.errors import KeysteadError
from .._core.keys import check_makeable
from .._core.model import Observed
from .._core.plan import decide
from .._core.ports import Foreseeing
from .._keystores.registry import keystore
from .durability import together
from .observe import Seen, judged, see
from .ownership import check_may_give
from .pin_source import refuse_other_lines
from .place import Place, open_place
from .request import Request, failed
from .store import open_store, read_claim

if t.TYPE_CHECKING:
    from .._core.model import Identity, Known, Step


def prepare(request: Request, *, check: bool) -> list[dict[str, t.Any]]:
    """Return an answer for each identity: `observed`, and where something is to be issued `csr` and `lease`."""
    store_fd = open_store(request.store, host=request.host, ledger_id=request.ledger_id, create=False)
    siblings: dict[str, Identity] = {}
    looks = [_Look(request, wanted, known, siblings) for wanted, known, _entry in request.identities()]
    siblings.update((look.wanted.name, look.wanted) for look in looks)
    try:
        for look in looks:
            look.attempt(partial(look.see, store_fd))
        for look in looks:
            look.attempt(look.judge)
        always = [look for look in looks if look.wanted.prove and look.wanted.prove.when == "always"]
        if always:
            _ask(store_fd, always)
        for look in looks:
            look.attempt(look.decide)
        at_work = [look for look in looks if look.steps]
        if not check and (at_work or _holds_unclaimed(request, store_fd, looks)):
            store_fd = _claimed(request, store_fd)
            _get_ready_together(at_work, t.cast("int", store_fd))
        return [look.answer for look in looks]
    finally:
        if store_fd is not None:
            os.close(store_fd)


def _holds_unclaimed(request: Request, store_fd: int | None, looks: t.Sequence[_Look]) -> bool:
    """Tell whether a store that nobody claims has what the task declares: its claim was removed on purpose (W3)."""
    if store_fd is None or read_claim(store_fd, request.store) is not None:
        return False
    kept = (look for look in looks if look.wanted.state != "observed" and "error" not in look.answer)
    return any(look.found.generation is not None for look in kept)


def _get_ready_together(looks: t.Sequence[_Look], store_fd: int) -> None:
    """Stage what is needed; a request leaves the host only when its key is on the disk (R1)."""
    try:
        with together():
            for look in looks:
                look.attempt(partial(look.get_ready, store_fd))
    except KeysteadError as error:
        for look in looks:
            look.answer = failed(look.wanted.name, error)


def _claimed(request: Request, store_fd: int | None) -> int | None:
    """Open the store once more to write: one that is missing is made, one that nobody claimed yet is claimed."""
    writable = open_store(request.store, host=request.host, ledger_id=request.ledger_id, create=True)
    if store_fd is not None:
        os.close(store_fd)
    return writable


def _ask(store_fd: int | None, looks: t.Sequence[_Look]) -> None:
    """Ask the consumers of `prove.when: always` what they serve, all at the same time."""
    if store_fd is None:
        return
    from .consumers import verdicts

    places = {look.wanted.name: open_place(look.request.store, store_fd, look.wanted.name) for look in looks}
    try:
        asked = [(place, look.wanted) for look in looks if (place := places[look.wanted.name]) is not None]
        found = verdicts(asked)
    finally:
        for place in places.values():
            if place is not None:
                os.close(place.fd)
    for look in looks:
        look.found = look.found._replace(served=found.get(look.wanted.name))


class _Look:
    """One identity while it is looked at. An error ends its way, and not that of its siblings."""

    def __init__(self, request: Request, wanted: Identity, known: Known, siblings: t.Mapping[str, Identity]) -> None:
        self.request, self.wanted, self.known, self.siblings = request, wanted, known, siblings
        self.answer: dict[str, t.Any] = {}
        self.seen, self.found = Seen({}, {}), Observed(wanted.name)
        self.steps: tuple[Step, ...] = ()

    def attempt(self, work: t.Callable[[], None]) -> None:
        if "error" in self.answer:
            return
        try:
            work()
        except KeysteadError as error:
            self.steps = ()
            self.answer = failed(self.wanted.name, error)

    def see(self, store_fd: int | None) -> None:
        request, wanted = self.request, self.wanted
        if wanted.state == "present":
            check_may_give(wanted.files.owner, wanted.files.group)
            if wanted.key.token:
                refuse_other_lines(wanted)
        place = None if store_fd is None else open_place(request.store, store_fd, wanted.name)
        try:
            self.seen = see(place, wanted, self.known.newest)
            by_file = wanted.state == "released" and wanted.key.custody == "file"
            if place and by_file and self.seen.numbers["generation"] is not None:
                from .release import refuse_losing_the_key

                refuse_losing_the_key(place, wanted, self.known)
        finally:
            if place is not None:
                os.close(place.fd)

    def judge(self) -> None:
        self.found = judged(self.seen, self.request.store, self.wanted, self.known, self.siblings)

    def decide(self) -> None:
        found = self.found
        look = Look(self.wanted, found, found.credential, self.known, self.request.now, found.other)
        self.steps = decide(look)
        if _stages(self.steps):
            _check_can_be_said(self.wanted)
        if self.wanted.key.token and _stages(self.steps):
            keys = keystore(None, self.wanted.key)
            if isinstance(keys, Foreseeing):
                keys.check(self.wanted.key.type)
        if _stages(self.steps) and (self.wanted.prove or self.wanted.key.type.startswith("ml-dsa-")):
            self._check_post_quantum()
        self.answer = {"name": self.wanted.name, "observed": wire.pack(self.found)}

    def _check_post_quantum(self) -> None:
        from .post_quantum import check_fit, without_ml_dsa

        if self.wanted.key.type.startswith("ml-dsa-"):
            check_fit(self.wanted)
        self.found = self.found._replace(openssl=without_ml_dsa(self.wanted))

    def get_ready(self, store_fd: int) -> None:
        place = open_place(self.request.store, store_fd, self.wanted.name, create=_begins(self.steps))
        if place is None:
            return
        try:
            self._take_lease(place)
        finally:
            os.close(place.fd)

    def _take_lease(self, place: Place) -> None:
        """Take the lease, and keep it when there is still something to do: another run may just have done it."""
        from . import lease

        request = self.request
        taken = lease.take(
            place.fd,
            holder=request.holder,
            now=request.now.timestamp(),
            seconds=request.deadline,
            broken=request.broken.get(self.wanted.name),
        )
        kept = False
        try:
            served, self.seen = self.found.served, see(place, self.wanted, self.known.newest)
            self.judge()
            self.found = self.found._replace(served=served)
            self.decide()
            self.answer.update(_staged(place, self.wanted, self.known, self.steps))
            kept = bool(self.steps)
        finally:
            if not kept:
                lease.release(place.fd, taken.token)
        if kept:
            self.answer["lease"] = taken.token


def _check_can_be_said(wanted: Identity) -> None:
    """Raise Misconfigured where this host lacks the program that speaks to the issuer: before a key is staged."""
    from .._enrol.registry import PROGRAMS

    find = PROGRAMS.get((wanted.issuer_id or "").partition(":")[0])
    if find is not None:
        find()


def _stages(steps: tuple[Step, ...]) -> bool:
    return any(step.action == "stage_key" for step in steps)


def _begins(steps: tuple[Step, ...]) -> bool:
    """Tell whether there will be a generation, or keys in a token are to go, where there may be no directory."""
    return any(step.action in ("stage_key", "adopt", "destroy") for step in steps)


def _staged(place: Place, wanted: Identity, known: Known, steps: tuple[Step, ...]) -> dict[str, t.Any]:
    """Stage what the steps need, and return the request and its key's id where a credential is to be issued."""
    if not _stages(steps):
        return {}
    from .recovery import discard_unfinished, recover

    if wanted.key.comes_down:  # what waits there is of no use: who made it has forgotten it
        check_makeable(wanted.key.type)
        discard_unfinished(place)
        return {}
    recover(place)
    return _request(place, wanted, known) if wanted.key.on_host else {}


def _request(place: Place, wanted: Identity, known: Known) -> dict[str, t.Any]:
    """Build the request with the staged key and say which key that is; one of a cut-off run is used again (R1)."""
    from .._core import pki
    from .._core.keys import spki_sha256
    from .._core.staging import staged

    key = staged(keystore(place, wanted.key), wanted.key.type, known.rotation, known.spent)
    csr = base64.b64encode(pki.request(wanted.subject, key)).decode()
    elsewhere = {"key_uri": key.uri} if wanted.key.token else {}
    return {"csr": csr, "public_id": spki_sha256(key.public_key()), **elsewhere}
