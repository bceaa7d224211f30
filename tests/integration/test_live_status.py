# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""check_status: live. Who signed a certificate is asked, else what it names: OpenSSL's responder, and lists by HTTP."""

from __future__ import annotations

import subprocess
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.ports import Good, Revoked, Unknown
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.local import LocalIssuer
from ansible_collections.keystead.identity.plugins.plugin_utils._published import Published, Told
from ansible_collections.keystead.identity.tests.harness import openbao as make
from ansible_collections.keystead.identity.tests.harness.elsewhere import (
    Authority,
    Lists,
    Responder,
    der,
    line,
    serving,
)
from ansible_collections.keystead.identity.tests.harness.in_process import World, reason, steps, web
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.openbao_server import Server

LIVE = {"check_status": "live"}
RENEWAL = ["stage_key", "issue", "publish", "destroy"]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_what_its_authority_revoked_elsewhere_is_replaced_and_only_a_live_run_knows(world: World) -> None:
    world.converge([web(), web(name="api")])
    (options,) = world.issuer().values()
    (revoked,) = LocalIssuer(options).revoke([der(world.certificate())], "key_compromise")
    assert world.settled([web(), web(name="api")])["changed"] is False
    done = world.foreseen([web(), web(name="api")], **LIVE)["identities"]
    assert [steps(one) for one in done] == [RENEWAL, []]
    assert reason(done[0]) == "it was revoked (key_compromise)"
    assert world.query("SELECT state, revocation_reason FROM generations WHERE state = 'revoked'") == [
        ("revoked", "key_compromise")
    ]
    assert isinstance(revoked, Revoked)
    again = world.settled([web(), web(name="api")], **LIVE)
    assert (again["changed"], again["warnings"]) == (False, [])


@pytest.mark.needs("openbao")
def test_an_openbao_tells_what_somebody_revoked_there(openbao: Server, tmp_path: Path) -> None:
    pki, world = make.pki(openbao), World(tmp_path)
    issuer = {"openbao": pki.options(make.approle(pki))}
    world.one(web(), issuer=issuer)
    serial = f"{world.certificate().serial_number:x}"
    number = ":".join(f"{int(serial, 16):040x}"[n : n + 2] for n in range(0, 40, 2)).removeprefix("00:")
    pki.call("POST", f"{pki.mount}/revoke", {"serial_number": number})
    assert world.one(web(), issuer=issuer)["steps"] == []
    done = world.foreseen([web()], issuer=issuer, **LIVE)["identities"][0]
    assert (steps(done), reason(done)) == (RENEWAL, "it was revoked (unspecified)")
    assert world.settled([web()], issuer=issuer, **LIVE)["changed"] is False


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "theirs")


@pytest.fixture
def lists() -> t.Iterator[Lists]:
    with serving(Lists()) as server:
        yield server


def test_a_list_is_fetched_once_and_says_what_it_may(authority: Authority, lists: Lists) -> None:
    good, bad = authority.leaf(lists=lists.url), authority.leaf(lists=lists.url)
    lists.content = authority.list(bad)
    published, above = Published(), [der(authority.certificate)]
    assert isinstance(published.status(der(good), above).status, Good)
    assert isinstance(published.status(der(bad), above).status, Revoked)
    assert lists.asked == 1
    assert published.status(der(bad), []) == Told(Unknown(), "the certificate that signed it is not known here")


@pytest.mark.parametrize("what", ["stale", "of another", "none", "gone", "elsewhere", "PEM"])
def test_a_list_that_cannot_be_believed_says_nothing(
    authority: Authority, lists: Lists, tmp_path: Path, what: str
) -> None:
    leaf = authority.leaf(lists=lists.url)
    lists.content = {
        "stale": authority.list(days=-1), "of another": Authority(tmp_path / "other").list(), "none": b"<html>",
        "PEM": x509.load_der_x509_crl(authority.list()).public_bytes(Encoding.PEM),
    }.get(what, authority.list())  # fmt: skip
    lists.status = {"gone": 404, "elsewhere": 302}.get(what, 200)
    found, why, *_more = Published().status(der(leaf), [der(authority.certificate)])
    assert isinstance(found, Good if what == "PEM" else Unknown)
    assert why == ("" if what == "PEM" else f"{lists.url} say nothing that holds now")


