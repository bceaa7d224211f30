# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""host_decommission: what it takes for proved, what it says of the rest, and what it does not sign yet."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import typing as t
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied, Misconfigured
from ansible_collections.keystead.identity.plugins.module_utils._options.common import COMMON
from ansible_collections.keystead.identity.plugins.module_utils._options.host_decommission import OPTIONS
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.plugin_utils._decommission.answer import Setting, answer
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated
from ansible_collections.keystead.identity.tests.harness.brownfield import pair
from ansible_collections.keystead.identity.tests.harness.in_process import World, web
from ansible_collections.keystead.identity.tests.harness.revoking import Office

Result = dict[str, t.Any]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def ask(world: World, *, check: bool = False, days: float = 0, **said: t.Any) -> Result:
    """Run the task once, so many days from now."""
    args = validated({"ledger": world.url, **said}, spec(COMMON, OPTIONS), module="host_decommission")
    setting = Setting(said.get("host", world.host), "site.yml", check)
    return answer(args, setting, datetime.now(UTC) + timedelta(days=days))


def certify(world: World, *names: str, check: bool = False, days: float = 0, **said: t.Any) -> Result:
    """Have the certificate written, where a look at these identities has found nothing."""
    looked = [{"store": str(world.store), "identity": name, "left": []} for name in names]
    evidence = {"directory": f"{world.directory}/gone", "key": {"file": {"path": f"{world.directory}/gone.key"}}}
    given = {"looked": looked, "issuers": [world.issuer()], "evidence": evidence, **said}
    return ask(world, check=check, days=days, **given)


def revoke(world: World, found: Result) -> None:
    """Take back what is to be revoked."""
    Office(world.url, world.issuer()).settled(*found["to_revoke"], replaced_first=False)


def test_nothing_is_signed_as_long_as_something_can_still_be_done(world: World) -> None:
    world.settled([web()])
    found = certify(world, "web")
    assert found["msg"].startswith("host_decommission: no certificate is written, since something can still be done: ")
    assert "says that it is good; run again, and look at what cert_revoke says" in found["left"][0]
    revoke(world, ask(world))
    assert certify(world)["left"] == [f"web (generation 1, {world.store}): nobody looked at the host"]
    left = [{"store": str(world.store), "identity": "web", "left": ["the identity is declared absent"]}]
    found = certify(world, looked=left)
    assert "there is still something to do: the identity is declared absent" in found["left"][0]
    world.settled([{"name": "web", "state": "absent"}])
    foreseen = certify(world, "web", check=True)
    assert (foreseen["changed"], Path(foreseen["evidence"]["path"]).exists()) == (True, False)
    done = certify(world, "web")
    assert (done["changed"], done["proved"], done["left"]) == (True, True, [])
    assert certify(world, "web")["changed"] is False


def test_what_its_issuer_calls_good_is_no_proof_whatever_the_ledger_says(world: World) -> None:
    world.settled([web()])
    revoke(world, ask(world))
    world.settled([{"name": "web", "state": "absent"}])
    assert certify(world, "web")["changed"]
    (world.authorities / "issuing/crl.pem").unlink()
    for kept in (world.authorities / "issuing/revoked").glob("*"):
        kept.unlink()
    found = certify(world, "web")
    assert found["failed"]
    assert "says that it is good" in found["left"][0]
    again = ask(world)
    assert (again["to_revoke"], len(again["revoked"])) == ([], 1)
    Office(world.url, world.issuer()).run(*again["revoked"], replaced_first=False)
    assert certify(world, "web")["proved"], "cert_revoke was told of it, and put it back on the list"
    done = certify(world, "web", days=60)
    assert (done["proved"], done["changed"]) == (True, False), "lists forget what has ended, and so may an issuer"


def test_what_nobody_can_tell_is_said_and_not_taken_for_proved(world: World) -> None:
    foreign = pair("old.example.org")
    for name, content in (("old.pem", foreign.certificate + foreign.chain), ("old.key", foreign.key)):
        (world.directory / name).touch(0o600)
        (world.directory / name).write_bytes(content)
    adopt = {"certificate": str(world.directory / "old.pem"), "private_key": str(world.directory / "old.key")}
    link = world.links / "web.pem"
    world.converge([
        web(links={str(link): "fullchain"}), {"name": "old", "dns_names": ["old.example.org"], "adopt": adopt},
        {"name": "plain", "dns_names": ["plain.example.org"], "links": {str(world.links / "plain.pem"): "combined"}},
    ])  # fmt: skip
    assert not world.converge([{"name": "plain", "state": "released"}]).get("failed")
    found = ask(world)
    assert len(found["to_revoke"]) == 2, "who signed what was adopted is not ours to ask"
    revoke(world, found)
    world.converge([{"name": "web", "state": "absent"}, {"name": "old", "state": "absent"}])
    done = certify(world, "web", "old", paths_left=[str(link)], issuers=None)
    assert (done["proved"], done["left"]) == (False, [])
    said = {one["identity"]: one for one in done["credentials"]}
    assert said["web"]["certificate"]["why_not"].startswith("its issuer answered then, and not now: ")
    assert said["web"]["key"]["why_not"].startswith(f"there is something at {link}")
    assert said["old"]["certificate"]["why_not"].endswith("before it came to us, and only it can revoke it")
    assert said["old"]["key"]["done"] == "it was destroyed (file)"
    assert said["old"]["key"]["why_not"].startswith("it was on the host before it came to us")
    assert said["plain"]["key"]["why_not"] == "it was released to plain files, which are no longer ours to remove"
    text = (Path(done["evidence"]["path"]) / "certificate.md").read_text()
    assert "Of 6 certificates and keys, 6 could not be proved to be gone." in text


