# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The lookup cert_status: over a real ledger, real issuers, OpenSSL's responder, and lists by HTTP."""

from __future__ import annotations

import contextlib
import socket
import sqlite3
import time
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.lookup.cert_status import LookupModule
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import KeysteadError
from ansible_collections.keystead.identity.plugins.module_utils._core.pki import (
    der_certificates,
    fingerprint,
    pem_certificate,
)
from ansible_collections.keystead.identity.plugins.module_utils._options.cert_status import LOOKUP
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.plugin_utils._cert_status import WHO, tell
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.local import LocalIssuer
from ansible_collections.keystead.identity.plugins.plugin_utils._serial import with_colons
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated
from ansible_collections.keystead.identity.tests.harness import local, playbook
from ansible_collections.keystead.identity.tests.harness import openbao as make
from ansible_collections.keystead.identity.tests.harness.elsewhere import (
    Authority,
    Lists,
    Responder,
    der,
    line,
    serving,
)
from ansible_collections.keystead.identity.tests.harness.in_process import HOST, World, web
from ansible_collections.keystead.identity.tests.harness.revoking import Office

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.openbao_server import Server
    from cryptography import x509

LIVE: dict[str, t.Any] = {"check_status": "live"}
RECORD: dict[str, t.Any] = {"part": "record"}
ALL_BUT = dict.fromkeys(("reason", "revoked_at", "source", "this_update", "next_update", "why"))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "theirs")


@pytest.fixture
def lists() -> t.Iterator[Lists]:
    with serving(Lists()) as server:
        yield server


def asked(world: World | None, *terms: str, **said: t.Any) -> list[t.Any]:
    """Return what the lookup does."""
    given = validated(said, spec(LOOKUP), module=WHO)
    ledger = {"ledger": world.url if world else None, "ledger_password": None, "ledger_password_file": None}
    return tell(ledger, terms, given, HOST)


def text(*certificates: x509.Certificate) -> str:
    return "".join(pem_certificate(der(one)).decode() for one in certificates)


def ways(certificate: x509.Certificate, path: Path) -> list[str]:
    """Return how a certificate is named, but by its identity."""
    path.write_text(text(certificate), encoding="ascii")
    number = with_colons(certificate.serial_number)
    return [number, number.upper(), fingerprint(der(certificate)), text(certificate), str(path)]


# what the ledger says


def test_the_ledger_tells_of_every_way_to_name_a_certificate(world: World, tmp_path: Path) -> None:
    world.one(web())
    terms = ["web", *ways(world.certificate(), tmp_path / "web.pem")]
    assert asked(world, *terms) == ["good"] * 6
    Office(world.url, world.issuer()).run({"identity": "web"}, reason="superseded", replaced_first=False)
    assert asked(world, *terms) == ["revoked"] * 6
    for one in asked(world, *terms, **RECORD):
        assert one.pop("revoked_at").endswith("Z")
        expected = {**ALL_BUT, "status": "revoked", "reason": "superseded", "source": "ledger"}
        assert one == {name: value for name, value in expected.items() if name != "revoked_at"}


def test_what_the_ledger_knows_nothing_of_is_unknown_and_says_so(world: World, authority: Authority) -> None:
    world.one(web())
    leaf = authority.leaf()
    terms = (text(leaf), with_colons(leaf.serial_number), fingerprint(der(leaf)))
    assert asked(world, *terms) == ["unknown"] * 3
    for one in asked(world, *terms, **RECORD):
        assert one["why"].startswith("the ledger does not know it")


def test_what_ended_is_expired_and_what_is_gone_is_unknown(world: World, authority: Authority) -> None:
    world.one(web())
    world.one(web(state="absent"))
    ended = authority.leaf(days=-1)
    said = asked(world, "web", text(ended), **RECORD, **LIVE)
    assert [one["status"] for one in said] == ["unknown", "expired"]
    assert said[0]["why"] == "it is absent"
    assert said[1]["why"].startswith("it ended on ")


