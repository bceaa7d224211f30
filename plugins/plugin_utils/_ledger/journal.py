# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What an emergency did while the ledger was down: a file of signed lines, which the next run writes into the ledger.

Each line names the digest of the one before, and is signed (Ed25519) by a key of this user on this controller. It is on
the disk before what it tells of is done (rule A1).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import typing as t
from datetime import datetime

from ...module_utils._core.errors import Misconfigured, Unavailable
from ...module_utils._host.safe_files import write_all
from .._durable import sync_names
from .location import default_path, ephemeral, make_directory
from .nouns import CredentialRevoked
from .port import Batch, Event, Outcome
from .signing_key import signing_key

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

Said = dict[str, t.Any]
_OPEN = os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
FIRST = "0" * 64


def place_of(url: str | None, environment: Mapping[str, str]) -> Path:
    """Return where the journal for a ledger is. Raises Misconfigured where nothing outlives the job."""
    job = ephemeral(environment)
    if job:
        raise Misconfigured(
            f"ledger: a journal of what is done without it would vanish with this {job}; revoke by the means of the "
            "issuer, and the next run takes that over"
        )
    ledger = hashlib.sha256((url or "").encode()).hexdigest()[:16]
    return default_path(environment).with_name(f"journal-{ledger}.jsonl")


class Journal:
    """Stands in for a ledger that is down: it knows nothing, and takes down what it is told."""

    id: str | None = None

    def __init__(self, url: str | None, *, read_only: bool) -> None:
        """Find its place. Raises Misconfigured where nothing outlives the job."""
        self.path, self._read_only = place_of(url, os.environ), read_only

    def read(self, statement: str, parameters: tuple[t.Any, ...] = ()) -> list[tuple[t.Any, ...]]:  # noqa: ARG002
        """Return nothing: what the ledger knows, nobody can ask."""
        return []

    def record(self, batch: Batch, outcomes: Sequence[Outcome]) -> None:
        """Write down what is about to happen, or what happened, durably."""
        if self._read_only:
            raise Misconfigured(f"ledger: {self.path} was opened to read, and may not be written")
        make_directory(self.path.parent)
        key = signing_key(self.path.parent, make=True)
        try:
            with _locked(self.path, os.O_CREAT) as descriptor:
                _append(descriptor, key, _packed(batch, outcomes))
            sync_names(self.path.parent)
        except OSError as error:
            why = error.strerror
            raise Unavailable(f"ledger: {self.path} cannot be written ({why}); make room, and run again") from None

    def ended(self) -> dict[str, str]:
        """Return how everything that it was told of went last, by name; nothing where it is not what was written."""
        try:
            with reading(self.path) as lines:
                outcomes = [one for _digest, _batch, told in lines for one in told]
        except Misconfigured:
            return {}
        return {one.name: event.outcome for one in outcomes for event in one.events}

    def close(self) -> None:
        """Do nothing: it is open only while it is written."""


def _append(descriptor: int, key: t.Any, told: Said) -> None:
    lines = _lines(descriptor)
    os.ftruncate(descriptor, sum(len(line) + 1 for line in lines))  # a line that was cut off tells of nothing
    text = json.dumps({"previous": digest(lines[-1]) if lines else FIRST, **told}, sort_keys=True)
    write_all(descriptor, json.dumps({"said": text, "signature": key.sign(text.encode()).hex()}).encode() + b"\n")
    os.fsync(descriptor)


def digest(line: bytes) -> str:
    """Return what names a line."""
    return hashlib.sha256(line).hexdigest()


@contextlib.contextmanager
def reading(path: Path) -> Iterator[list[tuple[str, Batch, list[Outcome]]]]:
    """Yield what a journal tells, each with the digest of its line, and keep everybody else away meanwhile.

    Nothing is yielded where somebody was quicker. Raises Misconfigured where it is not what was written.
    """
    with contextlib.ExitStack() as stack:
        try:
            lines = _lines(stack.enter_context(_locked(path)))
        except FileNotFoundError:
            lines = []
        yield list(_verified(path, lines)) if lines else []


def _verified(path: Path, lines: Sequence[bytes]) -> Iterator[tuple[str, Batch, list[Outcome]]]:
    key, previous = signing_key(path.parent, make=False).public_key(), FIRST
    for number, line in enumerate(lines, 1):
        try:
            told = json.loads(line)
            key.verify(bytes.fromhex(told["signature"]), told["said"].encode())
            said = json.loads(told["said"])
            batch, outcomes = _unpacked(said)
            genuine = said["previous"] == previous
        except Exception:  # noqa: BLE001 - whatever it is, it is not what was written
            genuine = False
        if not genuine:
            raise Misconfigured(
                f"ledger: {path} line {number} is not what was written there in an emergency; find out who changed it, "
                "and move the file away"
            ) from None
        previous = digest(line)
        yield previous, batch, outcomes


def _packed(batch: Batch, outcomes: Sequence[Outcome]) -> Said:
    return {
        "batch": [batch.host, batch.store, dict(batch.actor), batch.at.isoformat()],
        "outcomes": [
            [one.name, one.number, [list(event) for event in one.events], [_change(change) for change in one.changes]]
            for one in outcomes
        ],
    }


def _change(change: t.Any) -> list[t.Any]:
    return [value.isoformat() if isinstance(value, datetime) else value for value in change]


def _unpacked(said: Said) -> tuple[Batch, list[Outcome]]:
    host, store, actor, at = said["batch"]
    outcomes = [
        Outcome(name, number, tuple(Event(*event) for event in events), tuple(map(_revoked, changes)))
        for name, number, events, changes in said["outcomes"]
    ]
    return Batch(host, store, actor, datetime.fromisoformat(at)), outcomes


def _revoked(fields: Sequence[t.Any]) -> CredentialRevoked:
    found = CredentialRevoked(*fields)
    not_after, when = (datetime.fromisoformat(str(one)) for one in (found.not_after, found.when))
    return found._replace(not_after=not_after, when=when)


@contextlib.contextmanager
def _locked(path: Path, make: int = 0) -> Iterator[int]:
    """Open the file for this process alone; raises FileNotFoundError for one that is not there and not to be made."""
    import fcntl

    try:
        while True:
            descriptor = os.open(path, _OPEN | make, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if path.exists() and path.stat().st_ino == os.fstat(descriptor).st_ino:
                break
            os.close(descriptor)  # who had the lock has put it aside
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Misconfigured(f"ledger: {path} cannot be opened ({error.strerror}); let this user write there") from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _lines(descriptor: int) -> list[bytes]:
    """Return the whole lines of a file."""
    os.lseek(descriptor, 0, os.SEEK_SET)
    content = b""
    while block := os.read(descriptor, 1 << 20):
        content += block
    return content.split(b"\n")[:-1]
