# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A real nginx whose key is in a token: first issue, renewal, and a configuration that it refuses."""

from __future__ import annotations

import hashlib
import os
import signal
import socket
import ssl
import time
import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness import playbook
from ansible_collections.keystead.identity.tests.harness.consumers import free_port
from ansible_collections.keystead.identity.tests.harness.local import authority
from ansible_collections.keystead.identity.tests.harness.softhsm import MODULE, PIN, SoftHsm

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.needs("nginx", "softhsm", "pkcs11-tool", "python-pkcs11", "engine-pkcs11")
ISSUED = ["stage_key", "issue", "publish"]
TOKEN = "web"
CONFIGURATION = """
user {user};
worker_processes 2;
pid {here}/nginx.pid;
error_log {here}/error.log;
env SOFTHSM2_CONF;
ssl_engine pkcs11;
events {{}}
http {{
  access_log off;
  {paths}
  server {{
    listen 127.0.0.1:{port} ssl;
    include {here}/tls.conf;
  }}
}}
"""
ENGINE = """
openssl_conf = openssl_init
[openssl_init]
engines = engines
[engines]
pkcs11 = pkcs11
[pkcs11]
engine_id = pkcs11
MODULE_PATH = {module}
"""


class Site:
    """A host with a token and nginx, and a controller with an authority, all below `directory`."""

    def __init__(self, directory: Path) -> None:
        import getpass

        self.directory, self.home, self.port = directory, directory / "home", free_port()
        self.here = directory / "nginx"
        self.here.mkdir()
        authority(directory / "authorities", "issuing")
        self.hsm = SoftHsm(directory)
        self.hsm.add(TOKEN)
        self.pin = directory / "pin"
        self.pin.touch(0o600)
        self.pin.write_text(PIN, encoding="utf-8")
        (directory / "openssl.cnf").write_text(ENGINE.format(module=MODULE), encoding="utf-8")
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        paths = "".join(f"{kind}_temp_path {self.here}/{kind};" for kind in kinds)
        self.configuration = CONFIGURATION.format(user=getpass.getuser(), here=self.here, port=self.port, paths=paths)
        self.configure(self.configuration)

    @property
    def environment(self) -> dict[str, str]:
        """What nginx and the task are started with: where the token is, and which engine reads it."""
        return {**self.hsm.environment, "OPENSSL_CONF": str(self.directory / "openssl.cnf")}

    def configure(self, text: str) -> None:
        (self.here / "nginx.conf").write_text(text, encoding="utf-8")

    def run(self, *names: str, **said: t.Any) -> dict[str, t.Any]:
        """Run the play as people write it: the identity first, then nginx is started where it does not run."""
        nginx = ["nginx", "-e", f"{self.here}/error.log", "-c", f"{self.here}/nginx.conf"]
        token = {"module_path": MODULE, "token_label": TOKEN, "pin_file": str(self.pin)}
        identity = {
            "name": "web",
            "dns_names": list(names),
            "key": {"custody": {"pkcs11": token}},
            "links": {f"{self.here}/tls.conf": "nginx_tls"},
            "activate": {"command": [*nginx, "-s", "reload"], "only_if": ["test", "-s", f"{self.here}/nginx.pid"]},
            "prove": {"host": "127.0.0.1", "port": self.port},
        }
        task = {
            "ledger": f"sqlite:////{str(self.directory / 'ledger.sqlite').lstrip('/')}",
            "store": str(self.directory / "store"),
            "issuer": {"local": {"directory": str(self.directory / "authorities"), "authority": "issuing"}},
            "identities": [identity],
        }
        start = {"ansible.builtin.command": {"argv": nginx, "creates": f"{self.here}/nginx.pid"}}
        done = playbook.run(
            [{"keystead.identity.machine_identity": task}, start], home=self.home, env=self.environment, **said
        )
        assert "Traceback" not in done.stdout + done.stderr
        assert PIN not in done.stdout + done.stderr
        self.code, self.said = done.returncode, done.stdout + done.stderr
        return t.cast("dict[str, t.Any]", playbook.results(self.home)[0]["identities"][0])

    def served(self, name: str) -> str:
        """Return the SHA-256 of what nginx serves after a handshake, for which it has signed with the token's key."""
        context = ssl.create_default_context(cafile=str(self.directory / "authorities" / "issuing" / "certificate.pem"))
        until = time.monotonic() + 5
        while True:
            try:
                with (
                    socket.create_connection(("127.0.0.1", self.port), 5) as connection,
                    context.wrap_socket(connection, server_hostname=name) as tls,
                ):
                    return hashlib.sha256(tls.getpeercert(binary_form=True) or b"").hexdigest()
            except OSError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)

    def keys(self) -> int:
        """Return how many private keys pkcs11-tool sees in the token."""
        return self.hsm.tool(TOKEN, "--list-objects", "--type", "privkey").count("Private Key Object")

    def stop(self) -> None:
        """End nginx."""
        path = self.here / "nginx.pid"
        if path.exists():
            os.kill(int(path.read_text(encoding="ascii")), signal.SIGTERM)
            while path.exists():
                time.sleep(0.05)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    there = Site(tmp_path)
    try:
        yield there
    finally:
        there.stop()


def test_nginx_serves_with_a_key_in_the_token_and_keeps_it_when_it_refuses_the_next(site: Site) -> None:
    first = site.run("web.example.org")
    assert site.code == 0, site.said
    assert [step["action"] for step in first["steps"]] == [*ISSUED, "link", "activate", "prove"]
    assert site.served("web.example.org") == first["certificate"]["fingerprint_sha256"]
    assert (site.run("web.example.org")["changed"], site.code, site.keys()) == (False, 0, 1)

    second = site.run("web.example.org", "www.example.org")
    assert [step["action"] for step in second["steps"]] == [*ISSUED, "activate", "prove", "destroy"]
    assert site.served("www.example.org") == second["certificate"]["fingerprint_sha256"]
    assert site.keys() == 1

    site.configure(site.configuration.replace("worker_processes", "worker_processe"))
    third = site.run("api.example.org")
    assert (site.code, third["failed"], third["generation"]) == (2, True, 2)
    assert "rolled back to generation 2" in third["msg"]
    assert site.served("www.example.org") == second["certificate"]["fingerprint_sha256"]

    site.configure(site.configuration)
    assert "issue" in [step["action"] for step in site.run("api.example.org")["steps"]]
    assert site.served("api.example.org")
    assert site.keys() == 1


def test_a_line_feed_after_the_pin_is_refused_before_nginx_tries_it(site: Site) -> None:
    site.pin.write_text(f"{PIN}\n", encoding="utf-8")
    refused = site.run("web.example.org")
    assert refused["msg"].startswith(f"host: pin_file {site.pin} has a line feed after the PIN")
    assert (site.code, site.keys()) == (2, 0)