def test_an_identity_of_another_host_is_named_by_it(world: World) -> None:
    world.one(web())
    other = World(world.directory, host="web2.example.org")
    with pytest.raises(KeysteadError, match=r"cert_status: the ledger knows no identity of host web2\.example\.org"):
        tell({"ledger": other.url}, ["web"], validated({}, spec(LOOKUP), module=WHO), other.host)
    given = validated({"host": HOST}, spec(LOOKUP), module=WHO)
    assert tell({"ledger": other.url}, ["web"], given, other.host) == ["good"]


# what others say now


def test_only_a_live_question_learns_what_was_revoked_elsewhere_and_nothing_is_recorded(world: World) -> None:
    world.converge([web(), web(name="api")])
    (options,) = world.issuer().values()
    LocalIssuer(options).revoke([der(world.certificate())], "key_compromise")
    before = world.snapshot()
    live = {**LIVE, "issuers": [world.issuer()]}
    assert asked(world, "web", "api") == ["good", "good"]
    assert asked(world, "web", "api", **live) == ["revoked", "good"]
    (said,) = asked(world, "web", **live, **RECORD)
    assert (said["reason"], said["source"], said["why"]) == ("key_compromise", "issuer", None)
    (unknown,) = asked(world, "web", **LIVE, **RECORD)
    assert unknown["status"] == "unknown"
    why = f"it names no responder and no revocation list; name {LocalIssuer(options).id}, which signed it, in issuers"
    assert unknown["why"] == why
    assert world.snapshot() == before


@pytest.mark.needs("openbao")
def test_an_openbao_is_asked_about_what_it_signed_and_one_that_is_away_is_no_answer(
    openbao: Server, tmp_path: Path
) -> None:
    pki, world = make.pki(openbao), World(tmp_path)
    issuer = {"openbao": pki.options(make.approle(pki))}
    world.one(web(), issuer=issuer)
    live = {**LIVE, "issuers": [issuer]}
    terms = ["web", text(world.certificate())]
    assert asked(world, *terms, **live) == ["good", "good"]
    number = with_colons(world.certificate().serial_number)
    pki.call("POST", f"{pki.mount}/revoke", {"serial_number": number})
    assert asked(world, *terms) == ["good", "good"]
    assert asked(world, *terms, **live) == ["revoked", "revoked"]
    assert asked(None, terms[1], **live) == ["revoked"], "without a ledger"
    away = {"openbao": {**issuer["openbao"], "url": "https://127.0.0.1:9"}}
    (said,) = asked(None, terms[1], **LIVE, **RECORD, issuers=[away])
    assert said["status"] == "unknown"
    assert "127.0.0.1:9" in said["why"]


@pytest.mark.needs("openbao")
def test_what_an_openbao_publishes_is_asked_where_its_certificates_say_so(openbao: Server, tmp_path: Path) -> None:
    pki, world = make.pki(openbao), World(tmp_path)
    places = {"ocsp_servers": "ocsp", "crl_distribution_points": "crl"}
    pki.call("POST", f"{pki.mount}/config/urls",
             {name: [f"{openbao.url}/v1/{pki.mount}/{path}"] for name, path in places.items()})  # fmt: skip
    world.one(web(), issuer={"openbao": pki.options(make.approle(pki))})
    live = {**LIVE, **RECORD, "ca_bundle": str(openbao.ca_bundle)}
    (good,) = asked(world, "web", **live)
    assert (good["status"], good["source"]) == ("good", "ocsp")
    pki.call("POST", f"{pki.mount}/revoke", {"serial_number": with_colons(world.certificate().serial_number)})
    (revoked,) = asked(world, "web", **live)
    assert (revoked["status"], revoked["source"]) == ("revoked", "ocsp")
    pki.call("POST", f"{pki.mount}/config/crl", {"ocsp_disable": True})
    (listed,) = asked(world, "web", **live)
    assert (listed["status"], listed["source"]) == ("revoked", "crl")
    assert listed["this_update"] < listed["next_update"]
    (mistrusted,) = asked(world, "web", **LIVE, **RECORD)
    assert (mistrusted["status"], mistrusted["source"]) == ("unknown", None)