@pytest.mark.needs("openssl")
@pytest.mark.parametrize(("digest", "expected"), [("sha256", Good), ("sha1", Unknown)])
def test_a_list_with_a_hash_that_is_broken_says_nothing(
    authority: Authority, lists: Lists, digest: str, expected: type
) -> None:
    """With SHA-1, only OpenSSL still signs."""
    leaf = authority.leaf(lists=lists.url)
    (authority.directory / "index").touch()
    (authority.directory / "ca.cnf").write_text("[ca]\ndefault_ca = one\n[one]\ndatabase = index\n", encoding="ascii")
    argv = ["openssl", "ca", "-config", "ca.cnf", "-gencrl", "-crldays", "1", "-md", digest, "-cert", "ca.pem",
            "-keyfile", "ca.key", "-out", "list"]  # fmt: skip
    subprocess.run(argv, cwd=authority.directory, check=True, capture_output=True, timeout=20)
    lists.content = (authority.directory / "list").read_bytes()
    assert isinstance(Published().status(der(leaf), [der(authority.certificate)]).status, expected)


def test_an_adopted_certificate_that_its_authority_revoked_is_replaced(
    world: World, authority: Authority, lists: Lists
) -> None:
    leaf = authority.leaf(lists=lists.url)
    lists.content = authority.list()
    world.settled([authority.adopted()])
    assert world.settled([authority.adopted()], **LIVE)["changed"] is False
    lists.content = authority.list(leaf)
    done = world.foreseen([authority.adopted()], **LIVE)["identities"][0]
    assert reason(done) == "it was revoked (unspecified)"
    assert world.settled([authority.adopted()], **LIVE)["changed"] is False


def test_what_nobody_tells_is_a_warning_and_changes_nothing(world: World, authority: Authority) -> None:
    authority.leaf()
    world.settled([authority.adopted()])
    (warning,) = world.settled([authority.adopted()], **LIVE)["warnings"]
    assert warning == "nobody tells whether web is revoked: it names no responder and no revocation list"


@pytest.fixture
def responder(authority: Authority) -> t.Iterator[Responder]:
    with serving(Responder(authority)) as server:
        yield server


@pytest.mark.parametrize("ends", [True, False])
def test_a_responder_is_believed_by_the_nonce_that_it_repeats(
    authority: Authority, responder: Responder, *, ends: bool
) -> None:
    """OpenSSL's responder names no end unless it is told to: then only our nonce shows that its answer is of now."""
    good, bad, unknown = (authority.leaf(responder=responder.url) for _one in range(3))
    above, responder.ends = [der(authority.certificate)], ends
    responder.lines = (line(good), line(bad, "260101000000Z,keyCompromise"))
    published = Published()
    assert isinstance(published.status(der(good), above).status, Good)
    found = published.status(der(bad), above).status
    assert (type(found), getattr(found, "reason", "")) == (Revoked, "key_compromise")
    assert isinstance(published.status(der(unknown), above).status, Unknown)


def test_where_the_responder_is_silent_the_list_says_it(authority: Authority, lists: Lists) -> None:
    leaf = authority.leaf(responder="http://127.0.0.1:9", lists=lists.url)
    lists.content = authority.list(leaf)
    assert isinstance(Published().status(der(leaf), [der(authority.certificate)]).status, Revoked)


def test_who_looks_everywhere_is_told_by_a_list_that_lags_behind_its_responder(
    authority: Authority, lists: Lists, responder: Responder
) -> None:
    leaf, above = authority.leaf(responder=responder.url, lists=lists.url), [der(authority.certificate)]
    responder.lines, lists.content = (line(leaf, "260101000000Z,keyCompromise"),), authority.list()
    assert isinstance(Published().status(der(leaf), above).status, Revoked), "the first answer counts"
    found = Published().status(der(leaf), above, everywhere=True)
    assert (type(found.status), found.source) == (Good, "crl")
    lists.content = authority.list(leaf)
    assert Published().status(der(leaf), above, everywhere=True).source == "ocsp"
    lists.status = 404
    assert isinstance(Published().status(der(leaf), above, everywhere=True).status, Revoked)


def test_who_looks_everywhere_is_told_by_a_copy_of_a_list_that_is_older(authority: Authority, lists: Lists) -> None:
    with serving(Lists()) as copy:
        leaf, above = authority.leaf(lists=(lists.url, copy.url)), [der(authority.certificate)]
        lists.content, copy.content = authority.list(leaf), authority.list()
        assert isinstance(Published().status(der(leaf), above).status, Revoked)
        assert isinstance(Published().status(der(leaf), above, everywhere=True).status, Good)
        copy.content = lists.content
        assert isinstance(Published().status(der(leaf), above, everywhere=True).status, Revoked)
