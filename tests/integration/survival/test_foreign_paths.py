# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Links and directories that others may write, on the way to the store and to the consumer's files."""

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.tests.harness.sweep import run_task
from ansible_collections.keystead.identity.tests.integration.survival.health import content_of, mismatch

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.tests.harness.sweep import Result, Scene

pytestmark = [pytest.mark.needs("root"), pytest.mark.one_core]

NOBODY = 65534


def moved_away(path: Path, outside: Path) -> None:
    """Put what is there somewhere else, and a link in its place."""
    target = outside / path.name
    if path.exists():
        path.rename(target)
    else:
        target.mkdir()
    path.symlink_to(target)


def link_to_victim(path: Path, outside: Path) -> None:
    """Put a link to a file of somebody else's in its place."""
    path.unlink(missing_ok=True)
    path.symlink_to(outside / "victim")


def link_to_nowhere(path: Path, outside: Path) -> None:
    """Put a link to nothing in its place."""
    path.unlink()
    path.symlink_to(outside / "gone")


def link_to_directory(path: Path, outside: Path) -> None:
    """Put a link to a directory of somebody else's in its place."""
    path.symlink_to(outside)


def writable_by_all(path: Path, _outside: Path) -> None:
    """Let everybody write."""
    path.chmod(0o777)


def writable_by_group(path: Path, _outside: Path) -> None:
    """Let a group with other members write."""
    os.chown(path, 0, NOBODY)
    path.chmod(0o775)


def owned_by_another(path: Path, _outside: Path) -> None:
    """Give it to somebody else, who could change it any time."""
    os.chown(path, NOBODY, NOBODY)


Trap = t.Callable[[Path, Path], None]
REFUSED: dict[str, tuple[str, Trap]] = {
    "the store is a link": ("store", moved_away),
    "the parent of the store is a link": (".", moved_away),
    "the directory of the identity is a link": ("store/web", moved_away),
    "the current generation is a link": ("store/web/1", moved_away),
    "the staging directory is a link": ("store/web/next", link_to_directory),
    "the claim is a link": ("store/.keystead.json", link_to_victim),
    "the lease is a link": ("store/web/lease.json", link_to_victim),
    "a directory for links is a link": ("links", moved_away),
    "a consumer's path is a link to elsewhere": ("links/web.key", link_to_victim),
    "all may write the store": ("store", writable_by_all),
    "all may write its parent": (".", writable_by_all),
    "all may write the directory of the identity": ("store/web", writable_by_all),
    "all may write the staging directory": ("store/web/next", writable_by_all),
    "all may write the directory for links": ("links", writable_by_all),
    "a group may write the store": ("store", writable_by_group),
    "a group may write the directory for links": ("links", writable_by_group),
    "another user owns the store": ("store", owned_by_another),
    "another user owns its parent": (".", owned_by_another),
    "another user owns the directory of the identity": ("store/web", owned_by_another),
    "another user owns the directory for links": ("links", owned_by_another),
}
REPLACED: dict[str, tuple[str, Trap]] = {
    "the record of what is pending leads elsewhere": ("store/web/pending", link_to_victim),
    "a temporary name is a link": ("store/web/.pending.new", link_to_victim),
    "the temporary name of current is a link": ("store/web/.current.new", link_to_directory),
    "a link's temporary name is a link": ("links/.web.key.keystead-new", link_to_victim),
    "a consumer's path is a link to nowhere": ("links/web.key", link_to_nowhere),
}


class Host(t.NamedTuple):
    """A host in a directory of its own, beside what must not be touched."""

    scene: Scene
    top: Path
    outside: Path

    def run(self, name: str) -> Result:
        """Run the task for a name."""
        links = {str(self.top / "links" / link): part for link, part in (("web.key", "private_key"), ("web", "chain"))}
        identity = {"name": "web", "dns_names": [name], "links": links}
        options = {"store": str(self.top / "store")}
        ended = self.scene.server.run(run_task, self.scene.world, [identity], None, None, options)
        assert not ended.error, ended.error
        return t.cast("Result", ended.value)


@pytest.fixture
def host(scene: Scene) -> Host:
    """Return a host with a first generation, and a victim outside."""
    made = Host(scene, scene.base / "top", scene.base / "outside")
    for directory in (made.top, made.top / "links", made.outside):
        directory.mkdir(mode=0o755)
    (made.outside / "victim").write_bytes(b"{}")
    assert not made.run("a.example.org").get("failed")
    return made


def facts(directory: Path) -> dict[str, t.Any]:
    """Return everything about a directory that a write would change."""
    return {
        str(path): (path.lstat().st_mode, path.lstat().st_mtime_ns, path.is_file() and path.read_bytes())
        for path in [directory, *sorted(directory.rglob("*"))]
    }


@pytest.mark.parametrize("what", REFUSED)
def test_it_is_refused_by_its_path_and_nothing_is_written_outside(host: Host, what: str) -> None:
    where, trap = REFUSED[what]
    path = host.top / where
    if trap is writable_by_all and where == "store/web/next":
        path.mkdir(mode=0o700)
    generation = content_of(host.top / "store" / "web" / "1")
    trap(path, host.outside)
    outside = facts(host.outside)
    result = host.run("b.example.org")
    assert result["failed"]
    assert str(path) in result["msg"]
    assert facts(host.outside) == outside
    assert content_of(host.top / "store" / "web" / "current") == generation


@pytest.mark.parametrize("what", REPLACED)
def test_it_is_replaced_and_not_followed(host: Host, what: str) -> None:
    where, trap = REPLACED[what]
    trap(host.top / where, host.outside)
    outside = facts(host.outside)
    result = host.run("b.example.org")
    assert not result.get("failed"), result["msg"]
    assert facts(host.outside) == outside
    assert mismatch(content_of(host.top / "store" / "web" / "2")) is None
    assert str((host.top / "links" / "web.key").readlink()) == str(host.top / "store/web/current/private_key.pem")