def test_an_issuer_that_cannot_be_used_is_said(world: World) -> None:
    world.one(web())
    nowhere = {"local": {"directory": "/nowhere", "authority": "issuing"}}
    (said,) = asked(world, "web", **LIVE, **RECORD, issuers=[nowhere])
    assert said["status"] == "unknown"
    assert "/nowhere" in said["why"]


def test_one_list_is_fetched_once_for_a_thousand_certificates(
    authority: Authority, lists: Lists, world: World
) -> None:
    world.one(web())
    leaves = [authority.leaf(lists=lists.url) for _one in range(1000)]
    lists.content = authority.list(*leaves[::2])
    started = time.monotonic()
    said = asked(world, *(text(one, authority.certificate) for one in leaves), **LIVE)
    assert said == ["revoked", "good"] * 500
    assert lists.asked == 1
    assert time.monotonic() - started < 30


def test_a_list_says_from_when_to_when_it_holds_and_a_stale_one_says_nothing(
    authority: Authority, lists: Lists
) -> None:
    leaf = authority.leaf(lists=lists.url)
    lists.content = authority.list()
    (good,) = asked(None, text(leaf, authority.certificate), **LIVE, **RECORD)
    assert (good["status"], good["source"]) == ("good", "crl")
    assert good["this_update"] < good["next_update"]
    lists.content = authority.list(leaf, days=-1)
    (stale,) = asked(None, text(leaf, authority.certificate), **LIVE, **RECORD)
    assert stale == {**ALL_BUT, "status": "unknown", "why": f"{lists.url} say nothing that holds now"}


@pytest.mark.needs("openssl")
def test_a_responder_is_asked_before_the_list(authority: Authority, lists: Lists) -> None:
    with serving(Responder(authority)) as responder:
        leaf = authority.leaf(responder=responder.url, lists=lists.url)
        lists.content = authority.list()
        responder.lines = (line(leaf, "260101000000Z,keyCompromise"),)
        (said,) = asked(None, text(leaf, authority.certificate), **LIVE, **RECORD)
    assert (said["status"], said["source"], said["reason"]) == ("revoked", "ocsp", "key_compromise")
    assert said["revoked_at"] == "2026-01-01T00:00:00Z"
    assert said["this_update"] < said["next_update"]
    assert lists.asked == 0


def test_what_leads_to_no_root_of_ours_is_unknown_whatever_its_own_authority_says(
    authority: Authority, lists: Lists, tmp_path: Path
) -> None:
    leaf, stranger = authority.leaf(lists=lists.url), Authority(tmp_path / "stranger")
    lists.content = authority.list()
    term = text(leaf, authority.certificate)
    assert asked(None, term, **LIVE) == ["good"]
    assert asked(None, term, text(leaf), **LIVE, roots=[str(authority.pem)]) == ["good", "good"]
    (said,) = asked(None, term, **LIVE, **RECORD, roots=[str(stranger.pem)])
    assert (said["status"], said["why"]) == ("unknown", "CN=web.example.org is not signed by a pinned root")
    assert lists.asked == 2, "a place that a stranger names is not asked"


def test_what_a_revoked_authority_signed_is_unknown(tmp_path: Path) -> None:
    issuing = local.two_tiers(tmp_path / "ca")
    root = {**issuing, "authority": "root"}
    (made,) = LocalIssuer(issuing).begin([local.request()])
    term = made.parts["fullchain"].content.decode()  # type: ignore[union-attr]
    for issuers in ([issuing], [issuing, root]):
        live = {**LIVE, "issuers": [{"local": one} for one in issuers]}
        assert asked(None, term, **live) == ["good"]
    (revoked,) = LocalIssuer(root).revoke([der_certificates(term.encode())[1]], "ca_compromise")
    assert not isinstance(revoked, KeysteadError)
    (said,) = asked(None, term, **live, **RECORD)
    assert (said["status"], said["why"]) == ("unknown", "CN=issuing above it was revoked (ca_compromise)")


