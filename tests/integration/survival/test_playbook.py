# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The whole way, with ansible-playbook: its interpreter on the host is killed in the middle of a rotation."""

from __future__ import annotations

import re
import sys
import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness.in_process import World
from ansible_collections.keystead.identity.tests.harness.local import two_tiers
from ansible_collections.keystead.identity.tests.harness.playbook import recap, run
from ansible_collections.keystead.identity.tests.integration.survival.health import content_of, mismatch

if t.TYPE_CHECKING:
    import subprocess
    from pathlib import Path

pytestmark = [pytest.mark.needs("strace", "root"), pytest.mark.one_core]

HOST = "web1"
PLACES = {"the record of what is pending": '"pending"', "what is current": '"current"'}


class Controller:
    """Runs a playbook of one task, with an interpreter on the host that strace may break."""

    def __init__(self, directory: Path) -> None:
        self.home = directory / "home"
        self.log = directory / "strace.log"
        self.wrapper = directory / "python"
        two_tiers(directory / "world" / "authorities")
        self.world = World(directory / "world", host=HOST)

    def run(self, name: str, *broken: str) -> subprocess.CompletedProcess[str]:
        """Run it for a DNS name."""
        self.log.unlink(missing_ok=True)
        options = " ".join(("-f -qq -A -y -e trace=renameat", f"-o {self.log}", *broken))
        self.wrapper.write_text(f'#!/bin/sh\nexec strace {options} {sys.executable} "$@"\n', encoding="utf-8")
        self.wrapper.chmod(0o755)
        task = {
            "store": str(self.world.store),
            "ledger": self.world.url,
            "issuer": self.world.issuer(),
            "identities": [{"name": "web", "dns_names": [name], "links": {f"{self.world.links}/key": "private_key"}}],
        }
        hosts = {HOST: {"ansible_python_interpreter": str(self.wrapper)}}
        return run([{"name": "Identity", "keystead.identity.machine_identity": task}], hosts, home=self.home)

    def nth(self, place: str) -> int:
        """Return which rename of its process was the one to `place`, in the run that strace recorded."""
        counted: dict[str, int] = {}
        for line in self.log.read_text(encoding="utf-8").splitlines():
            found = re.match(r"(\d+) +renameat\(", line)
            if found:
                counted[found[1]] = counted.get(found[1], 0) + 1
                if place in line:
                    return counted[found[1]]
        raise AssertionError(place)


@pytest.fixture
def controller(tmp_path: Path) -> Controller:
    """Return a controller whose host has a first generation."""
    made = Controller(tmp_path)
    done = made.run("first.example.org")
    assert done.returncode == 0, done.stdout
    return made


@pytest.mark.parametrize("place", PLACES)
def test_a_rotation_that_is_killed_fails_the_task_and_the_next_playbook_heals(
    controller: Controller, place: str
) -> None:
    world = controller.world
    before = content_of(world.path("web", "current"))
    nth = controller.nth(PLACES[place])
    killed = controller.run("second.example.org", f"-e inject=renameat:signal=KILL:when={nth}")
    assert killed.returncode == 2
    assert "run again" in killed.stdout
    assert "Traceback" not in killed.stdout + killed.stderr
    assert content_of(world.path("web", "current")) == before
    assert recap(controller.run("second.example.org"))[HOST]["changed"] == 1
    assert mismatch(content_of(world.path("web", "current"))) is None
    assert len(world.issued()) == 2
    again = recap(controller.run("second.example.org"))[HOST]
    assert (again["changed"], again["failed"]) == (0, 0)
    keys = [path for path in world.store.rglob("*") if path.is_file() and b"PRIVATE KEY" in path.read_bytes()]
    assert {path.parent for path in keys if not path.parent.is_symlink()} == {world.path("web", str(world.current()))}
