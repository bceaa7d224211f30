# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A plan is written in check mode, and a run does exactly that, once, or refuses before it does anything."""

from __future__ import annotations

import copy
import functools
import hashlib
import json
import os
import signal
import time
import typing as t
from datetime import UTC, datetime, timedelta

import pytest
import rfc8785
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import KeysteadError
from ansible_collections.keystead.identity.plugins.module_utils._core.pki import credential
from ansible_collections.keystead.identity.plugins.module_utils._core.renewal import renew_at
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.chain import verify
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_ledger
from ansible_collections.keystead.identity.tests.harness.brownfield import pair
from ansible_collections.keystead.identity.tests.harness.in_process import World, steps, until, web
from ansible_collections.keystead.identity.tests.harness.ledgers import place
from ansible_collections.keystead.identity.tests.harness.revoking import Office
from cryptography.hazmat.primitives.serialization import Encoding

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.ledgers import Place

__all__ = ["place"]  # a fixture
API = {"name": "api", "dns_names": ["api.example.org"]}


class Site:
    """A host, and the file of its plan."""

    def __init__(self, root: Path) -> None:
        self.world, self.path = World(root / "world"), root / "plan.json"
        self.options: dict[str, t.Any] = {}

    def run(self, *identities: dict[str, t.Any], check: bool = False, **options: t.Any) -> dict[str, t.Any]:
        """Run the task with the plan."""
        said = {"plan": str(self.path), **self.options, **options}
        return self.world.converge(list(identities) or [web()], check=check, **said)

    def planned(self, *identities: dict[str, t.Any], **options: t.Any) -> dict[str, t.Any]:
        """Write the plan, touching nothing else; return what it holds."""
        before = self.world.snapshot()
        shown = self.run(*identities, check=True, **options)
        assert not shown.get("failed"), shown.get("msg")
        assert self.world.snapshot() == before, "to plan touched something"
        said: dict[str, t.Any] = json.loads(self.path.read_bytes())
        planned = [[(step["action"], step["reason"]) for step in one["steps"]] for one in said["identities"]]
        assert planned == [[(step["action"], step["reason"]) for step in one["steps"]] for one in shown["identities"]]
        return said

    def refusal(self, *identities: dict[str, t.Any], **options: t.Any) -> str:
        """Return why a run is refused, which must not touch anything."""
        before = self.world.snapshot()
        with pytest.raises(KeysteadError) as refused:
            self.run(*identities, **options)
        assert self.world.snapshot() == before, "a refused run touched something"
        return str(refused.value)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_a_run_does_what_was_planned_and_a_second_one_nothing(site: Site) -> None:
    said = site.planned(web(), API)
    assert (said["format"], said["module"], said["host"]) == (1, "machine_identity", site.world.host)
    done = site.run(web(), API)
    assert not done.get("failed"), done.get("msg")
    assert [steps(one) for one in done["identities"]] == [["stage_key", "issue", "publish"]] * 2
    assert done["plan"]["sha256"]
    before = site.world.snapshot()
    again = site.run(web(), API)
    assert (again["changed"], bool(again.get("failed"))) == (False, False)
    assert "was carried out at 20" in again["msg"]
    assert site.world.snapshot() == before


def test_over_every_ledger_a_plan_is_carried_out_once(tmp_path: Path, place: Place) -> None:
    site = Site(tmp_path)
    site.options = place.options
    assert site.planned()["identities"][0]["steps"]
    assert not site.run().get("failed")
    again = site.run()
    assert (again["changed"], "was carried out at 20" in again["msg"]) == (False, True)
    site.run(web(lifetime="20d"), plan=None)
    assert "was carried out at 20" in site.run()["msg"]


