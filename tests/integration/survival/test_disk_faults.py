# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The disk is full, broken, or writes less than it was asked to: the task fails, and the old pair stays."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

import pytest
from ansible_collections.keystead.identity.tests.harness import tally
from ansible_collections.keystead.identity.tests.harness.faults import ForkServer, Trace, calls
from ansible_collections.keystead.identity.tests.harness.sweep import Sweep, run_task
from ansible_collections.keystead.identity.tests.integration.survival import full_disk
from ansible_collections.keystead.identity.tests.integration.survival.health import content_of, unsafe, unwell

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.tests.harness.faults import Call
    from ansible_collections.keystead.identity.tests.harness.sweep import Result, Scene
    from ansible_collections.keystead.identity.tests.integration.survival.health import Content

pytestmark = [pytest.mark.needs("strace", "root"), pytest.mark.one_core]

NEVER_SAID = ("Traceback", "unexpected", "MODULE FAILURE", "PRIVATE KEY")


def complaints_about(result: Result | None, scene: Scene) -> t.Iterator[str]:
    """Yield what is wrong with how a task failed."""
    if result is None or not result.get("failed"):
        yield "the task did not fail"
        return
    message = result["msg"]
    if "host: " not in message or not any(place in message for place in (str(scene.world.directory), "the lease of")):
        yield f"no path is named: {message}"
    if any(word in message for word in NEVER_SAID):
        yield f"this is no clear message: {message}"


@dataclass
class Faults:
    """Breaks calls of a rotation in several ways, looks, and heals."""

    sweep: Sweep
    acts: tuple[str, ...]
    before: Content

    def at_every(self, *names: str) -> Sweep:
        """Break every call with one of these names."""
        for phase in ("prepare", "install"):
            calls = self.sweep.recorded(phase)
            published = next((at for at, call in enumerate(calls) if publishes(call)), len(calls))
            for at, call in enumerate(calls):
                if call.name in names and str(self.sweep.scene.world.directory) in call.text:
                    for act in self.acts:
                        self._at(phase, call, act, is_old=at <= published)
        print(f"{self.acts}: {self.sweep.tried} points, {self.sweep.extra} issued too many")  # noqa: T201
        return self.sweep

    def _at(self, phase: str, call: Call, act: str, *, is_old: bool) -> None:
        sweep, scene = self.sweep, self.sweep.scene
        result = sweep.broken(phase, call, act)
        for one in (*complaints_about(result, scene), *unsafe(scene, self.before)):
            sweep.complain(f"{phase} with {act}", call, one)
        if is_old and scene.world.current() != 1:
            sweep.complain(f"{phase} with {act}", call, "the old pair is not the current one any more")
        sweep.heal(f"{phase} with {act}", call, 1, unwell)


def publishes(call: Call) -> bool:
    """Tell whether this is the rename that makes a generation the current one."""
    return call.name == "renameat" and '"current"' in call.text


def swept(scene: Scene, *acts: str, names: tuple[str, ...]) -> Sweep:
    """Break every call of these names of a rotation, in each way."""
    sweep = Sweep(scene, "first", scene.identity("b.example.org"))
    return Faults(sweep, acts, content_of(scene.place / "current")).at_every(*names)


def test_a_full_or_broken_disk_at_any_call_fails_the_task_and_leaves_the_old_pair(scene: Scene) -> None:
    names = ("openat", "write", "fsync", "renameat", "symlinkat", "mkdirat")
    sweep = swept(scene, "error=ENOSPC", "error=EIO", names=names)
    assert not sweep.complaints, "\n".join(sweep.complaints)
    assert sweep.tried >= 60
    assert sweep.extra == 0


def test_a_removal_that_fails_fails_the_task_and_the_next_run_removes(scene: Scene) -> None:
    sweep = swept(scene, "error=EIO", names=("unlinkat", "ftruncate", "fchmod", "fchown"))
    assert not sweep.complaints, "\n".join(sweep.complaints)
    assert sweep.tried >= 28  # `pending` is a link, so it has neither mode nor owner of its own


def test_a_disk_that_loses_what_it_says_it_wrote_is_found_out_before_the_pair_is_published(scene: Scene) -> None:
    """Strace says that one byte was written, and writes none: the file lacks its first byte."""
    sweep = swept(scene, "retval=1", names=("write",))
    assert not sweep.complaints, "\n".join(sweep.complaints)
    assert sweep.tried >= 9


@pytest.mark.parametrize("size", [100, 180, 220, 300, 560, 600, 700, 1000, 1400])
def test_a_file_that_is_cut_where_no_more_fits_fails_the_task_and_leaves_the_old_pair(scene: Scene, size: int) -> None:
    """The limit of the size of files: a real short write, then a real error."""
    before = content_of(scene.place / "current")
    task = scene.identity("b.example.org")
    result = scene.server.run(full_disk.run_limited, size, scene.world, [task]).value
    assert [*complaints_about(result, scene), *unsafe(scene, before)] == []
    assert scene.world.current() == 1
    scene.settle(task)
    assert list(unwell(scene)) == []


@pytest.mark.needs("tmpfs", "unshare")
def test_a_store_that_is_really_full_keeps_its_pair_at_every_level_and_goes_on_when_there_is_space() -> None:
    with ForkServer("unshare", "--mount") as server:
        ended = server.run(full_disk.fill_and_rotate)
    assert not ended.error, ended.error
    levels, complaints = ended.value
    tally.point(levels)
    assert complaints == []
    assert levels >= 5


def test_one_identity_that_cannot_be_written_does_not_stop_its_siblings(scene: Scene) -> None:
    """The disk breaks at the last thing that is done for the first of three."""
    identities = [{"name": name, "dns_names": [f"{name}.example.org"]} for name in ("a", "b", "c")]
    scene.restore("empty")
    log = str(scene.base / "siblings.log")
    scene.server.run(run_task, scene.world, identities, {"install": Trace(log)})
    last = [call for call in calls(log) if call.name == "unlinkat" and str(scene.world.path("a")) in call.text][-1]
    scene.restore("empty")
    broken = {"install": Trace(log, last, "error=EIO")}
    result = scene.server.run(run_task, scene.world, identities, broken).value
    assert {one["name"]: one["failed"] for one in result["identities"]} == {"a": True, "b": False, "c": False}
    assert str(scene.world.path("a")) in result["msg"]
    assert not scene.server.run(run_task, scene.world, identities).value.get("failed")