def test_silent_places_take_no_longer_than_the_whole_call_may(authority: Authority) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:
        places = [f"http://127.0.0.1:{silent.getsockname()[1]}/{number}.crl" for number in range(20)]
        terms = [text(authority.leaf(lists=place), authority.certificate) for place in places]
        started = time.monotonic()
        said = asked(None, *terms, **LIVE, **RECORD, timeout="2s")
        assert time.monotonic() - started < 30, "one after the other would take 40"
    assert {one["status"] for one in said} == {"unknown"}
    assert said[-1]["why"] == "there was no time left of 2 s"


# mistakes, and the way through Ansible


@pytest.mark.parametrize(
    ("term", "said", "message"),
    [
        ("/nowhere/web.pem", {}, "cert_status: /nowhere/web.pem cannot be read on the controller (No such file"),
        ("/dev/null", {}, "cert_status: /dev/null holds no certificate in PEM; write one that does"),
        ("-----BEGIN NOTHING-----", {}, "cert_status: the PEM given holds no certificate in PEM"),
        ("wep", {}, "cert_status: the ledger knows no identity 'wep'"),
        ("web", {"timeout": "soon", **LIVE}, "cert_status: option timeout: 'soon' is not a duration"),
        ("web", {"timeout": "0s", **LIVE}, "cert_status: option timeout: '0s' is no time at all"),
        ("web", {"ca_bundle": "/nowhere", **LIVE}, "cert_status: ca_bundle /nowhere: No such file or directory; write"),
        ("web", {"roots": ["/nowhere"]}, "cert_status: option roots: '/nowhere' cannot be read: No such file"),
    ],
)
def test_a_mistake_is_one_sentence(world: World, term: str, said: dict[str, t.Any], message: str) -> None:
    world.one(web())
    with pytest.raises(KeysteadError) as refused:
        asked(world, term, **said)
    assert message in str(refused.value)


def test_a_serial_number_that_two_issuers_gave_needs_its_issuer(world: World) -> None:
    world.one(web())
    world.one(web(name="api"))
    number = with_colons(world.certificate().serial_number)
    with contextlib.closing(sqlite3.connect(world.ledger)) as ledger, ledger:
        ledger.execute("UPDATE x509 SET serial_number = ?", (number.replace(":", "").lstrip("0"),))
        ledger.execute("UPDATE generations SET issuer_id = 'local:other' WHERE id = 2")
    with pytest.raises(KeysteadError, match=r"several certificates have it, of local:.*; set option issuer_id to one"):
        asked(world, number)
    assert asked(world, number, issuer_id="local:other") == ["good"]


def test_a_template_gets_a_word_or_a_record(tmp_path: Path) -> None:
    world = World(tmp_path, host="web1")
    world.one(web())
    expressions = (
        "{{ lookup('keystead.identity.cert_status', 'web') }}",
        (
            "{{ query('keystead.identity.cert_status', 'web', 'web', part='record', check_status='live', "
            "issuers=[keystead_issuer]) | map(attribute='source') }}"
        ),
        "{{ lookup('keystead.identity.cert_status', 'web', chek_status='live') }}",
    )
    tasks = [{"ansible.builtin.debug": {"msg": one}, "ignore_errors": True} for one in expressions]
    variables = {"keystead_ledger": world.url, "keystead_issuer": world.issuer()}
    done = playbook.run([{"hosts": "all", "gather_facts": False, "vars": variables, "tasks": tasks}],
                        {"web1": {}}, home=tmp_path / "home")  # fmt: skip
    assert "Traceback" not in done.stdout + done.stderr
    good, sources, mistake = (one["msg"] for one in playbook.results(tmp_path / "home"))
    assert (good, sources) == ("good", ["issuer", "issuer"])
    assert "cert_status: option chek_status is unknown; did you mean check_status?" in mistake
    assert LookupModule.who == WHO
