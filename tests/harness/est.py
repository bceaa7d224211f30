# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The issuer `est` over a real server (est_server.py) with a label for each way to sign."""

from __future__ import annotations

import contextlib
import datetime as dt
import typing as t

import trustme
from ansible_collections.keystead.identity.tests.harness.est_server import CLIENT, SERVER, Est, Label
from ansible_collections.keystead.identity.tests.harness.issuers import Upstream, Wrong
from ansible_collections.keystead.identity.tests.harness.openbao_server import free_ports
from cryptography.hazmat.primitives import hashes

if t.TYPE_CHECKING:
    from pathlib import Path

Options = dict[str, t.Any]
NAME, PASSWORD = "converger", "open, sesame & more"
LABELS = {
    "server": Label(),
    "client": Label(usages=(CLIENT,)),
    "peer": Label(usages=(SERVER, CLIENT)),
    "short": Label(life=dt.timedelta(hours=1)),
    "elsewhere": Label(below="example.com"),
    "month": Label(life=dt.timedelta(days=30)),
    "slow": Label(polls=2),
    "slower": Label(polls=1, retry_after="60"),
}


def pair(directory: Path, name: str, authority: trustme.CA) -> Options:
    """Have a certificate made; return the paths of it and its key."""
    made, paths = authority.issue_cert(name, common_name=name), (directory / f"{name}.pem", directory / f"{name}.key")
    made.cert_chain_pems[0].write_to_path(str(paths[0]))
    made.private_key_pem.write_to_path(str(paths[1]))
    return {"certificate": str(paths[0]), "private_key": str(paths[1])}


class Backend:
    """The backend of the contract suite; see tests/harness/issuers.py."""

    needs: t.ClassVar[tuple[str, ...]] = ()
    profile: t.ClassVar[str] = "tls_server"
    server: t.ClassVar[str | None] = "est"
    signs: t.ClassVar[str] = "/simpleenroll"
    logins_of_a_batch: t.ClassVar[int] = 1  # connections by which something was signed
    life: t.ClassVar[int] = 86400  # seconds: what it grants, whatever is asked
    secrets = (PASSWORD,)

    def __init__(self, directory: Path, server: Est) -> None:
        """Keep where it is, and let a converger in."""
        self.directory, self.est = directory, server
        server.passwords[NAME] = PASSWORD

    def options(self, profile: str = "tls_server", **said: t.Any) -> Options:
        return {
            "url": self.est.url,
            "label": profile.removeprefix("tls_"),
            "auth": {"basic": {"username": NAME, "password": PASSWORD}},
            "fingerprint_sha256": self.est.authority.root.fingerprint(hashes.SHA256()).hex(":"),
            "ca_bundle": str(self.est.ca_bundle),
            "timeout": "30s",
            **said,
        }

    def by_certificate(self, **said: t.Any) -> Options:
        """Return options of a registration authority that shows a certificate."""
        return self.options(auth={"cert": pair(self.directory, "ra.example.org", self.est.tls)}, **said)

    def narrow(self) -> tuple[Options, str]:
        return self.options(label="elsewhere"), "a.example.org is not below example.com"

    def short(self) -> Options:
        return self.options(label="short")

    def forgetful(self) -> Options:
        return self.options()

    def unreachable(self) -> Options:
        (port,) = free_ports(1)
        return self.options(url=f"https://127.0.0.1:{port}", timeout="5s")

    def wrong(self) -> dict[str, Wrong]:
        stranger = pair(self.directory, "stranger.example.org", trustme.CA())
        wrongs: dict[str, tuple[Options, str]] = {
            "password": ({"basic": {"username": NAME, "password": "open, barley"}}, "open, barley"),
            "name": ({"basic": {"username": "mallory", "password": PASSWORD}}, PASSWORD),
            "certificate of a stranger": ({"cert": stranger}, "PRIVATE KEY"),
        }
        return {what: Wrong(self.options(auth=auth), (secret,)) for what, (auth, secret) in wrongs.items()}

    @property
    def upstream(self) -> Upstream:
        return Upstream(self.est.url, self.est.ca_bundle, self.est.tls)

    def through(self, url: str, **said: t.Any) -> Options:
        return self.options(**{"url": url, "timeout": "2s", **said})

    @contextlib.contextmanager
    def outage(self) -> t.Iterator[str]:
        """Let it say that it is out of service."""
        self.est.out_of_service = True
        try:
            yield "status 503 .*maintenance.*run again"
        finally:
            self.est.out_of_service = False

    def logins(self) -> int:
        return len(self.est.connections)
