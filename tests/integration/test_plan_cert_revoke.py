# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is to be revoked is planned first: then that is revoked, once, or nothing is."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import time
import typing as t
from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import KeysteadError, Pending
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.local import LocalIssuer
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.port import Batch, Event, Outcome
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_for
from ansible_collections.keystead.identity.tests.harness import local
from ansible_collections.keystead.identity.tests.harness import openbao as make
from ansible_collections.keystead.identity.tests.harness.in_process import World, web
from ansible_collections.keystead.identity.tests.harness.revoking import Office
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.openbao_server import Server

ANY = {"replaced_first": False, "reason": "superseded"}
MANY = 130


class Site:
    """An office with a file for its plan, and a world with an identity that had three certificates."""

    def __init__(self, root: Path, issuer: dict[str, t.Any] | None = None) -> None:
        self.world, self.path = World(root / "world"), root / "plan.json"
        self.issuer = issuer or self.world.issuer()
        self.office = Office(self.world.url, self.issuer)
        for lifetime in ("30d", "20d", "10d"):
            self.renew(lifetime=lifetime)

    def renew(self, name: str = "web", **said: t.Any) -> None:
        """Give an identity another certificate."""
        done = self.world.converge([{**web(**said), "name": name}], issuer=self.issuer)
        assert not done.get("failed"), done.get("msg")

    def run(self, *entries: dict[str, t.Any], **options: t.Any) -> dict[str, t.Any]:
        return self.office.run(*(entries or ({"identity": "web"},)), plan=str(self.path), **{**ANY, **options})

    def planned(self, *entries: dict[str, t.Any], **options: t.Any) -> dict[str, t.Any]:
        """Write the plan; return what it holds."""
        before = self.office.rows()
        shown = self.run(*entries, check=True, **options)
        assert not shown.get("failed"), shown.get("msg")
        assert self.office.rows() == before, "to plan touched the ledger"
        said: dict[str, t.Any] = json.loads(self.path.read_bytes())
        return said

    def refusal(self, *entries: dict[str, t.Any], **options: t.Any) -> str:
        """Return why a run is refused: then nothing is revoked or recorded."""
        before = self.office.rows()
        with pytest.raises(KeysteadError) as refused:
            self.run(*entries, **options)
        assert self.office.rows() == before, "a refused run touched the ledger"
        return str(refused.value)

    def revoked(self) -> int:
        """Return how many the ledger calls revoked."""
        ((count,),) = self.world.query("SELECT count(*) FROM generations WHERE revoked_at IS NOT NULL")
        return int(count)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_what_was_planned_is_revoked_and_a_second_run_says_when_that_was(site: Site) -> None:
    said = site.planned()
    assert (said["module"], said["host"], said["store"]) == ("cert_revoke", "", "")
    assert [len(one["steps"]) for one in said["certificates"]] == [1, 1, 1]
    assert {one["observed"]["status"] for one in said["certificates"]} == {"good"}
    assert [one["steps"][0]["about"] for one in said["certificates"]] == [
        one["fingerprint_sha256"] for one in said["certificates"]
    ]
    done = site.run()
    assert (done["changed"], site.revoked()) == (True, 3)
    again = site.run()
    assert (again["changed"], "was carried out at 20" in again["msg"]) == (False, True)


@pytest.mark.needs("openbao")
def test_over_an_openbao_as_well(tmp_path: Path, openbao: Server) -> None:
    site = Site(tmp_path, {"openbao": make.pki(openbao).options()})
    site.planned()
    site.office.run({"identity": "web"}, expect=3, replaced_first=False)
    assert "status was good, is revoked" in site.refusal()
    site.renew()
    site.planned()
    begun = len(openbao.audited())
    assert site.run()["changed"]
    calls = [one for one in openbao.audited()[begun:] if one["request"]["path"].endswith("/revoke")]
    assert len([one for one in calls if one["type"] == "request"]) == 1
    assert "was carried out" in site.run()["msg"]


def another_controller_renews(site: Site) -> str:
    site.renew(lifetime="5d")
    return " was not planned"


def somebody_revokes(site: Site) -> str:
    (issuer,) = site.issuer.values()
    LocalIssuer(issuer).revoke([site.world.certificate().public_bytes(Encoding.DER)], "key_compromise")
    return ": status was good, is revoked"


@pytest.mark.parametrize("meddle", [another_controller_renews, somebody_revokes])
def test_what_is_not_as_planned_is_refused_and_nothing_is_revoked(
    site: Site, meddle: t.Callable[[Site], str]
) -> None:
    site.planned()
    why = meddle(site)
    said = site.refusal()
    assert said.startswith(f"cert_revoke: option plan: {site.path} is stale: ")
    assert why in said
    assert site.revoked() == 0


