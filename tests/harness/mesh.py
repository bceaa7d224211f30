# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Hosts that know each other by TLS, in one process: one controller, one ledger, each host with its store and anchors.

Both halves are real, what goes between them is JSON, and what is tried between hosts is a handshake of OpenSSL's.
"""

from __future__ import annotations

import itertools
import ssl
import typing as t
from dataclasses import dataclass

from ansible_collections.keystead.identity.plugins.module_utils._options.common import COMMON
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.module_utils._options.trust_bundle import OPTIONS
from ansible_collections.keystead.identity.plugins.plugin_utils._action import Task
from ansible_collections.keystead.identity.plugins.plugin_utils._trust_bundle.converge import converge
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated
from ansible_collections.keystead.identity.tests.harness.in_process import World
from ansible_collections.keystead.identity.tests.harness.local import authority
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

if t.TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator
    from pathlib import Path

    from ansible_collections.keystead.identity.plugins.plugin_utils._host_half import Execute

Result = dict[str, t.Any]


@dataclass
class Node(World):
    """One host of a mesh, below a directory of its own; authorities and ledger are beside that."""

    @property
    def authorities(self) -> Path:
        """Where the authorities of the controller are."""
        return self.directory.parent / "authorities"

    @property
    def ledger(self) -> Path:
        """The file of the ledger."""
        return self.directory.parent / "ledger.sqlite"

    @property
    def bundle(self) -> Path:
        """The file of the anchors."""
        return self.links / "peers.pem"

    def root(self, name: str = "issuing") -> str:
        """Return the certificate of an authority, as PEM; it is made where it is not there."""
        if not (self.authorities / name).exists():
            authority(self.authorities, name)
        return (self.authorities / name / "certificate.pem").read_text(encoding="ascii")

    def made_anew(self, name: str, begins: dt.datetime, ends: dt.datetime) -> str:
        """Return another certificate of an authority that signs itself: the same name and key, other dates."""
        old = x509.load_pem_x509_certificate(self.root(name).encode())
        key: t.Any = load_pem_private_key((self.authorities / name / "private_key.pem").read_bytes(), None)
        made = x509.CertificateBuilder(old.subject, old.subject, key.public_key(), x509.random_serial_number())
        made = made.not_valid_before(begins).not_valid_after(ends)
        for one in old.extensions:
            made = made.add_extension(one.value, critical=one.critical)
        return made.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM).decode()

    def trust(
        self, *anchors: str, check: bool = False, diff: bool = False, execute: Execute | None = None, **said: t.Any
    ) -> Result:
        """Run trust_bundle once for the authorities of these names, or these texts."""
        texts = [one if "-----" in one or "/" in one else self.root(one) for one in anchors]
        options = {"name": "peers", "path": str(self.bundle), "ledger": self.url, "anchors": texts or None, **said}
        args = validated(
            {name: value for name, value in options.items() if value is not None}, spec(COMMON, OPTIONS),
            module="trust_bundle",
        )  # fmt: skip
        way = execute or (lambda arguments: self.execute(arguments, check=check))
        return converge(args, Task(self.host, "site.yml", check, diff, way, self.said.append))

    def trust_settled(self, *anchors: str, **said: t.Any) -> Result:
        """Look in check mode, run, and run again: what was shown was done, and then nothing is left."""
        before = self.snapshot()
        shown = self.trust(*anchors, check=True, diff=True, **said)
        assert self.snapshot() == before, "check mode touched something"
        done = self.trust(*anchors, diff=True, **said)
        assert done == shown
        settled = self.snapshot()
        again = self.trust(*anchors, **said)
        assert (again["changed"], again["steps"], again["anchors"]) == (False, [], done["anchors"])
        assert self.snapshot() == settled, "a run with nothing to do touched something"
        return done

    def peer(self, issuer: str = "issuing", **said: t.Any) -> Result:
        """Have the host's identity, of who is both a client and a server, signed by an authority.

        Who shakes hands here reads the pair from the disk each time, so that there is nothing to tell, and a proof is
        that it is there.
        """
        proof = {"command": ["test", "-s", str(self.path("web", "current", "fullchain.pem"))]}
        identity = {"name": "web", "dns_names": [self.host], "profile": "tls_peer", "prove": proof, **said}
        self.root(issuer)
        return self.one(identity, issuer=self.issuer(issuer))

    def context(self, protocol: int) -> ssl.SSLContext:
        """Return what this host shakes hands with: its pair, and who it trusts, by what is on its disk now.

        The link is followed once: who follows it for each of two files may get one of before a switch and one of after.
        """
        found = ssl.SSLContext(protocol)
        pair = self.path("web", "current").resolve()
        found.load_cert_chain(pair / "fullchain.pem", pair / "private_key.pem")
        found.load_verify_locations(self.bundle)
        found.verify_mode = ssl.CERT_REQUIRED
        return found


def mesh(directory: Path, *names: str) -> list[Node]:
    """Return hosts of these names."""
    return [Node(directory / name, host=f"{name}.example.org") for name in names]


def fails(client: Node, server: Node) -> str | None:
    """Shake hands, each verifying the other; return why that fails, None where it does not."""
    (to_server, to_client), (here, there) = (ssl.MemoryBIO(), ssl.MemoryBIO()), (client, server)
    ends = [
        here.context(ssl.PROTOCOL_TLS_CLIENT).wrap_bio(to_client, to_server, server_hostname=there.host),
        there.context(ssl.PROTOCOL_TLS_SERVER).wrap_bio(to_server, to_client, server_side=True),
    ]
    try:
        for _turn in range(6):
            done = [_is_done(end) for end in ends]
            if all(done):
                return None
    except ssl.SSLError as error:
        return str(error)
    return "it did not come to an end"


def _is_done(end: ssl.SSLObject) -> bool:
    try:
        end.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True


def turned_away(nodes: t.Sequence[Node]) -> Iterator[str]:
    """Yield every pair, both ways, in which a handshake fails."""
    for client, server in itertools.permutations(nodes, 2):
        if why := fails(client, server):
            yield f"{client.host} at {server.host}: {why}"
