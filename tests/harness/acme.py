# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The issuer `acme` over real Pebbles: control of names is shown by a command that sets TXT records."""

from __future__ import annotations

import contextlib
import time
import typing as t

from ansible_collections.keystead.identity.plugins.plugin_utils._acme.revocation import REASONS
from ansible_collections.keystead.identity.tests.harness.in_process import web
from ansible_collections.keystead.identity.tests.harness.issuers import Upstream, Wrong
from ansible_collections.keystead.identity.tests.harness.openbao_server import free_ports
from ansible_collections.keystead.identity.tests.harness.pebble import HMAC_KEY, KID
from cryptography import x509

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.pebble import Pebble, Pebbles

Options = dict[str, t.Any]
PEER = "tls_peer"
"""The profile that has the usages which Pebble and Caddy sign."""
WRONG_KEY = "b10lLJs8l1GPIzsLP0s6pMt8O0XVGnfTaCeROxQM0BIt2XrJMDHJZBM5NuQmQJQH"


def identities(count: int, **said: t.Any) -> list[Options]:
    """Return declarations with names that no test had before."""
    stem = f"t{time.monotonic_ns():x}"
    return [web(name=f"web{n}", dns_names=[f"{stem}n{n}.example.org"], profile=PEER, **said) for n in range(count)]


def options(pebble: Pebble, directory: Path, challenge: Options | None = None, **said: t.Any) -> Options:
    """Return the options of the issuer for a server, with an account of this directory."""
    return {
        "directory_url": f"{pebble.url}/dir",
        "account_key": str(directory / "account.pem"),
        "contact": ["ops@example.org"],
        "eab": {"kid": KID, "hmac_key": HMAC_KEY},
        "challenge": challenge or {"dns_01": {"command": [str(pebble.names.command)]}},
        "roots": [str(pebble.root)],
        "ca_bundle": str(pebble.ca_bundle),
        "timeout": "20s",
        **said,
    }


class Backend:
    """The backend of the contract suite; see tests/harness/issuers.py."""

    needs: t.ClassVar[tuple[str, ...]] = ("pebble", "curl")
    server: t.ClassVar[str | None] = "pebbles"
    signs: t.ClassVar[str] = "/finalize-order/"
    revokes: t.ClassVar[str] = "/revoke-cert"
    logins_of_a_batch: t.ClassVar[int] = 1
    profile: t.ClassVar[str] = "tls_peer"  # all that Pebble 2.4 signs
    secrets: t.ClassVar[tuple[str, ...]] = (HMAC_KEY,)

    def __init__(self, directory: Path, server: Pebbles) -> None:
        """Use the server that all tests share, with an account of this test."""
        self.directory, self.pebbles = directory, server
        self.pebble = server.one()

    def options(self, profile: str = "", **said: t.Any) -> Options:  # noqa: ARG002 - it has but one
        return options(self.pebble, self.directory, **said)

    def narrow(self) -> tuple[Options, str]:
        blocking = self.pebbles.one("blocking", settings={"domainBlocklist": ["a.example.org"]})
        return options(blocking, self.directory), "forbidden by policy.*a.example.org"

    def short(self) -> Options:
        return self.options()

    def forgetful(self) -> Options:
        raise AssertionError("it never forgets an order")

    def unreachable(self) -> Options:
        (port,) = free_ports(1)
        return self.options(directory_url=f"https://127.0.0.1:{port}/dir", timeout="5s")

    def wrong(self) -> dict[str, Wrong]:
        wrongs = {
            "hmac_key": self.options(eab={"kid": KID, "hmac_key": WRONG_KEY}),
            "kid": self.options(eab={"kid": "kid-7", "hmac_key": WRONG_KEY}),
        }
        return {what: Wrong(said, (WRONG_KEY,)) for what, said in wrongs.items()}

    @property
    def upstream(self) -> Upstream:
        return Upstream(self.pebble.url, self.pebble.ca_bundle, self.pebble.authority)

    def through(self, url: str, **said: t.Any) -> Options:
        return self.options(**{"directory_url": f"{url}/dir", "timeout": "2s", **said})

    @contextlib.contextmanager
    def outage(self) -> t.Iterator[str]:
        """Let it stand still."""
        with self.pebble.stopped():
            yield "did not answer"

    def revoked(self, certificate: bytes) -> str | None:
        found = self.pebble.status(x509.load_der_x509_certificate(certificate).serial_number)
        numbers = {number: name for name, number in REASONS.items()}
        return numbers[found.get("Reason", 0)] if found["Status"] == "Revoked" else None

    def logins(self) -> int:
        return self.pebble.count("POST /sign-me-up")
