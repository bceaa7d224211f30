# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""trust_bundle over real stores and a real ledger: what is trusted is added first, and dropped when nobody needs it."""

from __future__ import annotations

import datetime as dt
import json
import os
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core import pki
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied, KeysteadError, Misconfigured
from ansible_collections.keystead.identity.plugins.module_utils._options.common import COMMON
from ansible_collections.keystead.identity.plugins.module_utils._options.ledger import REBUILD
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.plugin_utils._action import Task
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.local import LocalIssuer
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger import queries
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.chain import verify
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_ledger
from ansible_collections.keystead.identity.plugins.plugin_utils._rebuilding import rebuild
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated
from ansible_collections.keystead.identity.tests.harness.local import authority, request
from ansible_collections.keystead.identity.tests.harness.mesh import Node, mesh, turned_away
from ansible_collections.keystead.identity.tests.harness.revoking import Office
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

if t.TYPE_CHECKING:
    from pathlib import Path

NOW, HOUR = dt.datetime.now(dt.UTC).replace(microsecond=0), dt.timedelta(hours=1)

KEY = "PRIVATE KEY"


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return mesh(tmp_path, "web1")[0]


def actions(result: dict[str, t.Any]) -> list[str]:
    return [step["action"] for step in result["steps"]]


def subjects(result: dict[str, t.Any], *, retained: bool = False) -> list[str]:
    return sorted(one["subject"] for one in result["anchors"] if one["retained"] == retained)


def test_peers_stay_connected_through_the_roll_of_their_authority(tmp_path: Path) -> None:
    nodes = mesh(tmp_path, "web1", "web2", "web3")
    for node in nodes:
        node.peer("issuing")
        node.trust_settled("issuing")
    assert list(turned_away(nodes)) == []
    for node in nodes:  # trust first
        assert actions(node.trust_settled("issuing", "b")) == ["publish"]
        assert list(turned_away(nodes)) == []
    for node in nodes:  # leaf next
        assert "issue" in [step["action"] for step in node.peer("b")["steps"]]
        assert list(turned_away(nodes)) == []
    for node in nodes:  # drop last
        assert actions(node.trust_settled("b")) == ["withdraw"]
        assert list(turned_away(nodes)) == []
    assert nodes[0].bundle.read_text().count("BEGIN CERTIFICATE") == 1


def test_what_is_dropped_too_early_stays_until_the_last_peer_has_another_certificate(tmp_path: Path) -> None:
    nodes = mesh(tmp_path, "web1", "web2", "web3")
    for node in nodes:
        node.peer("issuing")
        node.trust("issuing", "b")
    for left, node in enumerate(nodes, start=1):
        early = [one.trust_settled("b") for one in nodes]
        assert [actions(one) for one in early] == [[]] * 3
        assert [subjects(one, retained=True) for one in early] == [["CN=issuing"]] * 3
        (kept,) = [one for one in early[0]["anchors"] if one["retained"]]
        assert [peer["host"] for peer in kept["needed_by"]] == [one.host for one in nodes[left - 1 :]]
        needs = " and ".join(f"web on {one.host}" for one in nodes[-2:]) if left < 3 else f"web on {nodes[-1].host}"
        assert f"{needs} still need" in kept["why"]
        assert list(turned_away(nodes)) == []
        node.peer("b")
    assert [actions(one.trust_settled("b")) for one in nodes] == [["withdraw"]] * 3
    assert list(turned_away(nodes)) == []


def test_whoever_must_be_rid_of_an_authority_says_so_and_its_peers_are_turned_away(tmp_path: Path) -> None:
    nodes = mesh(tmp_path, "web1", "web2")
    for node in nodes:
        node.peer("issuing")
        node.trust("issuing")
    done = nodes[0].trust_settled("b", drop_in_use=True)
    assert actions(done) == ["publish", "withdraw"]
    told = done["steps"][1]["reason"]
    assert "is dropped although web on web1.example.org and web on web2.example.org still need it" in told
    away = list(turned_away(nodes))
    assert len(away) == 2
    assert all("certificate" in one for one in away), "the handshake itself shows it"


