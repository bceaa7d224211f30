# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""An issuer by its recorded id is the same that rules about issuers mean when a task declares it."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._options.issuers import ISSUERS as TABLES
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.plugin_utils._declare import checked_issuer
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.registry import ISSUERS
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.signer import normal, of_id
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated

pytestmark = pytest.mark.one_core

CHALLENGE = {"http_01": {"webroot": "/srv"}}
CONTACT = {"contact": "me@example.org", "account_key": "/nowhere/account.pem", "challenge": CHALLENGE}
BASIC = {"basic": {"username": "me", "password": "x"}}
DECLARED: dict[str, dict[str, t.Any]] = {
    "acme": {"directory_url": "https://ACME-v02.api.letsencrypt.org:443/directory", **CONTACT},
    "aws_pca": {"arn": "arn:aws:acm-pca:eu-central-1:123456789012:certificate-authority/1", "region": "eu-central-1"},
    "est": {"url": "https://est.example.org", "label": "devices", "roots": ["/nowhere.pem"], "auth": BASIC},
    "scep": {"url": "https://scep.example.org/scep", "fingerprint_sha256": "aa" * 32, "roots": ["/nowhere.pem"]},
    "openbao": {"url": "https://Bao.example.org/", "mount": "pki", "role": "web", "auth": {"token": {"token": "x"}}},
    "openbao_ssh": {"url": "https://bao.example.org", "mount": "ssh", "role": "h", "auth": {"token": {"token": "x"}}},
}


@pytest.mark.parametrize("backend", DECLARED)
def test_what_an_id_says_is_what_a_task_declares(backend: str) -> None:
    table = spec(TABLES)[backend]["options"]
    known = {name: value for name, value in DECLARED[backend].items() if name in table}
    ((_backend, options),) = (checked_issuer({backend: validated(known, table, module=backend)}) or {}).items()
    declared, meant = normal(backend, options)[1], of_id(ISSUERS[backend](options).id)
    assert meant is not None
    assert meant[0] == backend
    assert meant[1], "it says something"
    assert {name: declared[name] for name in meant[1]} == meant[1]


def test_an_authority_is_known_by_its_name_and_what_nobody_here_signed_is_nobodys() -> None:
    assert of_id("local:issuing:0d2f0c7ea5b94bd2") == ("local", {"authority": "issuing"})
    assert of_id("local_ssh:hosts:0d2f0c7ea5b94bd2") == ("local_ssh", {"authority": "hosts"})
    assert of_id("adopted:CN=Somebody") is None
    assert of_id("") is None
