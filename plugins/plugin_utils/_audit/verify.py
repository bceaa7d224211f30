# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Verifies a record: a ledger with what was archived of it, or an exported copy (rule A4)."""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import Misconfigured, Pending
from .._ledger.walk import Broken, Point, Walk, walked
from . import copy, files, records
from .checkpoint import WHO

if t.TYPE_CHECKING:
    from pathlib import Path

    from .._ledger.chain import Readable
    from .vouched import Vouched


class Verified(t.NamedTuple):
    """What was walked along: of which ledger, behind which event it began, and where it ended.

    `broken` says what the first record is that is not what was written; then `last` is where that was found.
    """

    ledger: str | None
    first: Point
    last: Point
    broken: str | None = None


def of_copy(path: Path, vouched: Vouched) -> Verified:
    """Verify a copy. Raises Misconfigured for one that cannot be read."""

    def expected(ledger: str) -> t.Mapping[int, tuple[str, str]]:
        vouched.take(ledger)
        return vouched.expected

    try:
        found = _copy(path, expected)
        for point, signed in found.checkpoints:
            vouched.check(signed, found.ledger, point)
        _check_begins(found, vouched)
        Walk(found.end, vouched.expected).end()
    except Broken as broken:
        nowhere = Point(0, "")
        return Verified(None, nowhere, nowhere, f"copy {path}: {broken}")
    return Verified(found.ledger, found.start, found.end)


def _check_begins(found: copy.Copy, vouched: Vouched) -> None:
    """Raise Broken for a copy that begins where nobody vouches for what was before."""
    vouched.check_start(found.start)
    if not found.start.seq and found.start.hash != found.ledger:
        raise Broken("its first event does not follow the id of its ledger")
    if found.start.seq and found.start.seq not in vouched.expected:
        raise Broken(f"it begins behind event {found.start.seq}, and no checkpoint that is believed is of that one")


def of_ledger(ledger: Readable, archives: t.Sequence[Path], vouched: Vouched) -> Verified:
    """Verify a ledger, and before it what was archived of it, where that is given.

    Raises Misconfigured, and Pending where events were archived meanwhile.
    """
    start = records.start(ledger)
    first = start
    walk = Walk(start)
    try:
        vouched.take(str(ledger.id))
        for one in records.all_signed(ledger):
            vouched.kept(one, str(ledger.id))
        vouched.check_start(start)
        first = _archives(ledger, archives, vouched, start)
        walk = Walk(start, {seq: said for seq, said in vouched.expected.items() if seq > start.seq})
        for _entry in walked(ledger, walk):
            pass
        walk.end()
    except Broken as broken:
        if records.start(ledger) != start:
            raise Pending(f"{WHO}: another run archived events of this ledger meanwhile; run again") from None
        return Verified(ledger.id, first, walk.at, str(broken))
    return Verified(ledger.id, first, walk.at)


def _archives(ledger: Readable, archives: t.Sequence[Path], vouched: Vouched, start: Point) -> Point:
    """Walk along what was archived; return where that begins. Raises Broken."""
    if not archives:
        return start
    known = {one.last: one for one in records.archived(ledger)}
    at = Point(0, str(ledger.id))
    for path in archives:
        try:
            found = _copy(path, lambda _ledger: vouched.expected)
        except Broken as broken:
            raise Broken(f"archive {path}: {broken}") from None
        if (found.ledger, found.start) != (str(ledger.id), at):
            raise Broken(f"archive {path} does not follow event {at.seq}")
        if found.end.seq not in known or known[found.end.seq].hash != found.end.hash:
            raise Broken(f"archive {path} is none that this ledger knows of")
        if files.digest(path) != known[found.end.seq].digest:
            raise Broken(f"archive {path} is another file than the one that was written")
        at = found.end
    if at != start:
        raise Broken(f"events {at.seq + 1} to {start.seq} are in archive {known[start.seq].name}, which was not given")
    return Point(0, str(ledger.id))


def _copy(path: Path, expected: copy.Expected) -> copy.Copy:
    try:
        if not path.is_file():
            raise Misconfigured(f"{WHO}: {path} is no file that is there; correct it")
        return copy.read(path, expected)
    except OSError as error:
        raise Misconfigured(f"{WHO}: {path} cannot be read ({error.strerror}); let this user read it") from None
