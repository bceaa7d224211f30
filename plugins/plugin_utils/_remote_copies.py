# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Copies that only the controller reaches: looked at in every run, written when the host's half has done its part."""

from __future__ import annotations

import hashlib
import time
import typing as t
from dataclasses import dataclass

from ..module_utils._core import pki
from ..module_utils._core.errors import KeysteadError, Misconfigured
from ..module_utils._core.model import Done
from ..module_utils._core.publication import COPY_STATES, CopyState, is_remote, told
from ._copy_entry import Owner, stand_in
from ._ledger import queries
from ._publishers.registry import PUBLISHERS, Guarded
from ._work import failing, plan

if t.TYPE_CHECKING:
    from datetime import datetime

    from ..module_utils._core.model import Credential, Step
    from ._ledger.chain import Readable
    from ._ledger.port import Ledger
    from ._publishers.registry import Remote
    from ._work import Work

Parts = dict[str, bytes]
_OURS = tuple(state for state in COPY_STATES if state not in ("missing", "file"))


@dataclass
class RemoteCopy:
    """One declared copy, and why it could not be read, where it could not."""

    publisher: Remote
    name: str
    parts: tuple[str, ...]
    error: KeysteadError | None = None
    state: CopyState | None = None

    @property
    def lacks_key(self) -> str | None:
        """Say how it differs where only the private key could put it right."""
        state = self.state
        if "private_key" not in self.parts or state is None or state.state in (*self.publisher.mends, "unread"):
            return None
        return f"{told(state)}; its private key cannot be had from the host, so another one is made"


class RemoteCopies:
    """The copies of one store of one host, whose generations the ledger has."""

    def __init__(self, ledger: Ledger, host: str, store: str) -> None:
        """Keep whose copies these are."""
        self._ledger, self._host, self._store = t.cast("Readable", ledger), host, store

    def look(self, works: t.Sequence[Work], now: datetime) -> list[Work]:
        """Read each copy once, and decide once more with what is there.

        Return what is to be renewed for that alone: its host does not know it yet.
        """
        missed = []
        for work in works:
            with failing([work]):
                renewed = work.needs("issue")
                work.remotes = self._declared(work)
                self._read(work)
                _judge(work, now)
                if work.needs("issue") and not renewed:
                    missed.append(work)
        return missed

    def look_again(self, works: t.Sequence[Work], now: datetime) -> None:
        """Decide once more with what was read, after the host was asked again."""
        for work in works:
            with failing([work]):
                _judge(work, now)

    def write(self, works: t.Sequence[Work]) -> None:
        """Do the steps that are about such copies; the first error is the identity's, and the others go on."""
        for work in works:
            by_place = {one.publisher.where: one for one in work.remotes}
            for step in filter(is_remote, work.steps):
                if step.about in by_place:
                    self._do(work, step, by_place[step.about])

    def _declared(self, work: Work) -> list[RemoteCopy]:
        identity = work.identity
        key_type = identity.key.type if identity.state == "present" else ""
        owner = Owner(self._label(work.name), work.name, identity.files.replace_files, key_type)
        made = [
            RemoteCopy(PUBLISHERS[one.publisher](one.options, owner), one.publisher, one.parts)
            for one in work.declaration.remotes
        ]
        for at, one in enumerate(made):
            if any(one.publisher.is_at(other.publisher.where) for other in made[:at]):
                raise Misconfigured(
                    f"machine_identity: identities[{work.name}].publish: {one.publisher.where} stands there twice; "
                    "write it once"
                )
        return made

    def _label(self, name: str) -> str:
        """Return what marks the entries of an identity: another ledger's, over the same host, are somebody else's."""
        told = f"{self._ledger.id}:{self._store}/{name}@{self._host}"
        return f"{self._host}/{name} {hashlib.sha256(told.encode()).hexdigest()[:12]}"

    def _read(self, work: Work) -> None:
        found = work.found
        if found is None or work.identity.state not in ("present", "absent"):
            return
        present = work.identity.state == "present"
        parts = self._parts(work, found.credential) if present else None
        for one in work.remotes:
            one.state = _state(one, parts, present=present)
            if not present and isinstance(one.publisher, Guarded) and one.state.state in _OURS:
                one.publisher.check_free()
        lacking = [one.lacks_key for one in work.remotes] if parts is not None else []
        work.known = work.known._replace(key_gone=next(filter(None, lacking), work.known.key_gone))

    def _do(self, work: Work, step: Step, copy: RemoteCopy) -> None:
        started, error = time.monotonic(), None
        try:
            if step.action == "withdraw":
                copy.publisher.delete()
            else:
                self._write(work, copy)
        except KeysteadError as failed:
            error, work.error = failed, work.error or failed
        seconds = time.monotonic() - started
        work.done.append(Done(step.action, step.reason, seconds, str(error) if error else None))

    def _write(self, work: Work, copy: RemoteCopy) -> None:
        after = work.after or work.found
        if copy.error is not None and not work.needs("issue"):
            raise copy.error  # it was asked a moment ago
        parts = self._parts(work, after.credential if after else None)
        if parts is None:
            raise Misconfigured(
                f"{copy.name}: the ledger does not have the chain of what the host has; run again, and if it stays so, "
                "renew it"
            )
        copy.publisher.write({part: parts[part] for part in copy.parts})
        if after is not None:
            done = CopyState(copy.publisher.where, copy.name, "ok")
            others = (one for one in after.copies if one.where != done.where)
            work.after = after._replace(copies=(*others, done))

    def _parts(self, work: Work, credential: Credential | None) -> Parts | None:
        """Return the parts of a generation, by its certificate; of a key that is not at hand, which one that is."""
        credential_id = credential.credential_id if credential else None
        original = work.found.original if work.found and work.needs("adopt") else None
        if original is not None and original.credential.credential_id == credential_id:
            pem = [pki.pem_certificate(one) for one in (original.certificate, *original.chain)]
            leaf, chain = pem[0], b"".join(pem[1:])
        else:
            place = self._host, self._store, work.name
            found = credential_id and queries.certificate_of(self._ledger, *place, credential_id)
            if not found:
                return None
            leaf, chain = (text.encode() for text in found)
        public_id = credential.public_id if credential else ""
        made = work.private_key if public_id == work.public_id else None
        return {"certificate": leaf, "chain": chain, "fullchain": leaf + chain,
                "private_key": made or stand_in(public_id)}  # fmt: skip


