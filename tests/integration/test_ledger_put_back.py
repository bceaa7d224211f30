# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A ledger was put back from a backup, or lost: the first run that replaces what a host shows writes it down before."""

from __future__ import annotations

import shutil
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.port import Batch, Intent
from ansible_collections.keystead.identity.tests.harness import local, local_ssh
from ansible_collections.keystead.identity.tests.harness.in_process import World, from_now_on, steps, web
from ansible_collections.keystead.identity.tests.harness.ledgers import InDatabase, place
from ansible_collections.keystead.identity.tests.harness.postgres import MIGRATOR
from ansible_collections.keystead.identity.tests.harness.revoking import Office

if t.TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.ledgers import Place

__all__ = ["place"]  # a fixture
NAMES = ("web", "api", "mail")


class Site:
    """Three identities of one host, whose ledger can be put back as it was, or lost."""

    def __init__(self, world: World, place: Place) -> None:
        self.world, self.place = world, place
        self.office = Office(place.options["ledger"], world.issuer())

    def run(self, *said: dict[str, t.Any], again: bool = True, **options: t.Any) -> dict[str, t.Any]:
        """Look in check mode, run, and run once more."""
        identities = said or tuple(self.declared())
        run = self.world.settled if again else self.world.foreseen
        return run(identities, **self.place.options, **options)

    def declared(self, **said: t.Any) -> list[dict[str, t.Any]]:
        """Return what the task declares."""
        return [{**web(**said), "name": name} for name in NAMES]

    def serials(self) -> set[int]:
        """Return the serial numbers of what is served."""
        return {self.world.certificate(name).serial_number for name in NAMES}

    def revoked(self) -> set[int]:
        """Return the serial numbers on the list of the authority."""
        return {one.serial_number for one in self.world.issued() if self.world.is_revoked_at_all(one)}

    def back_up(self) -> None:
        """Keep the ledger as it is."""
        if isinstance(self.place, InDatabase):
            self._copy(self.place.name, "kept")
        else:
            shutil.copy(self.world.ledger, self.world.directory / "kept")

    def put_back(self) -> None:
        """Restore the backup."""
        if isinstance(self.place, InDatabase):
            self._copy("kept", self.place.name)
        else:
            self._lose_file()
            shutil.copy(self.world.directory / "kept", self.world.ledger)

    def lose(self) -> None:
        """Lose the ledger, and do what the refusal says."""
        if isinstance(self.place, InDatabase):
            self.place.options = self.place.server.options(self.place.server.ledger())
        else:
            self._lose_file()
        (self.world.store / ".keystead.json").unlink()

    def _lose_file(self) -> None:
        for path in self.world.directory.glob("ledger.sqlite*"):
            path.unlink()

    def _copy(self, source: str, target: str) -> None:
        server = t.cast("InDatabase", self.place).server
        server.admin(f"DROP DATABASE IF EXISTS {target}")
        server.admin(f"CREATE DATABASE {target} TEMPLATE {source} OWNER {MIGRATOR}")

    def revoke(self, moment: dt.datetime, **said: t.Any) -> dict[str, t.Any]:
        """Take back what was made before a moment, as the guide says."""
        before = f"{moment:%Y-%m-%dT%H:%M:%SZ}"
        entries = [{"identity": name, "issued_before": before} for name in NAMES]
        office = Office(self.place.options["ledger"], self.office.issuer)
        options = {name: value for name, value in self.place.options.items() if name != "ledger"}
        return office.settled(*entries, reason="key_compromise", **options, **said)

    def states(self, name: str = "web") -> list[tuple[t.Any, ...]]:
        """Return how the generations of an identity stand."""
        return self.place.read(
            "SELECT g.number, g.state FROM generations g JOIN identities i ON i.id = g.identity"
            f" WHERE i.name = '{name}' ORDER BY g.number"
        )


@pytest.fixture
def site(tmp_path: Path, place: Place) -> Site:
    made = Site(World(tmp_path), place)
    made.run()
    return made


def test_after_a_backup_everything_that_was_served_in_an_incident_is_revoked(site: Site) -> None:
    first = site.serials()
    site.back_up()
    site.run(made_before=from_now_on())
    second = site.serials()
    site.put_back()
    moment = from_now_on()
    site.run(made_before=moment)
    assert site.states() == [(1, "superseded"), (2, "superseded"), (3, "current")]
    site.revoke(moment, expect=6)
    assert site.revoked() == first | second
    assert not site.serials() & site.revoked()


def test_after_a_loss_everything_that_was_served_in_an_incident_is_revoked(site: Site) -> None:
    site.run(made_before=from_now_on())
    second = site.serials()
    site.lose()
    moment = from_now_on()
    site.run(made_before=moment)
    assert site.states() == [(2, "superseded"), (3, "current")]
    site.revoke(moment, expect=3)
    assert site.revoked() == second


