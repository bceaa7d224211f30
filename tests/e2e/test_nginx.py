# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A real nginx on one of the hosts as the consumer: first issue, a renewal that it serves, and one that it refuses."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.tests.e2e.site import Site, identity, served

if t.TYPE_CHECKING:
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
  server {{
    listen {PORT} ssl;
    ssl_certificate {SHOP}/web.pem;
    ssl_certificate_key {SHOP}/web.key;
  }}
}}
"""


def configure(host: Host, text: str) -> None:
    directory = host.directory / "lib" / "shop"
    directory.mkdir(exist_ok=True)
    (directory / "nginx.conf").write_text(text, encoding="utf-8")


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


def test_nginx_serves_what_it_accepts_and_keeps_what_it_had_when_it_refuses(site: Site) -> None:
    host = site.fleet.hosts["web2"]
    root = site.authorities / "root" / "certificate.pem"
    configure(host, CONFIGURATION)

    first = site.run(play(site, "shop.example.org"))
    print(first.stdout, first.stderr, site.records("web2"))
    served(host.address, PORT, root, "shop.example.org")

    again = site.run(play(site, "shop.example.org"))
    print(again.stdout, site.records("web2"))

    renewed = site.run(play(site, "shop.example.org", "www.example.org"))
    print(renewed.stdout, site.records("web2"))
    before = served(host.address, PORT, root, "www.example.org")

    configure(host, CONFIGURATION.replace("ssl_certificate ", "ssl_certificat "))
    refused = site.run(play(site, "shop.example.org", "new.example.org"))
    print(refused.stdout, site.records("web2"))
    assert served(host.address, PORT, root, "www.example.org") == before

    configure(host, CONFIGURATION)
    mended = site.run(play(site, "shop.example.org", "new.example.org"))
    print(mended.stdout, site.records("web2"))
    served(host.address, PORT, root, "new.example.org")
    assert 0
