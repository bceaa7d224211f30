# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The role `authority` with a real nginx: what it shows is what openssl and check_status: live decide by."""

from __future__ import annotations

import shutil
import socket
import stat
import subprocess
import typing as t
from dataclasses import dataclass

import pytest
from ansible_collections.keystead.identity.tests.harness import playbook
from ansible_collections.keystead.identity.tests.harness.consumers import free_port
from ansible_collections.keystead.identity.tests.harness.in_process import World, reason, web
from ansible_collections.keystead.identity.tests.harness.list_server import ListServer
from ansible_collections.keystead.identity.tests.integration.test_docsite import exchanged, marked
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

if t.TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.needs("nginx", "openssl", "root")]

LIVE = {"check_status": "live"}
ROLE = "keystead.identity.authority"
Run = subprocess.CompletedProcess[str]


@dataclass
class Site:
    """A controller with a root, and a host with an nginx."""

    directory: Path
    server: ListServer

    @property
    def authorities(self) -> Path:
        """Where authorities are."""
        return self.directory / "authorities"

    @property
    def configuration(self) -> Path:
        """What nginx is told."""
        return self.server.snippets / "keystead-127.0.0.1.conf"

    def ran(
        self, *tasks: dict[str, t.Any], roles: t.Sequence[dict[str, t.Any]] = (), args: t.Sequence[str] = ()
    ) -> Run:
        """Run a play."""
        ledger = {"ledger": f"sqlite:///{self.directory}/ledger.db"}
        play = {
            "hosts": "all", "gather_facts": False, "module_defaults": {"group/keystead.identity.identity": ledger},
            "tasks": list(tasks), "roles": list(roles),
        }  # fmt: skip
        return playbook.run([play], {"web1": {}}, *args, home=self.directory / "home")

    def role(self, *args: str, name: str = "issuing", **said: t.Any) -> Run:
        """Run the role."""
        variables = {
            "authority_name": name, "authority_directory": str(self.authorities), "authority_parent": {"name": "root"},
            **self.server.variables(), **said,
        }  # fmt: skip
        return self.ran(roles=[{"role": ROLE, "vars": variables}], args=args)

    def changed(self, *args: str, **said: t.Any) -> int:
        """Run the role, which ends well, and return how many tasks changed something."""
        done = self.role(*args, **said)
        assert done.returncode == 0, done.stdout + done.stderr
        return playbook.recap(done)["web1"]["changed"]

    def pair(self) -> dict[str, t.Any]:
        """Have a certificate issued, and return where its files are, as `adopt` names them."""
        issuer = {"local": {"directory": str(self.authorities), "authority": "issuing"}}
        options = {"issuer": issuer, "identities": [web()], "store": str(self.directory / "store")}
        done = self.ran({"name": "issue", "keystead.identity.machine_identity": options})
        assert done.returncode == 0, done.stdout + done.stderr
        paths = {part: self.directory / f"{part}.pem" for part in ("private_key", "certificate", "chain")}
        for part, path in paths.items():
            path.write_bytes((self.directory / "store/web/current" / f"{part}.pem").read_bytes())
            path.chmod(0o600)
        return {part: str(path) for part, path in paths.items()}

    def revoke(self) -> None:
        """Revoke it."""
        issuer = {"local": {"directory": str(self.authorities), "authority": "issuing"}}
        options = {"certificates": [{"identity": "web"}], "issuer": issuer, "replaced_first": False}
        done = self.ran({"name": "revoke", "keystead.identity.cert_revoke": {**options, "reason": "key_compromise"}})
        assert done.returncode == 0, done.stdout + done.stderr

    def verdict(self, certificate: str) -> str:
        """Return what openssl says, which fetches the list where the certificate says that it is."""
        root, issuing = (self.authorities / name / "certificate.pem" for name in ("root", "issuing"))
        check = ["openssl", "verify", "-crl_check", "-crl_download", "-CAfile", root, "-untrusted", issuing]
        done = subprocess.run([*check, certificate], check=False, capture_output=True, text=True, timeout=60)
        return done.stdout + done.stderr

    def shown(self, name: str = "issuing") -> x509.CertificateRevocationList:
        """Return the list that nginx shows, which is that of the authority, as the certificate beside it is."""
        status, kind, content = self.server.get(f"/lists/{name}.crl")
        assert (status, kind) == (200, "application/pkix-crl")
        assert content == (self.authorities / name / "crl.der").read_bytes()
        status, kind, certificate = self.server.get(f"/lists/{name}.cer")
        assert (status, kind) == (200, "application/pkix-cert")
        pem = (self.authorities / name / "certificate.pem").read_bytes()
        assert x509.load_der_x509_certificate(certificate).public_bytes(Encoding.PEM) == pem
        return x509.load_der_x509_crl(content)