@pytest.mark.parametrize(
    "then", [{"dns_names": ["new.example.org"]}, {"state": "absent"}, {"keep_generations": 1, "lifetime": "20d"}]
)
def test_whatever_replaces_or_removes_it_leaves_a_record(site: Site, then: dict[str, t.Any]) -> None:
    site.back_up()
    site.run(made_before=from_now_on())
    second = site.serials()
    site.put_back()
    moment = from_now_on()
    site.run(*site.declared(**then))
    site.revoke(moment, expect=6)
    assert second <= site.revoked()


def test_older_generations_that_the_store_keeps_are_written_down_as_well(site: Site) -> None:
    kept = site.declared(keep_generations=2)
    site.back_up()
    for _turn in range(2):
        site.run(*kept, made_before=from_now_on())
    served = {one.serial_number for one in site.world.issued()}
    site.put_back()
    moment = from_now_on()
    site.run(*kept, made_before=moment)
    assert site.states() == [*((number, "superseded") for number in (1, 2, 3)), (4, "current")]
    site.revoke(moment, expect=9)
    assert site.revoked() == served


def test_a_run_with_nothing_to_do_writes_down_older_generations_too(site: Site) -> None:
    kept = site.declared(keep_generations=2)
    for _turn in range(2):
        site.run(*kept, made_before=from_now_on())
    site.lose()
    site.run(*kept)
    assert site.states() == [(1, "superseded"), (2, "superseded"), (3, "current")]


def test_what_is_revoked_when_it_is_removed_is_recorded_as_revoked(site: Site) -> None:
    site.back_up()
    site.run(made_before=from_now_on())
    second = site.serials()
    site.put_back()
    gone = [{"name": name, "state": "absent", "revoke_on_absent": True} for name in NAMES]
    assert steps(site.run(*gone)["identities"][0]) == ["revoke", "destroy"]
    assert site.states() == [(1, "withdrawn"), (2, "revoked")]
    assert second == site.revoked()


def test_who_signed_is_asked_where_another_one_signs_by_now(site: Site) -> None:
    site.back_up()
    site.run(made_before=from_now_on())
    second = site.serials()
    site.put_back()
    local.authority(site.world.authorities, "another")
    moment = from_now_on()
    site.run(issuer=site.world.issuer("another"), issuers=[site.world.issuer()])
    site.revoke(moment, expect=6)
    assert second <= site.revoked()


def test_what_nobody_confirms_is_told_with_its_serial_number(site: Site) -> None:
    site.back_up()
    site.run(made_before=from_now_on())
    numbers = {f"{number:x}" for number in site.serials()}
    site.put_back()
    local.authority(site.world.authorities, "another")
    told = site.run(issuer=site.world.issuer("another"), again=False)["warnings"]
    assert len(told) == len(NAMES)
    assert all(any(number in one.replace(":", "") for one in told) for number in numbers)
    assert "generation 2" in told[0]
    assert site.states() == [(1, "superseded"), (3, "current")]


def test_a_key_whose_record_a_killed_run_began_is_replaced_and_recorded(site: Site) -> None:
    site.back_up()
    done = site.run(made_before=from_now_on())
    second = site.serials()
    site.put_back()
    moment = from_now_on()
    batch = Batch(site.world.host, str(site.world.store), {}, moment)
    ledger, issuer_id = site.place.open(), site.place.read("SELECT issuer_id FROM generations")[0][0]
    for one in done["identities"]:
        told = one["certificate"]
        begun = Intent(one["name"], 2, told["spki_sha256"], issuer_id, "ecdsa-p256", "{}")
        ledger.intend(batch, [begun._replace(found=told["fingerprint_sha256"])])
    ledger.close()
    site.run(made_before=moment)
    assert site.states() == [(1, "superseded"), (2, "superseded"), (3, "current")]
    site.revoke(moment, expect=6)
    assert second <= site.revoked()


@pytest.mark.needs("ssh")
def test_a_certificate_of_ssh_is_written_down_as_well(tmp_path: Path) -> None:
    world = World(tmp_path)
    local_ssh.issuer(world.authorities)
    issuer = {"local_ssh": {"directory": str(world.authorities), "authority": "ssh"}}
    one = {"name": "sshd", "kind": "ssh_host", "principals": ["web1.example.org"], "keep_generations": 1}
    world.settled([one], issuer=issuer)
    shutil.copy(world.ledger, tmp_path / "kept")
    for days in (14, 12):
        world.settled([{**one, "lifetime": f"{days}d"}], issuer=issuer)
    for path in tmp_path.glob("ledger.sqlite*"):
        path.unlink()
    shutil.copy(tmp_path / "kept", world.ledger)
    world.settled([{**one, "lifetime": "10d"}], issuer=issuer)
    found = world.query("SELECT number, state FROM generations ORDER BY number")
    assert found == [(1, "superseded"), (2, "superseded"), (3, "superseded"), (4, "current")]
