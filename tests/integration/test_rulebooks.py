# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The rulebooks, run by the real ansible-rulebook with its rule engine in Java."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.keys import spki_sha256
from ansible_collections.keystead.identity.plugins.plugin_utils._signed import issued
from ansible_collections.keystead.identity.tests.harness import rulebook
from ansible_collections.keystead.identity.tests.harness.in_process import HOST, World, web
from ansible_collections.keystead.identity.tests.harness.judging import records
from ansible_collections.keystead.identity.tests.harness.notified import Hook
from ansible_collections.keystead.identity.tests.integration import test_cert_revoke_orphans as orphans
from ansible_collections.keystead.identity.tests.integration.test_role_respond import Lab
from cryptography.hazmat.primitives.serialization import Encoding

if t.TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.one_core, pytest.mark.needs("ansible-rulebook")]


def declared(world: World, *identities: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the variables of a host that declares identities."""
    return {
        "keystead_identities": list(identities), "keystead_issuer": world.issuer(), "keystead_store": str(world.store),
        "keystead_ledger": world.url, "identity_requirements_install": False,
    }  # fmt: skip


def variables(world: World, tmp_path: Path, **said: t.Any) -> dict[str, t.Any]:
    """Return the variables of a rulebook."""
    cursor = str(tmp_path / "cursor")
    return {"keystead_ledger": world.url, "keystead_cursor": cursor, "keystead_interval": "1s", **said}


def test_an_identity_that_ends_is_renewed_by_the_rulebook(tmp_path: Path) -> None:
    world = World(tmp_path / "world")
    world.one(web(lifetime="20d"))
    before = world.certificate()
    hosts = {HOST: declared(world, web(lifetime="60d", renew_before="30d")), "other": {}}
    said = variables(world, tmp_path, keystead_thresholds=["365d"])
    printed = rulebook.run_until(
        lambda text: "PLAY RECAP" in text, "keystead.identity.renew", hosts, said, tmp_path / "home"
    )
    assert "failed=0" in printed
    assert world.current() == 2
    assert world.certificate().serial_number != before.serial_number


@pytest.mark.needs("openssl")
def test_a_key_that_two_hosts_have_is_replaced_and_what_a_run_gave_up_is_revoked_but_not_what_a_stranger_may_hold(
    tmp_path: Path,
) -> None:
    lab = Lab(tmp_path)
    lab.provide()
    rogue, orphan = stranger(lab), given_up(lab)
    key = lab.leak()
    lab.provide()
    said = {**variables_of(lab), "keystead_incidents": str(tmp_path / "incidents")}
    printed = rulebook.run_until(  # each of both hosts is told to have it; by the second time nothing is left to do
        lambda text: text.count("PLAY RECAP") == 3, "keystead.identity.incidents", lab.hosts, said, tmp_path / "book",
        **lab.common,
    )  # fmt: skip
    assert "failed=1" not in printed
    assert "certificate revoked" in lab.verdict(tmp_path / "copied/fullchain.pem")
    assert "certificate revoked" in lab.verdict(orphan)
    assert "OK" in lab.verdict(rogue), "only the list of its issuer tells of it, so people have to look"
    for place in (("web1",), ("web2", "copy"), ("web3",)):
        assert "OK" in lab.verdict(lab.current(*place) / "certificate.pem")
        assert spki_sha256(lab.certificate(*place).public_key()) != key
    assert "Replace it by one with a new key on web1" in (tmp_path / "incidents" / key / "runbook.md").read_text()


def test_a_certificate_of_which_records_tell_the_fingerprint_alone_is_an_incident_by_that(tmp_path: Path) -> None:
    lab = Lab(tmp_path, ("web1",))
    lab.provide()
    fingerprint = "ab" * 32
    said_of = {
        "name": "old", "contact": "me@example.org", "fingerprint_sha256": fingerprint,
        "not_after": "2090-01-01T00:00:00Z",
    }  # fmt: skip
    file = records(tmp_path / "records.json", *({"host": host, **said_of} for host in ("old1", "old2")))
    said = {
        **variables_of(lab), "keystead_incidents": str(tmp_path / "incidents"), "keystead_records": file,
    }  # fmt: skip
    common = {**lab.common, "keystead_ir_records": file}
    printed = rulebook.run_until(
        lambda text: "PLAY RECAP" in text, "keystead.identity.incidents", lab.hosts, said, tmp_path / "book", **common
    )
    assert "failed=1" not in printed, printed
    assert [one.name for one in (tmp_path / "incidents").iterdir()] == [fingerprint]
    assert "old on old2" in (tmp_path / "incidents" / fingerprint / "runbook.md").read_text()


def given_up(lab: Lab) -> Path:
    """Have our authority sign for a run that never comes back, and the next one give that up; return where it is."""
    issuer, ledger = lab.common["keystead_issuer"], lab.common["keystead_ledger"]
    batch = orphans.asked_for(ledger, orphans.id_of(issuer))
    content = orphans.signed(issuer).public_bytes(Encoding.PEM)
    orphans.given_up(ledger, batch, issued(content, b""))
    (lab.root / "orphan.pem").write_bytes(content)
    return lab.root / "orphan.pem"


def stranger(lab: Lab) -> Path:
    """Have our authority sign for somebody with a ledger of his own, and let our ledger hear of that from its list."""
    issuer = lab.common["keystead_issuer"]
    theirs = {"ledger": f"sqlite:///{lab.root}/theirs.db", "store": str(lab.root / "theirs"), "issuer": issuer}
    rebuild = {"source": "issuers", "issuers": [issuer], "ledger": lab.common["keystead_ledger"]}
    identities = [{"name": "rogue", "dns_names": ["rogue.example.org"]}]
    tasks = [
        {"keystead.identity.machine_identity": {**theirs, "identities": identities}},
        {"keystead.identity.ledger_rebuild": rebuild},
    ]
    lab.run([{"hosts": "web1", "gather_facts": False, "tasks": tasks}])
    return lab.root / "theirs/rogue/current/certificate.pem"


def variables_of(lab: Lab) -> dict[str, t.Any]:
    """Return the variables of a rulebook over the hosts of a lab."""
    return {
        "keystead_ledger": lab.common["keystead_ledger"], "keystead_cursor": str(lab.root / "cursor"),
        "keystead_interval": "1s",
    }  # fmt: skip


def test_who_is_on_duty_is_told_of_each_matter_once_though_the_rule_engine_is_killed_in_between(tmp_path: Path) -> None:
    world = World(tmp_path / "world")
    with Hook(tmp_path) as hook:
        common = {"keystead_notify": [{"webhook": hook.option}], "keystead_notify_state": str(tmp_path / "notified.db")}
        said = variables(world, tmp_path, keystead_thresholds=["365d"])
        for name in ("web", "api"):
            world.one({"name": name, "dns_names": [f"{name}.example.org"]})
            rulebook.run_until(
                lambda text: "PLAY RECAP" in text, "keystead.identity.notify", {HOST: {}}, said, tmp_path / "home",
                **common,
            )  # fmt: skip
    assert [(one["type"], one["identity"]) for _key, one in hook.got] == [("expiring", "web"), ("expiring", "api")]
    assert hook.asked == 2
