# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A plan of key_rotate over keys by themselves: a run rotates what was planned, once, or refuses and does nothing."""

from __future__ import annotations

import itertools
import json
import signal
import typing as t

import pytest
import rfc8785
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import KeysteadError
from ansible_collections.keystead.identity.tests.harness import softhsm
from ansible_collections.keystead.identity.tests.harness.faults import ForkServer
from ansible_collections.keystead.identity.tests.harness.hsm_desk import Desk as HsmDesk
from ansible_collections.keystead.identity.tests.harness.rotation_desk import Desk, actions, killed, states

if t.TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.needs(*softhsm.Custody.needs)
ROTATION = ["stage_key", "prove", "activate"]


class Site:
    """One key in a token, old enough to be replaced, and the file of a plan."""

    def __init__(self, root: Path, custody: softhsm.Custody) -> None:
        self.hsm, self.path = HsmDesk(root, custody), root / "plans" / "rotate.json"
        self.label = root.name
        self.hsm.run(label=self.label)
        recipe = custody.recipe("")
        self.desk = Desk(self.hsm.ledger, {"pkcs11": {**recipe["token"], "label": self.label}}, recipe["environment"])
        self.said: dict[str, t.Any] = {"task": {"plan": str(self.path), "max_age": "90d"}}
        self.desk.later(days=91)

    def planned(self, **said: t.Any) -> dict[str, t.Any]:
        """Write the plan, touching nothing else; return what it holds."""
        before = self.desk.ledger.read_bytes(), self.hsm.custody.every()
        shown = self.desk.run(check=True, **{**self.said, **said})
        assert not shown["failed"], shown
        assert (self.desk.ledger.read_bytes(), self.hsm.custody.every()) == before, "to plan touched something"
        held: dict[str, t.Any] = json.loads(self.path.read_bytes())
        assert rfc8785.dumps(held) == self.path.read_bytes()
        (entry,) = held["keys"]
        assert [step["action"] for step in entry["steps"]] == actions(shown)
        return held

    def run(self, **said: t.Any) -> dict[str, t.Any]:
        return self.desk.run(**{**self.said, **said})

    def refusal(self, **said: t.Any) -> str:
        """Return why a run is refused, which must not touch anything."""
        before = self.desk.ledger.read_bytes(), self.hsm.custody.every()
        with pytest.raises(KeysteadError) as refused:
            self.run(**said)
        assert (self.desk.ledger.read_bytes(), self.hsm.custody.every()) == before, "a refused run touched something"
        return str(refused.value)


@pytest.fixture(autouse=True)
def _restored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the environment back as it was: what leads to a token is set in it."""
    monkeypatch.setenv("SOFTHSM2_CONF", "")
    monkeypatch.delenv("SOFTHSM2_CONF")


@pytest.fixture
def custody(tmp_path: Path) -> softhsm.Custody:
    return softhsm.Custody(tmp_path, None)


@pytest.fixture
def site(tmp_path: Path, custody: softhsm.Custody) -> Site:
    return Site(tmp_path / "signing", custody)


def test_a_run_rotates_what_was_planned_and_a_second_one_does_nothing(site: Site) -> None:
    held = site.planned()
    assert (held["module"], held["store"], held["keys"][0]["name"].split()[0]) == ("key_rotate", "", "signing")
    assert [step["about"] for step in held["keys"][0]["steps"]] == ["2"] * 3
    assert "1: active, pkcs11:" in held["keys"][0]["observed"]["generations"][0]
    assert softhsm.PIN not in site.path.read_text()
    content = site.path.read_bytes()
    site.planned()
    assert site.path.read_bytes() == content, "planned again it is the same, so that what was approved stays"
    assert actions(site.run()) == ROTATION
    again = site.desk.result(**site.said)
    assert (again["changed"], "was carried out at" in again["msg"]) == (False, True)
    assert [one for one in site.desk.events() if one[0] == "plan"] == [("plan", None, "pending"), ("plan", None, "ok")]


def test_without_a_plan_or_with_that_of_another_declaration_nothing_is_rotated(site: Site) -> None:
    assert "does not exist; run with --check first" in site.refusal()
    site.planned()
    assert "was planned for another declaration" in site.refusal(grace="30d")
    assert "max_age" in site.refusal(task={**site.said["task"], "max_age": "80d"})
    assert actions(site.run()) == ROTATION


def test_what_happened_since_makes_the_plan_stale(site: Site) -> None:
    site.planned()
    assert actions(site.desk.run()) == ROTATION, "a run without the plan was quicker"
    said = site.refusal()
    assert "is stale: signing in pkcs11:" in said
    assert "2: active" in said
    site.planned()
    site.desk.later(days=91)
    assert "not planned is to stage_key" in site.refusal(), "a plan without steps lets nothing be done"


def test_a_key_that_changes_while_the_run_looks_is_left_as_it_is(site: Site) -> None:
    site.planned()

    def execute(arguments: t.Mapping[str, t.Any]) -> t.Any:
        answer = site.desk.execute(arguments)
        if site.desk.errands == ["look", "look"]:  # one to plan by, and this one to be the first that looks again
            site.hsm.run(label="signing.2")
            return site.desk.execute(arguments)
        return answer

    site.desk.errands.clear()
    done = site.run(execute=execute)
    assert done["failed"]
    assert "became another while the run looked" in done["msg"]
    assert not site.hsm.settled(label="signing")["changed"]
    assert not site.desk.run(check=True)["failed"]


def test_keys_that_the_controller_reaches_have_one_plan_from_whichever_host(site: Site) -> None:
    custody = {"pkcs11": {**site.desk.custody["pkcs11"], "at": "controller"}}
    assert site.planned()["host"] != ""
    site.path.unlink()
    site.desk.custody = custody
    assert site.planned()["host"] == ""
    assert actions(site.run()) == ROTATION


def test_a_plan_of_identities_and_one_of_keys_are_not_taken_for_each_other(site: Site) -> None:
    site.planned()
    held = json.loads(site.path.read_bytes())
    held["identities"] = held.pop("keys")
    site.path.write_bytes(rfc8785.dumps(held))
    assert "holds no plan" in site.refusal()


def test_a_run_that_is_killed_is_gone_on_with_by_the_same_plan(tmp_path: Path, custody: softhsm.Custody) -> None:
    cut = 0
    with ForkServer() as server:
        for number in itertools.count(1, 3):  # each third call that changes something: all of them take minutes
            site = Site(tmp_path / f"key{number}", custody)
            site.planned()
            ended = server.run(killed, site.desk, number, site.said)
            if ended.signal != signal.SIGKILL:
                assert ended.value == "done", (ended.error, ended.value)
                break
            cut += 1
            done = site.run()
            assert not done["failed"], (number, done["msg"])
            assert states(done) == {1: "tainted", 2: "active"}, number
            assert not site.desk.run()["changed"]
    assert cut >= 10, "the run was hardly ever cut"
