# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a list that nobody can mend keeps from being done: nothing at other issuers, and everything at its own."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._authority.files import _staged
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger import queries
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_for
from ansible_collections.keystead.identity.tests.harness.in_process import World, web
from ansible_collections.keystead.identity.tests.harness.revoking import Office
from ansible_collections.keystead.identity.tests.integration.test_ssh_restored import Old

if t.TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.needs("ssh"), pytest.mark.one_core]
LEAVE = "format: 1\nrules: [{id: incidents, emergency_revocation: {allow: true}}]\n"


class Place(t.NamedTuple):
    """An X.509 authority that signed `web`, one of SSH whose list is older than the ledger, and an office with both."""

    world: World
    ssh: Old
    office: Office
    emergency: dict[str, t.Any]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    world = World(tmp_path)
    world.one(web())
    ssh = Old(world.authorities)
    ssh.office.url = world.url
    ssh.revoked(ssh.user("another", 7), reason="superseded")
    ssh.keep()
    ssh.revoked(ssh.user("one", 5), reason="superseded")
    ssh.put_back()
    policy = tmp_path / "policy.yml"
    policy.write_text(LEAVE)
    said = {"emergency": True, "justification": "incident 4711", "policy": str(policy)}
    return Place(world, ssh, Office(world.url, world.issuer()), {**said, "issuers": [ssh.office.issuer]})


def strange_file(place: Place) -> str:
    """Have something in the records that is none."""
    (place.ssh.krl.parent / "revoked" / "garbage.json").write_bytes(b"{}")
    return "is not named after a serial number and a key; move it away"


def no_room(place: Place) -> str:
    """Let nothing be written there, whoever runs the tests."""
    in_the_way(place).mkdir()
    return "local: cannot write"


def in_the_way(place: Place) -> Path:
    """Return where the record of what the list lost is written first."""
    return _staged(place.ssh.krl.parent / "revoked" / "5.json")


HARM = pytest.mark.parametrize("harm", [strange_file, no_room])


@HARM
def test_an_emergency_at_another_issuer_goes_on_and_is_told_of_it(
    place: Place, harm: t.Callable[[Place], str]
) -> None:
    why = harm(place)
    certificate = place.world.certificate()
    done = place.office.run({"identity": "web"}, reason="key_compromise", **place.emergency)
    assert not done.get("failed"), done
    assert place.world.is_revoked(certificate)
    (warning,) = [one for one in done["warnings"] if "its list cannot be mended" in one]
    assert why in warning
    again = place.office.run({"identity": "web"}, reason="key_compromise", **place.emergency)
    assert (again["changed"], again["steps"]) == (False, [])


@HARM
def test_where_there_is_no_hurry_all_else_is_done_and_the_task_fails(
    place: Place, harm: t.Callable[[Place], str]
) -> None:
    why = harm(place)
    certificate = place.world.certificate()
    further = place.emergency["issuers"]
    done = place.office.run({"identity": "web"}, replaced_first=False, issuers=further)
    assert done["failed"]
    assert why in done["msg"]
    assert [one["changed"] for one in done["certificates"]] == [True]
    assert place.world.is_revoked(certificate)


@HARM
def test_at_its_own_issuer_nothing_is_revoked_by_a_list_that_lost_something(
    place: Place, harm: t.Callable[[Place], str]
) -> None:
    why, before = harm(place), place.ssh.krl.read_bytes()
    entries = ({"path": str(place.ssh.user("third", 8))}, {"identity": "web"})
    done = place.office.run(*entries, reason="superseded", **place.emergency)
    assert done["failed"]
    assert [(one["failed"], one["changed"]) for one in done["certificates"]] == [(True, False), (False, True)]
    assert why in done["certificates"][0]["msg"]
    assert place.ssh.krl.read_bytes() == before
    assert place.world.is_revoked(place.world.certificate())


def test_a_list_that_could_not_be_mended_is_in_the_ledger_and_is_mended_later(place: Place) -> None:
    no_room(place)
    place.office.run({"identity": "web"}, reason="superseded", **place.emergency)
    in_the_way(place).rmdir()
    done = place.office.run({"identity": "web"}, reason="superseded", **place.emergency)
    assert [step["action"] for step in done["steps"]] == ["publish"]
    assert place.ssh.refuses("one-cert.pub")
    ledger = open_for({"ledger": place.world.url}, read_only=True)
    try:
        told = [one["outcome"] for one in queries.events(ledger) if one["action"] == "publish"]
    finally:
        ledger.close()
    assert told[-2:] == ["failed", "ok"]
