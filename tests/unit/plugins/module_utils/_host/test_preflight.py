# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Phase `preflight` on a host: whether its store can be made and written, and by whom; nothing is made."""

from __future__ import annotations

import json
import os
import tempfile
import typing as t
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._host.preflight import judged_openssl
from ansible_collections.keystead.identity.tests.harness.in_process import HOST, World, host_half, web

NOBODY = 65534


@pytest.fixture
def reachable() -> t.Iterator[Path]:
    """Return a directory that every user can pass through, which pytest's own are not."""
    with tempfile.TemporaryDirectory() as path:
        Path(path).chmod(0o711)
        yield Path(path)


def store_of(store: Path, **said: t.Any) -> dict[str, str]:
    """Return what is said of a store."""
    asked = {"phase": "preflight", "format": 1, "now": 1.8e9, "host": HOST, "store": str(store), "identities": []}
    answer = host_half({**asked, **said})
    (found,) = (check for check in answer["checks"] if check["name"] == "store")
    return t.cast("dict[str, str]", found)


def as_nobody(store: Path) -> dict[str, str]:
    """Return what is said of a store to an ordinary user."""
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        os.write(writer, json.dumps(store_of(store)).encode())
        os._exit(0)
    os.close(writer)
    assert os.waitpid(pid, 0)[1] == 0
    with os.fdopen(reader) as answer:
        return t.cast("dict[str, str]", json.load(answer))


def test_a_store_that_is_missing_is_not_made(tmp_path: Path) -> None:
    said = store_of(tmp_path / "a" / "b")
    assert (said["state"], said["found"].partition(" by user")[0]) == (
        "ok", f"going by rights, {tmp_path}/a/b can be made below {tmp_path}",
    )  # fmt: skip
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("store", "found"),
    [
        ("file/store", "is in a place where a directory should be"),
        ("link", "is a symbolic link; write the real path"),
        ("shared/store", "may be written by others"),
    ],
)
def test_a_place_that_a_run_would_refuse_is_said_with_what_helps(tmp_path: Path, store: str, found: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o777)
    said = store_of(tmp_path / store)
    assert said["state"] == "failed"
    assert found in f"{said['found']}; {said['remedy']}"
    assert said["remedy"]


def test_a_store_of_another_ledger_or_host_is_said(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.one(web())
    assert store_of(world.store)["state"] == "ok"
    assert "belongs to ledger" in store_of(world.store, ledger_id="another")["found"]
    assert f"belongs to host {HOST}, not to db" in store_of(world.store, host="db")["found"]
    (world.store / ".keystead.json").write_text("x", encoding="ascii")
    assert "cannot be read as the claim of a store" in store_of(world.store)["found"]


def test_the_openssl_of_a_host_is_told_and_judged(tmp_path: Path) -> None:
    asked = {"phase": "preflight", "format": 1, "now": 1.8e9, "host": HOST, "store": str(tmp_path), "identities": []}
    (said,) = (check for check in host_half(asked)["checks"] if check["name"] == "openssl")
    assert (said["state"], said["found"].partition(" ")[0]) == ("ok", "OpenSSL")
    old = judged_openssl("OpenSSL 1.0.2k-fips  26 Jan 2017")
    assert (old["state"], old["found"]) == ("failed", "OpenSSL 1.0.2k-fips  26 Jan 2017, at least 1.1.1 is needed")
    assert "install a newer cryptography" in old["remedy"]
    fine = ("OpenSSL 1.1.1k  FIPS 25 Mar 2021", "OpenSSL 3.0.7 1 Nov 2022", "BoringSSL", "LibreSSL 1.0.0")
    assert {judged_openssl(one)["state"] for one in fine} == {"ok"}


@pytest.mark.needs("root")
def test_an_ordinary_user_is_told_where_it_may_not_write(reachable: Path) -> None:
    (reachable / "roots").mkdir(mode=0o755)
    said = as_nobody(reachable / "roots" / "store")
    assert said["found"] == f"user nobody may not write in {reachable}/roots"
    assert said["remedy"] == "use become: true, or set option store to a directory of this user"
    (reachable / "own").mkdir(mode=0o755)
    os.chown(reachable / "own", NOBODY, NOBODY)
    assert as_nobody(reachable / "own" / "store")["state"] == "ok"
    assert as_nobody(reachable / "own")["found"] == f"{reachable}/own may be written by user nobody"
    (reachable / "hidden").mkdir(mode=0o700)
    hidden = as_nobody(reachable / "hidden" / "store")
    assert (hidden["state"], "permission denied for user nobody" in hidden["found"]) == ("failed", True)
