# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The role `respond` and its playbooks: a key leaks, is used by a thief, and at the end no client takes it any more."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import typing as t
from datetime import UTC, datetime

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.keys import spki_sha256
from ansible_collections.keystead.identity.tests.harness import local, playbook
from ansible_collections.keystead.identity.tests.harness.brownfield import pair
from ansible_collections.keystead.identity.tests.harness.incident_lab import PLAYBOOK, Lab

if t.TYPE_CHECKING:
    from pathlib import Path

    from cryptography import x509

pytestmark = [pytest.mark.needs("openssl"), pytest.mark.one_core]


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    made = Lab(tmp_path)
    made.provide()
    return made


def test_a_key_that_leaked_is_replaced_wherever_it_is_and_only_then_revoked(lab: Lab) -> None:
    key = lab.leak()
    lab.provide()
    stolen, before = lab.root / "copied/fullchain.pem", lab.certificate("web3")
    foreseen = lab.respond(key, "--check")
    assert "1. Replace on web1" in foreseen
    assert "Contact: shop@example.org" in foreseen
    assert "1 of the certificates would be revoked, once all is replaced" in foreseen
    assert lab.recap["web1"]["changed"] == 1
    assert "contained" not in foreseen
    assert not lab.kept.exists()

    lab.respond(key)
    assert "certificate revoked" in lab.verdict(stolen)
    assert "OK" in lab.verdict(lab.current("web1") / "certificate.pem")
    assert "OK" in lab.verdict(lab.current("web2", "copy") / "certificate.pem")
    keys = {spki_sha256(lab.certificate(*place).public_key()) for place in (("web1",), ("web2", "copy"), ("web3",))}
    assert len(keys - {key}) == 3
    assert lab.certificate("web3") == before
    assert "web3" not in lab.recap

    times = json.loads((lab.kept / "times.json").read_text())
    stages = ("detected", "triaged", "recovered", "contained", "verified")
    moments = [datetime.fromisoformat(times[one]) for one in stages]
    assert moments == sorted(moments)
    assert json.loads((lab.kept / "before.json").read_text())["totals"]["affected"] == 2
    assert json.loads((lab.kept / "after.json").read_text())["totals"]["affected"] == 0
    assert "Replace it by one with a new key on web1" in (lab.kept / "runbook.md").read_text()

    kept = {path.name: path.read_text() for path in lab.kept.iterdir()}
    lab.respond(key)
    assert lab.recap["localhost"]["changed"] == 0
    assert "web1" not in lab.recap
    assert {path.name: path.read_text() for path in lab.kept.iterdir()} == kept


def test_what_cannot_be_replaced_keeps_everything_in_use(lab: Lab) -> None:
    key = lab.leak()
    lab.provide()
    lab.hosts["web1"]["keystead_identities"] = [lab.web(activate={"command": ["false"]})]
    about = {"keystead_ir": {"host": ["web1"]}, "keystead_ir_directory": str(lab.kept)}
    said = lab.run(PLAYBOOK, code=2, **about)
    assert "rolled back to generation 1" in said
    first = json.loads((lab.kept / "times.json").read_text())
    assert first.keys() == {"detected", "triaged"}
    assert spki_sha256(lab.certificate("web1").public_key()) == key
    assert not (lab.root / "ca/issuing/crl.pem").exists() or "OK" in lab.verdict(lab.root / "copied/fullchain.pem")
    lab.hosts["web1"]["keystead_identities"] = [lab.web()]
    lab.run(PLAYBOOK, **about)
    assert "certificate revoked" in lab.verdict(lab.root / "copied/fullchain.pem")
    assert json.loads((lab.kept / "times.json").read_text())["detected"] == first["detected"]
    lab.run(PLAYBOOK, **about)
    assert "web1" not in lab.recap, "what was made since is left alone"


def test_what_the_inventory_lacks_is_said_before_anything_is_done(lab: Lab) -> None:
    key = spki_sha256(lab.certificate("web1").public_key())
    del lab.hosts["web1"]
    assert "web1 has keys to replace, and is not in this inventory; add it there" in lab.run(
        PLAYBOOK, code=2, keystead_ir={"spki_sha256": [key]}
    )
    lab.hosts["web1"] = {"keystead_store": str(lab.root / "web1")}
    assert "keystead_identities does not declare it; declare it there" in lab.run(
        PLAYBOOK, code=2, keystead_ir={"spki_sha256": [key]}
    )
    assert spki_sha256(lab.certificate("web1").public_key()) == key


def test_who_says_the_wrong_thing_is_told_so_and_nothing_is_done(lab: Lab) -> None:
    before = {name: lab.certificate(name) for name in lab.hosts}
    everything = {"contact": ["shop@example.org"]}
    for said, args, expected in (
        ({"keystead_ir": {"spki_sha265": ["ab" * 32], **everything}}, (), "spki_sha265"),
        ({"keystead_ir": {}}, (), "nothing says what the incident is about; name a key"),
        ({"keystead_ir": {"spki_sha256": ["ab" * 32]}}, (), "look whether that is what you mean"),
        ({"keystead_ir": everything, "keystead_ir_detected": "2090-01-01T00:00:00Z"}, (), "is to come"),
        ({"keystead_ir": everything}, ("--limit", "web1"), "leave --limit away, or add localhost to it"),
    ):
        assert expected in lab.run(PLAYBOOK, *args, code=2, **said)
    assert {name: lab.certificate(name) for name in lab.hosts} == before