def test_what_another_key_has_signed_before_is_no_false_alarm(world: World) -> None:
    world.settled([web()])
    revoke(world, ask(world))
    world.settled([{"name": "web", "state": "absent"}])
    first = certify(world, "web")["evidence"]
    other = {"directory": f"{world.directory}/gone", "key": {"file": {"path": f"{world.directory}/new.key"}}}
    certify(world, "web", evidence={**other, "directory": f"{world.directory}/elsewhere"})  # the new key is made there
    second = certify(world, "web", evidence=other)["evidence"]
    assert (second["changed"], second["public_key"] != first["public_key"]) == (True, True)
    assert second["path"] != first["path"]
    assert certify(world, "web", evidence=other)["changed"] is False
    (Path(second["path"]) / "certificate.md").write_text("all is well")
    with pytest.raises(Denied, match="is not what was signed"):
        certify(world, "web", evidence=other)


def of(world: World, issuer_id: str) -> None:
    """Let the ledger say that another one signed everything."""
    with contextlib.closing(sqlite3.connect(world.ledger)) as ledger, ledger:
        ledger.execute("UPDATE generations SET issuer_id = ?", (issuer_id,))


def test_what_its_issuer_cannot_revoke_is_named_and_holds_up_nothing(world: World) -> None:
    world.settled([web()])
    world.settled([{"name": "web", "state": "absent"}])
    of(world, "est:https://est.example.org/.well-known/est")
    found = ask(world)
    assert (found["to_revoke"], found["unnamed"]) == ([], [])
    done = certify(world, "web")
    assert (done["left"], done["proved"]) == ([], False)
    said = done["credentials"][0]["certificate"]
    assert said["done"] == "it was not revoked"
    assert said["why_not"].startswith("est:https://est.example.org/.well-known/est cannot revoke; it is good until it")


def test_who_signed_what_is_to_be_revoked_and_is_not_named_is_said(world: World) -> None:
    world.settled([web()])
    ours = ask(world)["unnamed"]
    assert [one.partition(":")[0] for one in ours] == ["local"]
    assert ask(world, issuers=[world.issuer()])["unnamed"] == []
    of(world, "openbao:https://bao.example.org/v1/pki")
    found = ask(world, issuers=[world.issuer()])
    assert (len(found["to_revoke"]), found["unnamed"]) == (1, ["openbao:https://bao.example.org/v1/pki"])


def test_a_host_that_is_gone_leaves_the_ledger_and_is_no_peer_any_more(world: World) -> None:
    world.settled([web()])
    before = world.snapshot()
    assert [one["identity"] for one in ask(world, gone=True, check=True)["steps"]] == ["web"]
    assert world.snapshot() == before
    done = ask(world, gone=True)
    assert done["changed"]
    assert (world.remembered().state, world.remembered().links) == ("absent", ())
    events = world.query("SELECT action, reason FROM events ORDER BY seq DESC LIMIT 1")
    assert events == [("withdraw", "its host is gone: nobody saw what it had destroyed")]
    assert ask(world, gone=True)["changed"] is False
    revoke(world, done)
    written = certify(world, gone=True)
    assert written["credentials"][0]["key"]["why_not"] == "its host is gone: nobody saw its files removed"
    said = json.loads((Path(written["evidence"]["path"]) / "certificate.json").read_text())
    assert (said["gone"], said["proved"]) == (True, False)


def test_a_host_that_comes_back_is_rid_of_what_it_still_has(world: World) -> None:
    world.settled([web()])
    revoke(world, ask(world, gone=True))
    assert world.path("web").exists()
    world.settled([{"name": "web", "state": "absent"}])
    assert not world.path("web").exists()
    assert certify(world, "web")["proved"] is True


def test_a_name_that_the_ledger_does_not_know_is_refused(world: World) -> None:
    world.settled([web()])
    with pytest.raises(Misconfigured, match="the ledger knows nothing of wep1; write its name as the inventory did"):
        ask(world, host="wep1")