def test_what_is_planned_is_shown_with_what_it_rests_on(site: Site) -> None:
    site.run(web(), API, plan=None)
    (site.world.path("web", "1") / "private_key.pem").unlink()
    said = site.planned(web(), API)
    broken, sound = said["identities"]
    assert "private_key.pem is missing from the current generation" in broken["observed"]["damage"]
    assert [step["action"] for step in broken["steps"]] == ["stage_key", "issue", "publish", "destroy"]
    assert broken["steps"][3]["about"] == "1"
    assert (sound["observed"]["generation"], sound["observed"]["ledger"]["newest"], sound["steps"]) == (1, 1, [])
    content = site.path.read_bytes()
    assert content == rfc8785.dumps(said)
    assert site.path.stat().st_mode & 0o777 == 0o644
    assert said["observed_sha256"] == digest([[one["name"], one["observed"]] for one in said["identities"]])
    assert said["declaration"]["sha256"] == digest(said["declaration"]["options"])


def digest(value: t.Any) -> str:
    return hashlib.sha256(rfc8785.dumps(value)).hexdigest()


def test_a_plan_without_steps_is_a_run_that_does_nothing(site: Site) -> None:
    site.run(plan=None)
    assert [one["steps"] for one in site.planned()["identities"]] == [[]]
    before = site.world.snapshot()
    done = site.run()
    assert (done["changed"], site.world.snapshot()) == (False, before)
    assert "has no steps" in done["msg"]


def test_who_plans_twice_keeps_a_plan_that_may_be_approved_until_it_was_carried_out(site: Site) -> None:
    site.planned()
    first = site.path.stat().st_mtime_ns
    time.sleep(1.1)  # a plan is told by its second
    site.planned()
    assert site.path.stat().st_mtime_ns == first
    site.run()
    site.planned()
    assert site.path.stat().st_mtime_ns != first


# what changed between the plan and the run


def another_controller_renews(site: Site) -> tuple[dict[str, t.Any], ...]:
    site.run(web(lifetime="20d"), API, plan=None)
    return ()


def a_file_goes(site: Site) -> tuple[dict[str, t.Any], ...]:
    (site.world.path("web", "1") / "fullchain.pem").unlink()
    return ()


def the_declaration_changes(_site: Site) -> tuple[dict[str, t.Any], ...]:
    return web(lifetime="12d", dns_names=["shop.example.org"]), API


def another_identity_is_declared(_site: Site) -> tuple[dict[str, t.Any], ...]:
    return web(lifetime="12d"), API, {"name": "mail", "dns_names": ["mail.example.org"]}


def somebody_revokes(site: Site) -> tuple[dict[str, t.Any], ...]:
    Office(site.world.url, site.world.issuer()).run({"identity": "api"}, replaced_first=False)
    return ()


def a_link_is_bent(site: Site) -> tuple[dict[str, t.Any], ...]:
    link = site.world.links / "web.pem"
    link.unlink()
    link.symlink_to("/nowhere/web.pem")
    return ()


@pytest.mark.parametrize(
    ("meddle", "why"),
    [
        (another_controller_renews, "web: credential was "),
        (a_file_goes, "web: damage has fullchain.pem is missing from the current generation now"),
        (the_declaration_changes, "identities[web] differ"),
        (another_identity_is_declared, "identities[mail] differ"),
        (somebody_revokes, "api: ledger: revoked has "),
    ],
)
def test_what_is_not_as_planned_is_refused_and_nothing_is_done(
    site: Site, meddle: t.Callable[[Site], tuple[dict[str, t.Any], ...]], why: str
) -> None:
    site.run(web(), API, plan=None)
    wanted = (web(lifetime="12d"), API)
    site.planned(*wanted)
    said = site.refusal(*(meddle(site) or wanted))
    assert said.startswith(f"machine_identity: option plan: {site.path} ")
    assert why in said
    assert "nothing was done" in said
    assert "run with --check again" in said


def test_a_link_that_was_bent_since_is_named(site: Site) -> None:
    linked = web(links={str(site.world.links / "web.pem"): "fullchain"})
    site.run(linked, plan=None)
    site.planned(linked)
    a_link_is_bent(site)
    said = site.refusal(linked)
    assert f"web: links has {site.world.links}/web.pem: elsewhere now" in said
    assert f"web: not planned is to link ({site.world.links}/web.pem leads elsewhere, not to fullchain)" in said


