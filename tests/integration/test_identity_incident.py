# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""identity_incident: the times of an incident are in the chain of events, and its evidence is signed."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import typing as t
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied, KeysteadError, Misconfigured
from ansible_collections.keystead.identity.plugins.module_utils._options.common import COMMON
from ansible_collections.keystead.identity.plugins.module_utils._options.identity_incident import OPTIONS
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.plugin_utils._incident.answer import Setting, answer
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.chain import verify
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_ledger
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated
from ansible_collections.keystead.identity.tests.harness.controls import run_audit
from ansible_collections.keystead.identity.tests.harness.in_process import World, from_now_on, web
from ansible_collections.keystead.identity.tests.harness.revoking import Office
from cryptography import x509

pytestmark = pytest.mark.one_core

Result = dict[str, t.Any]
WEB = {"host": ["web1"]}


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return a host with an identity."""
    made = World(tmp_path, host="web1")
    made.one(web(contact="me@example.org"))
    return made


def incident(world: World, *, check: bool = False, **said: t.Any) -> Result:
    """Run the module."""
    args = validated({"ledger": world.url, **said}, spec(COMMON, OPTIONS), module="identity_incident")
    return answer(args, Setting("controller", "site.yml", check))


def ago(**said: int) -> str:
    """Return a moment that has passed."""
    return f"{datetime.now(UTC) - timedelta(**said):%Y-%m-%dT%H:%M:%SZ}"


def chain(world: World) -> str | None:
    """Return what of the chain of events is broken."""
    ledger = open_ledger(world.url, read_only=True)
    try:
        return verify(ledger)
    finally:
        ledger.close()


def test_the_stages_of_an_incident_are_events_of_the_chain_and_are_written_down_once(world: World) -> None:
    foreseen = incident(world, check=True, about=WEB, stage="triaged")
    assert foreseen["changed"]
    assert incident(world)["incidents"] == []
    opened = incident(world, about=WEB, detected=ago(hours=2), stage="triaged", totals={"affected": 1})
    assert opened["name"][8:] == foreseen["name"][8:]
    assert opened["name"][:8] == opened["times"]["detected"][:10].replace("-", "")
    assert (opened["open"], opened["limit"]["time"], opened["limit"]["kept"]) == (True, "1d", None)
    assert opened["seconds"]["triaged"] >= 7200
    for stage in ("contained", "recovered", "verified"):
        assert incident(world, name=opened["name"], stage=stage)["changed"], stage
        assert not incident(world, about=WEB, stage=stage, check=True, name=opened["name"])["changed"]
    done = incident(world, name=opened["name"])
    assert (done["open"], done["limit"]["kept"], done["totals"]) == (False, True, {"affected": 1})
    assert list(done["times"]) == ["detected", "triaged", "contained", "recovered", "verified"]
    (shown,) = incident(world)["incidents"]
    assert shown == {name: value for name, value in done.items() if name != "changed"}
    assert incident(world)["mean_seconds_to_recover"] == done["seconds"]["recovered"]
    assert chain(world) is None
    with contextlib.closing(sqlite3.connect(world.ledger)) as database, database:
        database.execute("UPDATE events SET message = replace(message, ':', ': ') WHERE action = 'incident'")
    assert chain(world) is not None


@pytest.mark.parametrize(
    ("reason", "hours", "time", "kept"),
    [("key_compromise", 25, "1d", False), ("superseded", 25, "5d", None), ("superseded", 121, "5d", False)],
)
def test_a_limit_that_has_passed_was_not_kept(
    world: World, reason: str, hours: int, time: str, *, kept: bool | None
) -> None:
    one = incident(world, about=WEB, reason=reason, detected=ago(hours=hours))
    assert (one["limit"]["time"], one["limit"]["kept"]) == (time, kept)
    late = incident(world, name=one["name"], stage="contained")
    assert late["limit"]["kept"] is (kept is None)


def test_the_same_selection_is_the_same_incident_until_that_is_over(world: World) -> None:
    first = incident(world, about=WEB, stage="triaged")
    assert incident(world, about=WEB)["name"] == first["name"]
    assert incident(world, about={"host": ["web2"]}, check=True)["name"] != first["name"]
    assert incident(world, about=WEB, reason="superseded", check=True)["name"] != first["name"]
    incident(world, about=WEB, stage="verified")
    over = incident(world, about=WEB, detected=first["times"]["detected"], stage="triaged")
    assert (over["changed"], over["name"]) == (False, first["name"])
    over = incident(world, about=WEB, stage="triaged", totals={"affected": 0})
    assert (over["changed"], over["name"]) == (False, first["name"])
    second = incident(world, about=WEB)
    assert (second["changed"], second["name"]) == (True, f"{first['name']}-2")
    again = incident(world, name=first["name"], stage="triaged", again=True)
    assert again["open"], "more was found"
    assert again["times"]["triaged"] == first["times"]["triaged"]


def evidence(directory: Path, *files: Path) -> Result:
    """Return option `evidence`."""
    key = {"file": {"path": str(directory / "evidence.key")}}
    return {"directory": str(directory / "evidence"), "key": key, "files": list(map(str, files))}


def test_evidence_has_the_events_and_certificates_and_is_verified_by_the_audit(world: World, tmp_path: Path) -> None:
    old = world.certificate()
    incident(world, about=WEB, detected=ago(minutes=5), stage="triaged")
    world.one(web(contact="me@example.org"), made_before=from_now_on())
    fingerprint = old.fingerprint(x509.base.hashes.SHA256()).hex()
    Office(world.url, world.issuer()).run({"fingerprint_sha256": fingerprint}, reason="key_compromise")
    incident(world, about=WEB, stage="verified")
    note = tmp_path / "note.txt"
    note.write_text("who saw what\n")
    said = {"name": incident(world)["incidents"][0]["name"], "about": WEB, "evidence": evidence(tmp_path, note)}
    assert incident(world, check=True, **said)["changed"]
    assert not (tmp_path / "evidence").exists()
    written = incident(world, **said)["evidence"]
    assert not incident(world, **said)["changed"]

    folder = Path(written["path"])
    names = {path.name for path in folder.iterdir()}
    assert names == {"manifest.jws", "public_key.pem", "note.txt", "incident.json", "events.json", "identities.json",
                     "certificates.pem"}  # fmt: skip
    actions = [one["action"] for one in json.loads((folder / "events.json").read_text())]
    assert {"incident", "issue", "revoke"} <= {*actions}
    assert actions[-1] == "incident"
    held = x509.load_pem_x509_certificates((folder / "certificates.pem").read_bytes())
    assert {old, world.certificate()} == {*held}
    assert "PRIVATE KEY" not in "".join(path.read_text() for path in folder.iterdir())

    desk = {"evidence": [str(tmp_path / "evidence")], "public_keys": [written["public_key"]]}
    assert run_audit(desk)["whole"]
    (folder / "events.json").write_text("[]\n")
    assert "events.json was changed" in run_audit(desk)["msg"]
    with pytest.raises(Denied, match=r"is not what was signed: events\.json was changed"):
        incident(world, **said)


def test_evidence_takes_no_secret(world: World, tmp_path: Path) -> None:
    key = world.path("web", "current", "private_key.pem")
    with pytest.raises(Misconfigured, match="has a private key, and evidence has no secret; leave it out"):
        incident(world, about=WEB, stage="triaged", evidence=evidence(tmp_path, key))
    assert not (tmp_path / "evidence").exists()


MISTAKES: list[tuple[Result, str]] = [
    ({"about": {}}, "nothing says what the incident is about; name a key"),
    ({"about": {"spki_sha265": ["ab"]}}, "spki_sha265"),
    ({"about": {"host": []}}, "option host is empty; leave it out"),
    ({"name": "a b", "about": WEB}, "option name: 'a b' is no name"),
    ({"name": "nobody"}, "the ledger knows no incident nobody; say about to open it"),
    ({"stage": "triaged"}, "option stage: about is missing"),
    ({"name": "x", "limit": "1d"}, "option limit: about is missing"),
    ({"name": "x", "about": WEB, "limit": "soon"}, "option limit: 'soon' is not a duration"),
    ({"about": WEB, "detected": "yesterday"}, "option detected: 'yesterday' is no moment"),
    ({"about": WEB, "detected": "2090-01-01T00:00:00Z"}, "is to come; write one that has passed"),
    ({"about": WEB, "totals": {"affected": "many"}, "stage": "triaged"}, "option totals: affected is no whole number"),
    ({"name": "there", "about": {"host": ["web2"]}}, "incident there is about something else"),
    ({"name": "there", "about": WEB, "reason": "superseded"}, "incident there is about something else"),
    ({"name": "there", "about": WEB, "detected": "2020-01-01T00:00:00Z"}, "which does not change; leave it out"),
    ({"about": WEB, "ledger": "sqlite:////nowhere/ledger.db"}, "there is no ledger at sqlite:////nowhere/ledger.db"),
]


@pytest.mark.parametrize(("said", "expected"), MISTAKES)
def test_what_is_wrong_is_one_sentence(world: World, said: Result, expected: str) -> None:
    incident(world, name="there", about=WEB)
    with pytest.raises(KeysteadError) as caught:
        incident(world, **said)
    assert expected in str(caught.value)
    assert len(incident(world)["incidents"]) == 1
