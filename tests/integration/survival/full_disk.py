# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Real limits of a file system, put in front of runs; done in forks, for none of it can be taken back."""

from __future__ import annotations

import resource
import subprocess
import typing as t

from ansible_collections.keystead.identity.tests.harness.in_process import World
from ansible_collections.keystead.identity.tests.harness.local import two_tiers
from ansible_collections.keystead.identity.tests.harness.sweep import directory, run_task
from ansible_collections.keystead.identity.tests.integration.survival.health import content_of, mismatch

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.sweep import Result

PAGE = 4096
SIZE = 96 * 1024  # two generations need 18 pages
STORE_FULL = "no space left on the file system"


def run_limited(size: int, world: World, identities: list[Result]) -> Result:
    """Run the task where no file of the host's half can be larger than `size` (setrlimit(2), RLIMIT_FSIZE)."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return run_task(world, identities, before=limit)


def fill_and_rotate() -> tuple[int, list[str]]:
    """Rotate in a small store with ever more free pages, until it works; return the levels, and complaints.

    Needs a mount namespace of its own.
    """
    complaints: list[str] = []
    with directory() as base:
        two_tiers(base / "authorities")
        world = World(base)
        world.store.mkdir(mode=0o755)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0755", "none", world.store], check=True)
        try:
            return _levels(world, complaints), complaints
        finally:
            subprocess.run(["umount", "--lazy", world.store], check=True)


def _levels(world: World, complaints: list[str]) -> int:
    _rotate(world, 0)
    for level in range(SIZE // PAGE):
        if _filled(world, level, complaints):
            return level
        _rotate(world, level + 1)
    return 0


def _rotate(world: World, number: int) -> Result:
    return run_task(world, [{"name": "web", "dns_names": [f"n{number}.example.org"]}])


def _filled(world: World, level: int, complaints: list[str]) -> bool:
    """Rotate with this many free pages; tell whether it worked."""
    before = content_of(world.path("web", "current"))
    filler = world.store / "filler"
    _fill(filler, level)
    result = _rotate(world, level + 1)
    after = content_of(world.path("web", "current"))
    filler.unlink()
    if not result.get("failed"):
        return True
    if after != before or mismatch(after):
        complaints.append(f"{level} pages: the old pair is not in place")
    if STORE_FULL not in result["msg"] or str(world.store) not in result["msg"]:
        complaints.append(f"{level} pages: {result['msg']}")
    healed = _rotate(world, level + 1)
    if healed.get("failed") or mismatch(content_of(world.path("web", "current"))):
        complaints.append(f"{level} pages: the next run failed: {healed.get('msg')}")
    return False


def _fill(filler: Path, free_pages: int) -> None:
    """Write until the file system is full, then give pages back."""
    written = 0
    with filler.open("wb", buffering=0) as stream:
        try:
            while True:
                written += stream.write(b"x" * PAGE)
        except OSError:
            stream.truncate(max(0, written - free_pages * PAGE))
