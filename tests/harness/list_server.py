# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A real nginx as a distribution sets it up, for the role that shows revocation lists: it includes conf.d/*.conf."""

from __future__ import annotations

import contextlib
import http.client
import socket
import subprocess
import time
import typing as t
from dataclasses import dataclass, field

from ansible_collections.keystead.identity.tests.harness.consumers import LOOPBACK, free_port, program

if t.TYPE_CHECKING:
    from pathlib import Path


@dataclass
class ListServer:
    """Everything of it is below `directory`. Nobody listens on `port` before a role has said what to show there."""

    directory: Path
    port: int = field(default_factory=free_port)
    _own: int = field(default_factory=free_port)

    @property
    def command(self) -> list[str]:
        """What it is called by."""
        return ["nginx", "-p", str(self.directory), "-c", str(self.directory / "nginx.conf")]

    @property
    def snippets(self) -> Path:
        """Where a role says what to show."""
        return self.directory / "conf.d"

    @property
    def url(self) -> str:
        """Where lists are shown."""
        return f"http://{LOOPBACK}:{self.port}/lists"

    def variables(self) -> dict[str, t.Any]:
        """Return what the role is told of it."""
        return {
            "authority_url": self.url,
            "authority_web_root": str(self.directory / "www"),
            "authority_nginx_service": "",
            "authority_nginx_command": self.command,
            "authority_nginx_listen": [f"{LOOPBACK}:{self.port}"],
            "authority_nginx_directory": str(self.snippets),
        }

    @contextlib.contextmanager
    def running(self) -> t.Iterator[ListServer]:
        """Run it."""
        self.snippets.mkdir(parents=True)
        (self.directory / "nginx.conf").write_text(self._configuration(), encoding="utf-8")
        with program(*self.command, "-g", "daemon off;", port=self._own):
            yield self

    def reload(self) -> None:
        """Make it read its files."""
        subprocess.run([*self.command, "-s", "reload"], check=True, capture_output=True, timeout=20)

    def forget(self) -> None:
        """Make it show nothing, and wait until it does; what it was told is put aside and put back unread."""
        told = {path: path.read_bytes() for path in self.snippets.iterdir()}
        for path in told:
            path.unlink()
        self.reload()
        deadline = time.monotonic() + 10
        with contextlib.suppress(ConnectionRefusedError):
            while time.monotonic() < deadline:
                socket.create_connection((LOOPBACK, self.port), 1).close()
                time.sleep(0.02)
            message = f"nginx still listens on {self.port}"
            raise RuntimeError(message)
        for path, content in told.items():
            path.write_bytes(content)

    def get(self, path: str) -> tuple[int, str | None, bytes]:
        """Return the status, the type and the content of an answer."""
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.getheader("Content-Type"), answer.read()
        finally:
            connection.close()

    def _configuration(self) -> str:
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        temporary = "\n".join(f"{kind}_temp_path {self.directory}/{kind};" for kind in kinds)
        return f"""
user root; worker_processes 1; pid {self.directory}/nginx.pid; error_log {self.directory}/error.log;
events {{}}
http {{
access_log off; {temporary}
include /etc/nginx/mime.types;
server {{ listen {LOOPBACK}:{self._own}; return 404; }}
include {self.snippets}/*.conf;
}}
"""
