# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The issuer `openbao` in a playbook, against a real OpenBao: from the first credential to the last revocation."""

from __future__ import annotations

import json
import re
import sqlite3
import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness import openbao as make
from ansible_collections.keystead.identity.tests.harness import playbook
from ansible_collections.keystead.identity.tests.harness.in_process import World
from ansible_collections.keystead.identity.tests.unit.test_what_is_loaded import run_elsewhere
from cryptography import x509
from cryptography.hazmat.primitives import hashes

if t.TYPE_CHECKING:
    from pathlib import Path
    from subprocess import CompletedProcess

    from ansible_collections.keystead.identity.tests.harness.openbao_server import Server

pytestmark = pytest.mark.needs("openbao")
MODULE = "keystead.identity.machine_identity"
WEB = {"name": "web", "dns_names": ["web.example.org"]}


class Site:
    """A controller with a ledger, and a host with a store, whose identities an OpenBao signs."""

    def __init__(self, directory: Path, server: Server) -> None:
        self.directory, self.home, self.pki = directory, directory / "home", make.pki(server)
        self.options = self.pki.options(make.approle(self.pki))

    def run(self, *identities: dict[str, t.Any], openbao: dict[str, t.Any] | None = None, **said: t.Any) -> t.Any:
        """Run the task in a playbook, and return how it ended."""
        task = {
            "ledger": f"sqlite:////{str(self.directory / 'ledger.sqlite').lstrip('/')}",
            "store": str(self.directory / "store"),
            "issuer": {"openbao": {**self.options, **(openbao or {})}},
            "identities": list(identities),
            **said,
        }
        return playbook.run([{MODULE: task}], playbook.ONE_HOST, home=self.home)

    def changed(self, *identities: dict[str, t.Any], **said: t.Any) -> bool:
        """Run it; it must go well. Return whether it changed anything."""
        done: CompletedProcess[str] = self.run(*identities, **said)
        assert done.returncode == 0, done.stdout + done.stderr
        return bool(self.result()["changed"])

    def result(self) -> dict[str, t.Any]:
        """Return what the task returned."""
        return playbook.results(self.home)[-1]

    def refused(self, *identities: dict[str, t.Any], **said: t.Any) -> str:
        """Run it; it must fail. Return what it says."""
        done: CompletedProcess[str] = self.run(*identities, **said)
        assert done.returncode == 2, done.stdout + done.stderr
        assert "Traceback" not in done.stdout + done.stderr
        return str(self.result()["msg"])

    def certificate(self, name: str = "web") -> x509.Certificate:
        """Return what the host has."""
        path = self.directory / "store" / name / "current" / "certificate.pem"
        return x509.load_pem_x509_certificate(path.read_bytes())

    def is_revoked(self, certificate: x509.Certificate) -> bool:
        """Ask the server."""
        number = certificate.serial_number
        serial = number.to_bytes((number.bit_length() + 7) // 8, "big").hex(":")  # it leaves leading zeros out
        return bool(self.pki.call("GET", f"{self.pki.mount}/cert/{serial}")["data"]["revocation_time"])


@pytest.fixture
def site(openbao: Server, tmp_path: Path) -> Site:
    return Site(tmp_path, openbao)


def test_from_the_first_credential_to_the_last_revocation(site: Site) -> None:
    scoped = {"scope": "site", "purge": True}
    assert site.changed(WEB, {"name": "api", "dns_names": ["api.example.org"]}, **scoped)
    first = site.certificate()
    first.verify_directly_issued_by(
        x509.load_pem_x509_certificate((site.directory / "store/web/current/chain.pem").read_bytes())
    )
    asked = len(site.pki.server.audited())
    assert not site.changed(WEB, {"name": "api", "dns_names": ["api.example.org"]}, **scoped)
    assert len(site.pki.server.audited()) == asked, "it spoke to the server with nothing to do"

    renamed = {**WEB, "dns_names": ["web.example.org", "www.example.org"]}
    assert site.changed(renamed, **scoped)  # and api is purged
    second = site.certificate()
    assert second.serial_number != first.serial_number
    assert not (site.directory / "store/api/current").exists()

    assert site.changed({"name": "web", "state": "absent", "revoke_on_absent": True})
    assert site.is_revoked(second)
    assert site.result()["warnings"] == [
        "openbao: it keeps no reason of a revocation; cessation_of_operation is recorded as unspecified"
    ]
    assert not site.changed({"name": "web", "state": "absent", "revoke_on_absent": True})


def test_a_server_that_is_sealed_or_restarted_changes_no_host(site: Site) -> None:
    assert site.changed(WEB)
    server, before = site.pki.server, site.certificate()
    server.restart()
    try:
        assert not site.changed(WEB)  # nothing is to do, so nobody is asked
        said = site.refused({**WEB, "lifetime": "10d"})
        assert said == "web: openbao: it is sealed; unseal it and run again"
        assert site.certificate() == before
    finally:
        server.unseal()
    assert site.changed({**WEB, "lifetime": "10d"})


def test_a_token_that_ends_in_the_middle_of_a_batch_is_followed_by_another_login(site: Site) -> None:
    auth = make.approle(site.pki, token_num_uses=3)
    many = [{"name": f"n{number}", "dns_names": [f"n{number}.example.org"]} for number in range(5)]
    assert site.changed(*many, openbao={"auth": auth})
    paths = [one["request"]["path"] for one in site.pki.server.audited() if one["type"] == "request"]
    assert paths.count(f"auth/{auth['approle']['mount']}/login") == 2
    assert not site.changed(*many, openbao={"auth": auth})


def test_what_does_not_open_it_is_said_once_and_not_shown(site: Site) -> None:
    auth = {"approle": {**site.options["auth"]["approle"], "secret_id": "stale-7f"}}
    said = site.refused(WEB, openbao={"auth": auth})
    assert said == (
        "web: openbao: auth.approle: the server does not accept it (invalid role or secret ID); "
        "check role_id, secret_id and mount, and that neither was used up"
    )
    assert "stale-7f" not in (site.home / playbook.RESULTS).read_text(encoding="utf-8")
    assert not (site.directory / "store/web/current").exists()


def test_a_life_that_the_role_caps_is_what_it_is_and_is_said(site: Site) -> None:
    short = {"role": "short"}
    assert site.changed(WEB, openbao=short)
    assert any("is longer than permitted maxTTL" in one for one in site.result()["warnings"])
    assert not site.changed(WEB, openbao=short)


def test_a_life_that_would_be_due_at_once_is_an_error_and_no_loop(site: Site) -> None:
    for start in ("openbao: it grants web a life until", "openbao: it is not asked for web again before"):
        said = site.refused({**WEB, "renew_before": "2h"}, openbao={"role": "short"})
        assert start in said
        assert "it grants web a life until" in said
        assert "declare a shorter renew_before, or let the authority grant a longer life" in said
    assert not (site.directory / "store/web/current").exists()


@pytest.mark.parametrize(
    ("role", "words"),
    [
        (make.FOR_PEERS, "declare profile tls_peer, or set client_flag=false in role wrong; "),
        (make.FOR_CLIENTS, "or set server_flag=true and client_flag=false in role wrong; "),
        ({"organization": "Example", "ou": "Web"}, "declared one; leave ou, organization of role wrong empty; "),
    ],
)
def test_what_was_signed_and_refused_is_named_and_kept_with_what_to_change(
    site: Site, role: dict[str, t.Any], words: str
) -> None:
    site.pki.call("POST", f"{site.pki.mount}/roles/wrong", {**make.WEB, **role})
    auth = {"token": {"token": make.token(site.pki, "root")}}
    said = site.refused(WEB, openbao={"role": "wrong", "auth": auth})
    signed_it = r"what it signed has serial number ([0-9a-f:]+) and ends on .* UTC: revoke it there$"
    found = re.search(words + signed_it, said)
    assert found, said
    with sqlite3.connect(site.directory / "ledger.sqlite") as ledger:
        rows = ledger.execute(
            "SELECT g.state, g.credential_id, g.not_after > g.not_before, x.serial_number"
            " FROM generations g JOIN x509 x ON x.generation = g.id"
        ).fetchall()
    kept = site.pki.call("GET", f"{site.pki.mount}/cert/{found[1]}")["data"]["certificate"]
    signed = x509.load_pem_x509_certificate(kept.encode())
    assert rows == [("orphaned", signed.fingerprint(hashes.SHA256()).hex(), 1, f"{signed.serial_number:x}")]


def test_check_mode_asks_for_the_root_and_logs_nobody_in(site: Site) -> None:
    before = site.pki.server.audited()
    done = playbook.run(
        [{MODULE: {"issuer": {"openbao": site.options}, "store": str(site.directory / "s"),
                   "ledger": f"sqlite:////{str(site.directory / 'l.sqlite').lstrip('/')}", "identities": [WEB]},
          "check_mode": True}],
        playbook.ONE_HOST, "--diff", home=site.home,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert site.result()["changed"]
    assert "login" not in json.dumps([one["request"]["path"] for one in site.pki.server.audited()[len(before) :]])


UNREADABLE: dict[str, tuple[dict[str, t.Any], str]] = {
    "a JSON Web Token": ({"jwt": {"jwt_file": "/nope/x"}}, "auth.jwt.jwt_file /nope/x cannot be read"),
    "a token": ({"token": {"token_file": "/nope/x"}}, "auth.token.token_file /nope/x cannot be read"),
    "a variable": ({"token": {"token_env": "NO_SUCH_VARIABLE"}}, "auth.token.token_env: the environment has no such"),
    "a SecretID": (
        {"approle": {"role_id": "x", "secret_id_file": "/nope/x"}},
        "auth.approle.secret_id_file /nope/x cannot be read",
    ),
    "a certificate": (
        {"cert": {"certificate": "/nope/x", "private_key": "/nope/y"}},
        "auth.cert: certificate /nope/x and private_key /nope/y cannot be used",
    ),
}


@pytest.mark.one_core
@pytest.mark.parametrize("what", UNREADABLE)
def test_check_mode_says_what_cannot_be_read_on_the_controller_where_it_would_be(
    openbao: Server, tmp_path: Path, what: str
) -> None:
    world, pki = World(tmp_path), make.pki(openbao)
    auth, words = UNREADABLE[what]
    wrong = {"openbao": pki.options(auth=auth)}
    shown = world.converge([WEB], issuer=wrong, check=True)
    assert shown["failed"]
    assert f"openbao: {words}" in shown["msg"]
    assert not world.converge([WEB], issuer={"openbao": pki.options()}).get("failed")
    again = world.converge([WEB], issuer=wrong, check=True)
    assert (again["changed"], again.get("failed", False)) == (False, False), "nobody has to log in"


@pytest.mark.one_core
def test_a_run_with_nothing_to_do_loads_no_client(openbao: Server, tmp_path: Path) -> None:
    world, pki = World(tmp_path), make.pki(openbao)
    issuer = {"openbao": pki.options()}
    first = run_elsewhere(world, [WEB], issuer=issuer)
    assert first["result"]["changed"] is True
    assert "ssl" in first["loaded"], "else this test would see nothing"
    again = run_elsewhere(world, [WEB], issuer=issuer)
    assert (again["result"]["changed"], again["loaded"]) == (False, [])


def test_no_credential_comes_out_anywhere(openbao: Server, tmp_path: Path) -> None:
    pki, home = make.pki(openbao), tmp_path / "home"
    said = make.approle(pki)["approle"]
    ways = {
        "token": {"token": {"token": make.token(pki)}},
        "approle": {"approle": said},
        "wrapped": make.wrapped({"approle": {**said}}, pki),
        "jwt": make.jwt(pki),
        "wrong": {"approle": {**said, "secret_id": "wrong-Canary-1"}},
    }
    names = ("token", "secret_id", "wrapped_secret_id", "jwt")
    secrets = {
        f"{way}_{name}": value
        for way, auth in ways.items() for options in auth.values() for name, value in options.items() if name in names
    }  # fmt: skip
    file = tmp_path / "secrets.json"
    file.write_text(json.dumps(secrets), encoding="utf-8")

    def task(way: str) -> dict[str, t.Any]:
        ((kind, options),) = ways[way].items()
        hidden = {name: f"{{{{ {way}_{name} }}}}" if name in names else value for name, value in options.items()}
        openbao = pki.options({kind: hidden})
        return {
            MODULE: {
                "issuer": {"openbao": openbao},
                "store": str(tmp_path / "store"),
                "ledger": f"sqlite:////{str(tmp_path / 'ledger.sqlite').lstrip('/')}",
                "identities": [{"name": way, "dns_names": [f"{way}.example.org"]}],
            },
            "ignore_errors": way == "wrong",
        }

    environment = {"ANSIBLE_KEEP_REMOTE_FILES": "1", "ANSIBLE_LOG_PATH": str(tmp_path / "ansible.log")}
    arguments = ("-vvvv", "--diff", "-e", f"@{file}")
    done = playbook.run([task(way) for way in ways], playbook.ONE_HOST, *arguments, home=home, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [bool(one.get("msg")) for one in playbook.results(home)] == [False] * 4 + [True]
    left = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path != file]
    for place in (done.stdout.encode(), done.stderr.encode(), *left):
        assert not [name for name, secret in secrets.items() if secret.encode() in place]
        assert b"hvs." not in place
