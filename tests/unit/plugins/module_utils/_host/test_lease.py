# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One run at a time works on an identity."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied, Misconfigured, Pending
from ansible_collections.keystead.identity.plugins.module_utils._host import lease

if t.TYPE_CHECKING:
    from pathlib import Path

NOW = 1_800_000_000.0
HOLDER = {"controller": "ops1", "pid": 4711}


@pytest.fixture
def directory(tmp_path: Path) -> t.Iterator[int]:
    """Return the open directory of an identity."""
    fd = os.open(tmp_path, os.O_RDONLY)
    yield fd
    os.close(fd)


def taken(directory: int, now: float = NOW, **how: t.Any) -> lease.Lease:
    """Take the lease for a minute."""
    return lease.take(directory, holder=HOLDER, now=now, seconds=60, **how)


def test_a_lease_is_taken_held_and_released_without_a_trace(directory: int, tmp_path: Path) -> None:
    ours = taken(directory)
    assert lease.standing(directory) == ours == lease.Lease(ours.token, NOW + 60, HOLDER)
    assert (tmp_path / lease.NAME).stat().st_mode & 0o777 == 0o600, "who may open it may lock it for ever"
    lease.held(directory, ours.token, NOW + 59)
    lease.release(directory, ours.token)
    assert list(tmp_path.iterdir()) == []
    lease.release(directory, ours.token)
    assert list(tmp_path.iterdir()) == []


def test_a_second_run_is_told_who_has_it_and_for_how_long(directory: int) -> None:
    ours = taken(directory)
    with pytest.raises(lease.Busy, match=r"^host: another run .*controller ops1, pid 4711.* 40 s more") as caught:
        taken(directory, NOW + 20)
    assert isinstance(caught.value, Pending)
    assert (caught.value.retry_after, caught.value.lease) == (40, ours)
    lease.held(directory, ours.token, NOW + 20)


def test_an_expired_lease_is_taken_over_and_its_holder_is_denied(directory: int) -> None:
    old, new = taken(directory), taken(directory, NOW + 60)
    with pytest.raises(Denied, match=r"^host: the lease of this identity was lost"):
        lease.held(directory, old.token, NOW + 61)
    lease.release(directory, old.token)
    lease.held(directory, new.token, NOW + 61)


def test_an_expired_lease_is_not_held_even_if_nobody_took_it(directory: int) -> None:
    ours = taken(directory)
    with pytest.raises(Denied, match="has expired"):
        lease.held(directory, ours.token, NOW + 60)


def test_a_lease_is_broken_only_by_its_token(directory: int) -> None:
    ours = taken(directory)
    with pytest.raises(lease.Busy):
        taken(directory, broken="another")
    again = taken(directory, broken=ours.token)
    assert again.token != ours.token


def test_without_a_lease_nothing_is_held(directory: int) -> None:
    assert lease.standing(directory) is None
    with pytest.raises(Denied):
        lease.held(directory, "token", NOW)


GARBAGE = [
    b"", b"{", b"null", b"[1]", b'"x"', b"\xff\xfe", b"{}", b"[" * 60000,
    b'{"token": "t", "until": "soon", "holder": {}}', b'{"token": "t", "until": 1e999, "holder": {}}',
    b'{"token": "t", "until": NaN, "holder": {}}', b'{"token": "t", "until": 1e12, "holder": 7}',
    b'{"token": "t", "until": 1' + b"0" * 400 + b', "holder": {}}',
]  # fmt: skip


@pytest.mark.parametrize("content", GARBAGE)
def test_a_lease_that_is_cut_short_or_garbage_stands_for_nothing(
    directory: int, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / lease.NAME).write_bytes(content)
    ours = taken(directory)
    assert lease.standing(directory) == ours
    (tmp_path / lease.NAME).write_bytes(content)
    with pytest.raises(Denied):
        lease.held(directory, ours.token, NOW)
    lease.release(directory, ours.token)
    assert list(tmp_path.iterdir()) == []


def test_a_longer_predecessor_leaves_nothing_behind_a_shorter_lease(directory: int, tmp_path: Path) -> None:
    lease.take(directory, holder={"controller": "x" * 5000}, now=NOW, seconds=1)
    assert taken(directory, NOW + 1) == lease.standing(directory)
    assert json.loads((tmp_path / lease.NAME).read_text())["holder"] == HOLDER


def test_a_link_or_fifo_in_the_place_of_a_lease_is_refused_without_waiting(directory: int, tmp_path: Path) -> None:
    (tmp_path / lease.NAME).symlink_to("elsewhere")
    with pytest.raises(Misconfigured, match="symbolic link"):
        taken(directory)
    (tmp_path / lease.NAME).unlink()
    os.mkfifo(tmp_path / lease.NAME)
    with pytest.raises(Misconfigured, match="not a regular file"):
        taken(directory)
    assert sorted(os.listdir(directory)) == [lease.NAME]


def _race(directory: int, rounds: int, start: t.Any, results: t.Any) -> None:
    for number in range(rounds):
        start.wait(30)
        try:
            ours = lease.take(directory, holder=HOLDER, now=NOW + 100 * number, seconds=60)
            results.put((number, ours.token))
        except lease.Busy:
            results.put((number, None))


def test_two_processes_race_two_hundred_times_and_one_wins_each_time(directory: int) -> None:
    """Each round begins with the expired lease of the round before; the first with none."""
    fork, rounds = multiprocessing.get_context("fork"), 200
    start, results = fork.Barrier(2), fork.Queue()
    racers = [fork.Process(target=_race, args=(directory, rounds, start, results)) for _ in range(2)]
    for racer in racers:
        racer.start()
    won: dict[int, list[str]] = {number: [] for number in range(rounds)}
    for _ in range(2 * rounds):
        number, token = results.get(timeout=30)
        won[number] += [token] if token else []
    for racer in racers:
        racer.join()
    assert [len(tokens) for tokens in won.values()] == [1] * rounds
    last = lease.standing(directory)
    assert last is not None
    assert won[rounds - 1] == [last.token]


def _contend(directory: int, rounds: int, start: t.Any, inside: t.Any, results: t.Any) -> None:
    """Take, be alone, release, at once and again: the file vanishes under whoever waits for it."""
    start.wait(30)
    wins = alone = 0
    while wins < rounds:
        try:
            ours = taken(directory)
        except lease.Busy:
            continue
        wins += 1
        with inside.get_lock():
            inside.value += 1
            alone += inside.value == 1
        with inside.get_lock():
            inside.value -= 1
        lease.release(directory, ours.token)
    results.put(alone)


def test_a_lease_that_is_released_while_others_wait_for_it_is_never_held_twice(directory: int, tmp_path: Path) -> None:
    fork, rounds = multiprocessing.get_context("fork"), 200
    start, results, inside = fork.Barrier(3), fork.Queue(), fork.Value("i", 0)
    racers = [fork.Process(target=_contend, args=(directory, rounds, start, inside, results)) for _ in range(3)]
    for racer in racers:
        racer.start()
    assert [results.get(timeout=60) for _ in racers] == [rounds] * 3
    for racer in racers:
        racer.join()
    assert list(tmp_path.iterdir()) == []


def test_the_lock_of_a_killed_process_is_free_at_once(directory: int) -> None:
    from ansible_collections.keystead.identity.plugins.module_utils._host.locks import locked

    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        with locked(directory, lease.NAME):
            os.write(writer, b"locked")
            signal.pause()
    os.read(reader, 6)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    assert taken(directory) == lease.standing(directory)
