# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""What every issuer in the registry must do."""

from __future__ import annotations

import datetime as dt
import importlib
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied, KeysteadError
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Generation, Subject
from ansible_collections.keystead.identity.plugins.module_utils._core.ports import (
    Good,
    Issuer,
    Lister,
    Order,
    Preflight,
    Request,
    Revoked,
    Revoker,
)
from ansible_collections.keystead.identity.plugins.plugin_utils._answer import accepted
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.registry import ISSUERS
from ansible_collections.keystead.identity.tests.harness import local as make
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

if t.TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(params=sorted(ISSUERS))
def issuer(request: pytest.FixtureRequest, tmp_path: Path) -> t.Iterator[t.Callable[[], Issuer]]:
    """Make issuers over one running backend."""
    harness = importlib.import_module(f"ansible_collections.keystead.identity.tests.harness.{request.param}")
    with harness.backend(tmp_path) as options:
        yield lambda: ISSUERS[request.param](options)


def settled(issuer: Issuer, *requests: Request) -> list[Generation]:
    """Ask until nothing is pending."""
    answers = issuer.begin(requests)
    while orders := [one for one in answers if isinstance(one, Order)]:
        finished = iter(issuer.finish(orders))
        answers = [next(finished) if isinstance(one, Order) else one for one in answers]
    for one in answers:
        assert isinstance(one, Generation), one
    return t.cast("list[Generation]", answers)


def der(generation: Generation) -> bytes:
    """Return the leaf."""
    return x509.load_pem_x509_certificate(generation.parts["certificate"].content).public_bytes(Encoding.DER)


def test_an_answer_passes_the_controllers_examination(issuer: t.Callable[[], Issuer]) -> None:
    one = issuer()
    (generation,) = settled(one, make.request())
    credential = accepted(generation, make.request(), make.public_id(), one.roots(), make.now())
    assert credential.facts.subject == make.WEB
    assert generation.issuer_id == one.id


@pytest.mark.parametrize("profile", ["tls_server", "tls_client", "tls_peer"])
def test_each_profile_has_its_usages(issuer: t.Callable[[], Issuer], profile: str) -> None:
    one, asked = issuer(), make.request(profile=profile)
    (generation,) = settled(one, asked)
    assert accepted(generation, asked, make.public_id(), one.roots(), make.now())


def test_answers_come_in_the_order_of_the_requests(issuer: t.Callable[[], Issuer]) -> None:
    requests = [make.request(Subject(dns_names=(f"n{n}.example.org",)), number=n) for n in range(3)]
    generations = settled(issuer(), *requests)
    assert [one.public_id for one in generations] == [make.public_id(n) for n in range(3)]
    assert len({one.credential_id for one in generations}) == len(requests)


def test_nothing_asked_is_nothing_answered(issuer: t.Callable[[], Issuer]) -> None:
    assert issuer().begin([]) == []


def test_the_id_is_stable_and_names_the_backend_first(issuer: t.Callable[[], Issuer]) -> None:
    assert issuer().id == issuer().id
    assert issuer().id.partition(":")[0] == issuer().place.partition(":")[0]
    assert issuer().id.partition(":")[0] in ISSUERS


def test_only_the_public_key_of_a_request_counts(issuer: t.Callable[[], Issuer]) -> None:
    one = issuer()
    other = make.request(Subject(common_name="evil", dns_names=("evil.example.com",)))
    asked = Request("web", make.WEB, "tls_server", 3600, other.csr)
    (generation,) = settled(one, asked)
    assert b"evil" not in der(generation)
    assert accepted(generation, asked, make.public_id(), one.roots(), make.now())


def test_the_chain_is_served_without_the_root(issuer: t.Callable[[], Issuer]) -> None:
    one = issuer()
    (generation,) = settled(one, make.request())
    chain = generation.parts["chain"].content
    found = x509.load_pem_x509_certificates(chain) if chain else []
    assert not {certificate.public_bytes(Encoding.DER) for certificate in found} & set(one.roots())


def test_a_revoked_certificate_is_told_from_a_good_one(issuer: t.Callable[[], Issuer]) -> None:
    one = issuer()
    if not isinstance(one, Revoker):
        return
    bad, good = settled(one, make.request(), make.request(number=1))
    (answer,) = one.revoke([der(bad)], "key_compromise")
    assert isinstance(answer, Revoked)
    assert one.status(der(bad)) == answer
    assert isinstance(one.status(der(good)), Good)
    assert one.revoke([der(bad)], "superseded") == [answer]


def test_what_was_issued_is_listed_with_its_key(issuer: t.Callable[[], Issuer]) -> None:
    one = issuer()
    if not isinstance(one, Lister):
        return
    begun = make.now()
    (generation,) = settled(one, make.request())
    (record,) = [record for record in one.issued(begun) if record.public_id == make.public_id()]
    assert record.generation == generation
    assert record.serial_number == x509.load_der_x509_certificate(der(generation)).serial_number
    assert not list(one.issued(make.now() + dt.timedelta(hours=1)))


def test_a_stranger_among_the_certificates_does_not_stop_its_siblings(
    issuer: t.Callable[[], Issuer], tmp_path_factory: pytest.TempPathFactory
) -> None:
    one = issuer()
    if not isinstance(one, Revoker):
        return
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (stranger,) = settled(ISSUERS["local"](make.two_tiers(elsewhere)), make.request())
    (ours,) = settled(one, make.request())
    refused, revoked = one.revoke([der(stranger), der(ours)], "superseded")
    assert isinstance(refused, Denied)
    assert isinstance(revoked, Revoked)


def test_an_unknown_order_is_refused_in_its_place(issuer: t.Callable[[], Issuer]) -> None:
    (answer,) = issuer().finish([Order(make.request(), "no-such-order")])
    assert isinstance(answer, KeysteadError)


def test_no_answer_holds_a_private_key(issuer: t.Callable[[], Issuer]) -> None:
    (generation,) = settled(issuer(), make.request())
    for part in generation.parts.values():
        assert b"PRIVATE" not in part.content
        assert not part.secret
    public = make.key().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert public in der(generation)


def test_one_that_looks_at_itself_finds_nothing_wrong_and_still_signs(issuer: t.Callable[[], Issuer]) -> None:
    one = issuer()
    if not isinstance(one, Preflight):
        return
    a_day_ago = make.now() - dt.timedelta(days=1)
    before = list(one.issued(a_day_ago)) if isinstance(one, Lister) else None
    checks = list(one.preflight())
    assert checks
    assert {(check.state, check.remedy) for check in checks} == {("ok", "")}
    assert all(check.name and check.found for check in checks)
    assert not isinstance(one, Lister) or list(one.issued(a_day_ago)) == before
    assert settled(one, make.request())
