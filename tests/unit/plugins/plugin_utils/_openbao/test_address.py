# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Where an OpenBao is, in one form: it is part of the issuer's id."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.openbao import OpenBaoIssuer

pytestmark = pytest.mark.one_core
OPTIONS = {"url": "https://bao.example.org", "mount": "pki", "role": "web", "timeout": 30,
           "auth": {"token": {"token": "s.CANARY"}}}  # fmt: skip


def made(**said: t.Any) -> OpenBaoIssuer:
    return OpenBaoIssuer({**OPTIONS, **said})


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ({}, "https://bao.example.org/v1/pki"),
        ({"url": "https://BAO.example.org:443/"}, "https://bao.example.org/v1/pki"),
        ({"url": "https://bao.example.org:8200", "mount": "/pki/eu/"}, "https://bao.example.org:8200/v1/pki/eu"),
        ({"url": "https://[2001:DB8::1]:8200/bao/"}, "https://[2001:db8::1]:8200/bao/v1/pki"),
        ({"namespace": "team/a/"}, "https://bao.example.org/v1/team/a/pki"),
        ({"issuer_ref": "2026"}, "https://bao.example.org/v1/pki/issuer/2026"),
        ({"role": "other"}, "https://bao.example.org/v1/pki"),
    ],
)
def test_the_id_says_where_and_by_which_issuer(said: dict[str, t.Any], place: str) -> None:
    assert made(**said).id == made(**said).place == f"openbao:{place}"


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"url": "http://bao.example.org"}, "url: http://bao.example.org is not safe; write https"),
        ({"url": "https://user:CANARY@bao.example.org"}, "url: it is not a URL of a server; write"),
        ({"url": "bao.example.org"}, "url: it is not a URL of a server; write"),
        ({"url": "https://bao.example.org:port"}, "url: it is not a URL of a server; write"),
        ({"url": "https://bao.example.org/?CANARY"}, "url: it is not a URL of a server; write"),
        ({"url": "https://bao.example.org/../x"}, "url: '/../x' is not a path"),
        ({"mount": "pki/../sys"}, "mount: 'pki/../sys' is not a path"),
        ({"mount": "pki?x"}, "mount: 'pki?x' is not a path"),
        ({"namespace": "a\nb"}, "namespace: 'a\\nb' is not a path"),
        ({"role": "web/../../x"}, "role: 'web/../../x' is not a name"),
        ({"issuer_ref": "a/b"}, "issuer_ref: 'a/b' is not a name"),
        ({"ca_bundle": ""}, "ca_bundle is empty; write the path of PEM certificates, or leave it out"),
        ({"role": None}, "role is missing; name the PKI role that signs, or write sign_verbatim: true"),
    ],
)
def test_what_is_no_place_is_refused_with_the_remedy(said: dict[str, t.Any], words: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        made(**said)
    assert str(refused.value).startswith(f"openbao: issuer.openbao.{words}")
    assert "CANARY" not in str(refused.value)


def test_a_mount_of_the_login_is_a_path_too() -> None:
    auth = {"jwt": {"jwt": "x", "role": None, "mount": "../sys"}}
    with pytest.raises(Misconfigured, match=r"^openbao: auth\.jwt\.mount: '\.\./sys' is not a path"):
        made(auth=auth)
