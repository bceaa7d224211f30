# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What every issuer of kind ssh_host must do, over its real backend; facts.py says in what they differ."""

from __future__ import annotations

import datetime as dt
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core import pki, ssh
from ansible_collections.keystead.identity.plugins.module_utils._core.checks_x509 import all_names
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Generation, Subject
from ansible_collections.keystead.identity.plugins.module_utils._core.ports import (
    Good,
    Lister,
    Revoked,
    Revoker,
    Unknown,
)
from ansible_collections.keystead.identity.plugins.module_utils._core.revoking import ListsKeys
from ansible_collections.keystead.identity.plugins.plugin_utils._answer_ssh import accepted
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.facts import FACTS
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.registry import SIGN_FOR_SSH
from ansible_collections.keystead.identity.tests.harness import local, local_ssh
from ansible_collections.keystead.identity.tests.harness.issuers import (
    Made,
    adapter,
    answers,
    check_sentence,
    refusal,
    settled,
)

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.plugins.module_utils._core.ports import Request

EVERY_NAME = Subject(dns_names=("web1.example.org", "web1"), ip_addresses=("192.0.2.7", "2001:db8::7"))


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.needs(*adapter(name).needs)) for name in SIGN_FOR_SSH])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Made:
    """Set one backend up for this test."""
    kind = adapter(request.param)
    return Made(request.param, kind(tmp_path, request.getfixturevalue(kind.server) if kind.server else None))


def examined(made: Made, generation: Generation, asked: Request, key_type: str = "ecdsa-p256") -> t.Any:
    """Check an answer as the controller does (V1), and return the credential."""
    public_id = local.public_id(key_type=key_type)
    return accepted(generation, asked, public_id, made.issuer().roots(), local.now())


@pytest.mark.parametrize("subject", [local_ssh.HOST, EVERY_NAME], ids=["names", "names and addresses"])
def test_it_certifies_exactly_the_declared_principals_for_hosts(made: Made, subject: Subject) -> None:
    issuer, asked = made.issuer(), local_ssh.request(subject)
    (generation,) = settled(issuer, asked)
    credential = examined(made, generation, asked)
    assert (credential.kind, credential.facts.usages) == ("ssh_host", ("ssh_host",))
    assert all_names(credential.facts.subject) == all_names(subject)
    assert generation.issuer_id == issuer.id


@pytest.mark.parametrize("key_type", ["ed25519", "ecdsa-p256", "ecdsa-p384", "rsa-2048", "rsa-3072"])
def test_it_signs_for_keys_of_every_type_that_ssh_has(made: Made, key_type: str) -> None:
    asked = local_ssh.request(key_type=key_type)
    (generation,) = settled(made.issuer(), asked)
    assert examined(made, generation, asked, key_type).facts.key_type == key_type


def test_a_certificate_lives_as_long_as_asked(made: Made) -> None:
    asked = local_ssh.request(lifetime=7200)
    credential = examined(made, *settled(made.issuer(), asked), asked)
    left = credential.not_after - local.now()
    assert dt.timedelta(seconds=7100) < left <= dt.timedelta(seconds=7230)


def test_a_refusal_is_a_sentence_and_stops_no_sibling(made: Made) -> None:
    options, pattern = made.backend.narrow()
    inside = local_ssh.request(Subject(dns_names=("web1.example.com",)))
    issuer = made.issuer(options)
    refused, granted = answers(issuer, local_ssh.request(), inside)
    assert isinstance(refused, Denied)
    assert pattern in check_sentence(refused, made.name, made.backend.secrets)
    assert isinstance(granted, Generation)


def test_what_opens_nothing_is_refused_without_being_repeated(made: Made) -> None:
    for wrong in made.backend.wrong().values():
        error = refusal(made.issuer(wrong.options), local_ssh.request())
        assert isinstance(error, wrong.kind)
        assert not [secret for secret in wrong.secrets if secret in str(error)]


def test_answers_come_in_the_order_of_the_requests_and_no_number_comes_twice(made: Made) -> None:
    found = settled(made.issuer(), *(local_ssh.request(number=number) for number in range(3)))
    assert [one.public_id for one in found] == [local.public_id(number) for number in range(3)]
    assert len({ssh.parsed(local_ssh.content(one)).serial_number for one in found}) == len(found)


def test_what_it_can_do_is_as_the_facts_say(made: Made) -> None:
    facts, issuer = FACTS[made.name], made.issuer()
    (generation,) = settled(issuer, local_ssh.request())
    assert isinstance(issuer, Revoker) == facts.revokes == facts.tells_status
    assert isinstance(issuer, Lister) == facts.lists
    if isinstance(issuer, Lister):
        (record,) = issuer.issued(local.now() - dt.timedelta(hours=1))
        assert record.generation == generation
    if isinstance(issuer, Revoker):
        content = local_ssh.content(generation)
        assert issuer.status(content) == Good()
        (answer,) = issuer.revoke([content], "superseded")
        assert isinstance(answer, Revoked)
        assert issuer.status(content) == answer
        assert issuer.revoke([content], "unspecified") == [answer], "the first reason stands"
        if isinstance(issuer, ListsKeys):
            assert not issuer.lists_key(content)
            assert issuer.revoke([content], "key_compromise") == [answer._replace(reason="key_compromise")]
            assert issuer.lists_key(content)


def test_what_another_signed_is_not_its_affair(made: Made, tmp_path: Path) -> None:
    issuer = made.issuer()
    if not isinstance(issuer, Revoker):
        assert not FACTS[made.name].revokes
        return
    (other,) = settled(local_ssh.issuer(tmp_path / "elsewhere"), local_ssh.request())
    content = local_ssh.content(other)
    assert issuer.status(content) == Unknown()
    (refused,) = issuer.revoke([content], "superseded")
    assert pki.fingerprint(content) in check_sentence(t.cast("Denied", refused), made.name)