def test_a_bundle_that_somebody_needs_does_not_go(node: Node) -> None:
    node.peer()
    node.trust("issuing")
    before = node.snapshot()
    for check in (True, False):
        with pytest.raises(Denied, match=r"web on web1\.example\.org would not be trusted any more; replace"):
            node.trust(state="absent", check=check)
    assert node.snapshot() == before
    done = node.trust_settled(state="absent", drop_in_use=True)
    assert (actions(done), done["path"], done["anchors"]) == (["withdraw"], None, [])
    assert not node.bundle.exists()


def test_what_nobody_in_the_ledger_needs_goes_at_once(node: Node) -> None:
    node.peer("c")
    node.trust("issuing", "b")
    assert actions(node.trust_settled("b")) == ["withdraw"]
    assert actions(node.trust_settled(state="absent")) == ["withdraw"]


@pytest.mark.parametrize("how", ["revoked", "absent"])
def test_what_was_taken_back_keeps_no_anchor(node: Node, how: str) -> None:
    node.peer()
    node.trust("issuing", "b")
    assert subjects(node.trust("b"), retained=True) == ["CN=issuing"]
    gone = {"state": "absent", "revoke_on_absent": how == "revoked"}
    node.one({"name": "web", "dns_names": [node.host], **gone})
    assert subjects(node.trust("b"), retained=True) == []


def test_what_a_rebuild_knows_by_its_issuer_alone_keeps_an_anchor_until_it_is_revoked(node: Node) -> None:
    node.peer("b")
    node.trust("issuing", "b")
    (issuer,) = node.issuer("issuing").values()
    stray: t.Any = LocalIssuer(issuer).begin([request()])[0]  # as if a service had it, which no store tells of
    assert actions(node.trust("b", check=True)) == ["withdraw"]
    issuers = [node.issuer("issuing"), node.issuer("b")]
    said = {"ledger": node.url, "issuers": issuers, "source": "issuers"}
    task = Task(node.host, "rebuild.yml", check=False, diff=False, execute=node.execute, say=node.said.append)
    done = rebuild(validated(said, spec(COMMON, REBUILD), module="ledger_rebuild"), task)
    assert len(done["recorded"]) == 1
    early = node.trust_settled("b")
    assert (actions(early), subjects(early, retained=True)) == ([], ["CN=issuing"])
    (kept,) = [one for one in early["anchors"] if one["retained"]]
    assert f"{done['recorded'][0]} on no known host still needs it" in kept["why"]
    Office(node.url, node.issuer("issuing")).settled({"fingerprint_sha256": stray.credential_id})
    assert actions(node.trust_settled("b")) == ["withdraw"]


def test_a_certificate_below_an_intermediate_keeps_the_root(node: Node) -> None:
    node.root("top")
    authority(node.authorities, "below", parent={"name": "top"})
    node.peer("below")
    node.trust("top", "b")
    assert subjects(node.trust_settled("b"), retained=True) == ["CN=top"]


def test_an_authority_whose_certificate_was_made_anew_is_needed_by_the_new_one_alone(node: Node) -> None:
    """Who verifies goes by name and key (RFC 5280, 6.1.1), so either certificate does."""
    node.peer()
    new = node.made_anew("issuing", NOW - HOUR, NOW + 9 * HOUR)
    node.trust("issuing", new)
    assert actions(node.trust_settled(new)) == ["withdraw"]
    later = node.made_anew("issuing", NOW + HOUR, NOW + 9 * HOUR)  # by this one nobody is verified yet
    assert subjects(node.trust_settled(later), retained=True) == ["CN=issuing"]


def test_an_anchor_that_has_ended_is_not_added_and_where_it_is_already_it_is_a_warning(node: Node) -> None:
    node.peer()
    ended = node.made_anew("issuing", NOW - 9 * HOUR, NOW - HOUR)
    with pytest.raises(Misconfigured, match=r"CN=issuing \(.*\) ended on 20.*, and would be added; name its successor"):
        node.trust(ended)
    node.bundle.write_text(f"# keystead.identity trust_bundle peers\n{ended}")
    assert "nobody can be verified by it any more; leave it out" in node.trust(ended)["warnings"][0]
    assert actions(node.trust_settled("b")) == ["publish", "withdraw"], "it is needed by nobody either"


