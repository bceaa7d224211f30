# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A controller, a host and an EST server that the host speaks to itself."""

from __future__ import annotations

import contextlib
import re
import typing as t
from dataclasses import replace

from ansible_collections.keystead.identity.tests.harness.est import LABELS, Backend
from ansible_collections.keystead.identity.tests.harness.est_server import BASE, Est, running
from ansible_collections.keystead.identity.tests.harness.in_process import World, web

if t.TYPE_CHECKING:
    from pathlib import Path

Task = dict[str, t.Any]
BY_PASSWORD, BY_OWN = "simpleenroll by converger", "simplereenroll by CN=est issuing"


class Site(t.NamedTuple):
    """A controller, a host and a server."""

    world: World
    est: Est
    backend: Backend

    def issuer(self, auth: Task | None = None, **said: t.Any) -> Task:
        """Return the option `issuer`, by a password where nothing else is said."""
        way = {"auth": auth} if auth else {}
        return {"est": self.backend.options(**{"label": "peer", "enrol": "host", **way, **said})}

    def asked(self) -> list[str]:
        """Return who had something signed, and how, since this was called last."""
        found = [one for one in self.est.asked if one.startswith("POST")]
        self.est.asked.clear()
        return [re.sub(rf"^POST {BASE}/\w+/", "", one) for one in found]


def peer(**said: t.Any) -> Task:
    """Return an identity whose certificate is one for clients too: it can be shown in TLS."""
    return web(profile="tls_peer", **said)


@contextlib.contextmanager
def beside(directory: Path) -> t.Iterator[Site]:
    """Run a server, and make a controller and a host without anything yet."""
    (directory / "est").mkdir()
    with running(directory / "est", **{name: replace(one) for name, one in LABELS.items()}) as server:
        yield Site(World(directory / "world"), server, Backend(directory / "est", server))