@pytest.mark.parametrize(
    ("entries", "options", "which"),
    [
        (({"identity": "web", "host": "web1.example.org"},), {}, "certificates[0] differ"),
        (({"identity": "web"}, {"identity": "api"}), {}, "certificates[1] differ"),
        ((), {"reason": "key_compromise"}, "reason differ"),
        ((), {"expect": 3}, "expect differ"),
    ],
)
def test_another_declaration_is_refused(
    site: Site, entries: tuple[dict[str, t.Any], ...], options: dict[str, t.Any], which: str
) -> None:
    site.planned()
    assert which in site.refusal(*entries, **options)


def test_what_ends_between_plan_and_run_is_not_left_out_without_a_word(site: Site) -> None:
    (issuer,) = site.issuer.values()
    past = datetime.now(UTC).replace(microsecond=0)
    asked = local.request(lifetime=8)
    (made,) = LocalIssuer(issuer, now=lambda: past).begin([asked])
    assert not isinstance(made, KeysteadError)
    entry = {"pem": made.parts["certificate"].content.decode()}  # type: ignore[union-attr]
    assert len(site.planned(entry)["certificates"][0]["steps"]) == 1
    time.sleep(max(0.0, (made.not_after - datetime.now(UTC)).total_seconds() + 0.1))  # type: ignore[union-attr]
    assert "status was good, is expired" in site.refusal(entry)


def test_what_is_still_in_use_is_not_planned(site: Site) -> None:
    with pytest.raises(KeysteadError, match="still delivered, and not replaced"):
        site.run(check=True, replaced_first=True)
    assert not site.path.exists()


def test_what_came_into_use_again_is_refused_as_without_a_plan(site: Site) -> None:
    site.renew("api", keep_generations=1)
    old = {"fingerprint_sha256": site.world.certificate("api").fingerprint(hashes.SHA256()).hex()}
    site.renew("api", keep_generations=1, lifetime="20d")
    assert len(site.planned(old, replaced_first=True)["certificates"][0]["steps"]) == 1
    site.renew("api", keep_generations=1, generation="previous")
    assert "still delivered, and not replaced" in site.refusal(old, replaced_first=True)


def test_a_rest_of_a_plan_that_was_cut_off_is_revoked_by_the_next_run_with_it(site: Site) -> None:
    everything = many(site)
    child = os.fork()
    if not child:

        class Deadly(list[str]):
            def append(self, _line: str) -> None:
                os.kill(os.getpid(), signal.SIGKILL)

        site.office.said = Deadly()
        try:
            site.run(everything)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    assert site.revoked() == 50
    done = site.run(everything)
    assert not done.get("failed"), done.get("msg")
    assert "was begun at 20" in done["msg"]
    assert (len(done["steps"]), site.revoked()) == (MANY + 3 - 50, MANY + 3)
    again = site.run(everything)
    assert (again["changed"], "was carried out at 20" in again["msg"]) == (False, True)


def alone(url: str, run: t.Callable[[], t.Any], *, stop: bool = False) -> int:
    """Run in a process of its own, which with `stop` waits for ever once it has revoked some; return its number."""
    child = os.fork()
    if not child:
        code = 1
        with contextlib.suppress(KeysteadError):
            run()
            code = 0
        os._exit(code)
    while stop and not done(url):
        time.sleep(0.01)
    return child


def done(url: str) -> int:
    """Return how many revocations of a run a ledger has."""
    with contextlib.closing(open_for({"ledger": url}, read_only=True)) as ledger:
        ((number,),) = ledger.read("SELECT count(*) FROM events WHERE action = 'revoke' AND outcome = 'ok'")
    return int(number)


def many(site: Site) -> dict[str, str]:
    """Make many certificates and plan to revoke them; return what selects them."""
    declared = [{"name": f"n{number}", "dns_names": [f"n{number}.example.org"]} for number in range(MANY)]
    assert not site.world.converge(declared).get("failed")
    everything = {"host": site.world.host}
    site.planned(everything)
    return everything


def test_a_plan_that_is_being_carried_out_is_not_begun_by_another_run(site: Site) -> None:
    everything = many(site)

    class Slow(list[str]):
        def append(self, _line: str) -> None:
            time.sleep(600)

    quick, site.office.said = site.office.said, Slow()
    child = alone(site.world.url, lambda: site.run(everything), stop=True)
    site.office.said = quick
    try:
        with pytest.raises(Pending, match=r"is being carried out since 20\S* by another run; nothing was done"):
            site.run(everything)
        assert site.revoked() == 50
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert "was begun at 20" in site.run(everything)["msg"], "that one is gone"
    assert (site.revoked(), done(site.world.url)) == (MANY + 3, MANY + 3)


