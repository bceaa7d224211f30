# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""cert_revoke over a real OpenBao, and in a playbook: from the first credential to a list that says it is gone."""

from __future__ import annotations

import json
import time
import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness import faulty_proxy as faulty
from ansible_collections.keystead.identity.tests.harness import openbao as make
from ansible_collections.keystead.identity.tests.harness import playbook
from ansible_collections.keystead.identity.tests.harness.in_process import HOST, World, steps, web
from ansible_collections.keystead.identity.tests.harness.revoking import Office
from cryptography import x509

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.faulty_proxy import FaultyProxy
    from ansible_collections.keystead.identity.tests.harness.openbao import Pki
    from ansible_collections.keystead.identity.tests.harness.openbao_server import Server

pytestmark = pytest.mark.needs("openbao")
KEEPS_NONE = "openbao: it keeps no reason of a revocation; key_compromise is recorded as unspecified"


class Site:
    """A world whose identities an OpenBao signs, and where they are revoked."""

    def __init__(self, directory: Path, server: Server) -> None:
        self.pki: Pki = make.pki(server)
        self.issuer = {"openbao": self.pki.options(make.approle(self.pki))}
        self.world = World(directory)
        self.office = Office(self.world.url, self.issuer)

    def many(self, count: int) -> None:
        """Issue so many certificates."""
        declared = [{"name": f"n{number}", "dns_names": [f"n{number}.example.org"]} for number in range(count)]
        assert not self.world.converge(declared, issuer=self.issuer).get("failed")

    def permitted(self, rules: str) -> Office:
        """Return an office whose token may do more than a converger."""
        name = f"more-{self.pki.mount}"
        self.pki.call("PUT", f"sys/policies/acl/{name}", {"policy": rules})
        token = make.token(self.pki, self.pki.policy, name)
        return Office(self.world.url, {"openbao": self.pki.options({"token": {"token": token}})})

    def listed(self) -> set[int]:
        """Return the serial numbers of the list that is published."""
        said = self.pki.call("GET", f"{self.pki.mount}/cert/crl")["data"]["certificate"]
        return {one.serial_number for one in x509.load_pem_x509_crl(said.encode())}


@pytest.fixture
def site(openbao: Server, tmp_path: Path) -> Site:
    return Site(tmp_path, openbao)


def test_from_the_first_credential_to_its_revocation_and_its_replacement(site: Site) -> None:
    world, office = site.world, site.office
    world.one(web(), issuer=site.issuer)
    old = world.certificate()
    world.one(web(lifetime="20d"), issuer=site.issuer)
    done = office.settled({"serial_number": f"{old.serial_number:x}"}, reason="key_compromise")
    assert KEEPS_NONE in done["warnings"]
    assert (done["certificates"][0]["status"], done["certificates"][0]["reason"]) == ("revoked", "unspecified")
    assert site.listed() == {old.serial_number}
    assert "still delivered" in office.refusal({"identity": "web", "host": HOST})
    office.settled({"identity": "web", "host": HOST}, replaced_first=False)
    assert "issue" in steps(world.one(web(lifetime="20d"), issuer=site.issuer))


