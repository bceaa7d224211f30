# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""key_rotate over keys of tokens, as those see it who use them: by label, by URI, by hsm_key and by the lookups."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import sys
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger import key_runs
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.nouns import KeyClaimed, KeyLeft, KeyPrepared
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.port import Batch, KeyKept, Outcome
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_ledger
from ansible_collections.keystead.identity.tests.harness import playbook, softhsm
from ansible_collections.keystead.identity.tests.harness.faults import ForkServer
from ansible_collections.keystead.identity.tests.harness.hsm_desk import Desk as HsmDesk
from ansible_collections.keystead.identity.tests.harness.in_process import HOST
from ansible_collections.keystead.identity.tests.harness.rotation_desk import Desk, acted, actions, raced, states

if t.TYPE_CHECKING:
    import types

pytestmark = pytest.mark.needs(*softhsm.Custody.needs)
ROTATION = ["stage_key", "prove", "activate"]
ELSEWHERE = ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs -o mode=755 tmpfs /run && exec "$@"', "-")
"""Starts a process that finds no lock of this machine's other runs: as in a container, or of another user."""
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
    desk.ends(grace="1d")
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
    desk.run(grace="1d", destroy_in_use=True)
    desk.later(hours=1)
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


@pytest.mark.needs("root", "tmpfs", "unshare")
def test_two_controllers_with_one_ledger_rotate_a_key_once(hsm: HsmDesk, tmp_path: Path) -> None:
    hsm.run(label="signing")
    desk = desk_of(hsm)
    said = {"task": {"max_age": None, "created_before": desk.moment()}}
    meeting = tmp_path / "meeting"
    meeting.mkdir()
    with ForkServer(*ELSEWHERE) as one, ForkServer(*ELSEWHERE) as other, ThreadPoolExecutor(2) as both:
        ended = list(both.map(lambda server: server.run(raced, desk, said, meeting, 1), (one, other)))
    assert sorted(one.value for one in ended) == [[], ROTATION], ended
    assert labels(hsm) == ["signing", "signing.2"]
    assert not desk.run(**said)["changed"]


HELD_UP = {  # the function at which a run stands still, what the other one does by then, and what the first one did
    "token_keys._make": (ROTATION, [], "another run was quicker"),
    "token_keys._made": (ROTATION, [], "from another run at the same moment"),
    "acting._prepared": (ROTATION[1:], [], "another run is at work on key signing"),
    "token_keys._prove": (ROTATION[1:], ["stage_key", "prove"], "another run is at work on key signing"),
    "record.around": (ROTATION, [], "another run is at work on key signing"),
}


@pytest.mark.needs("root", "tmpfs", "unshare")
@pytest.mark.parametrize("where", HELD_UP)
def test_a_run_that_was_held_up_and_taken_over_leaves_the_key_to_the_other_one(hsm: HsmDesk, where: str) -> None:
    hsm.run(label="signing")
    desk = desk_of(hsm)
    said = {"task": leak(desk)}
    others: list[t.Any] = []

    def meanwhile() -> None:
        with contextlib.closing(sqlite3.connect(desk.ledger)) as ledger, ledger:
            ledger.execute("UPDATE key_runs SET since = '2026-01-01T00:00:00.000Z'")
        others.append(other.run(acted, desk, said))

    with ForkServer(*ELSEWHERE) as other, standing_still(where, meanwhile):
        done = desk.run(**said)
    by_other, by_this, why = HELD_UP[where]
    assert ([one.value for one in others], actions(done)) == ([by_other], by_this), (others, done["msg"])
    assert (done["failed"], labels(hsm)) == (True, ["signing", "signing.2"])
    assert why in done["msg"]
    again = desk.run(**said)
    assert (again["failed"], again["changed"], states(again)) == (False, False, {1: "tainted", 2: "active"})


