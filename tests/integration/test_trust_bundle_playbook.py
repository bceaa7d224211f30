# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""trust_bundle by ansible-playbook: in the system's store of a mount namespace, and without pipelining."""

from __future__ import annotations

import shutil
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.tests.harness import local, playbook
from ansible_collections.keystead.identity.tests.needs import OLD_PYTHON

MODULE = "keystead.identity.trust_bundle"
BESIDE = """#!/bin/sh
exec unshare --mount sh -c '
mount --bind {base}/local /usr/local/share/ca-certificates
mount --bind {base}/certs /etc/ssl/certs
mount --bind {base}/hooks /etc/ca-certificates/update.d
exec {python} "$@"' "$0" "$@"
"""
Run = t.Callable[..., dict[str, t.Any]]


@pytest.fixture
def pki(tmp_path: Path) -> str:
    """Return a directory with the authorities a and b."""
    for name in ("a", "b"):
        local.authority(tmp_path / "pki", name)
    return str(tmp_path / "pki")


def task(pki: str, *names: str, **said: t.Any) -> dict[str, t.Any]:
    return {MODULE: {"name": "site", "anchors": [f"{pki}/{name}/certificate.pem" for name in names] or None, **said}}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a way to run a task on a host whose Python sees directories of the test as the system's store."""
    base, python = tmp_path / "system", tmp_path / "python"
    shutil.copytree("/usr/local/share/ca-certificates", base / "local", symlinks=True)
    shutil.copytree("/etc/ssl/certs", base / "certs", symlinks=True)
    (base / "hooks").mkdir()
    python.write_text(BESIDE.format(base=base, python=sys.executable))
    python.chmod(0o755)

    def run(one: dict[str, t.Any], *args: str) -> dict[str, t.Any]:
        host = {"web1": {"ansible_python_interpreter": str(python)}}
        done = playbook.run([one], host, *args, home=tmp_path / "home")
        assert done.returncode == 0, done.stdout + done.stderr
        return playbook.results(tmp_path / "home")[-1]

    return run


@pytest.mark.needs("netns", "update-ca-certificates")
def test_every_program_of_the_host_trusts_what_the_task_declares(
    tmp_path: Path, pki: str, run: Run
) -> None:
    bundle = tmp_path / "system" / "certs" / "ca-certificates.crt"
    a, b = ((Path(pki) / name / "certificate.pem").read_text() for name in ("a", "b"))
    before = bundle.read_text()
    shown = run(task(pki, "a", "b", system=True), "--check")
    assert (shown["changed"], bundle.read_text()) == (True, before)
    assert run(task(pki, "a", "b", system=True))["steps"] == shown["steps"]
    assert run(task(pki, "a", "b", system=True))["changed"] is False
    assert a in bundle.read_text()
    early = run(task(pki, "b", system=True))
    assert (early["changed"], [one["retained"] for one in early["anchors"]].count(True)) == (False, 1)
    assert "the ledger knows no certificate that has not ended" in str(early["anchors"])
    dropped = run(task(pki, "b", system=True, drop_in_use=True))
    assert [one["action"] for one in dropped["steps"]] == ["withdraw"]
    assert a not in bundle.read_text()
    assert b in bundle.read_text()
    gone = run(task(pki, system=True, state="absent", drop_in_use=True))
    assert (gone["changed"], gone["path"], gone["anchors"]) == (True, None, [])
    assert bundle.read_text() == before
    assert not list((tmp_path / "system").rglob("*keystead*"))


@pytest.mark.parametrize("pipelining", ["True", "False"])
def test_both_ways_to_a_host_lead_to_the_same_file(tmp_path: Path, pki: str, pipelining: str) -> None:
    bundle, home = tmp_path / "peers.pem", tmp_path / "home"
    for changed in (True, False):
        done = playbook.run(
            [task(pki, "a", "b", path=str(bundle))], playbook.ONE_HOST, "--diff", home=home,
            env={"ANSIBLE_PIPELINING": pipelining},
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        assert playbook.results(home)[-1]["changed"] is changed
        assert ("+# CN=a" in done.stdout) is changed
    assert bundle.read_text().count("BEGIN CERTIFICATE") == 2


def test_what_is_refused_is_one_sentence(tmp_path: Path, pki: str) -> None:
    wrong = {MODULE: {"name": "site", "anchors": [f"{pki}/a/private_key.pem"], "path": str(tmp_path / "x.pem")}}
    done = playbook.run([wrong], home=tmp_path / "home")
    assert done.returncode
    said = playbook.results(tmp_path / "home")[-1]["msg"]
    assert said.startswith(f"trust_bundle: option anchors: {pki}/a/private_key.pem: it holds a private key")
    assert "BEGIN" not in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.needs("old_cryptography")
def test_a_host_with_an_old_python_holds_anchors_too(tmp_path: Path, pki: str) -> None:
    bundle, home = tmp_path / "peers.pem", tmp_path / "home"
    dropping = task(pki, "b", path=str(bundle), drop_in_use=True)
    tasks = [task(pki, "a", "b", path=str(bundle)), dropping, dropping]
    done = playbook.run(tasks, {"web1": {"ansible_python_interpreter": OLD_PYTHON}}, home=home)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [one["changed"] for one in playbook.results(home)] == [True, True, False]
    assert bundle.read_text().count("BEGIN CERTIFICATE") == 1