def test_what_was_revoked_there_by_others_is_taken_over(site: Site) -> None:
    site.world.one(web(), issuer=site.issuer)
    number = site.world.certificate().serial_number
    serial = number.to_bytes((number.bit_length() + 7) // 8, "big").hex(":")
    when = site.pki.call("POST", f"{site.pki.mount}/revoke", {"serial_number": serial})["data"]["revocation_time"]
    done = site.office.run({"serial_number": serial})
    assert (done["changed"], done["steps"], done["certificates"][0]["status"]) == (False, [], "revoked")
    found = site.world.query("SELECT CAST(strftime('%s', revoked_at) AS INTEGER) FROM generations WHERE number = 1")
    assert found == [(when,)]


def test_a_serial_number_that_the_ledger_does_not_know_is_looked_for_in_the_mount(site: Site, tmp_path: Path) -> None:
    elsewhere = World(tmp_path / "elsewhere")
    elsewhere.one(web(), issuer=site.issuer)
    outside = elsewhere.certificate()
    done = site.office.settled({"serial_number": f"{outside.serial_number:x}"}, reason="superseded")
    assert [(one["identity"], one["status"]) for one in done["certificates"]] == [(None, "revoked")]
    assert site.listed() == {outside.serial_number}


def test_a_mount_that_makes_its_list_at_every_call_is_said_once_and_what_helps(site: Site) -> None:
    site.many(3)
    office = site.permitted(f'path "{site.pki.mount}/config/crl" {{ capabilities = ["read"] }}')
    done = office.run({"host": HOST}, replaced_first=False)
    (advice,) = [one for one in done["warnings"] if "revocation list" in one]
    assert f"write auto_rebuild=true to {site.pki.mount}/config/crl" in advice
    assert len(site.listed()) == 3


def test_a_mount_that_makes_its_list_from_time_to_time_makes_it_once_after_all(site: Site, openbao: Server) -> None:
    site.many(60)
    mount = site.pki.mount
    site.pki.call("POST", f"{mount}/config/crl", {"auto_rebuild": True, "enable_delta": False})
    rules = f'path "{mount}/config/crl" {{ capabilities = ["read"] }}\n'
    office = site.permitted(rules + f'path "{mount}/crl/rotate" {{ capabilities = ["read"] }}')
    before = len(openbao.audited())
    done = office.run({"host": HOST}, replaced_first=False)
    assert not [one for one in done.get("warnings", []) if "list of mount" in one]
    asked = [one["request"]["path"] for one in openbao.audited()[before:] if one["type"] == "request"]
    assert asked.count(f"{mount}/crl/rotate") == 1
    assert len(site.listed()) == 60
    assert office.said == ["50 of 60 certificates revoked", "60 of 60 certificates revoked"]


def test_a_token_that_may_not_have_the_list_made_says_so_and_revokes_all_the_same(site: Site) -> None:
    site.many(2)
    mount = site.pki.mount
    site.pki.call("POST", f"{mount}/config/crl", {"auto_rebuild": True})
    office = site.permitted(f'path "{mount}/config/crl" {{ capabilities = ["read"] }}')
    done = office.run({"host": HOST}, replaced_first=False)
    (said,) = [one for one in done["warnings"] if "list of mount" in one]
    assert f"permit read on {mount}/crl/rotate" in said
    assert {one["status"] for one in done["certificates"]} == {"revoked"}


def test_a_server_that_is_gone_revokes_nothing_and_the_next_run_does(site: Site, openbao: Server) -> None:
    site.world.one(web(), issuer=site.issuer)
    openbao.seal()
    try:
        done = site.office.run({"identity": "web"}, replaced_first=False)
        assert done["failed"]
        assert "sealed" in done["msg"]
        assert (done["changed"], done["certificates"][0]["status"]) == (False, "unknown")
    finally:
        openbao.unseal()
    assert site.office.run({"identity": "web"}, replaced_first=False)["certificates"][0]["status"] == "revoked"


def test_a_playbook_revokes_by_module_defaults_and_check_mode_shows_the_same(site: Site, tmp_path: Path) -> None:
    world = site.world
    world.one(web(), issuer=site.issuer)
    old = world.certificate()
    world.one(web(lifetime="20d"), issuer=site.issuer)
    said = {
        "certificates": [{"serial_number": f"{old.serial_number:x}"}],
        "reason": "key_compromise", "issuer": site.issuer, "expect": 1,
    }  # fmt: skip
    play = {
        "hosts": "all",
        "gather_facts": False,
        "module_defaults": {"group/keystead.identity.identity": {"ledger": world.url}},
        "tasks": [{"keystead.identity.cert_revoke": said}],
    }
    written = f"---\n{json.dumps([play])}"  # as YAML: of JSON, ansible-core 2.18 does not know from which file it came
    home, results = tmp_path / "home", []
    for arguments in (("--check", "--diff"), ("--diff",), ()):
        done = playbook.run(written, playbook.ONE_HOST, *arguments, home=home)
        assert done.returncode == 0, done.stdout + done.stderr
        results += playbook.results(home)
        assert "Traceback" not in done.stdout + done.stderr
    shown, ran, again = results
    for name in ("changed", "steps", "diff", "matched"):
        assert shown[name] == ran[name]
    assert (ran["changed"], again["changed"]) == (True, False)
    assert ran["certificates"][0]["revoked_at"] == again["certificates"][0]["revoked_at"]
    (event, _ended) = site.office.events()
    assert event["actor"]["playbook"] == "playbook.yml"


@pytest.fixture
def behind(site: Site) -> t.Iterator[tuple[Office, FaultyProxy]]:
    """Issue 120 certificates through a proxy that can break the way; yield who revokes them by that way."""
    server = site.pki.server
    with faulty.before(server.url, server.ca_bundle, server.authority) as proxy:
        way = {**site.issuer["openbao"], "url": proxy.url, "timeout": "2s"}
        site.issuer = {"openbao": way}
        site.many(120)
        yield Office(site.world.url, site.issuer), proxy


def test_a_server_that_hangs_is_not_waited_for_once_a_certificate(behind: tuple[Office, FaultyProxy]) -> None:
    office, proxy = behind
    proxy.fail(faulty.hang)
    began = time.monotonic()
    done = office.run({"host": HOST}, replaced_first=False)
    assert time.monotonic() - began < 20
    assert (done["failed"], done["changed"], len(done["certificates"])) == (True, False, 120)
    assert office.events() == []
    proxy.heal()
    assert office.run({"host": HOST}, replaced_first=False)["certificates"][119]["status"] == "revoked"


def test_what_was_revoked_and_whose_answer_got_lost_is_taken_over_by_the_next_run(
    site: Site, behind: tuple[Office, FaultyProxy]
) -> None:
    office, proxy = behind
    begun = len(site.pki.server.audited())
    proxy.fail(faulty.after(60, faulty.lose), f"POST /v1/{site.pki.mount}/revoke")
    done = office.run({"host": HOST}, replaced_first=False)
    assert done["failed"]
    assert sum(one["status"] == "revoked" for one in done["certificates"]) == 60
    proxy.heal()
    again = office.run({"host": HOST}, replaced_first=False)
    assert not again.get("failed"), again["msg"]
    assert {one["status"] for one in again["certificates"]} == {"revoked"}
    assert len(again["steps"]) == 20, "the rest of that part was revoked, and nobody heard of it"
    calls = [one["request"]["path"] for one in site.pki.server.audited()[begun:] if one["type"] == "request"]
    assert calls.count(f"{site.pki.mount}/revoke") == 120
    assert len(site.listed()) == 120


def test_who_found_a_key_revokes_what_has_it_and_nothing_else(site: Site, tmp_path: Path) -> None:
    world = site.world
    world.one(web(), issuer=site.issuer)
    old, leaked, api = world.certificate(), tmp_path / "leaked.pem", {"name": "api", "dns_names": ["api.example.org"]}
    leaked.write_bytes(world.path("web", "current", "private_key.pem").read_bytes())
    world.converge([web(lifetime="20d"), api], issuer=site.issuer)
    rights = f'path "{site.pki.mount}/revoke-with-key" {{ capabilities = ["update"] }}'
    site.pki.call("PUT", f"sys/policies/acl/key-{site.pki.mount}", {"policy": rights})
    token = make.token(site.pki, f"key-{site.pki.mount}")
    finder = Office(world.url, {"openbao": site.pki.options({"token": {"token": token}})})
    named = {"serial_number": f"{old.serial_number:x}"}
    (refused,) = finder.run(named)["certificates"]
    assert "permission denied" in refused["msg"]
    assert "leaked.pem is not the key of" in finder.refusal({"identity": "api"}, private_key_file=str(leaked))
    done = finder.settled(named, private_key_file=str(leaked))
    assert (done["certificates"][0]["status"], done["changed"]) == ("revoked", True)
    assert old.serial_number in site.listed()


def test_a_key_that_is_none_or_that_nobody_takes_is_refused_before_anything_is_revoked(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.one(web())
    key, old = tmp_path / "leaked.pem", world.certificate()
    key.write_bytes(world.path("web", "current", "private_key.pem").read_bytes())
    world.one(web(lifetime="20d"))
    office, named = Office(world.url, world.issuer()), {"serial_number": f"{old.serial_number:x}"}
    assert "takes no key; leave it out" in office.refusal(named, private_key_file=str(key))
    assert "cannot be read on the controller (No such file" in office.refusal(named, private_key_file="/nowhere")
    key.write_text("-----BEGIN PRIVATE KEY-----", encoding="ascii")
    said = office.refusal(named, private_key_file=str(key))
    assert f"{key} holds no private key in PEM without a passphrase; write one that does" in said