def test_what_was_made_beside_the_key_of_who_took_over_is_taken_back(hsm: HsmDesk) -> None:
    """A token may show a session no key that another one made meanwhile, so that both of them make one."""
    first = hsm.run(label="signing")
    desk = desk_of(hsm)
    place = hsm.recorded()[0]["place"]
    theirs = re.sub("id=[^;]+", "id=%BE%EF", first["uri"]).replace("object=signing", "object=signing.2")

    def meanwhile() -> None:
        tool(hsm, "--keypairgen", "--key-type", "EC:prime256v1", "--label", "signing.2", "--id", "beef", "--usage-sign")
        ledger = open_ledger(desk.url)
        mine = key_runs.at_work(ledger, place, "signing")
        took = KeyClaimed(place, "signing", "another", dead=mine)
        for change in (took, KeyPrepared(place, "signing", 2, theirs), KeyLeft(place, "signing", "another")):
            ledger.record(Batch(HOST, place, {}, desk.now), [Outcome("signing", 2, (), (change,))])
        ledger.close()

    with standing_still("acting._prepared", meanwhile):
        done = desk.run(task=leak(desk))
    assert (done["failed"], actions(done), labels(hsm)) == (True, ["roll_back"], ["signing", "signing.2"])
    assert "another run is at work on key signing; run again" in done["msg"]
    assert "ID:         beef" in hsm.custody.every()


@contextlib.contextmanager
def standing_still(where: str, meanwhile: t.Callable[[], None]) -> t.Iterator[None]:
    """Let something happen once, when the function of a name, `file.function`, is called."""

    def watch(frame: types.FrameType, event: str, _argument: object) -> None:
        if event == "call" and f"{Path(frame.f_code.co_filename).stem}.{frame.f_code.co_name}" == where:
            sys.setprofile(None)
            meanwhile()

    sys.setprofile(watch)
    try:
        yield
    finally:
        sys.setprofile(None)


def test_a_prepared_key_that_was_exchanged_is_not_used_and_another_one_is_made(hsm: HsmDesk) -> None:
    hsm.run(label="signing")
    desk = desk_of(hsm)
    desk.later(days=89, hours=1)
    prepared = desk.settled(overlap="1d")["generations"][1]
    for half in ("privkey", "pubkey"):
        tool(hsm, "--delete-object", "--type", half, "--label", "signing.2")
    tool(hsm, "--keypairgen", "--key-type", "EC:prime256v1", "--label", "signing.2", "--id", "beef", "--usage-sign")
    desk.later(days=2)
    done = desk.run(overlap="1d")
    assert actions(done) == ["withdraw", "stage_key", "prove"]
    assert "id=%BE%EF" in done["steps"][0]["reason"]
    assert "left alone" in done["steps"][0]["reason"]
    assert states(done) == {1: "active", 3: "prepared"}
    desk.later(days=2)
    assert states(desk.settled(overlap="1d")) == {1: "tainted", 3: "active"}
    assert prepared["public_key"] not in [one["public_key"] for one in done["generations"]]
    assert labels(hsm) == ["signing", "signing.2", "signing.3"]


def tool(hsm: HsmDesk, *said: str) -> None:
    """Run pkcs11-tool."""
    softhsm.pkcs11_tool(hsm.custody.module, hsm.custody.token, hsm.custody.environment, *said)


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
    again = HsmDesk(tmp_path / "other", hsm.custody)
    assert "nobody knows which one is in use" in again.refusal(label="signing"), "the page's play has hsm_key first"
    assert "nobody knows which one is in use" in desk_of(again).run()["msg"]
    tool(hsm, "--delete-object", "--type", "privkey", "--label", "signing")
    tool(hsm, "--delete-object", "--type", "pubkey", "--label", "signing")
    assert "nobody knows which one is in use" in again.refusal(label="signing"), "nor is another first one made"
    kept = again.run(label="signing.2")
    assert desk_of(again, "signing.2").settled()["uri"] == kept["uri"], "who knows says so by its own name"


def test_a_ledger_from_a_backup_makes_no_key_active_that_was_replaced_since(hsm: HsmDesk) -> None:
    hsm.run(label="signing")
    desk = desk_of(hsm)
    backups = [hsm.ledger.read_bytes()]
    for leaked in (1, 2):
        desk.later(days=1)
        assert states(desk.settled(task=leak(desk)))[leaked] == "tainted"
        backups.append(hsm.ledger.read_bytes())
    newest = backups.pop()
    for backup in backups:
        hsm.ledger.write_bytes(backup)
        assert "nobody knows which one is in use" in hsm.refusal(label="signing")
        for task in ({}, leak(desk)):
            said = desk.run(task=task)
            assert (said["failed"], said["changed"], said["steps"]) == (True, False, [])
            assert "object=signing.3;" in said["msg"]
            assert "put the newest ledger back" in said["msg"]
        assert hsm.ledger.read_bytes() == backup
    hsm.ledger.write_bytes(newest)
    assert label_of(hsm.settled(label="signing")["uri"]) == label_of(desk.settled()["uri"]) == "signing.3"


