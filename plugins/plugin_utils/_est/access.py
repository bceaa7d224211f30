# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Who we are to an EST server, and whom we believe to be it (RFC 7030, 3.2.3, 3.3 and 3.6)."""

from __future__ import annotations

import base64
import ssl
import typing as t

from ...module_utils._core.errors import Misconfigured
from ...module_utils._enrol.https import Connection, Server, verifying
from .._deadline import Worker
from .._roots import ca_bundle
from .._secrets import first_line, given
from .address import LONGEST, PASSWORD, WHO
from .client import Client

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from .address import Place

Options = t.Mapping[str, t.Any]


class Access:
    """Over `{auth, ca_bundle, timeout, fingerprint_sha256}`: what says who we are is read when it is needed."""

    def __init__(self, options: Options, where: Place, pinned: str | None) -> None:
        """Keep the options, which were checked."""
        ((self.way, self._auth),) = options["auth"].items()
        self.named = f"auth.{self.way}"
        self._options, self._place, self._pinned = options, where, pinned
        self._met: str | None = None

    def server(self) -> Server:
        """Return how the server is spoken to. Raises Misconfigured where ca_bundle cannot be read."""
        pair = (self._auth["certificate"], self._auth["private_key"]) if self.way == "cert" else None
        known = self.authorities()
        return Server(WHO, self._place.host, self._place.port, self.timeout, known, pair, self.named)

    def authorities(self) -> str | None:
        """Return who may have signed the certificate of the server, PEM; None for whom the system trusts."""
        return self._met if self._options.get("ca_bundle") is None else ca_bundle(self._options, WHO)

    def connect(self) -> Connection:
        """Return a connection, which opens with its first call."""
        self.meet()
        return Connection(self.server(), Worker().within)

    def meet(self) -> None:
        """Find the pinned root where nobody else could verify the server. Raises KeysteadError."""
        if self._pinned and self._options.get("ca_bundle") is None and self._met is None:
            self._met = self._introduced(self._pinned)

    def headers(self) -> Mapping[str, str]:
        """Return the header that says who we are, where a header does (RFC 7617). Raises Misconfigured."""
        if self.way != "basic":
            return {}
        said = base64.b64encode(f"{self.username()}:{self.password()}".encode()).decode()
        return {"Authorization": f"Basic {said}"}

    @property
    def timeout(self) -> float:
        """The longest that a call may take, in seconds."""
        return float(self._options["timeout"])

    def username(self) -> str:
        """Return the name of `basic`."""
        return str(self._auth["username"])

    def bootstrap(self) -> list[str]:
        """Return the paths of `bootstrap` on the host."""
        return [str(self._auth["certificate"]), str(self._auth["private_key"])]

    def password(self) -> str:
        """Return the password of `basic`. Raises Misconfigured."""
        name = given(self._auth, PASSWORD, f"{WHO}: {self.named}")
        option, said = f"{WHO}: {self.named}.{name}", str(self._auth[name])
        if name == PASSWORD[1]:
            said = first_line(said, option).decode("utf-8", "replace")
        if not said.isprintable() or not 0 < len(said) <= LONGEST:
            raise Misconfigured(f"{option}: what is there is empty, or no password of one line; write it there")
        return said

    def check(self) -> None:
        """Read what says who we are, and whom we believe. Raises Misconfigured."""
        self.headers()
        verifying(self.server())

    def secrets(self) -> tuple[str, ...]:
        """Return what a server must not be heard repeating."""
        return (self.password(), self.headers()["Authorization"].partition(" ")[2]) if self.way == "basic" else ()

    def _introduced(self, pinned: str) -> str:
        """Return the root with a fingerprint, PEM, from a server that nobody here can verify yet (RFC 7030, 4.1.1).

        It is asked for its authorities and told nothing; what it answers counts only by the fingerprint. From then on
        its own certificate has to come from that root.
        """
        from cryptography.hazmat.primitives.serialization import Encoding

        from .roots import pinned_root

        server = Server(WHO, self._place.host, self._place.port, self.timeout)
        stranger = Connection(server, Worker().within, _believing())
        client = Client(self._place, lambda: stranger, dict, tuple)
        try:
            return pinned_root(client.authorities(), pinned).public_bytes(Encoding.PEM).decode()
        finally:
            client.close()


def _believing() -> ssl.SSLContext:
    """Return what verifies nobody: for public bytes alone that are compared with their fingerprint."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
