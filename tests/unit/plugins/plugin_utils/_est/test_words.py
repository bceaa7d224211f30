# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is said of options and of answers of an EST server: with the option, the remedy, and no secret."""

from __future__ import annotations

import base64
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import KeysteadError, Misconfigured
from ansible_collections.keystead.identity.plugins.module_utils._enrol.https import Answer
from ansible_collections.keystead.identity.plugins.plugin_utils._est.access import Access
from ansible_collections.keystead.identity.plugins.plugin_utils._est.address import fingerprint, place
from ansible_collections.keystead.identity.plugins.plugin_utils._est.client import Client, later
from ansible_collections.keystead.identity.plugins.plugin_utils._retry_after import retry_after

if t.TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.one_core
PRINT = "6F:0C:6C:3F:0A:5F:0B:7A:0A:0E:8F:3E:4C:1F:0D:9B:8A:7C:6D:5E:4F:3A:2B:1C:0D:9E:8F:7A:6B:5C:4D:3E"
PLACE = place({"url": "https://est.example.org"})


def access(auth: dict[str, t.Any], **said: t.Any) -> Access:
    return Access({"auth": auth, "timeout": 5, **said}, PLACE, None)


def basic(password: str) -> Access:
    return access({"basic": {"username": "converger", "password": password}})


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://est.example.org/.well-known/est/server", "its path is not /.well-known/est; write https://est.exam"),
        ("https://est.example.org:8443/.well-known/est/a/b/", "write https://est.example.org:8443, and what follows"),
        ("https://est.example.org/pki", "its path is not /.well-known/est; write https://est.example.org, and"),
        ("https://est.example.org/.x", "its path is not /.well-known/est; write https://est.example.org, and"),
        ("est.example.org", "it is not a URL of a server; write for example https://est.example.org"),
        ("https://user:CANARY@est.example.org/.well-known/est", "it is not a URL of a server; write for example http"),
        ("https://est.example.org/?CANARY", "it is not a URL of a server; write for example https://est.example.org"),
        ("https://[est", "it is not a URL of a server; write for example https://est.example.org"),
        ("https://est..example.org", "'est..example.org' is no name of a server; write https://est.example.org"),
        (f"https://{'a' * 64}.example.org", "is no name of a server; write https://est.example.org"),
        (f"https://{'a.' * 127}example.org", "is no name of a server; write https://est.example.org"),
    ],
)
def test_a_url_that_cannot_be_meant_is_answered_with_one_that_can(url: str, why: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        place({"url": url})
    assert str(caught.value).startswith("est: issuer.est.url: ")
    assert why in str(caught.value)
    assert "bao" not in str(caught.value)
    assert "CANARY" not in str(caught.value)


@pytest.mark.parametrize("url", ["https://est.example.org.", "https://[2001:db8::1]:8443", "https://192.0.2.1/"])
def test_a_name_with_a_dot_at_its_end_and_an_address_are_places(url: str) -> None:
    assert place({"url": url}).path == "/.well-known/est"


@pytest.mark.parametrize("before", ["", "sha256 Fingerprint=", "SHA256 Fingerprint=", "SHA2-256 Fingerprint = "])
@pytest.mark.parametrize("written", [PRINT, PRINT.lower(), PRINT.replace(":", "")])
def test_a_fingerprint_may_be_said_as_openssl_prints_it(before: str, written: str) -> None:
    assert fingerprint({"fingerprint_sha256": f"{before}{written}\n"}) == PRINT.replace(":", "").lower()


@pytest.mark.parametrize(
    ("value", "seconds"), [("0", 0), ("7", 7), ("99999999999", 86400), ("9" * 400, 86400), ("-5", 1), ("٣", 1)]
)
def test_a_pause_is_as_long_as_is_said_and_a_day_at_most(value: str, seconds: float) -> None:
    assert retry_after({"Retry-After": value}) == seconds


def test_a_server_that_wants_to_be_asked_at_once_is_asked_a_second_later() -> None:
    assert later(Answer(202, {"retry-after": "0"}, b"")) == 1
    assert later(Answer(202, {}, b"")) == 60


@pytest.mark.parametrize("change", [str, str.upper, str.lower, lambda one: one.rstrip("="), lambda one: f"<{one}>"])
def test_what_a_server_repeats_of_a_password_is_not_shown(change: t.Callable[[str], str]) -> None:
    who = basic("open, sesame")
    value = base64.b64encode(b"converger:open, sesame").decode()
    assert value.endswith("=")
    for secret in (value, "open, sesame"):
        told = said(who, Answer(400, {"content-type": "text/plain"}, f"no: {change(secret)}".encode()))
        assert told == "est: it refuses simpleenroll (it repeated a credential); see its log"


def said(who: Access, answer: Answer) -> str:
    """Return what is said of an answer."""
    client = Client(PLACE, who.connect, who.headers, who.secrets, who.named)
    with pytest.raises(KeysteadError) as caught:
        client.check(answer, "simpleenroll")
    return str(caught.value)


def test_who_is_not_accepted_reads_which_option_says_so() -> None:
    assert said(basic("open, sesame"), Answer(401, {}, b"")).endswith("; correct what auth.basic says")
    who = access({"cert": {"certificate": "/a.pem", "private_key": "/a.key"}})
    assert said(who, Answer(401, {}, b"")).endswith("; correct what auth.cert says")
    assert said(who, Answer(403, {}, b"")).endswith("; let it permit that, or correct auth.cert or label")


@pytest.mark.parametrize("password", ["", "a\nb", "\x00"])
def test_a_password_that_is_none_is_refused_with_what_to_do(password: str) -> None:
    with pytest.raises(Misconfigured, match=r"est: auth\.basic\.password: .* is empty, or no password .*; write it"):
        basic(password).password()


@pytest.mark.parametrize("content", ["", "no PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_a_bundle_without_certificates_is_named(content: str, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.pem"
    bundle.write_text(content, encoding="ascii")
    who = access({"basic": {}}, ca_bundle=str(bundle))
    with pytest.raises(Misconfigured, match=f"est: ca_bundle {bundle}: it holds no certificates in PEM .*; write the"):
        who.authorities()