def finish(works: t.Sequence[Work]) -> None:
    """Let what is settled keep the copies that the host knows nothing of."""
    for work in works:
        before, after = work.found, work.after
        if before is None or after is None or after is before or not work.remotes:
            continue
        known = {one.where for one in after.copies}.union(step.about for step in work.steps)
        places = {one.publisher.where for one in work.remotes}
        kept = [one for one in before.copies if one.where in places - known and one.state == "ok"]
        work.after = after._replace(copies=(*after.copies, *kept))


def _judge(work: Work, now: datetime) -> None:
    """Add what was read to what was found, and decide."""
    found, states = work.found, [one.state for one in work.remotes if one.state is not None]
    if found is None:
        return
    if work.identity.state == "present":
        found = found._replace(copies=(*found.copies, *states))
    elif work.identity.state == "absent":
        ours = tuple(state.where for state in states if state.state in _OURS)
        found = found._replace(stale_copies=(*found.stale_copies, *ours))
    work.found, work.steps = found, plan(work, found, now)


def _state(copy: RemoteCopy, parts: Parts | None, *, present: bool) -> CopyState:
    """Return how a copy is; what cannot be read now stops nothing on the host."""
    wanted = None if parts is None or not present else {part: parts[part] for part in copy.parts}
    try:
        return copy.publisher.read(wanted)
    except Misconfigured:
        if present:
            raise
        return CopyState(copy.publisher.where, copy.name, "file")  # somebody else's
    except KeysteadError as error:
        copy.error = error
        return CopyState(copy.publisher.where, copy.name, "unread")


def forgotten(works: t.Sequence[Work]) -> t.Iterator[str]:
    """Yield a warning for each copy that stays, since nobody declares it any more, or since the identity goes."""
    for work in works:
        released = work.identity.state == "released"
        for place in work.known.links:
            if place.startswith("/"):
                continue
            if not any(one.publisher.is_at(place) for one in work.remotes):
                yield (
                    f"{work.name}: {place} is no longer declared, and stays as it is; where no other task and no other "
                    "way to write its address still means it, delete it there"
                )
            elif released:
                yield f"{work.name}: {place} stays as it is, and nobody renews it; delete it there when it is not used"