@pytest.fixture
def site(tmp_path: Path) -> t.Iterator[Site]:
    """Return a site whose nginx shows nothing yet."""
    with ListServer(tmp_path / "nginx").running() as server:
        made = Site(tmp_path, server)
        root = {"name": "root", "directory": str(made.authorities)}
        done = made.ran({"name": "root", "keystead.identity.certificate_authority": root})
        assert done.returncode == 0, done.stdout + done.stderr
        yield made


def test_a_revoked_certificate_is_revoked_for_openssl_and_for_a_live_run_elsewhere(site: Site, tmp_path: Path) -> None:
    before = {path for path in tmp_path.rglob("*") if "home" not in path.parts}
    assert site.changed("--check", "--diff") > 0
    assert {path for path in tmp_path.rglob("*") if "home" not in path.parts} == before
    assert site.changed() > 0
    assert site.changed() == 0
    assert site.changed("--check") == 0
    assert len(site.shown()) == 0

    pair, elsewhere = site.pair(), World(tmp_path / "elsewhere")
    assert site.verdict(pair["certificate"]).endswith("certificate.pem: OK\n")
    assert elsewhere.settled([web(adopt=pair)])["changed"]
    calm = elsewhere.settled([web(adopt=pair)], **LIVE)
    assert (calm["changed"], calm["warnings"]) == (False, [])

    site.revoke()
    assert site.verdict(pair["certificate"]).endswith("certificate.pem: OK\n"), "nobody has brought the new list yet"
    assert site.changed("--check") == 1
    assert site.changed() == 1
    assert site.changed() == 0
    assert len(site.shown()) == 1
    assert "certificate revoked" in site.verdict(pair["certificate"])
    (done,) = elsewhere.foreseen([web(adopt=pair)], **LIVE)["identities"]
    assert reason(done) == "it was revoked (key_compromise)"


def test_what_it_writes_belongs_to_root_and_nobody_else_may_change_it(site: Site) -> None:
    site.changed()
    www = site.server.directory / "www"
    found = {path: path.stat() for path in (www, *www.rglob("*"), site.configuration)}
    assert {(one.st_uid, one.st_gid) for one in found.values()} == {(0, 0)}
    modes = {stat.S_IMODE(one.st_mode) for path, one in found.items() if path.is_dir()}
    assert modes == {0o755}
    assert {stat.S_IMODE(one.st_mode) for path, one in found.items() if path.is_file()} == {0o644}
    assert sorted(path.name for path in www.rglob("*") if path.is_file()) == ["issuing.cer", "issuing.crl"]
    for path in ("/", "/lists/", "/lists/.issuing.crl", "/lists/issuing.pem", "/lists/../nginx.conf"):
        assert site.server.get(path)[0] in (400, 404), path


def test_a_list_is_renewed_before_it_ends_and_brought_to_the_host(site: Site) -> None:
    site.changed()
    first = site.shown()
    assert site.changed(authority_crl_lifetime="1d") == 2, "the authority has another list, and the host gets it"
    assert site.changed(authority_crl_lifetime="1d") == site.changed() == 0
    second = site.shown()
    numbers = [one.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number for one in (first, second)]
    assert numbers == [1, 2]


def test_two_authorities_share_a_host_name(site: Site) -> None:
    site.changed()
    assert site.changed(name="other") > 0
    assert site.changed(name="other") == site.changed() == 0
    assert site.shown().issuer != site.shown("other").issuer


def test_what_nginx_refuses_is_put_back_and_what_it_shows_stays(site: Site) -> None:
    wrong = {"authority_nginx_listen": [f"127.0.0.1:{site.server.port}", "nowhere:none"]}

    def refused() -> None:
        done = site.role(**wrong)
        said = (done.stdout + done.stderr).replace("\\", "")
        assert done.returncode == 2, said
        assert "authority: nginx refuses " in said
        assert 'in "nowhere:none" of the "listen" directive' in said

    refused()
    assert not site.configuration.exists()
    site.changed()
    kept = site.configuration.read_bytes()
    refused()
    assert site.configuration.read_bytes() == kept
    assert sorted(path.name for path in site.server.snippets.iterdir()) == [site.configuration.name]
    site.server.reload()
    assert len(site.shown()) == 0
    assert site.changed() == 0


