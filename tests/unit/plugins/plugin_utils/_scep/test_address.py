# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Where a SCEP server is, what may be said of it, and which keys it never signs for."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.module_utils._core.key import Key
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.signer import normal
from ansible_collections.keystead.identity.plugins.plugin_utils._scep.address import (
    LONGEST,
    challenge,
    check,
    check_key,
    fingerprint,
    place,
)

if t.TYPE_CHECKING:
    from pathlib import Path

PINNED = "0" * 64


def options(**said: t.Any) -> dict[str, t.Any]:
    """Return the options of a server that lacks nothing, and others in their place."""
    return {"url": "https://scep.example.org/scep", "fingerprint_sha256": PINNED, "roots": ["root.pem"], **said}


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://scep.example.org/scep", ("scep.example.org", 443, "/scep", True, "https://scep.example.org/scep")),
        ("https://SCEP.example.org:443/scep/", ("scep.example.org", 443, "/scep/", True, "https://scep.example.org/scep")),
        ("https://scep.example.org:8443", ("scep.example.org", 8443, "/", True, "https://scep.example.org:8443")),
        ("http://ndes/certsrv/mscep/mscep.dll", ("ndes", 80, "/certsrv/mscep/mscep.dll", False,
                                                 "http://ndes/certsrv/mscep/mscep.dll")),
        ("HTTP://ndes:80/cgi-bin/pkiclient.exe", ("ndes", 80, "/cgi-bin/pkiclient.exe", False,
                                                  "http://ndes/cgi-bin/pkiclient.exe")),
        ("http://ndes:443/x", ("ndes", 443, "/x", False, "http://ndes:443/x")),
        ("http://[2001:db8::7]:8080/scep", ("2001:db8::7", 8080, "/scep", False, "http://[2001:db8::7]:8080/scep")),
    ],
)  # fmt: skip
def test_a_url_has_one_form_by_which_the_issuer_is_known_and_is_asked_as_written(
    url: str, found: tuple[t.Any, ...]
) -> None:
    assert tuple(place(options(url=url))) == found


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("scep.example.org", "it does not begin with https:// or http://; write for example https://scep.example"),
        ("ftp://scep.example.org/", "it does not begin with https:// or http://; "),
        ("", "it does not begin with"),
        ("https://", "it names no server; "),
        ("https://u:SESAME@scep.example.org/scep", "it has a name or a password in it, which SCEP has no word for; "),
        ("http://a b/", "it is not a URL of a server; write for example https://scep.example.org/scep$"),
        ("https://scep.example.org/scep?operation=x", "it has a query, which is not a part of it; "),
        ("https://scep.example.org/scep#x", "it has a query, "),
        ("https://scep.example.org:port/", "its port is no number"),
        ("https://scep.example.org:99999/", "its port is no number"),
        ("https://scep.example.org/../x", "is not a path"),
    ],
)
def test_what_is_no_url_of_a_server_is_refused_and_a_password_in_it_not_repeated(url: str, why: str) -> None:
    with pytest.raises(Misconfigured, match=f"scep: issuer.scep.url: .*{why}") as refused:
        place(options(url=url))
    assert "SESAME" not in str(refused.value)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"fingerprint_sha256": "0" * 63}, "is not a SHA-256 fingerprint; write its 64"),
        ({"roots": []}, "roots is empty; name the root"),
        ({"challenge": "SESAME", "challenge_file": "/x"}, "one of challenge, challenge_file is enough, found"),
        ({"challenge": "SESAME", "url": "http://ndes/x"}, "protected by DES alone"),
        ({"challenge_file": "/x", "url": "http://ndes/x"}, "protected by DES alone"),
        ({"ca_bundle": "/x", "url": "http://ndes/x"}, "ca_bundle: .* has no TLS; write https, or leave it out"),
    ],
)
def test_what_cannot_be_meant_is_refused(said: dict[str, t.Any], why: str) -> None:
    with pytest.raises(Misconfigured, match=why) as refused:
        check(options(**said))
    assert "SESAME" not in str(refused.value)


def test_what_can_be_meant_is_not_refused() -> None:
    check(options(url="http://ndes/x"))
    check(options(challenge="SESAME"))
    check(options(ca_bundle="/x"))


@pytest.mark.parametrize("around", ["{}", "sha256 Fingerprint={}", " {}\n", "SHA256 Fingerprint={}\n"])
def test_a_fingerprint_is_read_as_openssl_prints_it(around: str) -> None:
    assert fingerprint(options(fingerprint_sha256=around.format(":".join(["AB"] * 32)))) == "ab" * 32


def test_a_challenge_is_one_line_of_a_file_or_said(tmp_path: Path) -> None:
    file = tmp_path / "challenge"
    file.write_text("open, sésame\nsecond line\n", encoding="utf-8")
    assert challenge(options()) is None
    assert challenge(options(challenge="a")) == "a"
    assert challenge(options(challenge_file=str(file))) == "open, sésame"


@pytest.mark.parametrize("said", ["", "SES\nAME", "SESAME\x1b", "é" * (LONGEST // 2 + 1)])
def test_a_challenge_that_a_request_cannot_hold_is_refused_without_it(said: str) -> None:
    with pytest.raises(Misconfigured, match=r"issuer.scep.challenge: what is there is empty, or no") as refused:
        challenge(options(challenge=said))
    assert not said or said not in str(refused.value)


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(Misconfigured, match=r"issuer.scep.challenge_file /none cannot be read"):
        challenge(options(challenge_file="/none"))


@pytest.mark.parametrize("key_type", ["rsa-2048", "rsa-3072", "rsa-4096"])
def test_rsa_keys_in_files_are_signed(key_type: str) -> None:
    check_key(Key(key_type))


@pytest.mark.parametrize(
    ("key", "why"),
    [
        (Key("ecdsa-p256"), "^key.type: issuer scep signs no ecdsa-p256 keys; write for example rsa-3072"),
        (Key("ed25519"), "^key.type: "),
        (Key("ml-dsa-65"), "^key.type: "),
        (Key("rsa-2048", "pkcs11"), "^key.custody: .*not in pkcs11.*write custody"),
        (Key("rsa-2048", "aws_kms"), "^key.custody: "),
        (Key("rsa-2048", origin="controller"), "^key.origin: .*leave origin out"),
    ],
)
def test_a_key_that_cannot_be_enrolled_is_refused_by_its_option(key: Key, why: str) -> None:
    with pytest.raises(Misconfigured, match=why):
        check_key(key)


def test_a_policy_sees_whether_there_is_a_challenge_and_never_what_it_is() -> None:
    for said, there in (({}, False), ({"challenge": "SESAME"}, True), ({"challenge_file": "/x"}, True)):
        seen = normal("scep", options(url="HTTPS://scep.example.org:443/scep/", **said))
        assert seen == ("scep", {"url": "https://scep.example.org/scep", "challenge": there})
