# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""key_rotate over keys of tokens, as those see it who use them: by label, by URI, by hsm_key and by the lookups."""

from __future__ import annotations

import re
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.port import Batch, KeyKept, Outcome
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_ledger
from ansible_collections.keystead.identity.tests.harness import playbook, softhsm
from ansible_collections.keystead.identity.tests.harness.hsm_desk import Desk as HsmDesk
from ansible_collections.keystead.identity.tests.harness.in_process import HOST
from ansible_collections.keystead.identity.tests.harness.rotation_desk import Desk, actions, states

if t.TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.needs(*softhsm.Custody.needs)
ROTATION = ["stage_key", "prove", "activate"]
LABEL = re.compile(r"object=([^;]+)")


@pytest.fixture(autouse=True)
def _restored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the environment back as it was: what leads to a token is set in it."""
    monkeypatch.setenv("SOFTHSM2_CONF", "")
    monkeypatch.delenv("SOFTHSM2_CONF")


@pytest.fixture
def hsm(tmp_path: Path) -> HsmDesk:
    """Return where hsm_key makes keys."""
    return HsmDesk(tmp_path / "controller", softhsm.Custody(tmp_path, None))


def desk_of(hsm: HsmDesk, label: str = "signing", **said: t.Any) -> Desk:
    recipe = hsm.custody.recipe("")
    return Desk(hsm.ledger, {"pkcs11": {**recipe["token"], "label": label, **said}}, recipe["environment"])


def labels(hsm: HsmDesk) -> list[str]:
    """Return the labels of private and secret keys that a tool which is not ours sees."""
    return sorted(re.findall(r"(?:Private|Secret) Key Object; .*\n(?:  .*\n)*?  label: +(\S+)\n", hsm.custody.every()))


def label_of(uri: str) -> str:
    found = LABEL.search(uri)
    assert found
    return found[1]


def test_a_label_names_one_key_at_most_and_hsm_key_means_the_active_one_by_the_first_label(hsm: HsmDesk) -> None:
    first = hsm.run(label="signing", type="ecdsa-p384")
    desk = desk_of(hsm)
    desk.later(days=91)
    done = desk.settled()
    assert (actions(done), labels(hsm)) == (ROTATION, ["signing", "signing.2"])
    assert (label_of(first["uri"]), label_of(done["uri"])) == ("signing", "signing.2")
    assert done["generations"][0]["uri"] == first["uri"], "who names the old one by its URI goes on finding it"
    for said in ({"label": "signing"}, {"uri": "pkcs11:object=signing", "label": None}):
        again = hsm.settled(**said)
        assert (again["uri"], again["changed"], again["attributes"]["type"]) == (done["uri"], False, "ecdsa-p384")
    assert hsm.settled(uri=first["uri"])["uri"] == first["uri"]


def test_a_first_generation_that_is_gone_is_not_made_again_beside_the_active_one(hsm: HsmDesk) -> None:
    identifier = hsm.run(label="signing")["attributes"]["id"]
    desk = desk_of(hsm)
    desk.later(days=91)
    desk.settled(grace="1d")
    desk.later(days=2)
    assert actions(desk.settled(grace="1d")) == ["destroy"]
    assert labels(hsm) == ["signing.2"]
    assert not hsm.settled(label="signing")["changed"]
    assert "leave id out" in hsm.refusal(label="signing", id=identifier)


def test_absent_destroys_all_generations(hsm: HsmDesk) -> None:
    hsm.run(label="signing")
    hsm.run(label="signing.10")  # which is a key of its own
    desk = desk_of(hsm)
    desk.later(days=91)
    desk.settled()
    desk.later(days=89, hours=1)
    assert states(desk.settled(overlap="1d")) == {1: "tainted", 2: "active", 3: "prepared"}
    assert labels(hsm) == ["signing", "signing.10", "signing.2", "signing.3"]
    assert actions(hsm.settled(label="signing", state="absent")) == ["destroy"]
    assert labels(hsm) == ["signing.10"]
    assert [row["label"] for row in hsm.recorded()] == ["signing.10"]
    assert label_of(hsm.settled(label="signing")["uri"]) == "signing"


@pytest.mark.parametrize(
    ("key_type", "usage"),
    [("aes-256", None), ("aes-256", ["wrap"]), ("rsa-2048", ["decrypt"]), ("rsa-2048", ["sign"]), ("ed25519", None),
     ("ecdsa-p256", ["derive"]), ("ecdsa-p521", None)],
)  # fmt: skip
def test_the_next_key_is_like_the_one_before(hsm: HsmDesk, key_type: str, usage: list[str] | None) -> None:
    first = hsm.run(label="signing", type=key_type, usage=usage)
    desk = desk_of(hsm)
    desk.later(days=91)
    done = desk.settled()
    assert (actions(done), done["type"]) == (ROTATION, key_type)
    again = hsm.run(label="signing", type=key_type, usage=usage)
    alike = ("type", "usage", "extractable", "sensitive")
    assert [again["attributes"][name] for name in alike] == [first["attributes"][name] for name in alike]
    assert (again["uri"], again["findings"]) == (done["uri"], [])


def test_a_token_that_the_controller_reaches_needs_no_host(hsm: HsmDesk) -> None:
    hsm.run(label="signing")
    desk = desk_of(hsm, at="controller")
    desk.later(days=91)
    assert actions(desk.settled()) == ROTATION
    assert desk.errands == []


def test_three_executions_replace_a_key_one_more_looks_and_one_is_enough_where_nothing_is_due(hsm: HsmDesk) -> None:
    hsm.run(label="signing")
    desk = desk_of(hsm)
    desk.run()
    assert desk.errands == ["look"]
    desk.later(days=91)
    desk.run()
    assert desk.errands == ["look", "look", "make", "prove", "look"]


def test_a_key_that_was_there_before_is_replaced_after_an_incident_since_nobody_knows_its_age(hsm: HsmDesk) -> None:
    desk = desk_of(hsm)
    moment = desk.moment()
    said = ["--keypairgen", "--key-type", "EC:prime256v1", "--label", "signing", "--id", "0a", "--usage-sign"]
    softhsm.pkcs11_tool(hsm.custody.module, hsm.custody.token, hsm.custody.environment, *said)
    task = {"max_age": None, "created_before": moment}
    desk.run()
    done = desk.settled(task=task)
    assert actions(done) == ROTATION
    assert "nobody knows when it was made" in done["steps"][0]["reason"]


def test_a_key_that_another_declaration_has_too_is_not_destroyed_unless_the_task_says_so(hsm: HsmDesk) -> None:
    hsm.run(label="signing")
    desk = desk_of(hsm)
    desk.later(days=91)
    place = "arn:aws:kms:eu-west-1:1:alias/copy"
    copy = KeyKept(f"{place}/key", place, "alias/copy", "ecdsa-p256", made=False, public_id=public_id(desk))
    desk.settled()
    tell(desk, copy._replace(backend="aws_kms"))
    desk.later(days=10)
    done = desk.settled(grace="1d")
    assert actions(done) == []
    assert [one["code"] for one in done["findings"]] == ["in_use"]
    assert "the key alias/copy of" in done["findings"][0]["msg"]
    assert actions(desk.settled(grace="1d", destroy_in_use=True)) == ["destroy"]


def test_the_key_of_an_authority_is_left_alone(hsm: HsmDesk) -> None:
    made = hsm.run(label="signing")
    desk = desk_of(hsm)
    tell(desk, KeyKept(made["uri"], "authority:/srv/ca/issuing", "ca", "ecdsa-p256", made=True))
    desk.later(days=91)
    done = desk.run()
    assert (done["failed"], done["changed"], labels(hsm)) == (True, False, ["signing"])
    assert "in use by authority issuing in /srv/ca" in done["msg"]


def public_id(desk: Desk) -> str:
    ledger = open_ledger(desk.url, read_only=True)
    ((found,),) = ledger.read("SELECT public_id FROM backend_keys")
    ledger.close()
    return str(found)


def tell(desk: Desk, change: KeyKept) -> None:
    """Let the ledger know of another key."""
    ledger = open_ledger(desk.url)
    ledger.record(Batch(HOST, change.place, {}, desk.now), [Outcome(change.label, None, (), (change,))])
    ledger.close()


def test_a_key_that_does_not_sign_is_destroyed_again_and_the_old_one_stays_the_active_one(hsm: HsmDesk) -> None:
    before = hsm.run(label="signing")
    desk = desk_of(hsm)
    desk.later(days=91)

    def broken(arguments: t.Mapping[str, t.Any]) -> t.Any:
        answer = desk.execute(arguments)
        if arguments["errand"]["errand"] == "make":  # somebody takes a half away
            identifier = answer["identities"][0]["seen"]["keys"][0]["id"]
            said = ["--delete-object", "--type", "pubkey", "--id", identifier]
            softhsm.pkcs11_tool(hsm.custody.module, hsm.custody.token, hsm.custody.environment, *said)
        return answer

    done = desk.run(execute=broken)
    assert (done["failed"], actions(done), done["uri"]) == (True, ["stage_key", "roll_back"], before["uri"])
    assert "only half of" in done["msg"]
    assert "it is destroyed again" in done["msg"]
    assert labels(hsm) == ["signing"]
    assert hsm.settled(label="signing")["uri"] == before["uri"]
    assert states(desk.settled()) == {1: "tainted", 2: "active"}


def test_with_a_lost_ledger_nobody_knows_which_of_several_is_active(hsm: HsmDesk, tmp_path: Path) -> None:
    hsm.run(label="signing")
    desk = desk_of(hsm)
    desk.later(days=91)
    desk.settled()
    lost = Desk(tmp_path / "new.sqlite", desk.custody, desk.environment)
    said = lost.run()
    assert (said["failed"], labels(hsm)) == (True, ["signing", "signing.2"])
    assert "nobody knows which one is in use" in said["msg"]


def test_a_playbook_rotates_and_a_template_asks_what_is_due(hsm: HsmDesk, tmp_path: Path) -> None:
    common = {"ledger": hsm.url}
    token = hsm.custody.recipe("")["token"]
    rotate = {"keys": [{"custody": {"pkcs11": {**token, "label": "signing"}}, "grace": "30d"}], **common}
    asked = "{{ lookup('keystead.identity.%s', 'signing', %sledger='" + hsm.url + "') }}"
    now = {"ansible.builtin.command": {"argv": ["sh", "-c", "sleep 1; date -u +%Y-%m-%dT%H:%M:%SZ; sleep 1"]}}
    moment = {**now, "register": "now", "check_mode": False, "changed_when": False}
    tasks = [
        {"keystead.identity.hsm_key": {**token, "label": "signing", **common}},
        moment,
        {"ansible.builtin.debug": {"msg": asked % ("key_rotate", "created_before=now.stdout, ")}},
        {"keystead.identity.key_rotate": {**rotate, "created_before": "{{ now.stdout }}"}},
        {"ansible.builtin.debug": {"msg": asked % ("key_rotate", "created_before=now.stdout, ")}},
        {"ansible.builtin.debug": {"msg": asked % ("hsm_key", "part='uri', ")}},
        {"keystead.identity.hsm_key": {**token, "label": "signing", **common}},
        {"keystead.identity.key_rotate": {**rotate, "max_age": "1h", "identities": []}, "ignore_errors": True},
        {"keystead.identity.key_rotate": {"max_age": "1h", **common}, "ignore_errors": True},
    ]
    env = {**hsm.custody.environment, "ANSIBLE_PIPELINING": "true"}
    done = playbook.run(tasks, {HOST: {}}, "--diff", "-vvvv", home=tmp_path / "home", env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    made, _now, before, rotated, after, uri, same, both, neither = playbook.results(tmp_path / "home", HOST)
    assert (before["msg"]["due"], before["msg"]["custody"], before["msg"]["uri"]) == (True, "pkcs11", made["uri"])
    assert actions(rotated["keys"][0]) == ROTATION
    assert (after["msg"]["due"], after["msg"]["uri"]) == (False, rotated["keys"][0]["uri"])
    assert uri["msg"] == same["uri"] == after["msg"]["uri"] != made["uri"]
    assert same["changed"] is False
    assert "identities stand beside it" in both["msg"]
    assert "write identities, or keys" in neither["msg"]
    assert softhsm.PIN not in done.stdout + done.stderr
