# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Evidence is added and never replaced, all of a folder is signed, and who has its public key sees every change."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import re
import subprocess
import sys
import textwrap
import typing as t
from datetime import UTC, datetime
from pathlib import Path

import jwt
import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied, Misconfigured
from ansible_collections.keystead.identity.plugins.plugin_utils._actor import VERSION
from ansible_collections.keystead.identity.plugins.plugin_utils._controls.frameworks import FRAMEWORKS
from ansible_collections.keystead.identity.tests.harness.controls import NEW, asked, audited, record, run_audit
from ansible_collections.keystead.identity.tests.harness.in_process import World, web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_pem_public_key,
)

if t.TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.one_core

PAGE = Path(__file__).resolve().parents[5] / "docs/docsite/rst/foreseeing.rst"
INCOMPLETE = record("a", issuer="", key_type="")
Fields = dict[str, t.Any]


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return a world in which every control has evidence, and none is breached."""
    return audited(tmp_path / "world")


def evidence(tmp_path: Path, **key: str) -> Fields:
    """Return options that write evidence."""
    file = {"path": str(tmp_path / "evidence.key"), **key}
    return {"evidence": {"directory": str(tmp_path / "evidence"), "key": {"file": file}}, "frameworks": ["pci_dss"]}


def written(world: World, tmp_path: Path, entries: t.Sequence[Fields] = (NEW,), **said: t.Any) -> tuple[Path, bool]:
    """Write evidence of one framework; return its folder, and whether that changed anything."""
    done = asked(world, entries, **{**evidence(tmp_path), **said})
    (one,) = done["evidence"]
    assert done["changed"] is one["changed"]
    return Path(one["path"]), one["changed"]


def manifest(folder: Path) -> Fields:
    """Return what is signed, as another library reads it."""
    key = load_pem_public_key((folder / "public_key.pem").read_bytes())
    return json.loads(jwt.PyJWS().decode((folder / "manifest.jws").read_text(), key, algorithms=["EdDSA"]))  # type: ignore[arg-type,no-any-return]


def below(directory: Path) -> dict[Path, int]:
    """Return all that is there, and when it was written."""
    return {path: path.stat().st_mtime_ns for path in directory.rglob("*")}


def test_a_folder_of_evidence_is_signed_as_a_whole_and_written_once(world: World, tmp_path: Path) -> None:
    said = {**evidence(tmp_path), "frameworks": list(FRAMEWORKS)}
    foretold = asked(world, check=True, **said)
    assert (foretold["changed"], (tmp_path / "evidence").exists(), (tmp_path / "evidence.key").exists()) == (
        True, False, False,
    )  # fmt: skip
    done = asked(world, **said)
    assert [one["path"] for one in done["evidence"]] == [one["path"] for one in foretold["evidence"]]
    assert {one["framework"] for one in done["evidence"]} == set(FRAMEWORKS)
    for one in done["evidence"]:
        folder = Path(one["path"])
        assert folder.parent == tmp_path / "evidence" / one["framework"]
        assert folder.name.startswith(f"{datetime.now(UTC):%Y-%m-%d}-")
        assert (folder / "public_key.pem").read_text() == one["public_key"]
        signed = manifest(folder)
        assert set(signed["files"]) == {path.name for path in folder.iterdir()} - {"manifest.jws"}
        assert signed["hash"] == world.query("SELECT hash FROM events ORDER BY seq DESC LIMIT 1")[0][0]
        shown = json.loads((folder / "controls.json").read_text())["controls"]
        assert [item["state"] for item in shown] == ["met"] * len(FRAMEWORKS[one["framework"]].controls)
        assert json.loads((folder / "policy.json").read_text())["rules"]
        assert [item["name"] for item in json.loads((folder / "inventory.json").read_text())] == ["web", "pq"]
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "evidence").rglob("*")} == {0}
    before = below(tmp_path / "evidence")
    assert asked(world, **said)["changed"] is False
    assert below(tmp_path / "evidence") == before


def test_another_state_selection_or_policy_of_the_same_day_has_a_folder_of_its_own(
    world: World, tmp_path: Path
) -> None:
    (tmp_path / "policy.yml").write_text(json.dumps({"format": 1, "rules": [{"id": "who", "contact": {}}]}))
    ways: list[Fields] = [
        {}, {"entries": [NEW, INCOMPLETE]}, {"service": "shop"}, {"policy": str(tmp_path / "policy.yml")},
        {"public_issuers": ["nobody"]},
    ]  # fmt: skip
    folders = [written(world, tmp_path, **way) for way in ways]
    assert len({folder for folder, _changed in folders}) == len(ways)
    assert all(changed for _folder, changed in folders)
    before = below(tmp_path / "evidence")
    assert [written(world, tmp_path, **way) for way in ways] == [(folder, False) for folder, _changed in folders]
    assert below(tmp_path / "evidence") == before, "no evidence was taken away by another"
    shown = {one["control"]: one for one in json.loads((folders[1][0] / "controls.json").read_text())["controls"]}
    assert (shown["4.2.1.1"]["state"], shown["4.2.1"]["state"]) == ("breached", "met")
    (breach,) = json.loads((folders[1][0] / "control_4.2.1.1.json").read_text())["breaches"]
    assert (breach["name"], breach["msg"]) == ("a", "it is not known who issued it and its key type")


def _forged(folder: Path) -> None:
    """Change a control, and sign the whole anew with another key."""
    (folder / "controls.json").write_text("{}")
    path, said = folder / "manifest.jws", manifest(folder)
    said["files"]["controls.json"] = hashlib.sha256(b"{}").hexdigest()
    header = jwt.get_unverified_header(path.read_text())
    path.write_text(jwt.PyJWS().encode(json.dumps(said).encode(), Ed25519PrivateKey.generate(), "EdDSA", header))


FORGED: dict[str, tuple[Callable[[Path], t.Any], str]] = {
    "changed": (lambda folder: (folder / "controls.json").write_text("{}"), "controls.json was changed"),
    "emptied": (lambda folder: (folder / "inventory.json").write_text("[]"), "inventory.json was changed"),
    "another key beside": (lambda folder: (folder / "public_key.pem").write_text("x"), "public_key.pem was changed"),
    "added": (lambda folder: (folder / "control_99.json").write_text("{}"), "control_99.json was added"),
    "added hidden": (lambda folder: (folder / ".x").write_text(""), ".x was added"),
    "added directory": (lambda folder: (folder / "more").mkdir(), "more was added"),
    "missing": (lambda folder: (folder / "policy.json").unlink(), "policy.json is missing"),
    "without a manifest": (lambda folder: (folder / "manifest.jws").unlink(), "manifest.jws cannot be read"),
    "damaged": (lambda folder: (folder / "manifest.jws").write_text("x"), "manifest.jws: its signature is not that of"),
    "signed anew": (_forged, "manifest.jws: its signature is not that of its key"),
}


def auditor(folder: Path, public_key: str, directory: Path) -> subprocess.CompletedProcess[str]:
    """Do what the page tells an auditor to do who has not got this collection."""
    (shown,) = re.findall(r"^\.\. code-block:: python\n\n((?: .*\n|\n)+)", PAGE.read_text(), re.MULTILINE)
    (directory / "verify.py").write_text(textwrap.dedent(shown))
    (directory / "evidence.pem").write_text(public_key)
    command = [sys.executable, "verify.py", str(folder), "evidence.pem"]
    return subprocess.run(command, cwd=directory, check=False, capture_output=True, text=True)


def test_an_auditor_without_this_collection_sees_what_a_whole_folder_is_about(world: World, tmp_path: Path) -> None:
    (one,) = asked(world, **evidence(tmp_path))["evidence"]
    done = auditor(Path(one["path"]), one["public_key"], tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "pci_dss" in done.stdout


def verify(folders: list[str], *keys: str, **said: t.Any) -> Fields:
    """Verify folders by identity_audit."""
    return run_audit({"evidence": folders, "public_keys": list(keys) or None, **said})


def test_identity_audit_verifies_a_folder_or_all_that_there_are(world: World, tmp_path: Path) -> None:
    first, _changed = written(world, tmp_path)
    second, _changed = written(world, tmp_path, [])
    key = (first / "public_key.pem").read_text()
    (one,) = verify([str(first)], key)["evidence"]
    assert (one["path"], one["broken"], one["framework"], one["day"]) == (
        str(first), None, "pci_dss", f"{datetime.now(UTC):%Y-%m-%d}",
    )  # fmt: skip
    assert one["hash"] == world.query("SELECT hash FROM events ORDER BY seq DESC LIMIT 1")[0][0]
    found = verify([str(tmp_path / "evidence")], key)
    assert (found["whole"], {one["path"] for one in found["evidence"]}) == (True, {str(first), str(second)})
    (first.parent / "planted").write_text("")
    assert verify([str(tmp_path / "evidence")], key)["whole"] is False


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, "nobody said by whom it may be signed; name in public_keys"),
        ({"export": "/x"}, "option export is for a record, and evidence is none; leave one out"),
        ({"public_keys": ["/nowhere"]}, "option public_keys: /nowhere is no file that is there"),
        ({"copy": "/x"}, "option copy is for a record, and evidence is none; leave one out"),
    ],
)
def test_what_cannot_be_verified_is_refused(said: Fields, expected: str) -> None:
    with pytest.raises(Misconfigured, match=expected):
        verify(["/nowhere"], **said)


def test_where_no_evidence_is_that_is_said(world: World, tmp_path: Path) -> None:
    folder, _changed = written(world, tmp_path)
    with pytest.raises(Misconfigured, match=r"nowhere holds no evidence; name a folder of it"):
        verify(["/nowhere"], (folder / "public_key.pem").read_text())


@pytest.mark.parametrize("way", FORGED)
def test_whatever_was_changed_added_or_removed_is_seen_and_never_written_over(
    world: World, tmp_path: Path, way: str
) -> None:
    (one,) = asked(world, **evidence(tmp_path))["evidence"]
    folder = Path(one["path"])
    forge, expected = FORGED[way]
    forge(folder)
    before = below(tmp_path / "evidence")
    done = auditor(folder, one["public_key"], tmp_path)
    assert done.returncode == 1, done.stdout
    verified = verify([str(folder.parent.parent)], one["public_key"])
    assert (verified["failed"], verified["whole"]) == (True, False)
    assert verified["msg"].startswith(f"identity_audit: evidence is not what was signed: {folder}: {expected}")
    for check in (True, False):
        with pytest.raises(Denied, match=rf"{re.escape(str(folder))} is not what was signed: {re.escape(expected)}"):
            asked(world, check=check, **evidence(tmp_path))
    assert below(tmp_path / "evidence") == before, "the trace is still there"


def test_a_folder_in_the_place_of_another_is_seen(world: World, tmp_path: Path) -> None:
    good, _changed = written(world, tmp_path)
    bad, _changed = written(world, tmp_path, [NEW, INCOMPLETE])
    bad.rename(tmp_path / "bad")
    good.rename(bad)
    with pytest.raises(Denied, match=r"is not what was signed: it is the evidence of something else"):
        written(world, tmp_path, [NEW, INCOMPLETE])


def test_a_key_that_is_gone_is_not_replaced_and_a_key_that_is_another_is_said(world: World, tmp_path: Path) -> None:
    folder, _changed = written(world, tmp_path)
    key = tmp_path / "evidence.key"
    content = key.read_bytes()
    key.unlink()
    for check in (True, False):
        with pytest.raises(Misconfigured, match=r"option evidence\.key\.file: .* is not there, and signed .*; put"):
            asked(world, [NEW, INCOMPLETE], check=check, **evidence(tmp_path))
    assert not key.exists()
    other = ec.generate_private_key(ec.SECP256R1())
    key.write_bytes(other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    key.chmod(0o600)
    first = asked(world, [NEW, INCOMPLETE], **evidence(tmp_path))
    (warning,) = first["warnings"]
    assert manifest(folder)["framework"] == "pci_dss", "what the other key has signed is still there"
    assert jwt.get_unverified_header((folder / "manifest.jws").read_text())["kid"] in warning
    assert asked(world, [NEW, INCOMPLETE], **evidence(tmp_path))["warnings"] == []
    assert load_pem_private_key(content, None)


def _in_a_process(directory: Path, results: t.Any) -> None:
    results.put(written(World(directory / "world"), directory)[1])


def test_several_hosts_of_one_play_write_one_folder(world: World, tmp_path: Path) -> None:
    asked(world, check=True, **evidence(tmp_path))
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    running = [context.Process(target=_in_a_process, args=(tmp_path, results)) for _host in range(6)]
    for one in running:
        one.start()
    for one in running:
        one.join()
    assert [one.exitcode for one in running] == [0] * 6
    changed = [results.get() for _one in running]
    assert changed.count(True) == 1
    assert len(list((tmp_path / "evidence" / "pci_dss").iterdir())) == 1, "nothing is left beside"


def _file(path: Path) -> str:
    path.write_text("")
    return str(path / "below")


def _p521(path: Path) -> str:
    key = ec.generate_private_key(ec.SECP521R1())
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)
    return str(path)


UNUSABLE: dict[str, tuple[Callable[[Path], Fields], str]] = {
    "directory": (lambda tmp: {"directory": _file(tmp / "a")}, r"option evidence\.directory: .*below.* cannot be"),
    "key": (
        lambda tmp: {"key": {"file": {"path": str(tmp / "nowhere" / "evidence.key")}}},
        r"nowhere/evidence\.key, which is to sign, cannot be used \(No such file or directory\)",
    ),
    "type": (
        lambda tmp: {"key": {"file": {"path": _p521(tmp / "p521.key")}}},
        r"option evidence\.key: it is of type ecdsa-p521, which JSON Web Signatures do not know",
    ),
}


@pytest.mark.parametrize("what", UNUSABLE)
def test_check_mode_fails_where_the_run_would(world: World, tmp_path: Path, what: str) -> None:
    said, expected = UNUSABLE[what]
    options = {**evidence(tmp_path)["evidence"], **said(tmp_path)}
    for check in (True, False):
        with pytest.raises(Misconfigured, match=expected):
            asked(world, check=check, evidence=options, frameworks=["pci_dss"])
    assert not (tmp_path / "evidence").exists()


def test_what_lies_where_a_folder_would_go_is_named(world: World, tmp_path: Path) -> None:
    folder, _changed = written(world, tmp_path)
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()
    folder.symlink_to(tmp_path / "nowhere")
    with pytest.raises(Denied, match=r"is not what was signed: manifest.jws cannot be read \(No such file"):
        written(world, tmp_path)


def test_evidence_says_who_waived_what_and_what_was_found_of_each_with_its_certificate(
    world: World, tmp_path: Path
) -> None:
    rules = [{"id": "ours", "key_type": {"allow": ["ml-dsa-87"]}}]
    waivers = [{"rule": "ours", "contact": "ciso", "until": "2090-01-01"}]
    (tmp_path / "policy.yml").write_text(json.dumps({"format": 1, "rules": rules, "waivers": waivers}))
    weak = record("a", key_type="rsa-1024")
    folder, _changed = written(world, tmp_path, [NEW, weak], policy=str(tmp_path / "policy.yml"))
    control = json.loads((folder / "control_12.3.3.json").read_text())
    assert {one["name"] for one in control["breaches"]} == {"a"}
    assert {one["name"] for one in control["not_enforced"]} == {"web", "a"}
    assert all("waived until 2090-01-01 by ciso" in one["msg"] for one in control["not_enforced"])
    inventory = {one["name"]: one for one in json.loads((folder / "inventory.json").read_text())}
    assert [one["code"] for one in inventory["a"]["findings"]] == ["weak_key"]
    assert inventory["web"]["findings"] == []
    assert inventory["web"]["pem"] == world.certificate("web").public_bytes(Encoding.PEM).decode()
    assert inventory["a"]["pem"] is None


def test_a_manifest_says_by_what_was_judged_when_and_by_which_release(world: World, tmp_path: Path) -> None:
    folder, _changed = written(world, tmp_path, public_issuers=["CN=Public CA"], service=["shop"])
    said = manifest(folder)
    assert (said["public_issuers"], said["selection"]["service"]) == (["CN=Public CA"], ["shop"])
    assert (said["collection_version"], len(said["public_keys"])) == (VERSION, 1)
    assert abs((datetime.now(UTC) - datetime.fromisoformat(said["at"])).total_seconds()) < 600


def test_evidence_that_cannot_be_read_is_named(world: World, tmp_path: Path) -> None:
    planted = tmp_path / "evidence" / "pci_dss" / "2026-01-01-x" / "manifest.jws"
    planted.mkdir(parents=True)
    with pytest.raises(Misconfigured, match=rf"evidence\.directory: {planted} cannot be read \(Is a directory\)"):
        written(world, tmp_path)


def test_an_event_is_another_state(world: World, tmp_path: Path) -> None:
    first, _changed = written(world, tmp_path)
    world.converge([web(contact="me"), {**web(contact="me"), "name": "api", "dns_names": ["api.example.org"]}])
    second, changed = written(world, tmp_path)
    assert (changed, first.exists(), second != first) == (True, True, True)
