# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A store belongs to one host and one ledger."""

from __future__ import annotations

import json
import multiprocessing
import os
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.module_utils._host.store import MARKER, open_store

if t.TYPE_CHECKING:
    from pathlib import Path


def claimed(path: Path, host: str = "web1", ledger: str | None = "L1", *, create: bool = True) -> bool:
    """Open a store as a run would, and say whether it was there."""
    fd = open_store(str(path), host=host, ledger_id=ledger, create=create)
    if fd is not None:
        os.close(fd)
    return fd is not None


def test_a_new_store_is_made_and_claimed_once(tmp_path: Path) -> None:
    store = tmp_path / "state" / "identities"
    assert claimed(store)
    marker = store / MARKER
    assert json.loads(marker.read_text()) == {"format": 1, "ledger": "L1", "host": "web1"}
    before = marker.stat()
    assert claimed(store)
    assert (marker.stat().st_ino, marker.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert marker.stat().st_mode & 0o777 == 0o644
    assert [entry.name for entry in store.iterdir()] == [MARKER]


def test_a_missing_store_that_is_not_to_be_made_is_none(tmp_path: Path) -> None:
    assert not claimed(tmp_path / "store", create=False)
    assert list(tmp_path.iterdir()) == []


def test_an_unclaimed_directory_is_opened_but_not_claimed_by_who_only_looks(tmp_path: Path) -> None:
    assert claimed(tmp_path, create=False)
    assert claimed(tmp_path, ledger=None)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("host", "ledger"), [("web2", "L1"), ("web1", "L2"), ("web2", None)])
@pytest.mark.parametrize("how", [{"create": True}, {"create": False}])
def test_a_store_of_another_host_or_ledger_is_refused_and_named(
    tmp_path: Path, host: str, ledger: str | None, how: dict[str, bool]
) -> None:
    claimed(tmp_path)
    with pytest.raises(Misconfigured) as caught:
        claimed(tmp_path, host, ledger, **how)
    said = str(caught.value)
    whose = "host web1, not to web2" if host != "web1" else "ledger L1, not to L2"
    assert f"store {tmp_path} belongs to {whose}" in said
    assert f"remove {tmp_path}/{MARKER}" in said
    assert json.loads((tmp_path / MARKER).read_text())["host"] == "web1"


def test_without_a_ledger_only_hosts_are_compared(tmp_path: Path) -> None:
    claimed(tmp_path)
    assert claimed(tmp_path, ledger=None, create=False)


def test_a_store_of_a_newer_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / MARKER).write_text('{"format": 2, "future": true}')
    with pytest.raises(Misconfigured, match="has format 2 and this collection knows 1; upgrade"):
        claimed(tmp_path)


@pytest.mark.parametrize("content", [b"{", b"[]", b"1", b'{"format": "1"}', b"\xff\xfe\x00", b"[" * 60000])
def test_a_claim_that_cannot_be_read_is_refused_with_its_path(tmp_path: Path, content: bytes) -> None:
    (tmp_path / MARKER).write_bytes(content)
    with pytest.raises(Misconfigured, match=f"{MARKER} cannot be read"):
        claimed(tmp_path)
    assert (tmp_path / MARKER).read_bytes() == content


def test_the_empty_claim_of_a_killed_run_is_completed(tmp_path: Path) -> None:
    (tmp_path / MARKER).touch()
    assert claimed(tmp_path)
    assert json.loads((tmp_path / MARKER).read_text())["ledger"] == "L1"


def test_a_claim_that_is_a_link_is_refused_and_not_followed(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / MARKER).symlink_to(tmp_path / "outside")
    with pytest.raises(Misconfigured, match="symbolic link"):
        claimed(tmp_path / "store")
    assert not (tmp_path / "outside").exists()


def _race(path: Path, ledger: str, start: t.Any, results: t.Any) -> None:
    start.wait()
    try:
        claimed(path, ledger=ledger)
        results.put(ledger)
    except Misconfigured:
        results.put(None)


def test_of_controllers_that_claim_a_store_at_once_one_wins(tmp_path: Path) -> None:
    fork = multiprocessing.get_context("fork")
    for attempt in range(20):
        store, start, results = tmp_path / str(attempt), fork.Barrier(4), fork.Queue()
        racers = [fork.Process(target=_race, args=(store, f"L{n}", start, results)) for n in range(4)]
        for racer in racers:
            racer.start()
        winners = [winner for winner in (results.get(timeout=30) for _ in racers) if winner]
        for racer in racers:
            racer.join()
        assert winners == [json.loads((store / MARKER).read_text())["ledger"]]
        assert [entry.name for entry in store.iterdir()] == [MARKER]