def test_what_became_due_since_is_not_renewed_beside_the_plan(site: Site) -> None:
    site.run(plan=None)
    found = credential(site.world.certificate().public_bytes(Encoding.DER))
    soon_enough = datetime.now(UTC) + timedelta(seconds=8)
    margin = next(one for one in range(30 * 86400, 0, -1) if renew_at(found, str(one)) >= soon_enough)
    soon = web(renew_before=f"{margin}s")
    assert site.planned(soon, API)["identities"][0]["steps"] == []
    until(lambda: steps(site.run(soon, check=True, plan=None)["identities"][0]) != [], 60)
    assert "web: not planned is to issue (it ends on " in site.refusal(soon, API)


def test_what_changes_while_a_run_looks_is_seen_and_its_lease_is_given_back(site: Site) -> None:
    site.planned(web(), API)
    asked: list[str] = []

    def execute(arguments: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        asked.append(arguments["phase"])
        if len(asked) == 2:  # the first look was the plan's
            site.run(web(), plan=None)
        return site.world.execute(arguments)

    with pytest.raises(KeysteadError, match="became stale while the run looked: web: "):
        site.world.converge([web(), API], plan=str(site.path), execute=execute)
    assert asked == ["prepare", "prepare", "install"]
    assert len(site.world.issued()) == 1, "api was left alone"
    assert not list(site.world.store.glob("*/lease.json"))
    assert "is stale" in site.refusal(web(), API)


# files


def test_without_the_file_a_run_says_how_to_make_it(site: Site) -> None:
    said = site.refusal()
    assert said == (
        f"machine_identity: option plan: {site.path} does not exist; run with --check first, which writes it"
    )


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it holds no plan"),
        (b"[]", "it holds no plan"),
        (b'{"format": 1}', "it holds no plan"),
        (b"[" * 100_000, "it holds no plan"),
        (b"\xff\xfe", "it holds no plan"),
    ],
)
def test_a_file_that_holds_no_plan_is_neither_carried_out_nor_written_over(
    site: Site, content: bytes, why: str
) -> None:
    site.path.write_bytes(content)
    assert f"{why} of this version of the collection; write another path, or, where it was a plan, " in site.refusal()
    assert why in site.refusal(check=True)
    assert site.path.read_bytes() == content


def test_a_plan_that_somebody_edited_is_refused_and_one_that_was_only_indented_is_not(site: Site) -> None:
    said = site.planned()
    edited = copy.deepcopy(said)
    edited["identities"][0]["observed"]["generation"] = 7
    site.path.write_text(json.dumps(edited))
    assert "it was changed since it was written" in site.refusal()
    site.path.write_text(json.dumps(said, indent=2))
    assert not site.run().get("failed")


def test_a_path_that_is_not_absolute_or_leads_to_no_file_is_refused(site: Site) -> None:
    assert "'plan.json' is not absolute; write for example /srv/plans/" in site.refusal(plan="plan.json")
    assert "'' is not absolute" in site.refusal(plan=""), "a variable that holds nothing is no leave"
    assert "is no regular file" in site.refusal(plan=str(site.path.parent))
    assert "is no regular file" in site.refusal(plan=str(site.path.parent), check=True)
    site.path.write_text("", encoding="ascii")
    assert "(Not a directory); let this user do that" in site.refusal(plan=f"{site.path}/below.json", check=True)


def test_a_plan_of_another_host_module_or_store_is_refused_and_not_written_over(site: Site) -> None:
    site.planned()
    content = site.path.read_bytes()
    site.world.host = "web2.example.org"
    for check in (True, False):
        said = site.refusal(check=check)
        assert "is the plan of host web1.example.org, and this is web2.example.org" in said
        assert "{{ inventory_hostname }}" in said
    site.world.host = "web1.example.org"
    for check in (True, False):
        assert "is the plan of store " in site.refusal(check=check, store=f"{site.world.store}2")
        assert "is the plan of another task, with web" in site.refusal(API, check=True)
    assert site.path.read_bytes() == content


