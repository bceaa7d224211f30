# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A declared command runs as declared, and nothing it does can hang or fill the host."""

from __future__ import annotations

import os
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._host.command import run


def _is_alive(pid: int) -> bool:
    """Tell whether a process lives: a zombie does not, in a container nobody may reap an orphan."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _dies(pid: int) -> bool:
    """Tell whether a process is gone within ten seconds: a signal takes effect when its process is on a processor."""
    until = time.monotonic() + 10
    while _is_alive(pid) and time.monotonic() < until:
        time.sleep(0.01)
    return not _is_alive(pid)


def _script(path: Path, text: str) -> str:
    path.write_text(text)
    path.chmod(0o755)
    return str(path)


def test_exit_0_is_no_problem_and_the_last_line_is_kept() -> None:
    ran = run(("printf", "one\\ntwo\\n\\n"), 5)
    assert (ran.exit_code, ran.last_line, ran.problem) == (0, "two", None)


def test_a_failure_names_the_program_the_code_and_its_last_line_but_no_argument() -> None:
    ran = run(("sh", "-c", "echo canary >/dev/null; echo early; echo 'no such zone' >&2; exit 7"), 5)
    assert ran.problem == "sh exited with 7: no such zone"


def test_a_death_by_signal_is_named() -> None:
    assert run(("sh", "-c", "kill -9 $$"), 5).problem == "sh was killed by signal 9"


def test_arguments_reach_the_program_without_a_shell() -> None:
    assert run(("printf", "%s", "$(id); {{ x }} > *"), 5).last_line == "$(id); {{ x }} > *"


def test_there_is_nothing_to_read_on_standard_input() -> None:
    assert run(("cat",), 5).exit_code == 0


def test_control_characters_and_bad_utf8_do_not_reach_the_message() -> None:
    said = run(("printf", "\\033[31mred\\a \\377 \\342\\200\\256x"), 5).last_line
    assert said.isprintable()
    assert "red" in said


def test_a_private_key_in_the_output_is_not_shown() -> None:
    ran = run(("sh", "-c", "echo '-----BEGIN PRIVATE KEY-----'; echo MIGHc2VjcmV0; exit 1"), 5)
    assert ran.problem == "sh exited with 1: (its output holds a private key and is not shown)"


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda d: str(d / "none"), "{} does not exist"),
        (lambda d: str((d / "plain").write_text("x") and d / "plain"), "{} is not executable"),
        (lambda d: _script(d / "odd", "#!/no/such/shell\n"), "the interpreter of {} does not exist"),
        (lambda d: _script(d / "junk", "\x01\x02"), "{} cannot be run: [Errno 8] Exec format error: '{}'"),
        (lambda _: "a\0b", "{} cannot be run: embedded null byte"),
    ],
)
def test_a_program_that_cannot_start_is_said_clearly(
    tmp_path: Path, make: t.Callable[[Path], str], problem: str
) -> None:
    program = make(tmp_path)
    ran = run((program,), 5)
    assert (ran.exit_code, ran.problem) == (None, problem.format(program, program))


def test_sbin_is_found_also_with_the_path_of_an_ordinary_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "relative:/usr/bin")
    found = run(("sh", "-c", "echo $PATH"), 5).last_line.split(":")
    assert found[0] == "/usr/bin"
    assert {"/usr/sbin", "/sbin", "/usr/local/sbin"} <= set(found)
    assert "relative" not in found


def test_a_daemon_that_keeps_its_output_open_neither_hangs_us_nor_is_killed(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    started = time.monotonic()
    ran = run(("sh", "-c", f"(while sleep 0.1; do echo tick; done) & echo $! > {pid_file}; echo ready"), 60)
    took = time.monotonic() - started
    daemon = int(pid_file.read_text())
    time.sleep(0.3)
    alive = _is_alive(daemon)
    os.kill(daemon, 9)
    assert ran.exit_code == 0
    assert took < 30
    assert alive


def test_at_the_timeout_the_whole_group_dies_also_when_it_ignores_sigterm(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    started = time.monotonic()
    script = (
        f"trap '' TERM; sh -c 'trap \"\" TERM; while :; do sleep 0.1; done' & echo $! > {pid_file}; echo wait; wait"
    )
    ran = run(("sh", "-c", script), 1.5)
    assert (ran.exit_code, ran.timed_out) == (None, True)
    assert ran.problem == "sh did not end within 1.5 s and was killed: wait"
    assert time.monotonic() - started < 15
    assert _dies(int(pid_file.read_text()))


def test_a_talkative_command_cannot_fill_the_disk(tmp_path: Path) -> None:
    eighty_megabytes = "for i in $(seq 80); do head -c 1000000 /dev/zero | tr '\\0' x; echo; sleep 0.02; done"
    size = tmp_path / "size"
    ran = run(("sh", "-c", f"{eighty_megabytes}; stat -L -c %s /proc/self/fd/2 > {size}; sleep 0.2; echo done"), 30)
    assert (ran.exit_code, ran.last_line) == (0, "done")
    assert int(size.read_text()) < 60_000_000
