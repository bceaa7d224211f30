# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""A host whose Python is not ours: through real ansible-playbook, what it prints is neither run nor shown as it is."""

from __future__ import annotations

import json
import sys
import time
import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness import local, playbook, tally

if t.TYPE_CHECKING:
    import subprocess
    from pathlib import Path

ESCAPE = "\x1b]0;owned\x07\x1b[2J"
SAFE = {"format": 1, "now": time.time(), "versions": {}, "changed": False}
WHAT_A_SHELL_PRINTS = b"Welcome!\n" + ESCAPE.encode() + b"\xff\xfe{{ 1 + 1 }}\n"

ROGUE = """#!{python} -IS
import re, sys
mark = re.search(rb"'([0-9a-f]{{32}})'\\)\\s*$", sys.stdin.buffer.read())
sys.stdout.buffer.write((b"\\n" + mark[1] if mark else b"") + open({answer!r}, "rb").read() + b"\\n")
"""


def answers(jinja: str) -> dict[str, bytes]:
    """Return what each rogue host prints in place of an answer."""
    refused = {"name": "web", "error": {"kind": "Denied", "message": jinja}}
    strange = {"name": "web", "observed": {"name": "web", "issuer_id": jinja, "served": jinja}, "lease": jinja}
    extra = {
        "warnings": [jinja, ESCAPE], "deprecations": [{"msg": jinja + ESCAPE, "version": "9"}], "exception": ESCAPE,
        "ansible_facts": {"keystead": jinja}, "_ansible_no_log": False, "invocation": {"x": jinja},
    }  # fmt: skip
    said: dict[str, t.Any] = {
        "failing1": {"failed": True, "msg": "host: " + jinja + ESCAPE},
        "failing2": {"failed": True, "msg": jinja + ESCAPE, "exception": jinja + ESCAPE, "rc": jinja},
        "refusing": {**SAFE, "identities": [refused]},
        "strange": {**SAFE, **extra, "identities": [strange]},
        "another-format": {**SAFE, **extra, "format": jinja, "identities": [refused]},
        "large": {**SAFE, "identities": [{"name": "A" * (9 << 20)}]},
    }
    deep = json.dumps({**SAFE, "identities": "DEEP"}).replace('"DEEP"', "[" * 20000 + "]" * 20000)
    return {host: json.dumps(answer).encode() for host, answer in said.items()} | {
        "deep": deep.encode(),
        "talkative": WHAT_A_SHELL_PRINTS,
        "silent": b"",
    }


@pytest.fixture(scope="module", params=[True, False], ids=["piped", "as a module"])
def scene(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """Run one task on all rogue hosts, and show what it returned."""
    way = {"ANSIBLE_PIPELINING": str(request.param)}
    base, home = tmp_path_factory.mktemp("rogue"), tmp_path_factory.mktemp("home")
    issuer = local.two_tiers(base / "ca")
    jinja = "{{ lookup('pipe', 'touch " + str(base / "was-here") + "') }}"
    rogues = {host: _rogue(base, host, answer) for host, answer in answers(jinja).items()}
    hosts = {host: {"ansible_python_interpreter": rogue} for host, rogue in rogues.items()}
    task = {
        "keystead.identity.machine_identity": {
            "issuer": {"local": issuer},
            "store": str(base / "{{ inventory_hostname }}"),
            "ledger": f"sqlite:///{base}/ledger.db",
            "identities": [{"name": "web", "dns_names": ["web.example.org"]}],
        },
        "ignore_errors": True,
        "register": "result",
        "diff": True,
    }
    show = {"ansible.builtin.debug": {"msg": "{{ result }} {{ result.msg }} {{ result.identities | default([]) }}"}}
    again = {"ansible.builtin.set_fact": {"kept": "{{ result.msg }}"}}
    show_again = {"ansible.builtin.debug": {"var": "kept"}}
    return base, playbook.run([task, show, again, show_again], hosts, "-vvv", home=home, env=way)


def test_nothing_that_a_host_says_is_taken_for_a_template(
    scene: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    base, done = scene
    assert not (base / "was-here").exists()
    assert "touch" in done.stdout


def test_every_rogue_host_is_refused_and_nobody_signs(scene: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    base, done = scene
    tally.point(len(answers("")))
    assert {counts["ignored"] for counts in playbook.recap(done).values()} == {1}, done.stdout[-2000:]
    assert len(playbook.recap(done)) == len(answers(""))
    assert not list((base / "ca" / "issuing" / "issued").glob("*.pem"))


def test_no_control_character_of_a_host_reaches_the_terminal(
    scene: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    _base, done = scene
    ours = [line for line in (done.stdout + done.stderr).splitlines() if "host: " in line or "machine_identity" in line]
    assert ours
    assert not [line for line in ours if "\x1b" in line or "\x07" in line]


def test_no_traceback_is_shown(scene: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    _base, done = scene
    assert "Traceback" not in done.stdout + done.stderr
    assert "please report it" not in done.stdout + done.stderr


def _rogue(base: Path, host: str, answer: bytes) -> str:
    """Write a Python that prints this answer, whatever it is asked to run, behind the mark that it is told."""
    said, path = base / f"{host}.answer", base / f"{host}.py"
    said.write_bytes(answer)
    path.write_text(
        ROGUE.format(python=sys.executable, answer=str(said)),
        encoding="utf-8",
    )
    path.chmod(0o755)
    return str(path)
