# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The issuer `scep` over real servers (scep_server.py), with TLS in front of them, which they have not themselves."""

from __future__ import annotations

import contextlib
import os
import signal
import typing as t
from dataclasses import dataclass

import trustme
from ansible_collections.keystead.identity.tests.harness import faulty_proxy
from ansible_collections.keystead.identity.tests.harness.issuers import Upstream, Wrong
from ansible_collections.keystead.identity.tests.harness.openbao_server import free_ports
from ansible_collections.keystead.identity.tests.harness.scep_server import CHALLENGE, PATH, Scep, permitting, running
from cryptography.hazmat.primitives.serialization import Encoding

if t.TYPE_CHECKING:
    from pathlib import Path

Options = dict[str, t.Any]
DAY = 86400
PERMITS = "format: 1\nrules:\n  - id: scep\n    issuer: {allow: [{local: {}}, {scep: {challenge: true}}]}\n"


@dataclass(frozen=True)
class Site:
    """Two servers, one that permits every name and one for example.com, who signed what TLS shows, and where it is."""

    open: Scep
    narrow: Scep
    tls: trustme.CA
    ca_bundle: Path
    url: str
    narrow_url: str


@contextlib.contextmanager
def site(directory: Path) -> t.Iterator[Site]:
    """Run both servers, each with TLS before it."""
    tls, bundle, paths = trustme.CA(), directory / "tls.pem", [directory / name for name in ("open", "narrow")]
    tls.cert_pem.write_to_path(str(bundle))
    for path in paths:
        path.mkdir()
    with contextlib.ExitStack() as stack:
        servers = [
            stack.enter_context(running(path, more, days=1, below=True))
            for path, more in zip(paths, ("", permitting(paths[1], "example.com")), strict=True)
        ]
        fronts = [stack.enter_context(faulty_proxy.before(one.url, bundle, tls)) for one in servers]
        yield Site(*servers, tls, bundle, *(front.url for front in fronts))


def policy(directory: Path) -> str:
    """Write a policy that lets a challenge go to hosts; return its path."""
    path = directory / "policy.yml"
    path.write_text(PERMITS, encoding="ascii")
    path.chmod(0o600)
    return str(path)


class Backend:
    """The backend of the contract suite; see tests/harness/issuers.py."""

    needs: t.ClassVar[tuple[str, ...]] = ("netns", "ip", "curl", "openssl", "scep")
    profile: t.ClassVar[str] = "tls_client"
    server: t.ClassVar[str | None] = "scep"
    signs: t.ClassVar[str] = "operation=PKIOperation"
    logins_of_a_batch: t.ClassVar[int] = 0  # nobody logs in: each request has a challenge
    life: t.ClassVar[int] = DAY  # what it grants, whatever is asked
    shortest: t.ClassVar[int] = DAY  # it counts in days
    key_type: t.ClassVar[str] = "rsa-2048"
    by_host: t.ClassVar[bool] = True
    secrets = (CHALLENGE,)

    def __init__(self, directory: Path, server: Site) -> None:
        """Keep where it is."""
        self.directory, self.site = directory, server

    @property
    def policy(self) -> str:
        """The path of a policy that lets the challenge go to hosts."""
        return policy(self.directory)

    def options(self, profile: str = "tls_client", **said: t.Any) -> Options:  # noqa: ARG002 - it signs for clients
        return {**self._of(self.site.open, self.site.url), **said}

    def _of(self, server: Scep, url: str) -> Options:
        return {
            "url": f"{url}{PATH}",
            "fingerprint_sha256": server.fingerprint,
            "roots": [server.root.public_bytes(Encoding.PEM).decode()],
            "challenge": CHALLENGE,
            "ca_bundle": str(self.site.ca_bundle),
            "timeout": "30s",
        }

    def narrow(self) -> tuple[Options, str]:
        return self._of(self.site.narrow, self.site.narrow_url), "it does not permit the request .failInfo badRequest."

    def short(self) -> Options:
        return self.options()

    def forgetful(self) -> Options:
        return self.options()

    def unreachable(self) -> Options:
        (port,) = free_ports(1)
        return self.options(url=f"https://127.0.0.1:{port}{PATH}", timeout="5s")

    def wrong(self) -> dict[str, Wrong]:
        return {"challenge": Wrong(self.options(challenge="open, barley"), ("open, barley",))}

    @property
    def upstream(self) -> Upstream:
        return Upstream(self.site.open.url, self.site.ca_bundle, self.site.tls)

    def through(self, url: str, **said: t.Any) -> Options:
        return self.options(**{"url": f"{url}{PATH}", "timeout": "2s", **said})

    @contextlib.contextmanager
    def outage(self) -> t.Iterator[str]:
        """Stop it: it takes connections, and answers nothing."""
        os.kill(self.site.open.pid, signal.SIGSTOP)
        try:
            yield "did not answer within 2s.*run again"
        finally:
            os.kill(self.site.open.pid, signal.SIGCONT)

    def logins(self) -> int:
        return 0
