# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Copies that only the controller reaches through whole runs, over a real OpenBao and a stand-in for AWS."""

from __future__ import annotations

import json
import re
import shutil
import typing as t
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured, Unavailable
from ansible_collections.keystead.identity.plugins.plugin_utils._copy_entry import MARK
from ansible_collections.keystead.identity.tests.harness.brownfield import pair
from ansible_collections.keystead.identity.tests.harness.in_process import World, reason, steps, web
from ansible_collections.keystead.identity.tests.harness.publishers import BACKENDS, parts

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.plugins.plugin_utils._publishers.openbao_kv import (
        OpenBaoKv as Publisher,
    )

pytestmark = pytest.mark.one_core
REMOTE = ("openbao_kv", "aws_secrets_manager")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "world")


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.needs(*BACKENDS[name].needs)) for name in REMOTE])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> t.Iterator[t.Any]:
    kind = BACKENDS[request.param]
    made = kind(tmp_path, request.getfixturevalue(kind.server))
    with made.open:
        yield made


def said(place: t.Any, *parts: str, **more: t.Any) -> dict[str, t.Any]:
    beside = {"parts": list(parts)} if parts else {}
    return web(publish=[{place.name: place.options(), **beside}], **more)


def of_host(world: World, *names: str) -> dict[str, str]:
    return {name: world.path("web", "current", f"{name}.pem").read_text() for name in names}


def there(place: t.Any) -> dict[str, str]:
    return {name: value for name, value in (place.values() or {}).items() if name != MARK}


def test_a_copy_is_written_after_the_host_and_known_to_the_ledger_and_left_alone(world: World, place: t.Any) -> None:
    done = world.settled([said(place)])["identities"][0]
    assert steps(done) == ["stage_key", "issue", "publish", "publish"]
    assert there(place) == of_host(world, "certificate", "chain")
    assert world.query("SELECT part FROM deliveries") == [(place.name,)]
    assert world.remembered().links[0].startswith(f"{place.name} ")
    world.settled([said(place, lifetime="10d")])
    assert there(place) == of_host(world, "certificate", "chain")


def test_what_others_did_there_is_put_right_without_the_host(world: World, place: t.Any) -> None:
    mark = world.directory / "mark"
    declared = said(place, "fullchain", activate={"command": ["sh", "-c", f"echo . >>{mark}"]})
    world.settled([declared])
    place.put({**(place.values() or {}), "fullchain": parts()["certificate"].decode()})
    world.phases.clear()
    done = world.settled([declared])["identities"][0]
    assert steps(done) == ["publish"]
    assert reason(done, "publish").endswith("holds other parts than declared, or in another order") or reason(
        done, "publish"
    ).endswith("holds another certificate")
    assert set(world.phases) == {"prepare"}
    assert there(place) == of_host(world, "fullchain")
    assert mark.read_text() == ".\n"
    place.drop()
    assert steps(world.settled([declared])["identities"][0]) == ["publish"]
    assert there(place) == of_host(world, "fullchain")


def test_what_is_somebody_elses_is_refused_before_anything_is_issued(world: World, place: t.Any) -> None:
    place.occupy()
    done = world.foreseen([said(place)])["identities"][0]
    assert "which is not of web; move it away, or say replace_files: true for web" in done["msg"]
    assert world.issued() == []
    world.settled([said(place, replace_files=True)])
    assert there(place) == of_host(world, "certificate", "chain")


def test_a_place_that_is_out_of_service_stops_no_renewal_and_gets_its_copy_later(world: World, place: t.Any) -> None:
    world.settled([said(place)])
    place.fail()
    done = world.converge([said(place, lifetime="10d")])["identities"][0]
    assert done["failed"]
    assert done["msg"].startswith(f"{place.name}: ")
    assert done["generation"] == 2
    assert world.query("SELECT outcome FROM events WHERE action = 'publish' ORDER BY rowid")[-1] == ("failed",)
    place.mend()
    assert steps(world.settled([said(place, lifetime="10d")])["identities"][0]) == ["publish"]
    assert there(place) == of_host(world, "certificate", "chain")


def test_one_that_fails_does_not_keep_the_others_from_their_copies(world: World, place: t.Any) -> None:
    file = {"pem_bundle": {"path": str(world.links / "web.pem"), "parts": ["certificate"]}}
    place.fail()
    declared = web(publish=[{place.name: place.options()}, file])
    assert world.one(declared)["failed"]
    assert (world.links / "web.pem").read_text() == of_host(world, "certificate")["certificate"]
    place.mend()