def test_of_many_hosts_that_write_one_file_at_the_same_time_one_does(site: Site) -> None:
    children = []
    for number in range(8):
        child = os.fork()
        if not child:
            try:
                world = World(site.world.directory, host=f"web{number}.example.org")
                world.converge([web()], check=True, plan=str(site.path))
                os._exit(0)
            except BaseException as error:  # noqa: BLE001 - the fork must not go on as its parent
                os._exit(3 if "is the plan of host" in str(error) else 1)
        children.append(child)
    ended = sorted(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children)
    assert ended == [0, *[3] * 7]
    assert json.loads(site.path.read_bytes())["host"].startswith("web")
    assert [path.name for path in site.path.parent.iterdir() if path.name.startswith(".")] == []


def test_directories_on_the_way_are_made_and_a_failed_check_writes_no_plan(site: Site) -> None:
    site.path = site.path.parent / "plans" / "today" / "web1.json"
    site.planned()
    old = site.path.read_bytes()
    failed = site.run(web(links={"/nowhere/else/web.pem": "fullchain"}, owner="nobody-at-all"), check=True)
    assert failed["failed"]
    assert "no plan was written" in failed["msg"]
    assert site.path.read_bytes() == old


def test_no_secret_of_a_task_is_in_its_plan_nor_can_be_guessed_from_it(site: Site) -> None:
    p12 = {"path": str(site.world.links / "web.p12"), "password": "Canary-1", "encryption": "modern"}
    declared = web(publish=[{"pkcs12": p12}])
    first = site.planned(declared)
    assert b"Canary" not in site.path.read_bytes()
    p12["password"] = "Canary-2"
    assert site.planned(declared)["declaration"] == first["declaration"], "a digest of a secret could be guessed"
    p12["encryption"] = "legacy"
    assert site.planned(declared)["declaration"] != first["declaration"]


# runs that do not end well


