# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""A new user errs: every mistake is one sentence with option, value and remedy, and nothing is touched.

All mistakes stand in one playbook, since starting ansible-playbook costs more than a task.
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import sqlite3
import sys
import tempfile
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._edge import told
from ansible_collections.keystead.identity.tests.harness import local, playbook
from ansible_collections.keystead.identity.tests.harness.in_process import World
from ansible_collections.keystead.identity.tests.integration.mistakes import MISTAKES

if t.TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from ansible_collections.keystead.identity.tests.integration.mistakes import Case

SECRET = "Canary-5d1e77"
LONG_AGO = local.now().replace(day=1, year=local.now().year - 3)
GOOD = {
    "machine_identity": {
        "issuer": {"local": {"directory": "{{ base }}/ca", "authority": "issuing"}},
        "store": "{{ base }}/store",
        "ledger": "sqlite:///{{ base }}/ledger.db",
    },
    "machine_identity_info": {"store": "{{ base }}/store", "ledger": "sqlite:///{{ base }}/ledger.db"},
    "certificate_authority": {},
    "hsm_key": {"ledger": "sqlite:///{{ base }}/ledger.db"},
    "trust_bundle": {"ledger": "sqlite:///{{ base }}/ledger.db"},
    "cert_revoke": {
        "issuer": {"local": {"directory": "{{ base }}/ca", "authority": "issuing"}},
        "ledger": "sqlite:///{{ base }}/ledger.db",
    },
}
GOOD["key_rotate"] = GOOD["machine_identity"]


@dataclass(frozen=True)
class Scene:
    """A run of all mistakes: what it printed, what each task returned, and the disk before and after."""

    base: Path
    done: subprocess.CompletedProcess[str]
    results: dict[str, dict[str, t.Any]]
    before: dict[str, t.Any]
    after: dict[str, t.Any]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Run a good task, then every mistake."""
    base, home = tmp_path_factory.mktemp("bad"), tmp_path_factory.mktemp("home")
    _authorities(base)
    good = _task("good", GOOD["machine_identity"] | {"identities": [{"name": "web", "dns_names": ["web.example.org"]}]})
    hosts = _hosts(base)
    first = playbook.run([good], {"web1": hosts["web1"]}, home=home)
    assert first.returncode == 0, first.stdout + first.stderr
    _ledgers(base)
    _stores(base)
    before = _disk(base)
    done = playbook.run(_plays(), hosts, "-vvv", home=home)
    lines = map(json.loads, (home / playbook.RESULTS).read_text(encoding="utf-8").splitlines())
    return Scene(base, done, {line["task"]: line["result"] for line in lines}, before, _disk(base))


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_told_in_one_sentence_with_option_value_and_remedy(scene: Scene, mistake: str) -> None:
    result = scene.results[mistake]
    message = str(result["msg"])
    for expected in MISTAKES[mistake].expected:
        assert expected.replace("{{ base }}", str(scene.base)) in message, message
    assert message.isprintable(), message
    assert "unexpected" not in message
    assert len(message) < 480, message


def test_no_mistake_shows_a_traceback_or_a_secret_even_when_much_is_printed(scene: Scene) -> None:
    printed = scene.done.stdout + scene.done.stderr
    assert "Traceback" not in printed
    assert SECRET not in printed


def test_no_mistake_changes_anything_on_the_disk(scene: Scene) -> None:
    staged = (str(scene.base / "store" / "web" / "next"), str(scene.base / "store" / "web" / "lease.json"))
    paths = scene.before.keys() | scene.after.keys()
    changed = {path for path in paths if scene.before.get(path) != scene.after.get(path)}
    changed.discard(str(scene.base / "ledger.db"))
    assert not [path for path in changed if not path.startswith(staged)]  # the key of the next try, where a CA refused


def test_every_mistake_fails_its_task_and_no_other(scene: Scene) -> None:
    for host, counts in playbook.recap(scene.done).items():
        tasks = sum(case.host == host for case in MISTAKES.values())
        assert (counts["ignored"], counts["failed"], counts["changed"]) == (tasks, 0, 0), host


@pytest.fixture
def shared() -> Iterator[World]:
    """Return a world that an ordinary user owns, outside of pytest's own directory, after a run that went well."""
    with tempfile.TemporaryDirectory() as name:
        world = World(Path(name))
        world.converge([{"name": "web", "dns_names": ["web.example.org"]}])
        for path in (Path(name), *Path(name).rglob("*")):
            os.chown(path, _ordinary(), -1, follow_symlinks=False)
        yield world


@contextlib.contextmanager
def unprivileged() -> Iterator[None]:
    """Be an ordinary user, in the eyes of the file system."""
    before = os.geteuid()
    os.seteuid(_ordinary())
    try:
        yield
    finally:
        os.seteuid(before)


def _ordinary() -> int:
    return os.geteuid() or pwd.getpwnam("nobody").pw_uid


