# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A real nginx on one of the hosts as the consumer: first issue, a renewal that it serves, and one that it refuses."""

from __future__ import annotations

import hashlib
import ssl
import typing as t

import pytest
from ansible_collections.keystead.identity.tests.e2e.site import identity, served

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.e2e.site import Site
    from ansible_collections.keystead.identity.tests.harness.ssh_hosts import Host

pytestmark = pytest.mark.needs("root", "netns", "ip", "ssh", "sshd", "sudo", "nginx", "openssl")

SHOP = "/var/lib/shop"
PORT = 8443
NGINX = ["nginx", "-e", f"{SHOP}/error.log", "-c", f"{SHOP}/nginx.conf"]
CONFIGURATION = f"""
user deploy shop;
worker_processes 1;
pid {SHOP}/nginx.pid;
error_log {SHOP}/error.log;
events {{}}
http {{
  access_log off;
  {"".join(f"{kind}_temp_path {SHOP}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))}
  server {{
    listen {PORT} ssl;
    ssl_certificate {SHOP}/web.pem;
    ssl_certificate_key {SHOP}/web.key;
  }}
}}
"""


ISSUED = ("stage_key", "issue", "publish")


def configure(host: Host, text: str) -> None:
    directory = host.directory / "lib" / "shop"
    directory.mkdir(exist_ok=True)
    (directory / "nginx.conf").write_text(text, encoding="utf-8")


def fingerprint(host: Host, root: Path, name: str) -> str:
    """Return the SHA-256 of the certificate that the controller is shown, in hexadecimal."""
    shown = served(host.address, PORT, root, name)
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(shown)).hexdigest()


def play(site: Site, *names: str) -> dict[str, t.Any]:
    """Return a play as people write it: the identity first, then the service is started where it does not run."""
    web = identity(
        "web",
        links={f"{SHOP}/web.pem": "fullchain", f"{SHOP}/web.key": "private_key"},
        activate={"command": [*NGINX, "-s", "reload"], "only_if": ["test", "-s", f"{SHOP}/nginx.pid"]},
        prove={"port": PORT},
    )
    written = site.play({**web, "dns_names": list(names)})
    start = {"ansible.builtin.command": {"argv": NGINX, "creates": f"{SHOP}/nginx.pid"}}
    written["tasks"].append(start)
    return {**written, "hosts": "web2"}


def test_nginx_serves_what_it_accepts_and_what_it_had_when_it_refuses(site: Site) -> None:
    host = site.fleet.hosts["web2"]
    root = site.authorities / "root" / "certificate.pem"

    def steps(*names: str) -> list[str]:
        """Run for these names; check that they are served, and say what was done."""
        done = site.run(play(site, *names))
        assert done.returncode == 0, done.stdout
        (record,) = site.records("web2")
        for name in names:
            assert fingerprint(host, root, name) == record["certificate"]["fingerprint_sha256"]
        return [step["action"] for step in record["steps"]]

    configure(host, CONFIGURATION)
    assert steps("shop.example.org") == [*ISSUED, "link", "link", "activate", "prove"]
    assert steps("shop.example.org") == []
    assert steps("shop.example.org", "www.example.org") == [*ISSUED, "activate", "prove", "destroy"]

    configure(host, CONFIGURATION.replace("ssl_certificate ", "ssl_certificat "))
    before = fingerprint(host, root, "www.example.org")
    refused = site.run(play(site, "shop.example.org"))
    assert refused.returncode == 2, refused.stdout
    (record,) = site.records("web2")
    assert record["msg"].startswith(
        'activate.command: nginx exited with 1: nginx: [emerg] unknown directive "ssl_certificat" '
        f"in {SHOP}/nginx.conf:"
    )
    assert "; rolled back to generation 2, which could not be activated either: " in record["msg"]
    assert (record["generation"], record["certificate"]["fingerprint_sha256"]) == (2, before)
    assert fingerprint(host, root, "www.example.org") == before

    configure(host, CONFIGURATION)
    assert "issue" in steps("shop.example.org")