def test_what_is_said_when_a_ledger_comes_from_a_backup_leads_out_of_it(hsm: HsmDesk) -> None:
    hsm.run(label="signing")
    desk = desk_of(hsm)
    backup = hsm.ledger.read_bytes()
    task = leak(desk)
    desk.settled(task=task)
    hsm.ledger.write_bytes(backup)
    assert "declare signing.2 as a key of its own" in hsm.refusal(label="signing")
    hsm.run(label="signing.2")
    assert states(desk.settled(task=task)) == {1: "tainted", 3: "active"}
    assert label_of(hsm.settled(label="signing")["uri"]) == "signing.3"
    assert labels(hsm) == ["signing", "signing.2", "signing.3"]


def test_a_key_of_somebody_else_below_a_number_that_the_ledger_knows_is_left_alone(hsm: HsmDesk) -> None:
    hsm.run(label="signing")
    hsm.run(label="signing.2")
    desk = desk_of(hsm)
    assert states(desk.settled(task=leak(desk))) == {1: "tainted", 3: "active"}
    hsm.run(label="signing.2", state="absent")
    tool(hsm, "--keypairgen", "--key-type", "EC:prime256v1", "--label", "signing.2", "--id", "beef", "--usage-sign")
    assert states(desk.settled()) == {1: "tainted", 3: "active"}
    assert label_of(hsm.settled(label="signing")["uri"]) == "signing.3"


def leak(desk: Desk) -> dict[str, t.Any]:
    """Return a task that replaces what was made before now."""
    return {"max_age": None, "created_before": desk.moment()}


def test_after_a_lost_ledger_a_key_that_was_taken_over_by_its_id_is_not_the_active_one_by_that(
    hsm: HsmDesk, tmp_path: Path
) -> None:
    first = hsm.run(label="signing")
    desk = desk_of(hsm)
    desk.later(days=91)
    desk.settled()
    again = HsmDesk(tmp_path / "other", hsm.custody)
    again.run(label="signing", id=first["attributes"]["id"])
    assert "nobody knows which one is in use" in desk_of(again).run()["msg"]
    again.run(label="signing.2")
    assert desk_of(again).settled()["uri"] == first["uri"], "both are declared, so they are two keys"


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
        {"ansible.builtin.command": "sleep 1", "changed_when": False},  # ages are of whole seconds
        {"ansible.builtin.debug": {"msg": asked % ("key_rotate", "created_before=now.stdout, ")}},
        {"ansible.builtin.debug": {"msg": asked % ("key_rotate", "max_age='2h', ")}},
        {"ansible.builtin.debug": {"msg": asked % ("key_rotate", "max_age='2h', overlap='2h', ")}},
        {"ansible.builtin.debug": {"msg": (asked % ("key_rotate", "max_age='2h', ")).replace("signing", "sign")},
         "ignore_errors": True},
        {"ansible.builtin.debug": {"msg": asked % ("hsm_key", "part='uri', ")}},
        {"keystead.identity.hsm_key": {**token, "label": "signing", **common}},
        {"keystead.identity.key_rotate": {**rotate, "max_age": "1h", "identities": []}, "ignore_errors": True},
        {"keystead.identity.key_rotate": {"max_age": "1h", **common}, "ignore_errors": True},
    ]
    env = {**hsm.custody.environment, "ANSIBLE_PIPELINING": "true"}
    done = playbook.run(tasks, {HOST: {}}, "--diff", "-vvvv", home=tmp_path / "home", env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    results = playbook.results(tmp_path / "home", HOST)
    made, _now, before, rotated, _slept, after, young, due, nobody, uri, same, both, neither = results
    assert (before["msg"]["due"], before["msg"]["custody"], before["msg"]["uri"]) == (True, "pkcs11", made["uri"])
    assert actions(rotated["keys"][0]) == ROTATION
    assert (after["msg"]["due"], after["msg"]["uri"]) == (False, rotated["keys"][0]["uri"])
    assert (young["msg"]["due"], due["msg"]["due"]) == (False, True), "by its overlap, the next one is prepared now"
    assert "of keys that belong to no identity it knows signing" in str(nobody)
    assert uri["msg"] == same["uri"] == after["msg"]["uri"] != made["uri"]
    assert same["changed"] is False
    assert "identities stand beside it" in both["msg"]
    assert "write identities, or keys" in neither["msg"]
    assert softhsm.PIN not in done.stdout + done.stderr
