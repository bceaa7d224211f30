# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Real Pebbles, Let's Encrypt's small server of ACME, as many as tests have settings, and one name server for them.

What speaks to their management here is the standard library alone: the client that is tested must not be its witness.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import ssl
import subprocess
import time
import typing as t
import urllib.error
import urllib.request
from dataclasses import dataclass, field

import trustme
from ansible_collections.keystead.identity.tests.harness.openbao_server import free_ports

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

STARTS_WITHIN = 30.0  # seconds
KID, HMAC_KEY = "kid-1", "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
FAST = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "50"}


def call(url: str, body: Mapping[str, t.Any] | None = None, ca: Path | None = None) -> bytes:
    """Ask, by the standard library."""
    data = None if body is None else json.dumps(body).encode()
    context = ssl.create_default_context(cafile=ca) if ca else None
    handlers: list[t.Any] = [urllib.request.ProxyHandler({})]
    if context:
        handlers.append(urllib.request.HTTPSHandler(context=context))
    request = urllib.request.Request(url, data, method="GET" if data is None else "POST")  # noqa: S310
    with urllib.request.build_opener(*handlers).open(request, timeout=30) as answer:
        return t.cast("bytes", answer.read())


class Names:
    """pebble-challtestsrv: every name is at 127.0.0.1, and TXT records are set by its management."""

    def __init__(self, directory: Path) -> None:
        """Start it."""
        self.dns, management = free_ports(2)
        self.url = f"http://127.0.0.1:{management}"
        argv = ["pebble-challtestsrv", "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "", "-http01", "", "-https01", "",
                "-tlsalpn01", "", "-dns01", f"127.0.0.1:{self.dns}", "-management", self.url[7:]]  # fmt: skip
        with (directory / "names.log").open("wb") as log:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        _await(lambda: call(f"{self.url}/clear-txt", {"host": "nothing.example.org."}), self.process)
        self.command = directory / "dns-01"
        self.command.write_text(_COMMAND.replace("URL", self.url), encoding="ascii")
        self.command.chmod(0o755)

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(timeout=STARTS_WITHIN)


_COMMAND = """#!/bin/sh
case "$1" in
  present) exec curl -sf --noproxy '*' -d "{\\"host\\":\\"$2.\\",\\"value\\":\\"$3\\"}" URL/set-txt;;
  cleanup) exec curl -sf --noproxy '*' -d "{\\"host\\":\\"$2.\\"}" URL/clear-txt;;
esac
exit 64
"""


@dataclass
class Pebble:
    """One server. `http_port` is where it looks for http-01."""

    directory: Path
    names: Names
    environment: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, t.Any] = field(default_factory=dict)
    dns: int | None = None

    def __post_init__(self) -> None:
        """Start it."""
        self.port, management, self.http_port, tls_port = free_ports(4)
        self.authority = trustme.CA()
        self.ca_bundle = self.directory / "tls-ca.pem"
        self.authority.cert_pem.write_to_path(str(self.ca_bundle))
        certificate = self.authority.issue_cert("127.0.0.1")
        certificate.private_key_pem.write_to_path(str(self.directory / "tls.key"))
        certificate.cert_chain_pems[0].write_to_path(str(self.directory / "tls.pem"))
        self.management = f"https://127.0.0.1:{management}"
        said = {
            "listenAddress": f"127.0.0.1:{self.port}", "managementListenAddress": f"127.0.0.1:{management}",
            "certificate": "tls.pem", "privateKey": "tls.key", "httpPort": self.http_port, "tlsPort": tls_port,
            "ocspResponderURL": "", "externalAccountBindingRequired": True,
            "externalAccountMACKeys": {KID: HMAC_KEY}, **self.settings,
        }  # fmt: skip
        (self.directory / "pebble.json").write_text(json.dumps({"pebble": said}), encoding="ascii")
        self.log = self.directory / "pebble.log"
        self.root = self.directory / "root.pem"
        self.start()

    def start(self) -> None:
        """Start it: it knows of no account, no order, and has another root than before."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                ["pebble", "-config", "pebble.json", "-dnsserver", f"127.0.0.1:{self.dns or self.names.dns}"],
                cwd=self.directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={"PATH": os.environ["PATH"], **FAST, **self.environment},
            )  # fmt: skip
        _await(lambda: call(f"{self.url}/dir", ca=self.ca_bundle), self.process)
        self.root.write_bytes(self.manage("roots/0"))

    @property
    def url(self) -> str:
        """Where it is."""
        return f"https://127.0.0.1:{self.port}"

    def manage(self, path: str) -> bytes:
        """Ask its management."""
        return call(f"{self.management}/{path}", ca=self.ca_bundle)

    def status(self, serial_number: int) -> dict[str, t.Any]:
        """Return what it knows of a certificate: Serial, Status, Reason."""
        return t.cast("dict[str, t.Any]", json.loads(self.manage(f"cert-status-by-serial/{serial_number:x}")))

    def count(self, text: str) -> int:
        """Return how often its log has a text."""
        return self.log.read_text(errors="replace").count(text)

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """Let it stand still: it accepts connections and says nothing."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(timeout=STARTS_WITHIN)


class Pebbles:
    """All that a session has asked for, by their settings; each is started once."""

    def __init__(self, directory: Path) -> None:
        """Start the name server."""
        self.directory = directory
        self.names = Names(directory)
        self._made: dict[str, Pebble] = {}

    def one(self, name: str = "usual", *, dns: int | None = None, settings: t.Any = None, **environment: str) -> Pebble:
        """Return the server of a name, started at the first time with these settings and this environment."""
        if name not in self._made:
            place = self.directory / name
            place.mkdir()
            self._made[name] = Pebble(place, self.names, environment, settings or {}, dns)
        return self._made[name]

    def stop(self) -> None:
        """End all."""
        for one in (*self._made.values(), self.names):
            one.stop()


@contextlib.contextmanager
def running(directory: Path) -> Iterator[Pebbles]:
    """Have servers while it lasts."""
    pebbles = Pebbles(directory)
    try:
        yield pebbles
    finally:
        pebbles.stop()


def _await(ready: t.Callable[[], object], process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + STARTS_WITHIN
    while True:
        try:
            ready()
        except (OSError, urllib.error.URLError):
            assert process.poll() is None, "it ended by itself"
            assert time.monotonic() < until, "it does not answer"
            time.sleep(0.03)
        else:
            return