def test_one_that_is_absent_takes_its_copy_with_it_unless_others_changed_it(world: World, place: t.Any) -> None:
    world.settled([said(place)])
    world.settled([{"name": "web", "state": "absent", "publish": [{place.name: place.options()}]}])
    assert place.values() is None
    world.settled([said(place)])
    place.put({**(place.values() or {}), "note": "by hand"})
    world.converge([{"name": "web", "state": "absent", "publish": [{place.name: place.options()}]}])
    assert there(place)["note"] == "by hand"


def test_one_that_nobody_declares_any_more_is_named(world: World, place: t.Any) -> None:
    world.settled([said(place)])
    done = world.converge([web()])
    assert [one for one in done["warnings"] if place.path in one and "delete it there" in one]
    assert "state: absent" not in str(done["warnings"]), "that would end the identity"
    assert world.converge([web()])["warnings"] == []
    assert there(place) == of_host(world, "certificate", "chain")


def test_a_pair_that_is_adopted_is_copied_too(world: World, place: t.Any, tmp_path: Path) -> None:
    old = pair("web.example.org").write(tmp_path / "old")
    adopt = {"private_key": str(tmp_path / "old/web.key"), "certificate": str(tmp_path / "old/fullchain.pem")}
    world.converge([said(place, adopt=adopt)])
    world.settled([said(place, adopt=adopt)])
    assert there(place)["certificate"] == old.certificate.decode()


def test_a_run_with_nothing_to_do_reads_each_place_once_and_tells_the_host_nothing_of_it(
    world: World, place: t.Any
) -> None:
    world.settled([said(place)])
    told: list[t.Any] = []

    def execute(arguments: t.Mapping[str, t.Any]) -> t.Any:
        told.append(arguments)
        return world.execute(arguments)

    assert world.converge([said(place)], execute=execute)["changed"] is False
    assert [one["phase"] for one in told] == ["prepare"]
    assert place.path not in json.dumps(told)
    assert place.name not in json.dumps(told)


@pytest.mark.parametrize("name", REMOTE)
def test_the_private_key_never_comes_up_for_a_copy(world: World, name: str) -> None:
    options = {"openbao_kv": {"url": "https://127.0.0.1:9", "path": "web", "auth": {"token": {"token": "x"}}}}
    one = {name: options.get(name, {"name": "web"}), "parts": ["private_key", "certificate"]}
    with pytest.raises(Misconfigured, match=r"publish\[0\]\.parts: the private key was made on the host and never"):
        world.converge([web(publish=[one])])