@pytest.mark.parametrize(
    ("place", "mode", "said", "expected"),
    [
        ("closed", 0o555, {"store": "closed/store"}, ("closed/store", "permission denied", "become: true")),
        ("store", 0o000, {}, ("store", "permission denied", "become: true")),
        ("store/web", 0o555, {"lifetime": "20d"}, ("store/web", "permission denied", "become: true")),
        ("authorities", 0o000, {}, ("local: cannot find", "authorities/issuing", "Permission denied", "let this user")),
        (
            "authorities/issuing/private_key.pem",
            0o000,
            {"lifetime": "20d"},
            ("private_key.pem", "Permission denied", "let this user"),
        ),
        ("authorities/issuing/issued", 0o555, {"lifetime": "20d"}, ("issued", "Permission denied", "let this user")),
        ("ledger.sqlite", 0o000, {}, ("ledger: ", "ledger.sqlite", "let this user write")),
        ("ledger.sqlite", 0o444, {"lifetime": "20d"}, ("ledger: ", "ledger.sqlite", "let this user write")),
    ],
)
def test_what_an_ordinary_user_may_not_do_is_said(
    shared: World, place: str, mode: int, said: dict[str, str], expected: tuple[str, ...]
) -> None:
    path = shared.directory / place
    path.mkdir(exist_ok=True) if place == "closed" else None
    was = path.stat().st_mode
    os.chown(path, _ordinary(), -1)
    path.chmod(mode)
    options = {"store": str(shared.directory / said["store"])} if "store" in said else {}
    identity = {"name": "web", "dns_names": ["web.example.org"], "lifetime": said.get("lifetime", "30d")}
    with unprivileged():
        result = told("machine_identity", lambda: shared.converge([identity], **options))
    path.chmod(was)
    assert not [word for word in expected if word not in result["msg"]], result["msg"]
    assert shared.current() == 1


def _plays() -> list[dict[str, t.Any]]:
    """Return a play for each host with its mistakes."""
    plays: dict[str, list[dict[str, t.Any]]] = {}
    for name, case in MISTAKES.items():
        said = {**GOOD[case.module], **case.says}
        task = {**_task(name, said, case), **case.keywords, "ignore_errors": True, "ignore_unreachable": True}
        plays.setdefault(case.host, []).append(task)
    return [{"hosts": host, "gather_facts": False, "tasks": tasks} for host, tasks in plays.items()]


def _task(name: str, said: dict[str, t.Any], case: Case | None = None) -> dict[str, t.Any]:
    module = case.module if case else "machine_identity"
    return {"name": name, f"keystead.identity.{module}": said}


def _hosts(base: Path) -> dict[str, dict[str, t.Any]]:
    shared = {"base": str(base), "secret": SECRET}
    fake = base / "old" / "cryptography"
    fake.mkdir(parents=True)
    (fake / "__init__.py").write_text('__version__ = "3.1"\n')
    without = base / "tokenless" / "pkcs11"
    without.mkdir(parents=True)
    (without / "__init__.py").write_text("raise ImportError\n")
    old, tokenless = (f"PYTHONPATH={package.parent}" for package in (fake, without))
    interpreters = {"bare1": "-S", "old1": old, "tokenless1": tokenless}
    hosts: dict[str, dict[str, t.Any]] = {
        "web1": {},
        "windows1": {"ansible_connection": "winrm", "ansible_host": "127.0.0.1"},
        "switch1": {"ansible_connection": "ansible.netcommon.network_cli", "ansible_network_os": "x"},
    }
    for host, how in interpreters.items():
        path = base / host
        command = f"env PYTHONDONTWRITEBYTECODE=1 {how} {sys.executable}" if "=" in how else f"{sys.executable} {how}"
        path.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        path.chmod(0o755)
        hosts[host] = {"ansible_python_interpreter": str(path)}
    return {host: {**shared, **variables} for host, variables in hosts.items()}


def _authorities(base: Path) -> None:
    ca = base / "ca"
    local.two_tiers(ca, name_constraints={"permitted": {"dns": ["example.org"]}})
    local.authority(ca, "sealed", passphrase=SECRET)
    local.authority(ca, "expired", lifetime="30d", at=LONG_AGO)
    (ca / "file").write_text("not an authority")
    (ca / "empty").mkdir()
    (base / "passphrase").write_text(SECRET)
    (base / "empty").write_text("")


def _ledgers(base: Path) -> None:
    good = base / "ledger.db"
    (base / "corrupt.db").write_bytes(b"This is no database. " * 400)
    shutil.copy(good, base / "damaged.db")
    with (base / "damaged.db").open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 65536)
    shutil.copy(good, base / "newer.db")
    newer = "UPDATE meta SET value = '99' WHERE key = 'usable_from'"
    changes = (("newer", "PRAGMA user_version = 99"), ("newer", newer), ("foreign", "CREATE TABLE theirs (x)"))
    for name, statement in changes:
        connection = sqlite3.connect(base / f"{name}.db")
        connection.execute(statement)
        connection.commit()
        connection.close()


def _stores(base: Path) -> None:
    claim = json.loads((base / "store" / ".keystead.json").read_text())
    claims = {
        "of-another-host": {**claim, "host": "other1"},
        "of-another-ledger": {**claim, "ledger": "00000000-0000-0000-0000-000000000000"},
        "of-the-future": {**claim, "format": 9},
        "broken": "not a claim",
    }
    for name, content in claims.items():
        (base / name).mkdir()
        (base / name / ".keystead.json").write_text(json.dumps(content))
    (base / "etc" / "directory").mkdir(parents=True)
    (base / "etc" / "file").write_text("somebody else's")
    (base / "linked").symlink_to(base / "etc")
    (base / "open").mkdir()
    (base / "open").chmod(0o777)


def _disk(base: Path) -> dict[str, t.Any]:
    """Return kind, mode and content of everything below a directory."""
    found = {}
    for path in base.rglob("*"):
        content: t.Any = str(path.readlink()) if path.is_symlink() else None
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
        found[str(path)] = (path.lstat().st_mode, content)
    return found
