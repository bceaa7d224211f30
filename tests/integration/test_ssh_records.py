# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the rest of the house makes of a host certificate of SSH: ledger, status, information, and a policy."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core import ssh
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied
from ansible_collections.keystead.identity.plugins.module_utils._options.cert_status import LOOKUP
from ansible_collections.keystead.identity.plugins.module_utils._options.common import COMMON
from ansible_collections.keystead.identity.plugins.module_utils._options.machine_identity import INFO
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.plugin_utils._action import Task
from ansible_collections.keystead.identity.plugins.plugin_utils._cert_status import tell
from ansible_collections.keystead.identity.plugins.plugin_utils._info import look
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated
from ansible_collections.keystead.identity.tests.harness import local_ssh
from ansible_collections.keystead.identity.tests.harness.in_process import World
from ansible_collections.keystead.identity.tests.unit.test_what_is_loaded import run_elsewhere

if t.TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.one_core
SSHD: dict[str, t.Any] = {"name": "sshd", "kind": "ssh_host", "principals": ["web1.example.org", "192.0.2.7"]}


class Site(t.NamedTuple):
    """A controller with an authority for SSH, and a host."""

    world: World
    issuer: t.Any

    @property
    def options(self) -> dict[str, t.Any]:
        """The option `issuer` of a task."""
        return {"local_ssh": {"directory": str(self.world.authorities), "authority": "ssh"}}

    def settled(self, **said: t.Any) -> dict[str, t.Any]:
        """Run the task, which must go well and leave nothing to do."""
        return self.world.settled([SSHD], issuer=self.options, **said)

    def content(self) -> bytes:
        """Return the certificate that the host has."""
        return ssh.encoded(self.world.path("sshd", "current", "certificate.pub").read_bytes())


@pytest.fixture
def site(tmp_path: Path) -> Site:
    world = World(tmp_path)
    made = Site(world, local_ssh.issuer(world.authorities))
    made.settled()
    return made


def test_the_ledger_has_what_it_says(site: Site) -> None:
    known, said = site.world.remembered("sshd"), ssh.parsed(site.content())
    assert (known.kind, known.certificate) == ("ssh_host", ssh.as_text(site.content()).decode())
    ((serial, subject, names),) = site.world.query("SELECT serial_number, subject, names FROM x509")
    assert (serial, subject) == (f"{said.serial_number:x}", "web1.example.org/sshd")
    assert json.loads(names) == {"dns": ["web1.example.org"], "ip": ["192.0.2.7"], "uri": [], "email": []}


def test_information_shows_it_and_finds_nothing_wrong(site: Site) -> None:
    said = {"ledger": site.world.url, "store": str(site.world.store)}
    args = validated(said, spec(COMMON, INFO), module="machine_identity_info")
    said = {"check": False, "diff": False, "execute": site.world.execute, "say": print}
    (one,) = look(args, Task(site.world.host, "site.yml", **said))["identities"]
    assert (one["failed"], one["findings"]) == (False, [])
    assert one["certificate"]["principals"] == SSHD["principals"]
    assert set(one["paths"]) == {"private_key", "public_key", "certificate"}


def test_the_lookup_says_how_it_stands(site: Site, tmp_path: Path) -> None:
    def asked(term: str = "sshd", **said: t.Any) -> dict[str, t.Any]:
        given = validated({**said, "part": "record"}, spec(LOOKUP), module="cert_status")
        ledger = {"ledger": site.world.url, "ledger_password": None, "ledger_password_file": None}
        (found,) = tell(ledger, [term], given, site.world.host)
        return t.cast("dict[str, t.Any]", found)

    live = {"check_status": "live", "issuers": [site.options]}
    path = tmp_path / "sshd-cert.pub"
    path.write_bytes(ssh.as_text(site.content()))
    assert (asked()["status"], asked()["source"]) == ("good", "ledger")
    assert (asked(**live)["status"], asked(str(path), **live)["source"]) == ("good", "issuer")
    site.issuer.revoke([site.content()], "key_compromise")
    assert asked()["status"] == "good", "the ledger has not heard of it"
    assert (asked(**live)["status"], asked(**live)["reason"]) == ("revoked", "key_compromise")
    silent = asked(check_status="live")
    assert silent["status"] == "unknown"
    assert "nothing is published of certificates of SSH" in silent["why"]


