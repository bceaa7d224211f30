# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a power failure would find: the order of writes, syncs and renames, as strace saw them."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.tests.harness.sweep import Sweep

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.tests.harness.faults import Call
    from ansible_collections.keystead.identity.tests.harness.sweep import Scene

pytestmark = [pytest.mark.needs("strace", "root"), pytest.mark.one_core]

_ON_DESCRIPTOR = re.compile(r"\(\d+<([^>]*)>")
_IN_DIRECTORY = re.compile(r'\d+<([^>]*)>, "([^"]*)"')
_CHANGES_CONTENT = ("write", "fchmod", "fchown", "ftruncate")
LEASE = "lease.json"
"""Written in place and not synced: after a power failure no run is left that could hold it."""

Name = tuple[str, str]


@dataclass
class Disk:
    """What is not on the disk yet: content of files, and names in directories.

    Nothing may wait when a generation is published, but for names in the directory of the identity itself: what is done
    to one directory reaches the disk in its order. Nothing at all may wait when a consumer is told, or the predecessor
    destroyed.
    """

    place: str
    files: set[str] = field(default_factory=set)
    names: set[Name] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)

    def see(self, call: Call) -> None:
        """Follow one call."""
        if call.name == "fsync":
            self._settled(_path(call))
        elif call.name in _CHANGES_CONTENT:
            self.files.add(_path(call))
        elif call.name == "execve":
            self._expect("the consumer is told", self.waiting())
        else:
            self._named(call, _IN_DIRECTORY.findall(call.text))

    def _named(self, call: Call, places: list[Name]) -> None:
        if call.name == "renameat":
            self._renamed(*places)
        if call.name == "unlinkat":
            if places[0][0] == f"{self.place}/1":
                self._expect("the predecessor is destroyed", [one for one in self.waiting() if "/1/" not in one])
            self._settled("/".join(places[0]))
        self.names.update(places)

    def _renamed(self, old: Name, new: Name) -> None:
        waits = [one for one in self.waiting() if one.rpartition("/")[0] != self.place]
        if new == (self.place, "current"):
            self._expect("it is published", waits)
        if old == (self.place, "next"):
            self._expect("it gets its number", waits)
        before, after = "/".join(old), "/".join(new)
        self.files = {_moved(path, before, after) for path in self.files}
        self.names = {(_moved(directory, before, after), name) for directory, name in self.names}

    def _settled(self, path: str) -> None:
        """Forget what was not on the disk: it was synced, or it is gone."""
        self.files.discard(path)
        self.names = {(directory, name) for directory, name in self.names if directory != path}

    def _expect(self, when: str, waiting: list[str]) -> None:
        self.seen.append(when)
        self.complaints += [f"{one} is not on the disk when {when}" for one in waiting]

    def waiting(self) -> list[str]:
        """Return everything that is not on the disk, but for the lease."""
        return [path for path in (*self.files, *map("/".join, self.names)) if not path.endswith(LEASE)]


def _path(call: Call) -> str:
    found = _ON_DESCRIPTOR.search(call.text)
    return found[1] if found else ""


def _moved(path: str, before: str, after: str) -> str:
    inside = path == before or path.startswith(f"{before}/")
    return after + path[len(before) :] if inside else path


def calls_of(scene: Scene, start: str, *names: str) -> list[Call]:
    """Return what a run does to the host's disk."""
    sweep = Sweep(scene, start, scene.identity(*names))
    recorded = [call for phase in ("prepare", "install") for call in sweep.recorded(phase, follow=True)]
    return [call for call in recorded if str(scene.world.directory) in call.text and " = -1 " not in call.text]


@pytest.mark.parametrize(("start", "name"), [("empty", "a.example.org"), ("first", "b.example.org")])
def test_everything_is_on_the_disk_before_it_is_published_and_before_a_consumer_is_told(
    scene: Scene, start: str, name: str
) -> None:
    disk = Disk(str(scene.place))
    for call in calls_of(scene, start, name):
        disk.see(call)
    assert disk.complaints == []
    assert disk.waiting() == []
    moments = ["it gets its number", "it is published", "the consumer is told"]
    assert list(dict.fromkeys(disk.seen)) == moments + (["the predecessor is destroyed"] if start == "first" else [])


@pytest.mark.parametrize("without", ["private_key.pem", "fullchain.pem", "generation.json", "next", "web"])
def test_a_sync_that_was_left_out_would_be_seen(scene: Scene, without: str) -> None:
    disk = Disk(str(scene.place))
    for call in calls_of(scene, "first", "b.example.org"):
        if call.name != "fsync" or without not in Path(_path(call)).name:
            disk.see(call)
    assert [one for one in disk.complaints if without in one]