def test_what_is_written_does_not_depend_on_the_order_of_the_declaration(node: Node) -> None:
    done = node.trust_settled("issuing", "b")
    before = node.snapshot()
    again = node.trust("b", "issuing")
    assert (again["changed"], again["anchors"]) == (False, done["anchors"])
    assert node.snapshot() == before
    first, *rest = node.bundle.read_text().splitlines()
    assert first == "# keystead.identity trust_bundle peers"
    assert rest[0] == "-----BEGIN CERTIFICATE-----"
    assert node.bundle.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("spoil", ["mode", "line", "cut"])
def test_a_bundle_that_somebody_spoiled_is_written_again(node: Node, spoil: str) -> None:
    node.trust("issuing", "b")
    good = node.bundle.read_text()
    if spoil == "mode":
        node.bundle.chmod(0o600)
    else:
        node.bundle.write_text(f"{good}# mine\n" if spoil == "line" else good[: len(good) - 100])
    done = node.trust_settled("issuing", "b")
    assert "is not as it was written" in done["steps"][-1]["reason"]
    assert node.bundle.read_text() == good


@pytest.mark.needs("root")
def test_a_bundle_that_belongs_to_somebody_else_is_made_anew(node: Node) -> None:
    node.trust("issuing")
    os.chown(node.bundle, 65534, -1)
    (step,) = node.trust_settled("issuing")["steps"]
    assert step["reason"].endswith("is not as it was written: it belongs to nobody")
    assert node.bundle.stat().st_uid == 0


def test_a_bundle_with_the_ends_of_lines_of_windows_is_written_again(node: Node) -> None:
    node.trust("issuing")
    good = node.bundle.read_bytes()
    node.bundle.write_bytes(good.replace(b"\n", b"\r\n"))
    assert actions(node.trust_settled("issuing")) == ["publish"]
    assert node.bundle.read_bytes() == good


def test_a_file_of_somebody_else_is_taken_over_where_nothing_is_lost(node: Node) -> None:
    node.bundle.write_text(f"my peers\n{node.root('issuing')}")
    said = r"was made by somebody else and holds CN=issuing \([0-9a-f]{16}\); write another path, move it away, or"
    with pytest.raises(Misconfigured, match=said):
        node.trust("b")
    assert actions(node.trust_settled("issuing", "b")) == ["publish", "adopt"]


@pytest.mark.parametrize("content", [f"-----BEGIN {KEY}-----\nMA==\n-----END {KEY}-----\n", "no PEM at all\n"])
def test_a_file_that_holds_something_else_is_nobodys_to_overwrite(node: Node, content: str) -> None:
    node.bundle.write_text(content)
    with pytest.raises(Misconfigured, match=r"was made by somebody else and holds (PRIVATE KEY|no PEM); write another"):
        node.trust("issuing")
    with pytest.raises(Misconfigured, match="was made by somebody else"):
        node.trust(state="absent")
    assert node.bundle.read_text() == content


def test_two_bundles_do_not_share_a_file_and_a_link_is_none(node: Node) -> None:
    node.trust("issuing")
    with pytest.raises(KeysteadError, match="is the file of trust_bundle peers; write another path, or that name"):
        node.trust("issuing", name="others")
    node.bundle.unlink()
    node.bundle.symlink_to("/etc/hosts")
    with pytest.raises(KeysteadError, match="is a link or no regular file; write another path"):
        node.trust("issuing")


def test_a_file_that_changes_while_it_is_looked_at_is_not_overwritten(node: Node) -> None:
    node.trust("issuing")

    def meddling(arguments: t.Mapping[str, t.Any]) -> t.Any:
        answer = node.execute(arguments)
        with node.bundle.open("a") as file:
            file.write(node.root("c"))
        return answer

    with pytest.raises(KeysteadError, match=r"somebody else changed .* while this run looked at it; run again"):
        node.trust("issuing", "b", execute=meddling)
    assert node.root("c") in node.bundle.read_text()
    assert node.root("b") not in node.bundle.read_text()


