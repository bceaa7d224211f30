# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Two releases, this one and the next, work on one ledger, after each other and at the same time (ADR 35)."""

from __future__ import annotations

import typing as t
from concurrent.futures import ThreadPoolExecutor

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.chain import verify
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.grants import CONVERGER as RIGHTS
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.schema import MIGRATIONS
from ansible_collections.keystead.identity.tests.harness import local, playbook
from ansible_collections.keystead.identity.tests.harness.in_process import from_now_on
from ansible_collections.keystead.identity.tests.harness.ledgers import LEDGERS, InDatabase, InFile, Place
from ansible_collections.keystead.identity.tests.harness.next_release import MORE, TABLE, collections, expand
from ansible_collections.keystead.identity.tests.harness.postgres import AUDITOR, CONVERGER, MIGRATOR, SIGNER
from ansible_collections.keystead.identity.tests.unit.plugins.plugin_utils._ledger.telling import batch, intent, outcome

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.postgres import Server

Result = dict[str, t.Any]
Task = dict[str, t.Any]
NEXT_ONLY = "UPDATE {} SET seen_by = 'next' WHERE seen_by IS NULL"


@pytest.fixture(params=LEDGERS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "sqlite":
        return InFile(tmp_path / "ledger.db")
    return InDatabase(request.getfixturevalue("postgres_server"))


class Site:
    """A controller with this release and one with the next, of one ledger and one authority, and their host."""

    def __init__(self, place: Place, root: Path) -> None:
        self.place, self.root = place, root
        self.issuer = {"local": local.two_tiers(root / "ca")}
        self.newer = collections(root / "next")

    def environment(self, *, newer: bool) -> dict[str, str]:
        return {"ANSIBLE_COLLECTIONS_PATH": str(self.newer)} if newer else {}

    def role(self, role: str) -> dict[str, t.Any]:
        if isinstance(self.place, InDatabase):
            return self.place.server.options(self.place.name, role)
        return dict(self.place.options)

    def run(self, *tasks: Task, newer: bool = False) -> list[Result]:
        """Run tasks on the controller that has this release, or the next."""
        home = self.root / ("home-of-next" if newer else "home")
        done = playbook.run(list(tasks), playbook.ONE_HOST, home=home, env=self.environment(newer=newer))
        assert done.returncode == 0, done.stdout + done.stderr
        return playbook.results(home)

    def task(self, module: str, *names: str, **said: t.Any) -> Task:
        identities = [{"name": name, "dns_names": [f"{name}.example.org"]} for name in names]
        common = {**self.place.options, "issuer": self.issuer}
        if names:
            common |= {"store": str(self.root / "store"), "identities": identities, "wait": "60s"}
        return {f"keystead.identity.{module}": {**common, **said}}

    def audit(self) -> Task:
        key = {"file": {"path": str(self.root / "audit.key")}}
        receivers = [{"file": {"path": str(self.root / "checkpoints.jws")}}]
        return {"keystead.identity.identity_audit": {**self.role(SIGNER), "key": key, "receivers": receivers}}

    def migrate(self, *, newer: bool) -> Result:
        duties = {"convergers": [CONVERGER], "auditors": [AUDITOR], "signers": [SIGNER]}
        said = {**self.role(MIGRATOR), **(duties if isinstance(self.place, InDatabase) else {})}
        (result,) = self.run({"keystead.identity.ledger_migrate": said}, newer=newer)
        return result


@pytest.fixture
def site(place: Place, tmp_path: Path) -> Site:
    return Site(place, tmp_path)


def test_this_release_goes_on_with_what_the_next_one_has_migrated_and_both_find_nothing_to_do(site: Site) -> None:
    converged = site.task("machine_identity", "web", "api")
    assert site.run(converged)[0]["changed"]
    assert site.migrate(newer=True)["schema"] == {"before": len(MIGRATIONS), "after": len(MORE)}
    site.place.tamper(*[NEXT_ONLY.format(table) for table in ("identities", "generations", "events")])
    assert site.run(converged, newer=True)[0]["changed"] is False
    rotated = site.task("key_rotate", "web", created_before=f"{from_now_on():%Y-%m-%dT%H:%M:%SZ}")
    revoked = site.task("cert_revoke", certificates=[{"identity": "api"}], reason="superseded", replaced_first=False)
    info = {"keystead.identity.identity_ledger_info": dict(site.place.options)}
    more = site.task("machine_identity", "web", "shop")
    again, turned, gone, added, seen, audited = site.run(converged, rotated, revoked, more, info, site.audit())
    assert [one["changed"] for one in (again, turned, gone, added)] == [False, True, True, True]
    assert {row["name"] for row in seen["rows"]} >= {"web", "shop"}
    assert (audited["changed"], audited["broken"]) == (True, None)
    still, looked = site.run(more, site.audit(), newer=True)
    assert (still["changed"], looked["broken"]) == (False, None)
    kept = "SELECT name, seen_by FROM identities ORDER BY name"
    assert site.place.read(kept) == [("api", "next"), ("shop", None), ("web", "next")]
    seen = "SELECT DISTINCT seen_by FROM generations WHERE number = 1 AND seen_by IS NOT NULL"
    assert site.place.read(seen) == [("next",)]


def test_both_issue_at_the_same_time_and_the_chain_is_whole(site: Site) -> None:
    site.run(site.task("machine_identity", "web"))
    site.migrate(newer=True)
    with ThreadPoolExecutor() as both:
        ours = both.submit(site.run, *(site.task("machine_identity", f"our{number}") for number in range(4)))
        theirs = [site.task("machine_identity", f"their{number}") for number in range(4)]
        done = [*site.run(*theirs, newer=True), *ours.result()]
    assert [one["changed"] for one in done] == [True] * 8
    issued = "SELECT count(DISTINCT e.identity) FROM events e WHERE e.action = 'issue' AND e.outcome = 'ok'"
    assert site.place.read(issued) == [(9,)]


def test_a_run_that_is_under_way_while_the_next_release_migrates_goes_on(place: Place) -> None:
    ledger = place.open()
    for number in range(1, 9):  # by then psycopg has prepared the statements
        ledger.intend(batch(), [intent(number=number)])
        ledger.record(batch(), [outcome(number=number)])
    expand(place)
    for number in range(9, 12):
        assert ledger.remembered("web1", "/srv/store")["web"].newest == number - 1
        ledger.intend(batch(), [intent(number=number)])
        ledger.record(batch(), [outcome(number=number)])
    assert verify(ledger) is None
    ledger.close()


@pytest.mark.needs("postgres")
def test_the_ledger_migrate_of_this_release_leaves_a_ledger_of_the_next_one_as_it_is(
    postgres_server: Server, tmp_path: Path
) -> None:
    place = InDatabase(postgres_server)
    site = Site(place, tmp_path)
    expand(place)
    place.server.told(
        place.name, MIGRATOR,
        f"GRANT SELECT, INSERT ON {TABLE} TO {CONVERGER}", f"GRANT DELETE ON archives TO {CONVERGER}",
        f"REVOKE SELECT ON pins FROM {AUDITOR}",
    )  # fmt: skip
    done, again = site.migrate(newer=False), site.migrate(newer=False)
    assert done["schema"] == {"before": len(MORE), "after": len(MORE)}
    assert done["grants"] == [f"GRANT SELECT ON pins TO {AUDITOR}"]
    assert (again["changed"], again["grants"]) == (False, [])
    for table, right in ((TABLE, "INSERT"), ("archives", "DELETE")):
        held = f"SELECT has_table_privilege('{CONVERGER}', '{table}', '{right}')"
        assert place.server.told(place.name, MIGRATOR, held) == [(True,)]
    assert TABLE not in RIGHTS
    newer = site.migrate(newer=True)
    assert newer["grants"] == [f"REVOKE DELETE ON archives FROM {CONVERGER}"]
    assert site.run(site.task("machine_identity", "web"), site.task("machine_identity", "web"))[1]["changed"] is False