def in_a_process(work: t.Callable[[], object]) -> int:
    """Do it in a process of its own, whose leases are dead when it is; return its exit code, negative for a signal."""
    child = os.fork()
    if not child:
        try:
            work()
        except BaseException:  # noqa: BLE001 - the fork must not go on as its parent
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("at", ["looking", "staged", "asked", "installed"])
def test_what_a_killed_run_left_of_a_plan_is_done_by_the_next_run_with_it(site: Site, at: str) -> None:
    loads = {"activate": {"command": ["true"]}}
    site.run(web(**loads), API, plan=None)
    wanted = (web(lifetime="20d", **loads), {**API, "lifetime": "20d"})
    site.planned(*wanted)
    count = {"looking": 1, "staged": 2, "asked": 3, "installed": 3}[at]
    calls: list[str] = []

    def execute(arguments: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        calls.append(arguments["phase"])
        if len(calls) == count and at == "asked":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = site.world.execute(arguments)
        if len(calls) == count:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    run = functools.partial(site.world.converge, list(wanted), plan=str(site.path), execute=execute)
    assert in_a_process(run) == -signal.SIGKILL
    done = site.run(*wanted)
    assert not done.get("failed"), done.get("msg")
    assert ("was begun at 20" in done.get("msg", "")) == (at in ("asked", "installed"))
    assert [site.world.generations(name) for name in ("web", "api")] == [[2], [2]]
    assert len(site.world.issued()) == 4, "nothing was issued twice"
    again = site.run(*wanted)
    assert again["changed"] is False
    assert "was carried out at 20" in again["msg"]


def test_two_runs_that_are_started_at_the_same_time_do_what_was_planned_once(site: Site) -> None:
    site.planned(web(), API)
    children = []
    for _run in range(2):
        child = os.fork()
        if not child:
            try:
                os._exit(3 if site.run(web(), API).get("failed") else 0)
            except BaseException as error:  # noqa: BLE001 - the fork must not go on as its parent
                os._exit(3 if isinstance(error, KeysteadError) else 1)
        children.append(child)
    ended = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert set(ended) <= {0, 3}
    last = site.run(web(), API)
    assert not last.get("failed"), last.get("msg")
    assert len(site.world.issued()) == 2
    assert "was carried out at 20" in site.run(web(), API)["msg"]


def test_the_rest_of_a_plan_that_was_cut_off_is_not_done_where_something_else_is_to_be_done(site: Site) -> None:
    site.run(web(), API, plan=None)
    wanted = (web(lifetime="20d"), {**API, "lifetime": "20d"})
    site.planned(*wanted)

    def execute(arguments: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        if arguments["phase"] == "install":
            os.kill(os.getpid(), signal.SIGKILL)
        return site.world.execute(arguments)

    run = functools.partial(site.world.converge, list(wanted), plan=str(site.path), execute=execute)
    assert in_a_process(run) == -signal.SIGKILL
    site.run(wanted[0], plan=None)
    site.world.path("web", "2", "private_key.pem").unlink()
    said = site.refusal(*wanted)
    assert "what is left is something else: web: not planned is to " in said
    site.planned(*wanted)
    assert not site.run(*wanted).get("failed")


def test_a_consumer_that_failed_is_mended_and_the_same_plan_finishes(site: Site) -> None:
    broken = site.world.directory / "broken"
    proved = {"prove": {"command": ["test", "!", "-e", str(broken)]}}
    site.run(web(**proved), plan=None)
    site.planned(web(lifetime="20d", **proved))
    broken.touch()
    failed = site.run(web(lifetime="20d", **proved))
    assert failed["failed"]
    assert site.world.current() == 1
    broken.unlink()
    done = site.run(web(lifetime="20d", **proved))
    assert not done.get("failed"), done["msg"]
    assert "was begun at 20" in done["msg"]
    assert "was carried out" in site.run(web(lifetime="20d", **proved))["msg"]


def test_what_was_carried_out_is_not_carried_out_again_although_the_same_is_to_be_done(site: Site) -> None:
    site.run(plan=None)
    key = site.world.path("web", "1", "private_key.pem")
    key.chmod(0o640)
    site.planned()
    assert steps(site.run()["identities"][0]) == ["publish"]
    key.chmod(0o640)
    assert "is carried out once only; since then there is more to do: web: publish (" in site.refusal()


def test_an_identity_that_another_run_is_at_work_on_keeps_all_of_the_plan(site: Site) -> None:
    site.planned(web(), API)
    held = {"controller": "elsewhere", "boot": "x", "pid": 1, "started": "1"}

    def other(arguments: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        site.world.execute({**arguments, "holder": held})
        raise RuntimeError("it went away")

    with pytest.raises(RuntimeError):
        site.world.converge([web()], execute=other)
    with pytest.raises(KeysteadError, match="another run"):
        site.run(web(), API)
    assert site.world.issued() == []
    assert not (site.world.store / "api" / "lease.json").exists()


def test_the_events_of_a_plan_are_in_the_chain(site: Site) -> None:
    said = site.planned()
    site.run()
    (begun, ended) = site.world.query("SELECT identity, outcome, reason FROM events WHERE action = 'plan' ORDER BY seq")
    assert (begun[1], ended[1]) == ("pending", "ok")
    assert begun[0] == f"plan {hashlib.sha256(site.path.read_bytes()).hexdigest()}"
    assert begun[2] == f"the plan of {said['planned_at']} with 3 steps, {site.path}"
    ledger = open_ledger(site.world.url, read_only=True)
    assert verify(ledger) is None
    ledger.close()


def test_a_pair_is_adopted_and_replaced_by_one_plan(site: Site, tmp_path: Path) -> None:
    pair("web.example.org").write(tmp_path / "old")
    old = {"private_key": str(tmp_path / "old" / "web.key"), "certificate": str(tmp_path / "old" / "fullchain.pem")}
    declared = web(adopt={**old, "replace": "now"})
    site.planned(declared)
    done = site.run(declared)
    assert not done.get("failed"), done.get("msg")
    assert steps(done["identities"][0]) == ["adopt", "stage_key", "issue", "publish", "destroy"]
    assert "was carried out" in site.run(declared)["msg"]