def test_a_run_that_was_killed_before_the_reload_is_made_good(site: Site) -> None:
    site.changed()
    site.server.forget()
    assert site.changed() > 0
    assert len(site.shown()) == 0
    assert site.changed() == 0


def test_what_is_not_shown_is_an_error_that_says_where_to_look(site: Site) -> None:
    (site.server.snippets / "a.conf").write_text(
        f"server {{ listen 127.0.0.1:{site.server.port}; server_name 127.0.0.1; }}", encoding="utf-8"
    )
    site.server.reload()
    done = site.role()
    assert done.returncode == 2, done.stdout
    assert "and that no other server has this name" in done.stdout + done.stderr


@pytest.mark.parametrize(
    "wrong",
    [
        {"authority_url": "https://pki.example.org"}, {"authority_url": "http://a;b/"},
        {"authority_url": "http://pki.example.org/../x"}, {"authority_url": "http://pki.example.org/a b"},
        {"authority_url": "http://pki.example.org/x?y=1"}, {"authority_url": "http://pki.example.org/x#y"},
        {"authority_url": "http://u:p@pki.example.org/x"}, {"authority_url": "http://pki.example.org:65536/x"},
        {"name": "two words"},
    ],
)  # fmt: skip
def test_a_url_that_cannot_be_shown_is_refused_before_anything_is_made(site: Site, wrong: dict[str, str]) -> None:
    done = site.role(**wrong)
    assert done.returncode == 2, done.stdout
    assert "write for example http://pki.example.org/" in done.stdout + done.stderr
    assert sorted(path.name for path in site.authorities.iterdir() if not path.name.startswith(".")) == ["root"]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"authority_url": "http://127.0.0.1:1/lists"}, "at port 1, and authority_nginx_listen, which is 127.0.0.1:"),
        ({"authority_url": "http://127.0.0.1/lists"}, "at port 80, and authority_nginx_listen, which is 127.0.0.1:"),
        ({"authority_nginx_listen": []}, "option authority_nginx_listen: the list is empty"),
    ],
)
def test_what_nobody_listens_for_is_refused_before_anything_is_made(
    site: Site, wrong: dict[str, t.Any], told: str
) -> None:
    done = site.role(**wrong)
    assert done.returncode == 2, done.stdout
    assert told in said(done)
    assert sorted(path.name for path in site.authorities.iterdir() if not path.name.startswith(".")) == ["root"]


def test_something_else_may_take_requests_and_hand_them_on(site: Site) -> None:
    site.changed(authority_url="http://127.0.0.1/lists", authority_proxied=True)
    assert len(site.shown()) == 0


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"authority_nginx_command": ["/no/nginx"]}, "option authority_nginx_command: /no/nginx cannot be run"),
        ({"authority_nginx_directory": "/no/place"}, "option authority_nginx_directory: /no/place is no directory"),
    ],
)
def test_a_host_without_nginx_is_told_what_to_set(site: Site, wrong: dict[str, t.Any], told: str) -> None:
    for check in ([], ["--check"]):
        done = site.role(*check, **wrong)
        assert done.returncode == 2, done.stdout
        assert told in said(done)
        assert "authority_nginx_install" in said(done)
    foreseen = site.role("--check", **wrong, authority_nginx_install=True, authority_nginx_package="nginx")
    assert told not in said(foreseen)


def test_what_a_killed_run_left_is_tested_by_the_next_one_although_it_changes_nothing(site: Site) -> None:
    site.changed()
    site.server.forget()
    with site.configuration.open("a", encoding="utf-8") as file:
        file.write("nonsense;\n")
    told = site.configuration.read_bytes()
    (site.server.snippets / "other.conf").write_bytes(told)
    site.configuration.write_bytes(told.removesuffix(b"nonsense;\n"))
    done = site.role()
    assert done.returncode == 2, done.stdout
    assert "nginx refuses its configuration, of which this run has changed nothing" in said(done)
    assert 'unknown directive "nonsense"' in said(done)
    (site.server.snippets / "other.conf").unlink()
    site.changed()
    assert len(site.shown()) == 0