def test_one_execution_looks_and_another_one_writes(node: Node) -> None:
    node.trust("issuing")
    assert node.phases == ["trust"] * 2
    node.trust("issuing")
    assert node.phases == ["trust"] * 3


def test_what_is_done_is_in_the_ledger_before_and_after(node: Node) -> None:
    node.peer("c")
    node.trust_settled("issuing", "b")
    node.trust_settled("b")
    book = open_ledger(node.url, read_only=True)
    try:
        events = queries.events(book, identity="peers")
        assert verify(book) is None
    finally:
        book.close()
    told = [(one["store"], one["action"], one["outcome"]) for one in events]
    path = str(node.bundle)
    assert told == [
        *[(path, "publish", "pending")] * 2, *[(path, "publish", "ok")] * 2, (path, "withdraw", "pending"),
        (path, "withdraw", "ok"),
    ]  # fmt: skip


def test_a_failure_on_the_host_is_in_the_ledger_too(node: Node) -> None:
    def lying(arguments: t.Mapping[str, t.Any]) -> t.Any:
        answer = json.loads(json.dumps(node.execute(arguments)))
        if arguments["errand"]["errand"] == "write":
            return {"failed": True, "msg": "host: no space left"}
        return answer

    with pytest.raises(KeysteadError, match="no space left"):
        node.trust("issuing", execute=lying)
    book = open_ledger(node.url, read_only=True)
    try:
        assert [one["outcome"] for one in queries.events(book, identity="peers")] == ["pending", "failed"]
    finally:
        book.close()


@pytest.mark.parametrize(
    "answer",
    [
        {"seen": {"where": "/x", "state": "ours"}}, {"seen": {}}, {}, {"seen": "x"},
        {"seen": {"where": "/x", "state": "odd", "digest": "", "detail": "", "anchors": []}},
        {"seen": {"where": "/x", "state": "ours", "digest": "", "detail": "", "anchors": ["bm8="]}},
        {"seen": {"where": "/x", "state": "ours", "digest": "", "detail": "a\nb", "anchors": []}},
    ],
)  # fmt: skip
def test_a_host_that_says_something_else_is_not_believed(node: Node, answer: dict[str, t.Any]) -> None:
    def lying(arguments: t.Mapping[str, t.Any]) -> t.Any:
        return {**node.execute(arguments), "identities": [{"name": "bundle", **answer}]}

    with pytest.raises(Denied, match="host: its answer about its anchors is refused"):
        node.trust("issuing", execute=lying)


def test_anchors_that_are_none_are_refused_by_name(node: Node) -> None:
    node.peer()
    leaf = node.path("web", "current", "fullchain.pem")
    key = node.path("web", "current", "private_key.pem")
    before = node.snapshot()
    for said, why in {
        str(leaf): r"fullchain\.pem: .* is no authority: its basic constraints do not say so",
        str(key): r"private_key\.pem: it holds a private key, which is nobody's to trust",
        "/nowhere.pem": r"/nowhere\.pem: No such file or directory; write certificates of authorities",
        "-----BEGIN CERTIFICATE-----\nno\n": "entry 1: no certificate that can be read",
    }.items():
        with pytest.raises(Misconfigured, match=f"trust_bundle: option anchors: .*{why}"):
            node.trust(said)
    for more, why in (
        ({"path": "here"}, "option path: 'here' is not an absolute path"),
        ({"system": True}, "option path: the system's store has its own place"),
        ({"name": "../x"}, "option name: '../x' cannot name a file"),
    ):  # fmt: skip
        with pytest.raises(Misconfigured, match=why):
            node.trust("issuing", **more)
    with pytest.raises(Misconfigured, match="option anchors: none is named"):
        node.trust()
    assert node.snapshot() == before


