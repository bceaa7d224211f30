# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""machine_identity_info says how certificates stand: by the ledger, or by who signed them and what is published."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._options.common import COMMON
from ansible_collections.keystead.identity.plugins.module_utils._options.machine_identity import INFO
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.plugin_utils._action import Task
from ansible_collections.keystead.identity.plugins.plugin_utils._info import MODULE, look
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.local import LocalIssuer
from ansible_collections.keystead.identity.plugins.plugin_utils._serial import with_colons
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated
from ansible_collections.keystead.identity.tests.harness import openbao as make
from ansible_collections.keystead.identity.tests.harness.elsewhere import Authority, Lists, der, serving
from ansible_collections.keystead.identity.tests.harness.in_process import World, web
from ansible_collections.keystead.identity.tests.harness.revoking import Office

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.openbao_server import Server

Record = dict[str, t.Any]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def seen(world: World, **said: t.Any) -> Record:
    """Look, for which the host is asked once, and nothing changes."""
    args = validated({"ledger": world.url, "store": str(world.store), **said}, spec(COMMON, INFO), module=MODULE)
    task = Task(world.host, None, check=False, diff=False, execute=world.execute, say=world.said.append)
    before = world.snapshot()
    world.phases.clear()
    found = look(args, task)
    assert (world.snapshot(), world.phases, found["changed"]) == (before, ["read"], False)
    return found


def looked(world: World, **said: t.Any) -> tuple[list[Record], list[Record]]:
    """Return the status of each identity and of each path."""
    found = seen(world, **said)
    return [one["status"] for one in found["identities"]], [one["status"] for one in found["paths"]]


def test_every_certificate_has_what_the_ledger_says_of_it(world: World) -> None:
    world.converge([web(), web(name="api")])
    link = str(world.path("web", "current", "fullchain.pem"))
    (api, first), (same,) = looked(world, paths=[link])
    assert first == same == api
    assert (api["status"], api["source"], api["why"]) == ("good", "ledger", None)
    Office(world.url, world.issuer()).run({"identity": "web"}, reason="superseded", replaced_first=False)
    (api, first), (same,) = looked(world, paths=[link])
    assert (api["status"], first["status"], first["reason"]) == ("good", "revoked", "superseded")
    assert first == same


def test_a_live_look_learns_what_was_revoked_elsewhere(world: World) -> None:
    world.converge([web(), web(name="api")])
    (options,) = world.issuer().values()
    LocalIssuer(options).revoke([der(world.certificate())], "key_compromise")
    assert [one["status"] for one in looked(world)[0]] == ["good", "good"]
    (api, first), _paths = looked(world, check_status="live", issuers=[world.issuer()])
    assert (api["status"], api["source"]) == ("good", "issuer")
    assert (first["status"], first["reason"], first["source"]) == ("revoked", "key_compromise", "issuer")


def test_what_was_revoked_elsewhere_is_among_what_is_wrong(world: World) -> None:
    world.converge([web(), web(name="api")])
    (options,) = world.issuer().values()
    LocalIssuer(options).revoke([der(world.certificate())], "key_compromise")
    api, first = seen(world, check_status="live", issuers=[world.issuer()])["identities"]
    assert api["findings"] == []
    assert first["findings"] == [{"code": "revoked", "msg": "it was revoked (key_compromise)"}]


def test_whoever_could_tell_is_named(world: World) -> None:
    world.one(web())
    ((found,), _paths) = looked(world, check_status="live")
    assert found["status"] == "unknown"
    assert found["why"].startswith("it names no responder and no revocation list; name local:issuing:")
    assert found["why"].endswith(", which signed it, in issuers")


@pytest.mark.needs("openbao")
def test_an_openbao_tells_of_what_is_on_a_host(openbao: Server, tmp_path: Path) -> None:
    pki, world = make.pki(openbao), World(tmp_path)
    issuer = {"openbao": pki.options(make.approle(pki))}
    world.one(web(), issuer=issuer)
    pki.call("POST", f"{pki.mount}/revoke", {"serial_number": with_colons(world.certificate().serial_number)})
    (found,), _paths = looked(world, check_status="live", issuers=[issuer])
    assert (found["status"], found["source"]) == ("revoked", "issuer")


def test_a_file_that_no_ledger_knows_is_judged_by_what_its_authority_publishes(world: World, tmp_path: Path) -> None:
    world.one(web())
    authority = Authority(tmp_path / "theirs")
    with serving(Lists()) as lists:
        leaf = authority.leaf(lists=lists.url)
        lists.content = authority.list(leaf)
        world.settled([{**authority.adopted(), "name": "old"}])
        path = str(authority.directory / "web.pem")
        (unasked,) = looked(world, paths=[path], names=[])[1]
        (asked,) = looked(world, paths=[path], names=[], check_status="live")[1]
    assert (unasked["status"], unasked["source"]) == ("good", "ledger")
    assert (asked["status"], asked["source"]) == ("revoked", "crl")
    stranger = Authority(tmp_path / "others")
    stranger.leaf()
    (unknown,) = looked(world, paths=[str(stranger.directory / "web.pem")], names=[])[1]
    assert (unknown["status"], unknown["why"]) == ("unknown", "the ledger does not know it")


def test_an_identity_of_another_ledger_is_unknown(world: World, tmp_path: Path) -> None:
    world.one(web())
    (found,), _paths = looked(world, ledger=f"sqlite:///{tmp_path}/none.db")
    assert found["status"] == "unknown"
    assert found["why"].startswith("the ledger does not know it; name its file in paths")
