# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The host's half is one program for a Python's standard input, and its answer one line of what comes back."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core import wire
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import KeysteadError, Unavailable
from ansible_collections.keystead.identity.plugins.plugin_utils import _pipe
from ansible_collections.keystead.identity.tests.harness.in_process import World, host_half, web

if t.TYPE_CHECKING:
    from pathlib import Path

    Ran = subprocess.CompletedProcess[bytes]

READ = {"phase": "read", "format": wire.FORMAT, "now": 1790000000.0, "host": "web1", "identities": []}


def run(program: bytes, **where: t.Any) -> Ran:
    """Give a program to a Python of its own."""
    return subprocess.run([sys.executable], input=program, capture_output=True, check=False, timeout=60, **where)


def answer(program: bytes, **where: t.Any) -> dict[str, t.Any]:
    """Run a program that must end well, and return its only line."""
    ran = run(program, **where)
    assert (ran.returncode, ran.stderr) == (0, b"")
    (line,) = ran.stdout.splitlines()
    return t.cast("dict[str, t.Any]", json.loads(line))


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
    ast.parse(program, feature_version=(3, 6))
    said = answer(b"import sys\nsys.version_info = (3, 6, 8)\n" + program)
    assert said["failed"] is True
    assert said["msg"].startswith(f"host: {sys.executable} is Python 3.6.8, at least 3.8 is needed; set ansible_python")


def test_nothing_of_ansible_is_brought_or_loaded(tmp_path: Path) -> None:
    program = _pipe.program({**READ, "store": str(tmp_path / "store")}, check=False)
    loaded = run(program + b"print([name for name in sys.modules if name.partition('.')[0].startswith('ansible')])\n")
    assert loaded.stdout.splitlines()[-1] == b"[]"


def test_files_that_no_phase_needs_are_not_compiled(tmp_path: Path) -> None:
    program = _pipe.program({**READ, "store": str(tmp_path / "store")}, check=False)
    loaded = run(program + b"print([name for name in sys.modules if name.startswith('keystead.')])\n").stdout.decode()
    assert "keystead.module_utils._host.read" in loaded
    assert "install" not in loaded
    assert "handshake" not in loaded


@pytest.mark.parametrize(
    ("stdout", "found"),
    [
        ('{"format": 1}\n', {"format": 1}),
        ('Welcome to web1\n{"format": 1}\nlogout\n', {"format": 1}),
        ('{not json}\n{"format": 1}\n', {"format": 1}),
        ('{"format": 1}\n{goodbye}\n', {"format": 1}),
    ],
)
def test_what_a_login_prints_around_the_answer_is_passed_over(stdout: str, found: dict[str, t.Any]) -> None:
    assert _pipe.answer({"rc": 0, "stdout": stdout, "stderr": ""}, "/usr/bin/python3") == found


@pytest.mark.parametrize(
    ("ran", "says"),
    [
        ({"rc": 127, "stdout": "", "stderr": "/bin/sh: 1: /opt/py: not found\n"}, "127 and without an answer: /bin/sh"),
        ({"rc": 0, "stdout": "", "stderr": ""}, "0 and without an answer; run again"),
        ({"rc": 0, "stdout": "[1]\n" + "{" * 100_000, "stderr": ""}, "0 and without an answer; run again"),
        ({"rc": 1, "stdout": "", "stderr": "-----BEGIN PRIVATE KEY-----\nQ2FuYXJ5\n"}, "1 and without an answer: (its"),
        ({}, "None and without an answer"),
    ],
)
def test_no_answer_is_one_sentence_with_what_the_host_said_last(ran: dict[str, t.Any], says: str) -> None:
    with pytest.raises(Unavailable) as caught:
        _pipe.answer(ran, "/opt/py")
    assert str(caught.value).startswith(f"host: /opt/py ended with {says}")
    assert "Q2FuYXJ5" not in str(caught.value)


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
        world.converge([web()], execute=lambda _said: _pipe.answer({"rc": 1}, "python3"))