def test_a_file_of_anchors_that_holds_something_else_is_refused_by_what_that_is(tmp_path: Path, node: Node) -> None:
    good, file = node.root("b"), tmp_path / "anchors.pem"
    der = pki.der_certificates(good.encode())[0]
    for content, why in {
        f"{good}-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n".encode(): "holds X509 CRL, which does not",
        good.replace("BEGIN CERT", "BEGIN TRUSTED CERT").encode(): "TRUSTED CERTIFICATE; .* by openssl x509",
        der: "it is DER; make PEM of it by openssl x509 -inform der",
        f"{good}{good[:90]}\n".encode(): "certificate 2: no certificate that can be read",
        b" " * (5 << 20): "no regular file of at most 4 MiB",
    }.items():
        file.write_bytes(content)
        with pytest.raises(Misconfigured, match=rf"option anchors: {file}.*{why}"):
            node.trust(str(file))
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(Misconfigured, match="it is no regular file"):
        node.trust(str(file))
    with pytest.raises(Misconfigured, match=r"n\.pem: No such file or directory in /.*, where relative paths begin"):
        node.trust("files/n.pem")


def test_more_anchors_than_a_bundle_takes_are_refused(node: Node) -> None:
    name, key = x509.Name([]), ec.generate_private_key(ec.SECP256R1())
    made = x509.CertificateBuilder(name, name, key.public_key(), not_valid_before=NOW, not_valid_after=NOW + HOUR)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    many = (made.serial_number(number).sign(key, hashes.SHA256()) for number in range(1, 2050))
    text = b"".join(one.public_bytes(Encoding.PEM) for one in many).decode()
    with pytest.raises(Misconfigured, match="2049 are named, and a bundle has at most 2048; make several of it"):
        node.trust(text)


def test_a_path_in_no_directory_and_what_a_killed_run_left_are_named(node: Node) -> None:
    with pytest.raises(KeysteadError, match=r"host: option path: /nowhere does not exist; create this directory"):
        node.trust("issuing", path="/nowhere/peers.pem")
    half = node.bundle.with_name(f".{node.bundle.name}.keystead-new")
    half.write_text("half of it")
    done = node.trust_settled(state="absent")
    assert done["steps"][0]["reason"].endswith("is not as it was written: a run was cut off that wrote there")
    assert not half.exists()


def test_an_anchor_that_is_named_twice_is_told_and_counts_once(node: Node) -> None:
    done = node.trust("issuing", "issuing")
    assert len(done["anchors"]) == 1
    assert "entry 2: CN=issuing" in done["warnings"][0]
    assert "is named twice, in entry 1 first" in done["warnings"][0]


def retained(node: Node) -> list[dict[str, t.Any]]:
    """Return what would be retained if the first authority were declared no more."""
    return [one for one in node.trust("b", check=True)["anchors"] if one["retained"]]


def fleet(tmp_path: Path, trusts: list[dict[str, t.Any]] | None) -> tuple[Node, Node, Node]:
    """Return a host that says whom it trusts, a peer of service shop, and one of service mail, all of one authority."""
    asking, shop, mail = nodes = mesh(tmp_path, "web1", "shop1", "mail1")
    shop.peer(service="shop")
    mail.peer(service="mail")
    asking.peer("b", service="desk", trusts=trusts)
    asking.trust("issuing", "b")
    return nodes


def test_only_the_peers_that_an_identity_names_keep_an_anchor(tmp_path: Path) -> None:
    asking, shop, mail = fleet(tmp_path, [{"service": "shop"}])
    (kept,) = retained(asking)
    assert kept["why"] == "web on shop1.example.org still needs it"
    assert kept["needed_by"] == [{"host": shop.host, "store": str(shop.store), "identity": "web"}]
    shop.peer("b", service="shop")
    assert retained(asking) == []
    assert mail.remembered("web").issuer_id != shop.remembered("web").issuer_id


