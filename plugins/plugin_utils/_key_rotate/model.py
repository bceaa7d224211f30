# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The nouns of a rotation: generations of a key as a backend has them and as the ledger does, and the port between.

A key that is declared by one name has generations, with numbers that only grow. One of them is active: the newest that
the ledger has. A newer one that the backend has is prepared, an older one tainted, one that is destroyed revoked.
"""

from __future__ import annotations

import hashlib
import typing as t

if t.TYPE_CHECKING:
    from datetime import datetime

PREPARED, ACTIVE, TAINTED, REVOKED = "prepared", "active", "tainted", "revoked"


class Version(t.NamedTuple):
    """A generation as its backend has it: the public key in DER, and when it was made, where the backend says so.

    One that is whole and yet not usable is `stopped`: how, and what ends that.
    """

    uri: str
    number: int
    type: str
    public_key: bytes | None = None
    made_at: datetime | None = None
    usable: bool = True
    stopped: str = ""

    @property
    def public_id(self) -> str | None:
        """The SHA-256 of the public key; a secret key has none."""
        return None if self.public_key is None else hashlib.sha256(self.public_key).hexdigest()


class There(t.NamedTuple):
    """What a backend has of one key, by number. `place` is where the ledger knows it to be, `called` is for sentences.

    `leads` is the URI of what the backend itself uses when it is asked for the key by name: empty where that is none,
    None where it has no such notion. With `one_by_one`, any generation can be destroyed; else only with all before it.
    `least` is the lowest number that the backend still uses for something new, where it can keep generations from that.
    `how` is how a key is made.
    """

    place: str
    called: str
    versions: tuple[Version, ...]
    leads: str | None = None
    one_by_one: bool = True
    least: int | None = None
    how: str = "as with hsm_key"

    def at(self, uri: str | None) -> Version | None:
        """Return the generation with a URI."""
        return next((one for one in self.versions if one.uri == uri), None)


class Kept(t.NamedTuple):
    """A generation as the ledger has it: when it was recorded, which is when it became active, and if we made it.

    `gone` is when it was destroyed.
    """

    uri: str
    number: int
    at: datetime
    made: bool
    gone: datetime | None = None


class Known(t.NamedTuple):
    """What the ledger knows of one key: its generations, when a run began to make one, and who else has which.

    `begun` are the numbers of those of which no run ever said that they were made. `prepared` are, by number, URI and
    public id of those that were made and are not active yet. `seen` is the latest moment in the ledger that has passed,
    `agreed` the latest one that an earlier play wrote, where somebody asked for them.
    """

    kept: tuple[Kept, ...] = ()
    staged: t.Mapping[int, datetime] = {}
    begun: t.Collection[int] = ()
    prepared: t.Mapping[int, tuple[str, str | None]] = {}
    users: t.Mapping[str, tuple[str, ...]] = {}
    seen: datetime | None = None
    agreed: datetime | None = None

    @property
    def live(self) -> tuple[Kept, ...]:
        """Those that were not destroyed, as far as the ledger knows."""
        return tuple(one for one in self.kept if one.gone is None)

    def of(self, uri: str) -> Kept | None:
        """Return what is known of the generation with a URI, if it was not destroyed."""
        return next((one for one in self.live if one.uri == uri), None)

    def awaits(self, version: Version) -> bool:
        """Tell whether a generation is what a run of ours made, and not another key under its name.

        Where a run was cut off before it could say what it made, the number is all that is known.
        """
        made = self.prepared.get(version.number)
        if made is None:
            return version.number in self.begun
        return made[0] == version.uri and (made[1] == version.public_id or not version.usable)

    @property
    def newest(self) -> int:
        """The highest number that was ever recorded."""
        return max((one.number for one in self.kept), default=0)

    def is_behind(self, number: int) -> bool:
        """Tell whether a number is after all that a run is known to have given, whatever became of those.

        Then a ledger that has no such key may be older than what it is about: it was lost, or put back from a backup.
        """
        return number > max((self.newest, *self.staged, *self.prepared))


class Act(t.NamedTuple):
    """A step (of ACTIONS), why it is needed, and the generation that it is about, with its URI where it is there."""

    action: str
    reason: str
    number: int
    uri: str = ""


History = t.Callable[[str], Known]
"""Returns what the ledger knows of the key in a place, but for its users."""


class Keys(t.Protocol):
    """The generations of one key in a backend. Every method raises KeysteadError."""

    def look(self, history: History) -> There:
        """Return what is there."""

    def make(self, number: int, like: Version) -> Version:
        """Make a generation that is like another; where the backend has its own names, it is not used before `lead`."""

    def prove(self, version: Version) -> None:
        """Let it do what it is for. Raises NotConverged where it does not, and nobody could use it."""

    def lead(self, version: Version) -> None:
        """Let the backend use this one, and no other, when it is asked for the key by name. May be repeated."""

    def destroy(self, version: Version) -> None:
        """Destroy a generation for ever, or schedule that, and look whether it is so."""
