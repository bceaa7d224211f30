# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""An anchor stays where it is not known that nobody needs it: no proof, no clock, no ledger, no way that is taken."""

from __future__ import annotations

import datetime as dt
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied
from ansible_collections.keystead.identity.tests.harness.consumers import TlsServer
from ansible_collections.keystead.identity.tests.harness.local import authority
from ansible_collections.keystead.identity.tests.harness.mesh import Node, mesh, turned_away

if t.TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return mesh(tmp_path, "web1")[0]


def kept(done: dict[str, t.Any]) -> list[str]:
    """Return why anchors are retained."""
    return [one["why"] for one in done["anchors"] if one["retained"]]


def replaced(node: Node, **said: t.Any) -> None:
    """Roll the authority of a host, as far as its certificate is replaced."""
    node.peer("issuing", **said)
    node.trust("issuing", "b")
    record = node.peer("b", **said)
    assert not record["failed"], record["msg"]


@pytest.mark.parametrize("linked", [True, False])
def test_a_replacement_that_nothing_proved_keeps_the_old_anchor_until_a_proof_is_seen(
    node: Node, *, linked: bool
) -> None:
    links = {"links": {str(node.links / "web.pem"): "fullchain"}} if linked else {}
    replaced(node, prove=None, **links)
    (why,) = kept(node.trust_settled("b"))
    assert why == (
        "web on web1.example.org may still show a certificate that needs it: it was replaced, and nothing proved that "
        "the service uses another; run machine_identity with prove and its when: always, or say drop_in_use: "
        "true; everybody counts, since web "
        "of web1.example.org does not say whom it trusts"
    )
    with pytest.raises(Denied, match="first, and where that was done, run machine_identity with prove and its when"):
        node.trust(state="absent")
    seen = node.peer("b", prove={"command": ["true"], "when": "always"}, **links)
    assert (seen["changed"], seen["steps"]) == (False, [])
    before = node.snapshot()
    node.peer("b", prove={"command": ["true"], "when": "always"}, **links)
    assert node.snapshot() == before, "it is known by now, and nothing is written"
    assert kept(node.trust_settled("b")) == []


def test_a_service_that_still_shows_the_old_certificate_keeps_its_anchor(node: Node) -> None:
    node.peer("issuing", prove=None)
    node.trust("issuing", "b")
    pair = tuple(str(node.path("web", "current", f"{part}.pem")) for part in ("fullchain", "private_key"))
    with TlsServer(t.cast("tuple[str, str]", pair)) as service:  # what it loaded it keeps
        node.peer("b", prove=None)
        asked = {"host": "127.0.0.1", "port": service.port, "server_name": node.host, "when": "always", "timeout": "1s"}
        assert "serves another key" in node.peer("b", prove=asked)["msg"]
        assert "may still show a certificate that needs it" in kept(node.trust_settled("b"))[0]
        service.load(t.cast("tuple[str, str]", pair))
        assert not node.peer("b", prove=asked)["failed"]
    assert kept(node.trust_settled("b")) == []


def test_what_was_replaced_counts_until_it_ends_and_drop_in_use_does_not_wait(node: Node) -> None:
    replaced(node, prove=None, lifetime="2h")
    assert len(kept(node.trust("b", check=True))) == 1
    done = node.trust_settled("b", drop_in_use=True)
    assert "is dropped although web on web1.example.org still need it (drop_in_use)" in done["steps"][-1]["reason"]


def test_who_is_gone_shows_nothing_any_more(node: Node) -> None:
    replaced(node, prove=None)
    node.one({"name": "web", "dns_names": [node.host], "state": "absent"})
    assert kept(node.trust_settled("b")) == []


def test_an_identity_that_has_both_is_named_once(tmp_path: Path) -> None:
    first, second = mesh(tmp_path, "web1", "web2")
    first.peer("issuing", prove=None)
    first.peer("issuing", prove=None, lifetime="20d")
    second.peer("b")
    second.trust("issuing", "b")
    done = second.trust("b")
    assert [one["needed_by"] for one in done["anchors"] if one["retained"]] == [
        [{"host": first.host, "store": str(first.store), "identity": "web"}]
    ]
    assert "web on web1.example.org still needs it" in kept(done)[0]


@pytest.mark.parametrize("off", [dt.timedelta(days=2), dt.timedelta(days=-2)])
def test_while_a_clock_is_off_nothing_is_dropped(node: Node, off: dt.timedelta) -> None:
    node.peer("b")
    node.trust("issuing", "b")

    def elsewhen(arguments: t.Mapping[str, t.Any]) -> t.Any:
        answer = node.execute(arguments)
        return {**answer, "now": answer["now"] + off.total_seconds()}

    done = node.trust("b", execute=elsewhen)
    assert not done["changed"]
    assert "the clocks of web1.example.org and of the controller differ by 172800 s" in kept(done)[0]
    assert "the clock of web1.example.org is 172800 s off" in done["warnings"][0]
    with pytest.raises(Denied, match=r"since the clocks of .* synchronise both; web on .*, or say drop_in_use: true"):
        node.trust(state="absent", execute=elsewhen)
    assert node.trust("b", execute=elsewhen, drop_in_use=True)["changed"]


def test_a_ledger_that_knows_nobody_drops_nothing(tmp_path: Path, node: Node) -> None:
    node.trust("issuing", "b")
    for ledger in (node.url, f"sqlite:///{tmp_path}/misspelt.sqlite"):
        done = node.trust_settled("b", ledger=ledger)
        assert not done["changed"]
        (why,) = kept(done)
        assert why.startswith("the ledger knows no certificate that has not ended, and who knows nobody cannot say")
        with pytest.raises(Denied, match="look at option ledger, or say drop_in_use: true"):
            node.trust(state="absent", ledger=ledger)
    done = node.trust_settled("b", drop_in_use=True)
    assert "is dropped although it is not known who needs it (drop_in_use)" in done["steps"][-1]["reason"]


def test_a_root_stays_where_only_what_it_signed_is_declared(tmp_path: Path) -> None:
    """OpenSSL takes no end that does not sign itself, so that without the root every pair would be turned away."""
    nodes = mesh(tmp_path, "web1", "web2")
    nodes[0].root("top")
    authority(nodes[0].authorities, "below", parent={"name": "top"})
    for node in nodes:
        node.peer("below")
        node.trust("top")
    for node in nodes:
        (why,) = kept(node.trust_settled("below"))
        assert "CN=below does not sign itself, and most verifiers take it only beside the anchor that signed it" in why
    assert list(turned_away(nodes)) == []
    nodes[0].trust("below", drop_in_use=True)
    assert len(list(turned_away(nodes))) == 2