def test_of_many_runs_with_a_plan_at_once_one_carries_it_out(site: Site) -> None:
    everything = many(site)
    children = [alone(site.world.url, lambda: site.run(everything)) for _number in range(6)]
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    assert 0 in codes
    assert (site.revoked(), done(site.world.url)) == (MANY + 3, MANY + 3)
    assert "was carried out at 20" in site.run(everything)["msg"]


@pytest.mark.parametrize(("minutes", "waits"), [(1, True), (16, False)])
def test_a_run_of_another_controller_is_waited_for_as_long_as_it_may_be_at_work(
    site: Site, minutes: int, *, waits: bool
) -> None:
    site.planned()
    digest = hashlib.sha256(site.path.read_bytes()).hexdigest()
    run = json.dumps({"controller": "elsewhere", "boot": "1", "pid": 7, "started": "1"}, sort_keys=True)
    begun = Batch("controller", "", {"run": run}, datetime.now(UTC) - timedelta(minutes=minutes))
    with contextlib.closing(open_for({"ledger": site.world.url})) as ledger:
        ledger.record(begun, [Outcome(f"plan {digest}", None, (Event("plan", "by hand", "pending"),))])
    if waits:
        assert "is being carried out since 20" in site.refusal()
        with contextlib.closing(open_for({"ledger": site.world.url})) as ledger:
            ledger.record(begun, [Outcome(f"plan {digest}", None, (Event("plan", "by hand", "failed"),))])
    assert len(site.run()["steps"]) == 3


def test_what_came_since_is_not_revoked_by_a_plan_that_was_carried_out(site: Site) -> None:
    site.planned()
    site.run()
    site.renew(lifetime="5d")
    assert "is carried out once only; since then there is more to do" in site.refusal()


def test_who_sweeps_from_time_to_time_plans_at_the_same_path_each_time(site: Site) -> None:
    sweep = {"superseded": True}
    assert len(site.planned(sweep)["certificates"]) == 2
    assert len(site.run(sweep)["steps"]) == 2
    site.renew(lifetime="5d")
    assert len(site.planned(sweep, expect=1)["certificates"]) == 1, "another one than before, and expect is not either"
    assert len(site.run(sweep, expect=1)["steps"]) == 1


def test_a_plan_of_other_certificates_is_not_written_over(site: Site) -> None:
    site.renew("api")
    site.planned({"identity": "api"})
    assert "is the plan of another task" in site.refusal(check=True)


def test_a_plan_is_no_hosts_so_that_any_host_of_the_play_may_carry_it_out(site: Site) -> None:
    site.planned()
    site.office.host = "web2.example.org"
    assert site.run()["changed"]


def test_a_plan_is_not_carried_out_once_more_beside_another_ledger(site: Site) -> None:
    pem = {"pem": site.world.path("web", "current", "certificate.pem").read_text()}
    site.planned(pem)
    site.office.url = f"{site.world.url}.other"
    Office(site.office.url, site.issuer).run({"superseded": True})  # makes it
    assert "was planned beside another ledger, and nothing was done; name the same one" in site.refusal(pem)


def test_an_issuer_that_does_not_answer_writes_no_plan_and_carries_out_none(site: Site) -> None:
    site.planned()
    records = site.world.authorities / "issuing" / "revoked"
    records.mkdir(exist_ok=True)
    (records / f"{site.world.certificate().serial_number:x}.json").write_text("broken")
    assert "is not a revocation record" in site.refusal()
    before = site.path.read_bytes()
    failed = site.run(check=True)
    assert failed["failed"]
    assert failed["msg"].endswith("no plan was written")
    assert site.path.read_bytes() == before


def test_an_emergency_without_a_ledger_has_a_plan_too(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    policy = tmp_path / "policy.yml"
    policy.write_text("format: 1\nrules:\n  - {id: incident, emergency_revocation: {allow: true}}\n")
    pem = site.world.path("web", "current", "certificate.pem").read_text()
    kept = site.world.ledger.read_bytes()
    site.world.ledger.write_bytes(b"no ledger" * 1000)
    now = {"emergency": True, "justification": "the key is on a pastebin", "policy": str(policy)}
    site.run({"pem": pem}, check=True, **now)
    done = site.run({"pem": pem}, **now)
    assert done["changed"]
    with pytest.raises(KeysteadError, match="status was good, is revoked"):
        site.run({"pem": pem}, **now)
    site.world.ledger.write_bytes(kept)
    again = site.run({"pem": pem}, **now)
    assert "was carried out at 20" in again["msg"], "the journal told the ledger"
