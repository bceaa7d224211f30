# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A real OpenBao as in production: raft storage, TLS by an authority of its own, audit to a file, sealed at its start.

What speaks to it here is the standard library alone: the client that is tested must not be its own witness.
"""

from __future__ import annotations

import contextlib
import json
import socket
import ssl
import subprocess
import time
import typing as t
import urllib.error
import urllib.request

import trustme
from ansible_collections.keystead.identity.tests.needs import OPENBAO

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

Answer = dict[str, t.Any]
STARTS_WITHIN = 60.0  # seconds
TRIES = 3
ACTIVE, UNINITIALISED, SEALED = 200, 501, 503  # what sys/health answers with

CONFIGURATION = """
storage "raft" {{
  path = "{directory}/raft"
  node_id = "n1"
  performance_multiplier = 1
}}
listener "tcp" {{
  address = "127.0.0.1:{port}"
  cluster_address = "127.0.0.1:{cluster_port}"
  tls_cert_file = "{directory}/server.pem"
  tls_key_file = "{directory}/server.key"
}}
audit "file" "file" {{
  options = {{
    file_path = "{directory}/audit.log"
  }}
}}
api_addr = "https://127.0.0.1:{port}"
cluster_addr = "https://127.0.0.1:{cluster_port}"
disable_mlock = true
"""


class Refused(Exception):
    """What the server answered instead of what a test wanted: its status and its errors."""

    def __init__(self, status: int, errors: list[str]) -> None:
        super().__init__(f"{status}: {'; '.join(errors)}")
        self.status, self.errors = status, errors


def free_ports(count: int) -> list[int]:
    """Return ports of the loopback interface that nobody listens on now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in sockets]


class Ended(AssertionError):
    """The process ended by itself."""


class Server:
    """One server below `directory`. `authority` is who signed its certificate, `token` is root's."""

    def __init__(self, directory: Path) -> None:
        """Make certificate and configuration; nothing runs before `start`."""
        self.directory = directory
        self.authority = trustme.CA()
        self.ca_bundle = directory / "ca.pem"
        self.authority.cert_pem.write_to_path(str(self.ca_bundle))
        self.certificate = self.authority.issue_cert("127.0.0.1", "localhost")
        self.certificate.private_key_pem.write_to_path(str(directory / "server.key"))
        for number, pem in enumerate(self.certificate.cert_chain_pems):
            pem.write_to_path(str(directory / "server.pem"), append=number > 0)
        (directory / "raft").mkdir()
        self.token, self._unseal_key, self._process = "", "", t.cast("subprocess.Popen[bytes] | None", None)
        self._ports: list[int] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"https://127.0.0.1:{self._ports[0]}"

    @property
    def pid(self) -> int:
        """The server's own process."""
        assert self._process is not None, "it does not run"
        return self._process.pid

    def start(self) -> None:
        """Start the process; it is uninitialised the first time, and sealed from then on."""
        if self._ports:  # it stays where its clients look for it
            return self._launch()
        for _ in range(TRIES):
            self._ports = free_ports(2)
            with contextlib.suppress(Ended):  # somebody else was faster to take a port
                return self._launch()
        raise Ended(self.log())

    def _launch(self) -> None:
        port, cluster_port = self._ports
        said = CONFIGURATION.format(directory=self.directory, port=port, cluster_port=cluster_port)
        (self.directory / "server.hcl").write_text(said, encoding="utf-8")
        with (self.directory / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [OPENBAO, "server", "-config", self.directory / "server.hcl"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={"HOME": str(self.directory)},
            )  # fmt: skip
        self.await_health(UNINITIALISED, SEALED)

    def stop(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=STARTS_WITHIN)
            self._process = None

    def restart(self) -> None:
        """Stop and start: what was unsealed is sealed again."""
        self.stop()
        self.start()

    def initialise(self) -> None:
        """Make the one key that unseals and the root token; the server stays sealed."""
        made = self.call("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
        self.token, self._unseal_key = made["root_token"], made["keys"][0]

    def unseal(self) -> None:
        """Open it, and wait until it works."""
        self.call("PUT", "sys/unseal", {"key": self._unseal_key})
        self.await_health(ACTIVE)

    def seal(self) -> None:
        """Close it: it answers every request with 503 until it is unsealed."""
        self.call("PUT", "sys/seal")
        self.await_health(SEALED)

    def await_health(self, *wanted: int) -> None:
        """Wait until sys/health answers with one of these."""
        until, found = time.monotonic() + STARTS_WITHIN, 0
        while time.monotonic() < until:
            with contextlib.suppress(OSError):
                found = self._exchange("GET", "sys/health", None, {}, timeout=3)[0]
                if found in wanted:
                    return
            if self._process is not None and self._process.poll() is not None:
                raise Ended(self.log()[-3000:])
            time.sleep(0.02)
        raise AssertionError(f"OpenBao's health is {found}, and not {wanted}: {self.log()[-3000:]}")

    def call(  # noqa: PLR0913 - what a call consists of
        self,
        method: str,
        path: str,
        body: Mapping[str, t.Any] | None = None,
        *,
        token: str = "",
        namespace: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Return the answer to a call, as root where no token is named. Raises Refused."""
        said = {"X-Vault-Token": token or self.token, "X-Vault-Namespace": namespace, **(headers or {})}
        status, answer = self._exchange(method, path, body, {name: value for name, value in said.items() if value})
        if status >= 400:
            raise Refused(status, answer.get("errors", []))
        return answer

    def _exchange(
        self,
        method: str,
        path: str,
        body: Mapping[str, t.Any] | None,
        headers: Mapping[str, str],
        *,
        timeout: float = 30,
    ) -> tuple[int, Answer]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/v1/{path}", data, dict(headers), method=method)  # noqa: S310
        context = ssl.create_default_context(cafile=self.ca_bundle)
        handlers = urllib.request.HTTPSHandler(context=context), urllib.request.ProxyHandler({})
        try:
            with urllib.request.build_opener(*handlers).open(request, timeout=timeout) as answer:
                return answer.status, json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"{}")

    def audited(self) -> list[Answer]:
        """Return what the audit device wrote: a record each for requests and answers, secrets as HMAC."""
        lines = (self.directory / "audit.log").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    def log(self) -> str:
        """Return what the server itself said."""
        return (self.directory / "server.log").read_text(encoding="utf-8", errors="replace")


@contextlib.contextmanager
def running(directory: Path) -> Iterator[Server]:
    """Start a server, initialised and unsealed; stop it afterwards."""
    server = Server(directory)
    try:
        server.start()
        server.initialise()
        server.unseal()
        yield server
    finally:
        server.stop()
