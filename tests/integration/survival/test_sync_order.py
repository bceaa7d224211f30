# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a power failure would find: the order of writes, syncs and renames, as strace saw them."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

import pytest
from ansible_collections.keystead.identity.tests.harness.sweep import Sweep

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.tests.harness.faults import Call
    from ansible_collections.keystead.identity.tests.harness.sweep import Scene

pytestmark = [pytest.mark.needs("strace", "root"), pytest.mark.one_core]

_ON_DESCRIPTOR = re.compile(r"\w+\(\d+<([^>]*)>")
_IN_DIRECTORY = re.compile(r'\d+<([^>]*)>, "([^"]*)"')
_CHANGES_CONTENT = ("write", "fchmod", "fchown", "ftruncate")
LEASE = "lease.json"
"""Written in place and not synced: after a power failure no run is left that could hold it."""


@dataclass
class Disk:
    """What is not on the disk yet: content of files, and names in directories."""

    files: set[str] = field(default_factory=set)
    names: set[tuple[str, str]] = field(default_factory=set)
    complaints: list[str] = field(default_factory=list)
    published: int = 0

    def see(self, call: Call) -> None:
        """Follow one call."""
        if call.name == "fsync":
            self._settled(_path(call))
        elif call.name in _CHANGES_CONTENT:
            self.files.add(_path(call))
        else:
            self._named(call)

    def _named(self, call: Call) -> None:
        places = _IN_DIRECTORY.findall(call.text)
        if call.name == "renameat":
            self._renamed(call, *places)
        if call.name == "unlinkat":
            self._settled("/".join(places[0]))
        self.names.update(place for place in places if place[1] != LEASE)

    def _settled(self, path: str) -> None:
        """Forget what was not on the disk: it was synced, or it is gone."""
        self.files.discard(path)
        self.names = {(directory, name) for directory, name in self.names if directory != path}

    def _renamed(self, call: Call, old: tuple[str, str], new: tuple[str, str]) -> None:
        source = "/".join(old)
        lacking = [path for path in self.files if path == source or path.startswith(f"{source}/")]
        lacking += [f"{directory}/{name}" for directory, name in self.names if f"{directory}/".startswith(f"{source}/")]
        if new[1] == "current":
            self.published += 1
            lacking += self.unsynced({old})
        if lacking:
            self.complaints.append(f"{call.text}: not synced before: {lacking}")

    def unsynced(self, beside: set[tuple[str, str]] | None = None) -> list[str]:
        """Return everything that is not on the disk, but for the lease."""
        left = self.names - (beside or set())
        return [path for path in self.files if not path.endswith(LEASE)] + ["/".join(place) for place in left]


def _path(call: Call) -> str:
    found = _ON_DESCRIPTOR.match(call.text)
    return found[1] if found else ""


def calls_of(scene: Scene, start: str, *names: str) -> list[Call]:
    """Return what a run does to the host's disk."""
    sweep = Sweep(scene, start, scene.identity(*names))
    recorded = [call for phase in ("prepare", "install") for call in sweep.recorded(phase)]
    return [call for call in recorded if str(scene.world.directory) in call.text]


@pytest.mark.parametrize(("start", "name"), [("empty", "a.example.org"), ("first", "b.example.org")])
def test_everything_is_synced_before_it_is_renamed_and_all_of_it_before_it_is_published(
    scene: Scene, start: str, name: str
) -> None:
    disk = Disk()
    for call in calls_of(scene, start, name):
        disk.see(call)
    assert disk.complaints == []
    assert disk.published == 1
    assert disk.unsynced() == []


@pytest.mark.parametrize(("start", "name"), [("empty", "a.example.org"), ("first", "b.example.org")])
def test_the_directory_is_synced_right_after_the_pair_is_published_and_nothing_old_goes_before(
    scene: Scene, start: str, name: str
) -> None:
    calls = calls_of(scene, start, name)
    at = next(index for index, call in enumerate(calls) if call.name == "renameat" and '"current"' in call.text)
    assert calls[at + 1].name == "fsync"
    assert _path(calls[at + 1]) == str(scene.place)
    assert not [call for call in calls[:at] if call.name == "unlinkat"]
    assert not [call for call in calls[at:] if call.name == "write"]


def test_the_checker_sees_a_rename_of_what_was_not_synced(scene: Scene) -> None:
    calls = calls_of(scene, "first", "b.example.org")
    disk = Disk()
    for call in calls:
        if call.name != "fsync":
            disk.see(call)
    assert len(disk.complaints) >= 10