@pytest.mark.needs("openbao")
def test_two_that_write_at_the_same_time_lose_nothing(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    place = BACKENDS["openbao_kv"](tmp_path, request.getfixturevalue("openbao"))
    made = {part: content for part, content in parts().items() if part in place.takes}
    first = t.cast("Publisher", place.publisher())
    for version in (0, 1):
        first.put(made, version)
    place.put({**(place.values() or {}), "note": "by hand"})
    with pytest.raises(Unavailable, match=r"^openbao_kv: somebody else wrote tests/\w+ at the same time; run again$"):
        first.put(made, 2)
    assert (place.values() or {})["note"] == "by hand"
    place.publisher().write(made)
    assert place.publisher().read(made).state == "ok"


def test_a_run_that_was_cut_off_before_it_wrote_there_is_completed(world: World, place: t.Any) -> None:
    def execute(arguments: t.Mapping[str, t.Any]) -> t.Any:
        answer = world.execute(arguments)
        if arguments["phase"] == "install":
            raise KeyboardInterrupt
        return answer

    with pytest.raises(KeyboardInterrupt):
        world.converge([said(place)], execute=execute)
    assert place.values() is None
    assert steps(world.settled([said(place)])["identities"][0]) == ["publish"]
    assert there(place) == of_host(world, "certificate", "chain")
    assert (world.remembered().generation, len(world.issued())) == (1, 1)


def test_what_its_service_did_not_take_is_not_copied(world: World, place: t.Any) -> None:
    fails = world.directory / "fails"
    declared = said(place, activate={"command": ["sh", "-c", f"! test -e {fails}"]})
    world.settled([declared])
    first = there(place)
    fails.touch()
    assert world.one({**declared, "lifetime": "10d"})["failed"]
    assert there(place) == first == of_host(world, "certificate", "chain")


@pytest.mark.needs("openbao")
def test_the_policy_of_the_page_suffices_from_the_first_copy_to_the_last(
    request: pytest.FixtureRequest, tmp_path: Path, world: World
) -> None:
    server = request.getfixturevalue("openbao")
    place = BACKENDS["openbao_kv"](tmp_path, server)
    place.path = "web/tls"
    page = (Path(__file__).parents[2] / "docs/docsite/rst/publish_openbao_kv.rst").read_text(encoding="utf-8")
    (policy,) = re.findall(r"^\.\. code-block:: text\n\n((?: .*\n|\n)+)", page, re.MULTILINE)
    rights = {"policy": policy.replace("certificates/", f"{place.mount}/")}
    server.call("PUT", f"sys/policies/acl/{place.mount}", rights)
    token = server.call("POST", "auth/token/create", {"policies": [place.mount], "ttl": "1h"})["auth"]["client_token"]
    options = {**place.options(), "auth": {"token": {"token": token}}}
    declared = web(publish=[{"openbao_kv": options}])
    world.settled([declared])
    place.drop()
    world.settled([declared])
    world.settled([{"name": "web", "state": "absent", "publish": [{"openbao_kv": options}]}])
    assert place.values() is None


def test_what_somebody_else_deleted_is_not_taken(world: World, place: t.Any) -> None:
    place.occupy()
    place.drop()
    done = world.foreseen([said(place)])["identities"][0]
    assert "which is not of web; move it away, or say replace_files: true for web" in done["msg"]
    assert world.issued() == []
    world.settled([said(place, replace_files=True)])
    place.drop()
    world.settled([said(place)])
    assert there(place) == of_host(world, "certificate", "chain")


@pytest.mark.needs("openbao")
@pytest.mark.parametrize("dropped", [True, False], ids=["deleted before", "replaced"])
def test_versions_of_somebody_else_stay_when_ours_are_destroyed(
    request: pytest.FixtureRequest, tmp_path: Path, *, dropped: bool
) -> None:
    place = BACKENDS["openbao_kv"](tmp_path, request.getfixturevalue("openbao"))
    made = {part: content for part, content in parts().items() if part in place.takes}
    place.occupy()
    if dropped:
        place.drop()
    publisher = place.publisher(replaces=True)
    for _time in range(2):
        publisher.write(made)
    publisher.delete()
    assert place.values() is None
    metadata = place.running.call("GET", f"{place.mount}/metadata/{place.path}")["data"]
    assert [number for number, one in metadata["versions"].items() if not one["destroyed"]] == ["1"]
    assert not metadata["custom_metadata"]


@pytest.mark.needs("openbao")
def test_metadata_of_somebody_else_stays(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    place = BACKENDS["openbao_kv"](tmp_path, request.getfixturevalue("openbao"))
    made = {part: content for part, content in parts().items() if part in place.takes}
    place.running.call("POST", f"{place.mount}/metadata/{place.path}", {"custom_metadata": {"team": "web"}})
    place.publisher().write(made)
    place.publisher().delete()
    metadata = place.running.call("GET", f"{place.mount}/metadata/{place.path}")["data"]
    assert metadata["custom_metadata"] == {"team": "web"}


def renamed(place: t.Any) -> dict[str, t.Any]:
    """Return another way to write the address of the same entry."""
    options = place.options()
    if place.name == "openbao_kv":
        return {**options, "url": options["url"].replace("127.0.0.1", "localhost")}
    return {**options, "region": place.aws.meta.region_name}


def test_another_way_to_write_the_same_place_is_no_other_place(world: World, place: t.Any) -> None:
    assert renamed(place) != place.options()
    world.settled([said(place)])
    assert world.converge([web(publish=[{place.name: renamed(place)}])])["warnings"] == []
    twice = [{place.name: place.options()}, {place.name: renamed(place)}]
    assert "stands there twice; write it once" in world.one(web(publish=twice))["msg"]


def test_an_entry_of_another_ledger_is_somebody_elses(world: World, place: t.Any) -> None:
    world.settled([said(place)])
    other = World(world.directory / "other", host=world.host)
    shutil.rmtree(world.store)
    options = {"store": str(world.store)}
    done = other.converge([said(place)], **options)["identities"][0]
    assert "which is not of web; move it away" in done["msg"]


def test_one_that_is_released_leaves_its_entry_and_says_so(world: World, place: t.Any) -> None:
    link = {str(world.links / "web.key"): "private_key"}
    world.settled([said(place, links=link)])
    released = {"name": "web", "state": "released", "publish": [{place.name: place.options()}]}
    done = world.converge([released])
    assert [one for one in done["warnings"] if place.path in one and "stays as it is, and nobody renews it" in one]
    assert there(place)
