# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A controller with a host that enrols itself at a real SCEP server, and what stands between them."""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.keystead.identity.tests.harness import faulty_proxy as faulty
from ansible_collections.keystead.identity.tests.harness.in_process import World, web
from ansible_collections.keystead.identity.tests.harness.scep import Backend, Site
from ansible_collections.keystead.identity.tests.harness.scep_pending import Operator

if t.TYPE_CHECKING:
    from pathlib import Path

    from cryptography import x509

Task = dict[str, t.Any]
ASKS = "operation=PKIOperation"


class Host(t.NamedTuple):
    """A controller with a host, a server, and what stands between them and sees what is sent."""

    world: World
    backend: Backend
    proxy: faulty.FaultyProxy
    operator: Operator

    def issuer(self, **said: t.Any) -> Task:
        """Return the option `issuer`."""
        return {"scep": {**self.backend.through(self.proxy.url, timeout="20s"), **said}}

    def is_revoked(self, certificate: x509.Certificate) -> bool:
        """Tell whether the server has revoked what it signed."""
        lines = (self.backend.site.open.depot / "index.txt").read_text(encoding="utf-8").splitlines()
        (state,) = [line[0] for line in lines if int(line.split("\t")[3], 16) == certificate.serial_number]
        return state == "R"


@contextlib.contextmanager
def before(site: Site, directory: Path) -> t.Iterator[Host]:
    """Have a new host, and an operator before the server of a site who lets everything through."""
    (directory / "scep").mkdir()
    backend, operator = Backend(directory / "scep", site), Operator(site.open)
    with faulty.before(*backend.upstream) as proxy:
        proxy.fail(operator, ASKS)
        yield Host(World(directory / "world", policy=backend.policy), backend, proxy, operator)


def client(**said: t.Any) -> Task:
    """Return an identity as this server signs it."""
    return web(**{"profile": "tls_client", "key": {"type": "rsa-2048"}, **said})
