# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Who is notified: a webhook, which is a fake that keeps what it gets, and the real Alertmanager, both with TLS."""

from __future__ import annotations

import contextlib
import json
import ssl
import subprocess
import threading
import typing as t
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import trustme
from ansible_collections.keystead.identity.tests.harness.consumers import LOOPBACK, free_port
from ansible_collections.keystead.identity.tests.harness.in_process import until

if t.TYPE_CHECKING:
    from pathlib import Path

TOKEN = "c4nary-of-the-hook"
PATIENCE = 60.0
Record = dict[str, t.Any]


class Hook:
    """A fake webhook: what it got, by the key of each; it refuses who has no token, and all while it is `down`."""

    def __init__(self, directory: Path) -> None:
        self.got: list[tuple[str, Record]] = []
        self.asked, self.down = 0, False
        self.moved: str | None = None
        ca = trustme.CA()
        ca.cert_pem.write_to_path(directory / "hook.ca.pem")
        (directory / "hook.token").write_text(TOKEN + "\n", encoding="ascii")
        self._server = ThreadingHTTPServer((LOOPBACK, 0), self._handler())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        ca.issue_cert("localhost").configure_cert(context)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"https://localhost:{self._server.server_address[1]}/identities"
        self.option = {
            "url": self.url, "token_file": str(directory / "hook.token"), "ca_bundle": str(directory / "hook.ca.pem")
        }  # fmt: skip

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(hook.answer(self.headers, content))
                if hook.moved is not None:
                    self.send_header("Location", hook.moved)
                self.end_headers()

            def log_message(self, *_said: object) -> None:
                pass

        return Handler

    def answer(self, headers: t.Any, content: t.Any) -> int:
        """Keep what came, unless something speaks against it; return the status."""
        self.asked += 1
        if self.moved is not None:
            return 307
        if self.down:
            return 503
        if headers["Authorization"] not in (None, f"Bearer {TOKEN}"):
            return 403
        self.got.append((str(headers["Idempotency-Key"]), content))
        return 204

    def __enter__(self) -> t.Self:
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Alerts(t.NamedTuple):
    """A running Alertmanager: the option that names it, and what it has."""

    option: Record
    active: t.Callable[[], list[Record]]


@contextlib.contextmanager
def alertmanager(directory: Path) -> t.Iterator[Alerts]:
    """Run an Alertmanager of the distribution."""
    ca, port = trustme.CA(), free_port()
    ours = ca.issue_cert("localhost")
    ca.cert_pem.write_to_path(directory / "alerts.ca.pem")
    ours.private_key_pem.write_to_path(directory / "alerts.key")
    ours.cert_chain_pems[0].write_to_path(directory / "alerts.pem")
    (directory / "web.yml").write_text("tls_server_config: {cert_file: alerts.pem, key_file: alerts.key}\n")
    (directory / "alertmanager.yml").write_text("route: {receiver: nobody}\nreceivers: [{name: nobody}]\n")
    command = [
        "prometheus-alertmanager", f"--config.file={directory}/alertmanager.yml", "--cluster.listen-address=",
        f"--storage.path={directory}/alerts", f"--web.listen-address={LOOPBACK}:{port}",
        f"--web.config.file={directory}/web.yml",
    ]  # fmt: skip
    url = f"https://localhost:{port}"
    context = ssl.create_default_context(cafile=str(directory / "alerts.ca.pem"))

    def active() -> list[Record]:
        with urllib.request.urlopen(f"{url}/api/v2/alerts", context=context, timeout=10) as answer:  # noqa: S310
            return t.cast("list[Record]", json.load(answer))

    def answers() -> bool:
        with contextlib.suppress(OSError):
            return active() == []
        return False

    log = directory / "alertmanager.log"
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            until(lambda: answers() or process.poll() is not None, PATIENCE)
            assert process.poll() is None, log.read_text()
            yield Alerts({"url": url, "ca_bundle": str(directory / "alerts.ca.pem")}, active)
        finally:
            process.terminate()
