# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The issuer `acme` with a second server, which is no work of ours and nobody's stand-in: Caddy's acme_server."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied
from ansible_collections.keystead.identity.plugins.module_utils._core.ports import Order
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.acme import AcmeIssuer
from ansible_collections.keystead.identity.tests.harness import caddy
from ansible_collections.keystead.identity.tests.harness.acme import options
from ansible_collections.keystead.identity.tests.harness.in_process import World, web

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.caddy import Caddy
    from ansible_collections.keystead.identity.tests.harness.pebble import Pebbles

pytestmark = [pytest.mark.needs("pebble", "curl", "caddy"), pytest.mark.one_core]


@pytest.fixture(scope="module")
def server(pebbles: Pebbles, tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Caddy]:
    """Start one that asks the name server of the Pebbles."""
    with caddy.running(tmp_path_factory.mktemp("caddy"), pebbles.names.dns) as found:
        yield found


@pytest.fixture
def issuer(server: Caddy, pebbles: Pebbles, tmp_path: Path) -> dict[str, t.Any]:
    """Return the option `issuer` of a task."""
    said = options(pebbles.one(), tmp_path, eab=None)
    return {
        "acme": {
            **said,
            "directory_url": f"{server.url}/acme/local/directory",
            "ca_bundle": str(server.root),
            "roots": [str(server.root)],
        }
    }


def test_a_host_gets_its_identities_and_a_second_run_does_nothing(issuer: dict[str, t.Any], tmp_path: Path) -> None:
    world = World(tmp_path / "world")
    life = {"profile": "tls_peer", "lifetime": "12h"}
    names = [web(name=f"web{n}", dns_names=[f"n{n}.example.org", f"m{n}.example.org"], **life) for n in range(5)]
    world.settled(names, issuer=issuer)
    world.settled([{**one, "dns_names": ["*.example.org"]} for one in names[:1]], issuer=issuer)


def test_it_revokes_what_it_signed(issuer: dict[str, t.Any], tmp_path: Path) -> None:
    world = World(tmp_path / "world")
    one = web(profile="tls_peer", lifetime="12h")
    world.settled([one], issuer=issuer)
    done = world.one({**one, "state": "absent", "revoke_on_absent": True}, issuer=issuer)
    assert done["changed"]
    assert not done.get("failed"), done.get("msg")
    assert world.query("SELECT revocation_reason FROM generations") == [("cessation_of_operation",)]


def test_an_order_of_nobody_is_refused(issuer: dict[str, t.Any], server: Caddy, tmp_path: Path) -> None:
    from ansible_collections.keystead.identity.tests.harness import local as make

    world = World(tmp_path / "world")
    world.settled([web(profile="tls_peer", lifetime="12h")], issuer=issuer)
    one = AcmeIssuer({**issuer["acme"], "timeout": 20, "challenge": _propagating(issuer["acme"]["challenge"])})
    (answer,) = one.finish([Order(make.request(), f"{server.url}/acme/local/order/nobodys")])
    assert isinstance(answer, Denied)


def _propagating(challenge: dict[str, t.Any]) -> dict[str, t.Any]:
    return {"dns_01": {"propagation": "0s", **challenge["dns_01"]}}