def test_a_run_that_was_killed_is_gone_on_with_by_the_same_command(lab: Lab) -> None:
    lab.hosts["web2"]["keystead_identities"] = [lab.web(activate={"command": ["/bin/sh", str(lab.root / "slow")]})]
    (lab.root / "slow").write_text(f"touch {lab.root}/began; while [ ! -e {lab.root}/goes_on ]; do sleep 0.1; done\n")
    about = {"keystead_ir": {"contact": ["shop@example.org"]}, "keystead_ir_serial": 1,
             "keystead_ir_directory": "~/incident"}  # fmt: skip
    old = {name: lab.certificate(name) for name in ("web1", "web2", "web3")}
    inventory = lab.root / "inventory.json"
    inventory.write_text(json.dumps({"all": {"hosts": lab.hosts, "vars": {"ansible_connection": "local"}}}))
    said = ["-e", json.dumps({**lab.common, **about}), "-e", "ansible_python_interpreter={{ ansible_playbook_python }}"]
    run = subprocess.Popen(
        [playbook.program("ansible-playbook"), "-i", inventory, *said, str(PLAYBOOK)], cwd=lab.home,
        env=playbook.environment(lab.home), start_new_session=True, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while not (lab.root / "began").exists():
        assert run.poll() is None, "it ended before it came to web2"
        time.sleep(0.1)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    (lab.root / "goes_on").touch()

    kept = lab.home / "incident"
    first = json.loads((kept / "times.json").read_text())
    assert first.keys() == {"detected", "triaged"}
    lab.run(PLAYBOOK, **about)
    assert json.loads((kept / "times.json").read_text())["detected"] == first["detected"]
    assert {name: lab.certificate(name) for name in old}.items().isdisjoint(old.items())
    assert lab.recap["localhost"]["failed"] == 0
    (one,) = lab.incidents()
    assert (one["open"], one["limit"]["kept"]) == (False, True)
    again = lab.run(PLAYBOOK, code=2, **{**about, "keystead_ir": {"host": ["web1"]}})
    assert f"{kept} is of incident {one['name']}" in again
    assert lab.incidents() == [one]


def test_what_cannot_be_revoked_stops_nothing_and_who_has_to_be_told_is_said(tmp_path: Path) -> None:
    lab = Lab(tmp_path, ("web1", "web2"))
    pair("web.example.org").write(tmp_path / "old")
    adopt = {"certificate": str(tmp_path / "old/fullchain.pem"), "private_key": str(tmp_path / "old/web.key")}
    lab.hosts["web2"]["keystead_identities"] = [lab.web(adopt=adopt)]
    lab.provide()
    seen, old = tmp_path / "web1.pem", lab.common["keystead_issuer"]
    seen.write_bytes((lab.current("web1") / "certificate.pem").read_bytes())
    lab.common["keystead_issuer"] = {"local": local.two_tiers(tmp_path / "ca2")}
    lab.provide()
    before = {host: lab.certificate(host) for host in lab.hosts}
    about = {"keystead_ir": {"contact": ["shop@example.org"]}, "keystead_ir_directory": str(lab.kept)}

    refused = "option issuers: none of them is local:"
    assert refused in lab.run(PLAYBOOK, "--check", code=2, **about)
    assert refused in lab.run(PLAYBOOK, code=2, **about)
    assert {host: lab.certificate(host) for host in lab.hosts}.items().isdisjoint(before.items())

    said = lab.run(PLAYBOOK, keystead_issuers=[old], **about)
    assert "web on web2 had is still good, and nobody here can revoke it; have it revoked by CN=Old Corp CA." in said
    assert "certificate revoked" in lab.verdict(seen)
    (one,) = lab.incidents()
    assert (one["open"], [*one["times"]]) == (True, ["detected", "triaged", "recovered"])
    lab.run(PLAYBOOK, keystead_issuers=[old], **about)
    assert lab.recap["localhost"]["changed"] == 0
    assert lab.incidents() == [one]


def test_what_a_timer_renewed_on_a_host_that_is_still_broken_into_is_replaced_as_well(tmp_path: Path) -> None:
    lab = Lab(tmp_path, ("web1",))
    about = {"keystead_ir": {"host": ["web1"]}, "keystead_ir_directory": str(lab.kept)}
    seen = tmp_path / "seen.pem"

    def renewed(name: str) -> x509.Certificate:
        lab.hosts["web1"]["keystead_identities"] = [lab.web(dns_names=["web.example.org", name])]
        lab.provide()
        seen.write_bytes((lab.current("web1") / "certificate.pem").read_bytes())
        return lab.certificate("web1")

    lab.provide()
    detected = datetime.now(UTC).isoformat()
    by_timer = renewed("one.example.org")
    lab.run(PLAYBOOK, keystead_ir_detected=detected, **about)
    assert lab.certificate("web1").public_key() != by_timer.public_key()
    assert "certificate revoked" in lab.verdict(seen)
    (one,) = lab.incidents()
    assert (one["open"], datetime.fromisoformat(one["times"]["detected"]).timestamp()) == (
        False, int(datetime.fromisoformat(detected).timestamp())
    )  # fmt: skip

    later = renewed("two.example.org")
    lab.run(PLAYBOOK, **about)
    assert (lab.recap["localhost"]["changed"], lab.incidents(), lab.certificate("web1")) == (0, [one], later)
    lab.run(PLAYBOOK, keystead_ir_until=datetime.now(UTC).isoformat(), **about)
    assert lab.certificate("web1").public_key() != later.public_key()
    assert "certificate revoked" in lab.verdict(seen)
    (after,) = lab.incidents()
    assert (after["open"], after["times"]["triaged"]) == (False, one["times"]["triaged"])
