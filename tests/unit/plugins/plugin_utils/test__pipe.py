# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The host's half is one program for a Python's standard input, and its answer one line of what comes back."""

from __future__ import annotations

import ast
import subprocess
import sys
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core import wire
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied, KeysteadError, Unavailable
from ansible_collections.keystead.identity.plugins.plugin_utils import _pipe
from ansible_collections.keystead.identity.tests.harness.in_process import World, host_half, web

if t.TYPE_CHECKING:
    from pathlib import Path

    Ran = subprocess.CompletedProcess[bytes]

MARK = "0123456789abcdef" * 2
LOADED = b"""import os, sys
end = os._exit
def said(code):
    print(list(sys.modules), flush=True)
    end(code)
os._exit = said
"""
READ = {"phase": "read", "format": wire.FORMAT, "now": 1790000000.0, "host": "web1", "identities": []}


def run(text: bytes, **where: t.Any) -> Ran:
    """Give a program to a Python of its own."""
    return subprocess.run([sys.executable], input=text, capture_output=True, check=False, timeout=60, **where)


def answer(program: _pipe.Program, before: bytes = b"", **where: t.Any) -> dict[str, t.Any]:
    """Run a program that must end well, and return its answer, which is all that it prints."""
    ran = run(before + program.text, **where)
    assert (ran.returncode, ran.stderr) == (0, b"")
    empty, line = ran.stdout.decode().splitlines()
    assert (empty, line[: len(program.mark)]) == ("", program.mark)
    return _pipe.answer({"rc": 0, "stdout": ran.stdout.decode()}, "python3", program.mark)


def test_a_program_answers_what_the_module_would(tmp_path: Path) -> None:
    arguments = {**READ, "store": str(tmp_path / "store"), "others": True}
    assert {**answer(_pipe.program(arguments, check=False)), "now": 0} == {**host_half(arguments), "now": 0}


def test_identities_are_issued_and_found_again_through_programs(tmp_path: Path) -> None:
    world = World(tmp_path)
    first = world.converge([web()], execute=lambda said: answer(_pipe.program(said, check=False)))
    again = world.converge([web()], execute=lambda said: answer(_pipe.program(said, check=False)))
    assert (first["changed"], again["changed"]) == (True, False)
    assert world.path("web", "current", "private_key.pem").is_file()


def test_check_mode_travels_with_the_arguments(tmp_path: Path) -> None:
    world = World(tmp_path)
    done = world.converge([web()], check=True, execute=lambda said: answer(_pipe.program(said, check=True)))
    assert [step["action"] for step in done["identities"][0]["steps"]] == ["stage_key", "issue", "publish"]
    assert not world.store.exists()


def test_what_is_wrong_comes_back_as_one_sentence(tmp_path: Path) -> None:
    arguments = {**READ, "store": str(tmp_path), "format": 99}
    said = answer(_pipe.program(arguments, check=False))
    assert said["failed"] is True
    assert said["msg"].startswith("host: the wire has format 99, this host's half speaks 1;")


def test_what_nobody_foresaw_is_named_by_type_and_place_and_not_by_its_text(tmp_path: Path) -> None:
    arguments = {**READ, "store": str(tmp_path), "now": "Canary"}
    said = answer(_pipe.program(arguments, check=False))
    assert said["msg"].startswith("host: unexpected TypeError at request.py:")
    assert "Canary" not in said["msg"]


def test_the_directory_that_python_starts_in_has_no_say(tmp_path: Path) -> None:
    for name in ("json", "zlib", "binascii", "keystead", "typing"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('taken over')")
    arguments = {**READ, "store": str(tmp_path / "store")}
    assert answer(_pipe.program(arguments, check=False), cwd=tmp_path)["identities"] == []


def test_an_old_python_can_read_as_far_as_the_sentence_about_its_age() -> None:
    program = _pipe.program({**READ, "store": "/nowhere"}, check=False)
    ast.parse(program.text, feature_version=(3, 6))
    said = answer(program, before=b"import sys\nsys.version_info = (3, 6, 8)\n")
    assert said["failed"] is True
    assert said["msg"].startswith(f"host: {sys.executable} is Python 3.6.8, at least 3.8 is needed; set ansible_python")


def test_nothing_of_ansible_is_brought_or_loaded(tmp_path: Path) -> None:
    program = _pipe.program({**READ, "store": str(tmp_path / "store")}, check=False)
    loaded = run(LOADED + program.text).stdout.decode()
    assert "'json'" in loaded
    assert "'ansible" not in loaded


def test_files_that_no_phase_needs_are_not_compiled(tmp_path: Path) -> None:
    program = _pipe.program({**READ, "store": str(tmp_path / "store")}, check=False)
    loaded = run(LOADED + program.text).stdout.decode()
    assert "keystead.module_utils._host.read" in loaded
    assert "_host.install" not in loaded
    assert "handshake" not in loaded


def test_the_program_ends_with_its_answer_and_runs_nothing_that_would_be_run_at_an_end(tmp_path: Path) -> None:
    program = _pipe.program({**READ, "store": str(tmp_path / "store")}, check=False)
    ended = run(b"import atexit\natexit.register(print, 'too late')\n" + program.text)
    assert ended.returncode == 0
    assert program.mark.encode() in ended.stdout
    assert b"too late" not in ended.stdout


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", ""),
        ("Welcome to web1\n", "logout\n"),
        ("Welcome> ", "{}\n"),
        ('{"format": 1, "identities": []}\n', '{"level": "info"}\n'),
        ("MARK\n", ""),
        ("\nMARK{}\n", ""),
    ],
)
def test_what_a_login_prints_around_the_answer_is_passed_over(before: str, after: str) -> None:
    said = {"rc": 0, "stdout": f'{before}\n{MARK}{{"format": 1}}\n{after}'.replace("MARK", MARK[:8])}
    assert _pipe.answer(said, "/usr/bin/python3", MARK) == {"format": 1}


