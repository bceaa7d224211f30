# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The real thing behind each receiver of checkpoints: a file, an rsyslogd, an HTTPS server; and what it has got."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
import time
import typing as t
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import trustme
from ansible_collections.keystead.identity.tests.harness.consumers import LOOPBACK, free_port

TOKEN = "c4nary-of-the-receiver"
RSYSLOGD = shutil.which("rsyslogd", path="/usr/sbin:/usr/bin:/usr/local/sbin") or "rsyslogd"
PATIENCE = 20.0  # seconds
_TEMPLATE = 'template(name="raw" type="string" string="%rawmsg%\\n")'


class Running(t.NamedTuple):
    """The option that names a receiver, and what it has been sent so far."""

    option: dict[str, t.Any]
    kept: t.Callable[[], str]


@contextlib.contextmanager
def file(directory: Path) -> t.Iterator[Running]:
    """Yield a file that is not there yet."""
    path = directory / "checkpoints.jws"
    yield Running({"file": {"path": str(path)}}, path.read_text)


def _syslog(protocol: str) -> t.Callable[[Path], contextlib.AbstractContextManager[Running]]:
    @contextlib.contextmanager
    def running(directory: Path) -> t.Iterator[Running]:
        port, log = free_port(), directory / "log"
        ca = trustme.CA()
        ca.cert_pem.write_to_path(directory / "ca.pem")
        ours = ca.issue_cert("localhost", LOOPBACK)
        ours.private_key_pem.write_to_path(directory / "key.pem")
        ours.cert_chain_pems[0].write_to_path(directory / "certificate.pem")
        (directory / "rsyslog.conf").write_text(_configuration(directory, protocol, port, log))
        command = [RSYSLOGD, "-n", "-f", str(directory / "rsyslog.conf"), "-i", str(directory / "pid")]
        with (directory / "errors").open("wb") as errors, subprocess.Popen(command, stderr=errors) as process:
            try:
                _wait(lambda: (_receives if protocol == "udp" else _listens)(port), directory / "errors")
                tls = {"ca_bundle": str(directory / "ca.pem")} if protocol == "tls" else {}
                option = {"syslog": {"host": "localhost", "port": port, "protocol": protocol, **tls}}
                yield Running(option, lambda: _log(log))
            finally:
                process.terminate()

    return running


def _configuration(directory: Path, protocol: str, port: int, log: Path) -> str:
    module = "imudp" if protocol == "udp" else "imtcp"
    tls = (
        f'global(workDirectory="{directory}" DefaultNetstreamDriverCAFile="{directory}/ca.pem" '
        f'DefaultNetstreamDriverCertFile="{directory}/certificate.pem" '
        f'DefaultNetstreamDriverKeyFile="{directory}/key.pem")\n'
    )
    driver = ' StreamDriver.Name="ossl" StreamDriver.Mode="1" StreamDriver.AuthMode="anon"' if protocol == "tls" else ""
    return (
        (tls if protocol == "tls" else f'global(workDirectory="{directory}")\n')
        + f'module(load="{module}"{driver})\n{_TEMPLATE}\n'
        + f'input(type="{module}" port="{port}" address="{LOOPBACK}")\n'
        + f'*.* action(type="omfile" file="{log}" template="raw")\n'
    )


def _log(path: Path) -> str:
    until = time.monotonic() + PATIENCE
    while not path.exists() or not path.read_text().endswith("\n"):
        if time.monotonic() > until:
            return ""
        time.sleep(0.05)
    return path.read_text()


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), 1):
        return True
    return False


def _receives(port: int) -> bool:
    """Tell whether somebody has bound a port of UDP, as the kernel shows it (proc(5))."""
    return f":{port:04X} " in Path("/proc/net/udp").read_text(encoding="ascii")


def _wait(ready: t.Callable[[], bool], errors: Path) -> None:
    until = time.monotonic() + PATIENCE
    while not ready():
        if time.monotonic() > until:
            raise RuntimeError(errors.read_text())
        time.sleep(0.05)


@contextlib.contextmanager
def https(directory: Path) -> t.Iterator[Running]:
    """Run a server that takes what comes with its token, as application/jose, and refuses all else."""
    kept: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"])).decode()
            known = self.headers["Authorization"] == f"Bearer {TOKEN}"
            sound = known and self.headers["Content-Type"] == "application/jose"
            if sound:
                kept.append(content)
            self.send_response(204 if sound else 403)
            self.end_headers()

        def log_message(self, *_said: object) -> None:
            pass

    ca = trustme.CA()
    ca.cert_pem.write_to_path(directory / "ca.pem")
    server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ca.issue_cert("localhost").configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"https://localhost:{server.server_address[1]}/checkpoints"
    try:
        option = {"url": url, "token": TOKEN, "ca_bundle": str(directory / "ca.pem")}
        yield Running({"https": option}, lambda: "\n".join(kept))
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


RECEIVING: dict[str, t.Callable[[Path], contextlib.AbstractContextManager[Running]]] = {
    "file": file, "syslog-tls": _syslog("tls"), "syslog-tcp": _syslog("tcp"), "syslog-udp": _syslog("udp"),
    "https": https,
}  # fmt: skip
"""By name; what is before a dash is the receiver's in the list."""