def test_every_place_where_it_listens_is_asked(site: Site) -> None:
    port = free_port()
    listen = [f"127.0.0.1:{site.server.port}", f"127.0.0.1:{port}"]
    site.changed()
    told = site.configuration.read_text(encoding="utf-8")
    site.configuration.write_text(
        told.replace(f"listen {listen[0]};", "".join(f"listen {one};\n    " for one in listen).rstrip()),
        encoding="utf-8",
    )  # as a run left it that was killed before the reload
    assert site.changed(authority_nginx_listen=listen) > 0
    with socket.create_connection(("127.0.0.1", port), 5):
        pass
    assert site.changed(authority_nginx_listen=listen) == 0


def test_a_handler_of_the_play_takes_the_place_of_none_of_the_role(site: Site) -> None:
    variables = {
        "authority_name": "issuing", "authority_directory": str(site.authorities), "authority_parent": {"name": "root"},
        **site.server.variables(),
    }  # fmt: skip
    ledger = {"ledger": f"sqlite:///{site.directory}/ledger.db"}
    play = {
        "hosts": "all", "gather_facts": False, "module_defaults": {"group/keystead.identity.identity": ledger},
        "roles": [{"role": ROLE, "vars": variables}],
        "handlers": [{"name": name, "ansible.builtin.debug": {"msg": "of the play"}} for name in ("Reload nginx",)],
    }  # fmt: skip
    done = playbook.run([play], {"web1": {}}, home=site.directory / "home")
    assert done.returncode == 0, done.stdout
    assert "The nginx of keystead.identity.authority reads what it is told" in done.stdout
    assert len(site.shown()) == 0


def test_two_authorities_of_one_host_name_cannot_have_two_servers(site: Site) -> None:
    variables = [
        {"authority_name": name, "authority_directory": str(site.authorities), "authority_parent": {"name": "root"},
         **site.server.variables(), "authority_web_root": str(site.directory / name)}
        for name in ("one", "two")
    ]  # fmt: skip
    done = site.ran(roles=[{"role": ROLE, "vars": each} for each in variables])
    assert done.returncode == 2, done.stdout
    assert "is not what another authority on 127.0.0.1 has in this run; give all of one host name" in said(done)


def test_a_list_of_a_restored_authority_never_goes_back_on_a_web_server(site: Site) -> None:
    site.changed()
    here, backup = site.authorities / "issuing", site.directory / "backup"
    shutil.copytree(here, backup)
    site.pair()
    site.revoke()
    site.changed()
    before = site.shown()
    shutil.rmtree(here)
    shutil.copytree(backup, here)
    (site.directory / "ledger.db").unlink()  # so that the web server alone knows
    done = site.role()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "is older than what is known of it elsewhere, as if it had been restored from a backup" in said(done)
    after = site.shown()
    numbers = [one.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number for one in (before, after)]
    assert numbers[0] < numbers[1]
    assert [one.serial_number for one in before] == [one.serial_number for one in after]
    assert site.changed() == 0


def said(done: Run) -> str:
    """Return what a run said, on one line."""
    return " ".join((done.stdout + done.stderr).replace("\\n", " ").replace("\\", "").split())


def test_the_play_of_the_guide_does_what_it_says(site: Site) -> None:
    (play,) = (shown for (shown,) in marked("revocation_lists", "fragment"))
    root, secret = site.directory / "srv", site.directory / "srv" / "passphrase"
    root.mkdir()
    secret.write_text("open sesame\n", encoding="ascii")
    made = {"name": "root", "directory": str(root / "authorities"), "passphrase_file": str(secret)}
    done = site.ran({"name": "root", "keystead.identity.certificate_authority": made})
    assert done.returncode == 0, done.stdout + done.stderr
    url = site.server.url.removesuffix("/lists")
    play = exchanged(play, {"/srv/keystead": str(root), "http://pki.example.org": url})
    here = {**site.server.variables(), "authority_nginx_install": False, "authority_url": url}
    ledger = {"keystead_ledger": f"sqlite:///{site.directory}/ledger.db"}
    for changes in (True, False):
        told = {**play, "hosts": "all", "become": False, "vars": ledger}
        told["roles"] = [{**play["roles"][0], "vars": {**play["roles"][0]["vars"], **here}}]
        done = playbook.run([told], {"web1": {}}, home=site.directory / "home")
        assert done.returncode == 0, done.stdout + done.stderr
        assert (playbook.recap(done)["web1"]["changed"] > 0) is changes
    assert site.server.get("/shop.crl")[:2] == (200, "application/pkix-crl")


def test_without_a_url_there_is_only_the_authority(site: Site) -> None:
    assert site.changed(authority_url="") == 1
    assert (site.authorities / "issuing" / "crl.der").exists()
    assert not list(site.server.snippets.iterdir())