def test_each_program_has_a_mark_of_its_own() -> None:
    assert len({_pipe.program(READ, check=False).mark for _ in range(10)}) == 10


STAYS = "and without an answer; run again, and if it stays so, look at become, at the login of this user and at its "


@pytest.mark.parametrize(
    ("ran", "says"),
    [
        ({"rc": 127, "stderr": "/bin/sh: 1: /opt/py: not found\n"}, "cannot be run: /bin/sh: 1: /opt/py: not found;"),
        ({"rc": 126, "stderr": "nicht ausf\udcfchrbar\n"}, "cannot be run: nicht ausf\ufffdhrbar; set"),
        ({"rc": 0}, f"ended with 0 {STAYS}"),
        ({"rc": 0, "stdout": f"\n{MARK}" + '{"format": 1'}, f"ended with 0 {STAYS}"),
        ({"rc": 0, "stdout": f"\n{MARK}[1]\n"}, f"ended with 0 {STAYS}"),
        ({"rc": 0, "stdout": '{"format": 1}\n'}, f"ended with 0 {STAYS}"),
        ({"rc": 1, "stderr": "sudo: TOKEN=Canary /usr/bin/python3 is not allowed\n"}, f"ended with 1 {STAYS}"),
        ({}, f"ended with None {STAYS}"),
    ],
)
def test_no_answer_is_one_sentence_that_repeats_nothing_but_a_shells(ran: dict[str, t.Any], says: str) -> None:
    with pytest.raises(Unavailable) as caught:
        _pipe.answer(ran, "/opt/py", MARK)
    assert str(caught.value).startswith(f"host: /opt/py {says}")
    assert "Canary" not in str(caught.value)


def test_an_answer_that_is_too_large_is_refused_before_it_is_read() -> None:
    no_json = "A" * (_pipe.LARGEST_ANSWER + 1)
    with pytest.raises(Denied, match="larger than 8388608 bytes; name fewer identities"):
        _pipe.answer({"rc": 0, "stdout": f"\n{MARK}{no_json}\n"}, "python3", MARK)
    with pytest.raises(Unavailable, match="without an answer"):
        _pipe.answer({"rc": 0, "stdout": f"\n{MARK}{no_json[1:]}\n"}, "python3", MARK)
    with pytest.raises(Unavailable, match="without an answer"):
        _pipe.answer({"rc": 0, "stdout": no_json}, "python3", MARK)


def test_an_answer_that_is_nested_too_deeply_is_left_to_the_wire_to_refuse() -> None:
    with pytest.raises(RecursionError):
        _pipe.answer({"rc": 0, "stdout": f"\n{MARK}" + '{"identities": ' + "[" * 100_000}, "python3", MARK)


@pytest.mark.parametrize(
    ("variables", "python"),
    [
        ({"ansible_python_interpreter": "/opt/python"}, "/opt/python"),
        ({"ansible_python_interpreter": "/usr/bin/env python3"}, "/usr/bin/env python3"),
        ({}, None),
        ({"ansible_python_interpreter": "auto_silent"}, None),
        ({"ansible_facts": {"discovered_interpreter_python": "/usr/bin/python3.11"}}, "/usr/bin/python3.11"),
        (
            {"ansible_python_interpreter": "auto", "ansible_facts": {"discovered_interpreter_python": "/usr/bin/py"}},
            "/usr/bin/py",
        ),
    ],
)
def test_the_python_of_a_host_is_the_one_that_ansible_would_take(
    variables: dict[str, t.Any], python: str | None
) -> None:
    assert _pipe.interpreter(variables, lambda value: value) == python


def test_a_template_names_the_python_of_a_host() -> None:
    variables = {"ansible_python_interpreter": "{{ python }}"}
    assert _pipe.interpreter(variables, {"{{ python }}": "/usr/bin/py"}.get) == "/usr/bin/py"


def test_an_error_of_a_phase_is_none_of_the_pipe(tmp_path: Path) -> None:
    world = World(tmp_path)
    with pytest.raises(KeysteadError, match="without an answer"):
        world.converge([web()], execute=lambda _said: _pipe.answer({"rc": 1}, "python3", MARK))
