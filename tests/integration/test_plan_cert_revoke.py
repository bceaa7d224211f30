# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is to be revoked is planned first: then that is revoked, once, or nothing is."""

from __future__ import annotations

import json
import os
import signal
import time
import typing as t
from datetime import UTC, datetime

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import KeysteadError
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.local import LocalIssuer
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
    assert (said["module"], said["host"], said["store"]) == ("cert_revoke", "controller", "")
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
    asked = local.request(lifetime=4)
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
    declared = [{"name": f"n{number}", "dns_names": [f"n{number}.example.org"]} for number in range(MANY)]
    assert not site.world.converge(declared).get("failed")
    everything = {"host": site.world.host}
    site.planned(everything)
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


def test_what_came_since_is_not_revoked_by_a_plan_that_was_carried_out(site: Site) -> None:
    site.planned()
    site.run()
    site.renew(lifetime="5d")
    assert "is carried out once only; since then there is more to do" in site.refusal()


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