def test_peers_may_be_named_by_their_issuer(tmp_path: Path) -> None:
    signer = mesh(tmp_path, "any")[0]
    signer.peer()
    issuer_id = signer.remembered("web").issuer_id
    asking, shop, _mail = fleet(tmp_path, [{"issuer": issuer_id}])
    assert len(retained(asking)[0]["needed_by"]) == 3
    for one in mesh(tmp_path, "any", "shop1", "mail1"):
        one.peer("b")
    assert retained(asking) == []
    assert shop.remembered("web").issuer_id != issuer_id


@pytest.mark.parametrize(
    ("trusts", "why"),
    [
        (None, "does not say whom it trusts"),
        ([{"service": "shpo"}], "trusts service shpo, which the ledger does not know"),
        ([{"issuer": "local:x"}], "trusts issuer local:x, which the ledger does not know"),
    ],
)
def test_where_it_is_not_known_who_the_peers_are_everybody_is_one(
    tmp_path: Path, trusts: list[dict[str, t.Any]] | None, why: str
) -> None:
    asking, _shop, _mail = fleet(tmp_path, trusts)
    (kept,) = retained(asking)
    assert f"everybody counts, since web of web1.example.org {why}" in kept["why"]
    assert [one["host"] for one in kept["needed_by"]] == ["mail1.example.org", "shop1.example.org"]


def test_who_trusts_nobody_keeps_nothing(tmp_path: Path) -> None:
    asking, _shop, _mail = fleet(tmp_path, [])
    assert retained(asking) == []


def test_a_peer_of_no_service_may_be_of_any(tmp_path: Path) -> None:
    asking, shop, mail = fleet(tmp_path, [{"service": "shop"}])
    shop.peer("b", service="shop")
    mail.one({"name": "more", "dns_names": [mail.host]})
    assert [one["identity"] for one in retained(asking)[0]["needed_by"]] == ["more"]


def test_one_identity_of_a_host_that_is_silent_makes_everybody_a_peer(tmp_path: Path) -> None:
    asking, _shop, _mail = fleet(tmp_path, [])
    asking.one({"name": "silent", "dns_names": [asking.host]}, issuer=asking.issuer("b"))
    assert "silent of web1.example.org does not say whom it trusts" in retained(asking)[0]["why"]


def test_other_peers_are_recorded_at_once_and_a_rotation_forgets_none(tmp_path: Path) -> None:
    asking, _shop, _mail = fleet(tmp_path, [{"service": "shop"}])
    again = asking.peer("b", service="desk", trusts=[{"service": "shop"}])
    before = asking.snapshot(), asking.ledger.read_bytes()
    assert (again["changed"], again["steps"]) == (False, [])
    assert (asking.snapshot(), asking.ledger.read_bytes()) == before, "nothing is left to write"
    other = asking.peer("b", service="desk", trusts=[{"service": "mail"}, {"service": "shop"}])
    assert (other["changed"], other["steps"]) == (False, [])
    assert json.loads(str(asking.remembered("web").trusts)) == [["service", "mail"], ["service", "shop"]]
    assert len(retained(asking)[0]["needed_by"]) == 2
    rotated = asking.converge(
        [{"name": "web", "dns_names": [asking.host], "profile": "tls_peer"}], issuer=asking.issuer("b"),
        made_before=dt.datetime.now(dt.UTC) + dt.timedelta(seconds=1),
    )  # fmt: skip
    assert rotated["changed"]
    assert json.loads(str(asking.remembered("web").trusts)) == [["service", "mail"], ["service", "shop"]]
    asking.peer("b", service="desk")
    assert asking.remembered("web").trusts is None
    book = open_ledger(asking.url, read_only=True)
    try:
        assert verify(book) is None
    finally:
        book.close()


@pytest.mark.parametrize(
    ("trusts", "why"),
    [
        ([{}], r"trusts\[0\].*exactly one|exactly one"), ([{"issuer": "x", "service": "y"}], "exactly one"),
        ([{"service": ""}], r"trusts\.service: '' is not 1 to 255 printable characters"),
    ],
)  # fmt: skip
def test_a_peer_is_named_in_exactly_one_way(node: Node, trusts: list[dict[str, t.Any]], why: str) -> None:
    with pytest.raises(Misconfigured, match=why):
        node.peer(trusts=trusts)