@pytest.mark.parametrize("part", ["private_key.pem", "public_key.pub", "certificate.pub"])
def test_a_part_that_was_changed_or_taken_away_is_replaced_with_all_others(site: Site, part: str) -> None:
    path = site.world.path("sshd", "current", part)
    path.write_bytes(path.read_bytes()[:40])
    record = site.settled()["identities"][0]
    assert record["steps"][0]["action"] == "stage_key"
    assert part in record["steps"][0]["reason"]
    site.world.path("sshd", "current", part).unlink()
    assert site.settled()["identities"][0]["steps"][0]["reason"] == f"{part} is missing from the current generation"


def test_live_status_hears_of_a_revocation_and_it_is_replaced(site: Site) -> None:
    before = site.content()
    assert site.world.converge([SSHD], issuer=site.options, check_status="live")["warnings"] == []
    site.issuer.revoke([before], "superseded")
    record = site.settled(check_status="live")["identities"][0]
    assert record["steps"][0]["reason"] == "it was revoked (superseded)"
    assert site.content() != before


def test_a_ledger_that_was_lost_learns_of_it_from_the_host_and_the_authority(site: Site) -> None:
    site.world.ledger.rename(site.world.directory / "lost.sqlite")
    (site.world.store / ".keystead.json").unlink()
    done = site.world.converge([SSHD], issuer=site.options)
    assert (done.get("failed"), done["changed"], done["warnings"]) == (None, False, [])
    assert site.world.remembered("sshd").certificate == ssh.as_text(site.content()).decode()


def test_an_answer_that_got_lost_is_found_again(site: Site) -> None:
    def dying(arguments: dict[str, t.Any]) -> t.Any:
        if arguments["phase"] == "install":
            raise KeyboardInterrupt
        return site.world.execute(arguments)

    due = {**SSHD, "lifetime": "10d"}
    with pytest.raises(KeyboardInterrupt):
        site.world.converge([due], issuer=site.options, execute=dying)
    signed = len(list(site.issuer.list_path.with_name("issued").iterdir()))
    done = site.world.settled([due], issuer=site.options)
    assert done["identities"][0]["generation"] == 2
    assert len(list(site.issuer.list_path.with_name("issued").iterdir())) == signed, "another one was signed"


def test_the_generation_before_is_gone_back_to(site: Site) -> None:
    first, kept = site.content(), {**SSHD, "keep_generations": 1}
    site.world.settled([{**kept, "lifetime": "10d"}], issuer=site.options)
    assert site.content() != first
    site.world.settled([{**kept, "lifetime": "10d", "generation": "previous"}], issuer=site.options)
    assert site.content() == first


def test_a_key_that_waits_in_another_form_gives_way(site: Site) -> None:
    def dying(arguments: dict[str, t.Any]) -> t.Any:
        answer = site.world.execute(arguments)
        if arguments["phase"] == "prepare":
            raise KeyboardInterrupt
        return answer

    with pytest.raises(KeyboardInterrupt):
        site.world.converge([{"name": "other", "dns_names": ["web1.example.org"]}], execute=dying)
    staged = site.world.path("other", "next", "private_key.pem").read_bytes()
    assert staged.startswith(b"-----BEGIN PRIVATE KEY-----")
    site.world.settled([{**SSHD, "name": "other"}], issuer=site.options)
    found = site.world.path("other", "current", "private_key.pem").read_bytes()
    assert found.startswith(b"-----BEGIN OPENSSH PRIVATE KEY-----")


def test_an_identity_never_changes_its_kind(site: Site) -> None:
    before = site.content()
    said = site.world.converge([{"name": "sshd", "dns_names": ["web1.example.org"]}])["msg"]
    assert "identities[sshd].kind: what is there is of kind ssh_host, declared is x509" in said
    assert site.content() == before


def test_a_policy_judges_principals_as_names(site: Site, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yml"
    rule = {"id": "ours", "because": "they are ours", "names": {"dns_names": ["*.example.com"]}}
    policy.write_text(json.dumps({"format": 1, "rules": [rule]}), encoding="utf-8")
    new = {**SSHD, "name": "other"}
    with pytest.raises(Denied, match=r"web1\.example\.org") as refused:
        site.world.converge([new], issuer=site.options, policy=str(policy))
    assert "ours" in str(refused.value)


def test_a_run_with_nothing_to_do_loads_nothing_heavy(site: Site) -> None:
    again = run_elsewhere(site.world, [SSHD], issuer=site.options)
    assert (again["result"]["changed"], again["loaded"]) == (False, [])
