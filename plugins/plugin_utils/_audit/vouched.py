# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What checkpoints say of the record: those that were shipped, and those that the ledger has itself."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ...module_utils._core import pki
from ...module_utils._core.errors import Misconfigured
from ...module_utils._core.keys import spki_sha256
from .._ledger.walk import Broken
from .._receivers.file import text_of
from . import checkpoint
from .checkpoint import WHO, Checkpoint, Refused

if t.TYPE_CHECKING:
    from .._ledger.walk import Point
    from .checkpoint import Keys
    from .records import Signed

_SHOWN = 3


class Vouched:
    """Collects the checkpoints of one ledger; `expected` are the hashes that they say, for Walk, with who says so."""

    def __init__(self, keys: Keys, warnings: list[str], who: str = WHO) -> None:
        """Believe what these keys have signed; `who` speaks."""
        self.keys, self._warnings, self._who = keys, warnings, who
        self._found: list[tuple[Checkpoint, str]] = []
        self._texts: set[str] = set()
        self._last = Checkpoint("", 0, "", "")
        self.expected: dict[int, tuple[str, str]] = {}
        self.until = 0
        """The number of the last event that somebody outside of the ledger vouches for."""

    @property
    def archived(self) -> int:
        """Up to which event the ledger was archived, by the last checkpoint that is believed."""
        return self._last.archived

    def read(self, path: Path) -> None:
        """Read the checkpoints in a file. Raises Misconfigured where it has none that was signed by our keys."""
        if not self.read_text(text_of(path, f"{self._who}: option checkpoints"), str(path)):
            raise Misconfigured(
                f"{self._who}: {path} holds no checkpoint that can be believed; name the file that they were shipped "
                "to, and in public_keys who signed them"
            )

    def read_text(self, text: str, where: str) -> bool:
        """Read the checkpoints in a text; return whether one was signed by our keys. Others are a warning."""
        refused, found = list[str](), list[tuple[Checkpoint, str]]()
        for one in checkpoint.found_in(text):
            try:
                found.append((checkpoint.read(one, self.keys), f"the checkpoint of {{at}} in {where}"))
                self._texts.add(one)
            except Refused as why:
                refused.append(str(why))
        if refused:
            told = "; ".join(sorted(set(refused))[:_SHOWN])
            self._warnings.append(f"{len(refused)} of the checkpoints in {where} are passed over: {told}")
        self._found += found
        return bool(found)

    def has(self, signed: str) -> bool:
        """Tell whether a checkpoint was read somewhere outside of the ledger."""
        return signed in self._texts

    def take(self, ledger: str) -> None:
        """Expect what was read of a ledger. Raises Broken where nothing is of it, or two do not agree."""
        mine = [(one, who.format(at=one.at)) for one, who in self._found if one.ledger == ledger]
        if self._found and not mine:
            others = sorted({one.ledger for one, _who in self._found})
            raise Broken(f"the checkpoints are of ledger {', '.join(others[:_SHOWN])}, and this is ledger {ledger}")
        for one, who in mine:
            self._expect(one, who)
        self.until = max((one.seq for one, _who in mine), default=0)

    def kept(self, one: Signed, ledger: str) -> bool:
        """Expect what a checkpoint says that the ledger has itself; return whether a key of ours has signed it.

        Where no key was named, that beside it counts for as much as the rest of the ledger. Raises Broken for one that
        was changed.
        """
        try:
            name, key = _public(one.public_key)
            said = checkpoint.read(one.signed, {name: key})
        except (Refused, ValueError):
            raise Broken(f"the checkpoint of event {one.seq} in the ledger is not what was signed") from None
        if (said.seq, said.ledger) != (one.seq, ledger):
            raise Broken(f"the checkpoint of event {one.seq} in the ledger is another one's")
        if self.keys and name not in self.keys:
            self._warnings.append(
                f"the checkpoint of event {one.seq} in the ledger is passed over: nobody named the public key that it "
                f"was signed with, {name}"
            )
            return False
        self._expect(said, f"the checkpoint of {said.at} in the ledger")
        return bool(self.keys)

    def check(self, signed: str, ledger: str, point: Point) -> None:
        """Compare a checkpoint in a copy, if a key of ours signed it, with what stands before it. Raises Broken."""
        try:
            said = checkpoint.read(signed, self.keys)
        except Refused:
            return
        if (said.ledger, said.seq, said.hash) != (ledger, *point):
            raise Broken(f"the checkpoint of {said.at} behind event {point.seq} is of another record")
        self._expect(said, f"the checkpoint of {said.at} behind event {point.seq}")

    def check_start(self, start: Point) -> None:
        """Raise Broken where a record does not begin as the last checkpoint says that it does."""
        if start.seq != self.archived:
            after = f"event {self.archived}" if self.archived else "nothing"
            raise Broken(f"it begins behind event {start.seq}, and by the last checkpoint it follows {after}")
        if start.seq and self.expected.get(start.seq, (start.hash,))[0] != start.hash:
            raise Broken(f"it does not follow what the checkpoint of event {start.seq} is of")

    def _expect(self, one: Checkpoint, who: str) -> None:
        known = self.expected.setdefault(one.seq, (one.hash, who))
        if known[0] != one.hash:
            raise Broken(f"{known[1]} and {who} differ about event {one.seq}: one is of a record written anew")
        if one.seq >= self._last.seq:
            self._last = one


def public_keys(said: t.Sequence[str], also: t.Any = None, who: str = WHO) -> Keys:
    """Return the public keys that option `public_keys` names, and that of a key. Raises Misconfigured."""
    found = {spki_sha256(also.public_key()): also.public_key()} if also is not None else {}
    for one in said:
        pem = "-----BEGIN" in one
        try:
            path = Path(one).expanduser()
            found.update([_public(one if pem else text_of(path, f"{who}: option public_keys"))])
        except ValueError:
            shown = "the PEM given" if pem else one
            raise Misconfigured(f"{who}: option public_keys: {shown} is no public key in PEM; correct it") from None
    return found


def id_of(one: Signed) -> str | None:
    """Return the id of the public key beside a checkpoint; None where that is none."""
    try:
        return _public(one.public_key)[0]
    except ValueError:
        return None


def _public(pem: str) -> tuple[str, t.Any]:
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(pem.encode())
    except pki.UNREADABLE as error:
        raise ValueError(str(type(error))) from None
    return spki_sha256(key), key
