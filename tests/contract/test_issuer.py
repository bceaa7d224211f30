# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What every issuer in the registry must do, over its real backend; facts.py says in what they differ."""

from __future__ import annotations

import datetime as dt
import re
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.checks_x509 import all_names
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied, KeysteadError
from ansible_collections.keystead.identity.plugins.module_utils._core.keys import key_type_of
from ansible_collections.keystead.identity.plugins.module_utils._core.model import NAMES_TWICE, Generation, Subject
from ansible_collections.keystead.identity.plugins.module_utils._core.ports import (
    Advisor,
    Good,
    Lister,
    Order,
    Preflight,
    Request,
    Revoked,
    Revoker,
    Unknown,
)
from ansible_collections.keystead.identity.plugins.plugin_utils._answer import accepted
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.facts import FACTS
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.registry import ISSUERS
from ansible_collections.keystead.identity.tests.harness import local as make
from ansible_collections.keystead.identity.tests.harness.issuers import (
    Made,
    adapter,
    answers,
    check_sentence,
    der,
    leaf,
    refusal,
    settled,
)
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.plugins.module_utils._core.ports import Issuer

DAY = 86400
EVERY_NAME = Subject(
    common_name="a.example.org",
    dns_names=("a.example.org", "b.example.org"),
    ip_addresses=("192.0.2.7", "2001:db8::7"),
    uris=("spiffe://example.org/web",),
)
BATCH = 50


def examined(issuer: Issuer, generation: Generation, asked: Request, number: int = 0) -> None:
    """Check an answer as the controller does (V1)."""
    key_type = key_type_of(x509.load_der_x509_csr(asked.csr).public_key())
    credential = accepted(generation, asked, make.public_id(number, key_type), issuer.roots(), make.now())
    found = credential.facts.subject
    assert all_names(found) == all_names(asked.subject)
    repeated = found.dns_names if issuer.id.startswith(NAMES_TWICE) else ()
    assert found.common_name in (asked.subject.common_name, *repeated)
    assert generation.issuer_id == issuer.id


@pytest.mark.parametrize("name", sorted(ISSUERS))
def test_an_issuer_has_facts_and_a_harness(name: str) -> None:
    assert name in FACTS
    assert adapter(name)


# what is signed


@pytest.mark.parametrize("subject", [make.WEB, EVERY_NAME], ids=["dns names", "every kind of name"])
def test_it_keeps_exactly_the_declared_names(made: Made, subject: Subject) -> None:
    issuer, asked = made.issuer(), made.request(subject)
    if subject.uris and not FACTS[made.name].takes_every_name:
        error = refusal(issuer, asked)
        assert "certifies DNS names and IP addresses only" in check_sentence(error, made.name, made.backend.secrets)
        return
    (generation,) = settled(issuer, asked)
    examined(issuer, generation, asked)


@pytest.mark.parametrize("profile", ["tls_server", "tls_client", "tls_peer"])
def test_each_profile_has_its_usages(made: Made, profile: str) -> None:
    issuer, asked = made.issuer(profile=profile), made.request(profile=profile)
    (generation,) = settled(issuer, asked)
    if profile != made.backend.profile and not FACTS[made.name].takes_every_profile:
        with pytest.raises(Denied, match=f"not those of {profile}; declare profile {made.backend.profile}"):
            examined(issuer, generation, asked)
        return
    examined(issuer, generation, asked)


def test_who_decides_on_the_usages_is_as_the_facts_say(made: Made) -> None:
    issuer, asked = made.issuer(profile="tls_client"), made.request(profile="tls_server")
    found = answers(issuer, asked)[0]
    if FACTS[made.name].takes_usages_from_task:
        assert isinstance(found, Generation)
        examined(issuer, found, asked)
    elif isinstance(found, Generation):
        with pytest.raises(Denied, match=r"its extended key usages are client_auth.*, not those of tls_server"):
            examined(issuer, found, asked)


@pytest.mark.parametrize("key_type", ["ecdsa-p384", "rsa-3072", "ed25519", "ml-dsa-65"])
def test_it_signs_for_keys_of_every_type(made: Made, key_type: str) -> None:
    issuer, asked = made.issuer(), made.request(key_type=key_type)
    if not FACTS[made.name].signs(key_type):
        assert re.search(f"signs no {key_type} keys; write .*key.type", str(refusal(issuer, asked)))
        return
    (generation,) = settled(issuer, asked)
    assert accepted(generation, asked, make.public_id(key_type=key_type), issuer.roots(), make.now())


def test_whose_names_are_certified_is_as_the_facts_say(made: Made) -> None:
    issuer, other = made.issuer(), made.request(Subject(dns_names=("evil.example.org",)), lifetime=3600)
    asked = other._replace(subject=make.WEB)
    (found,) = answers(issuer, asked)
    if FACTS[made.name].takes_names_from_task:
        assert isinstance(found, Generation)
        examined(issuer, found, asked)
        assert b"evil" not in der(found)
    elif isinstance(found, Generation):
        with pytest.raises(Denied, match="names are not the declared ones"):
            examined(issuer, found, asked)


def test_answers_come_in_the_order_of_the_requests(made: Made) -> None:
    requests = [made.request(Subject(dns_names=(f"n{n}.example.org",)), number=n) for n in range(3)]
    generations = settled(made.issuer(), *requests)
    assert [one.public_id for one in generations] == [made.public_id(n) for n in range(3)]
    assert len({one.credential_id for one in generations}) == len(requests)


def test_a_batch_is_signed_in_one_session(made: Made) -> None:
    issuer, before = made.issuer(), made.backend.logins()
    asked = [made.request(Subject(dns_names=(f"n{n}.example.org",)), number=n) for n in range(BATCH)]
    generations = settled(issuer, *asked)
    for number, (generation, request) in enumerate(zip(generations, asked, strict=True)):
        examined(issuer, generation, request, number)
    assert made.backend.logins() - before == made.backend.logins_of_a_batch


def test_nothing_asked_is_nothing_answered(made: Made) -> None:
    assert made.issuer().begin([]) == []
    assert made.issuer().finish([]) == []


def test_a_life_that_is_capped_is_returned_as_it_is(made: Made) -> None:
    shortest = getattr(made.backend, "shortest", 2 * 3600)
    issuer, asked = made.issuer(made.backend.short()), made.request(lifetime=12 * shortest)
    found = answers(issuer, asked)[0]
    if not FACTS[made.name].caps_lifetime:
        assert isinstance(found, (Denied, Generation))
        if isinstance(found, Generation):
            examined(issuer, found, asked)
        return
    assert isinstance(found, Generation), found
    examined(issuer, found, asked)
    assert found.not_after == leaf(found).not_valid_after_utc <= make.now() + dt.timedelta(seconds=shortest)
    assert not isinstance(issuer, Advisor) or issuer.advice()


@pytest.mark.parametrize("lifetime", [600, DAY, 30 * DAY])
def test_the_life_is_the_one_that_was_asked_for(made: Made, lifetime: int) -> None:
    begun = make.now()
    (generation,) = settled(made.issuer(), made.request(lifetime=lifetime))
    lasts = (generation.not_after - begun).total_seconds()
    if not FACTS[made.name].takes_lifetime_from_task:
        lifetime = made.backend.life
    assert lifetime - 2 <= lasts <= lifetime + 30


def test_the_chain_is_served_without_the_root(made: Made) -> None:
    issuer = made.issuer()
    (generation,) = settled(issuer, made.request())
    chain = x509.load_pem_x509_certificates(generation.parts["chain"].content)
    assert not {certificate.public_bytes(Encoding.DER) for certificate in chain} & set(issuer.roots())
    leaf(generation).verify_directly_issued_by(chain[0])


def test_no_answer_holds_a_private_key(made: Made) -> None:
    (generation,) = settled(made.issuer(), made.request())
    for part in generation.parts.values():
        assert b"PRIVATE" not in part.content
        assert not part.secret
    public = make.key(made.key_type).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert public in der(generation)


# what is refused


def test_a_name_that_it_does_not_allow_is_denied_with_its_own_reason(made: Made) -> None:
    options, reason = made.backend.narrow()
    error = refusal(made.issuer(options), made.request())
    assert isinstance(error, Denied)
    assert re.search(reason, check_sentence(error, made.name, made.backend.secrets))


def test_one_refused_request_does_not_stop_its_siblings(made: Made) -> None:
    issuer = made.issuer(made.backend.narrow()[0])
    fine = [made.request(Subject(dns_names=(f"{n}.example.com",)), number=n) for n in (1, 2)]
    first, refused, last = answers(issuer, fine[0], made.request(), fine[1])
    assert isinstance(refused, Denied)
    for found, asked, number in ((first, fine[0], 1), (last, fine[1], 2)):
        assert isinstance(found, Generation)
        examined(issuer, found, asked, number)


def test_wrong_credentials_are_one_sentence_without_them(made: Made) -> None:
    for what, wrong in made.backend.wrong().items():
        issuer = made.issuer(wrong.options)
        error = refusal(issuer, made.request(), made.request(number=1))
        assert isinstance(error, wrong.kind), f"{what}: {error!r}"
        check_sentence(error, made.name, wrong.secrets)
        assert not [secret for secret in wrong.secrets if secret in f"{issuer!r} {issuer.id} {issuer.place}"]


def test_an_unknown_order_is_refused_in_its_place(made: Made) -> None:
    (answer,) = made.issuer().finish([Order(made.request(), "no-such-order")])
    assert isinstance(answer, KeysteadError)


# who it is


def test_the_id_is_stable_and_names_the_backend_first(made: Made) -> None:
    assert made.issuer().id == made.issuer().id
    assert made.issuer().id.partition(":")[0] == made.issuer().place.partition(":")[0] == made.name


def test_the_id_and_the_place_need_no_network_and_hold_no_secret(made: Made) -> None:
    issuer = made.issuer(made.backend.unreachable())
    said = f"{issuer.id} {issuer.place} {issuer!r}"
    assert made.backend.secrets
    assert not [secret for secret in made.backend.secrets if secret in said]
    assert said.isprintable()


# what is revoked


def test_a_power_is_there_as_the_facts_say(made: Made) -> None:
    issuer, facts = made.issuer(), FACTS[made.name]
    assert (isinstance(issuer, Revoker), isinstance(issuer, Lister)) == (facts.revokes, facts.lists)


def revoker(made: Made, **said: t.Any) -> t.Any:
    """Return an issuer that revokes; None for one that has not that power, as its facts say."""
    issuer = made.issuer(**said)
    assert isinstance(issuer, Revoker) == hasattr(issuer, "status") == FACTS[made.name].revokes
    return issuer if isinstance(issuer, Revoker) else None


def lister(made: Made, **said: t.Any) -> t.Any:
    """Return an issuer that lists; None for one that has not that power, as its facts say."""
    issuer = made.issuer(**said)
    assert isinstance(issuer, Lister) == hasattr(issuer, "issued") == FACTS[made.name].lists
    return issuer if isinstance(issuer, Lister) else None


def test_a_revoked_certificate_is_told_from_a_good_one(made: Made) -> None:
    issuer, begun = revoker(made), make.now().replace(microsecond=0)
    if issuer is None:
        return
    bad, good = settled(issuer, made.request(), made.request(number=1))
    (answer,) = issuer.revoke([der(bad)], "key_compromise")
    assert isinstance(answer, Revoked), answer
    assert begun <= answer.when <= make.now()
    if not FACTS[made.name].tells_status:
        assert made.backend.revoked(der(bad))
        assert not made.backend.revoked(der(good))
        return
    assert issuer.status(der(bad)) == answer
    if FACTS[made.name].tells_status_later:
        assert isinstance(revoker(made).status(der(bad)), Good)
        made.backend.publish()
    assert revoker(made).status(der(bad)) == answer
    assert isinstance(issuer.status(der(good)), Good)


def test_who_can_tell_of_a_revocation_is_as_the_facts_say(made: Made) -> None:
    issuer = revoker(made)
    if issuer is None:
        return
    (good,) = settled(issuer, made.request())
    assert isinstance(issuer.status(der(good)), Good if FACTS[made.name].tells_status else Unknown)
    again = revoker(made)
    issuer.revoke([der(good)], "superseded")
    if FACTS[made.name].tells_status_later:
        made.backend.publish()
    (repeated,) = again.revoke([der(good)], "superseded")
    assert isinstance(repeated, Revoked)
    assert FACTS[made.name].tells_status or "when and why, the server does not tell" in " ".join(again.advice())


def test_revoking_twice_changes_nothing(made: Made) -> None:
    issuer = revoker(made)
    if issuer is None:
        return
    (bad,) = settled(issuer, made.request())
    first = issuer.revoke([der(bad)], "key_compromise")
    assert issuer.revoke([der(bad)], "superseded") == first
    assert issuer.revoke([der(bad), der(bad)], "superseded") == first * 2


@pytest.mark.parametrize("reason", ["unspecified", "key_compromise", "superseded", "cessation_of_operation"])
def test_the_reason_of_a_revocation_is_what_the_backend_recorded(made: Made, reason: str) -> None:
    issuer = revoker(made)
    if issuer is None:
        return
    (bad,) = settled(issuer, made.request())
    (answer,) = issuer.revoke([der(bad)], reason)
    assert answer.reason == (reason if FACTS[made.name].keeps_reasons else "unspecified")
    if not FACTS[made.name].tells_status:
        assert made.backend.revoked(der(bad)) == reason
    if answer.reason != reason:
        (advice,) = issuer.advice()
        assert re.search(f"{made.name}: .*reason.*{reason}", advice), advice


def test_a_certificate_of_another_authority_is_unknown_and_stops_no_sibling(
    made: Made, tmp_path_factory: pytest.TempPathFactory
) -> None:
    issuer, elsewhere = revoker(made), tmp_path_factory.mktemp("elsewhere")
    if issuer is None:
        return
    (stranger,) = settled(ISSUERS["local"](make.two_tiers(elsewhere)), made.request())
    (ours,) = settled(issuer, made.request())
    assert isinstance(issuer.status(der(stranger)), Unknown)
    refused, revoked = issuer.revoke([der(stranger), der(ours)], "superseded")
    assert isinstance(refused, Denied)
    assert isinstance(revoked, Revoked)
    check_sentence(refused, made.name, made.backend.secrets)


# what is found again


def test_an_order_is_gone_on_with_by_another_run(made: Made) -> None:
    begun = made.issuer().begin([made.request()])
    if not FACTS[made.name].answers_later:
        assert not [one for one in begun if isinstance(one, Order)]
        return
    (order,) = begun
    assert isinstance(order, Order)
    (generation,) = made.issuer().finish([order])
    examined(made.issuer(), generation, order.request)
    assert made.issuer().finish([order]) == [generation]


def test_an_order_for_other_names_is_not_taken_for_ours(made: Made) -> None:
    if not FACTS[made.name].answers_later:
        assert isinstance(made.issuer().finish([Order(made.request(), "an order")])[0], KeysteadError)
        return
    (order,) = made.issuer().begin([made.request()])
    other = made.request(Subject(dns_names=("c.example.org",)))
    (answer,) = made.issuer().finish([Order(other, order.reference)])
    assert isinstance(answer, Denied)
    check_sentence(answer, made.name, made.backend.secrets)


def test_what_was_issued_is_listed_with_its_key_and_serial_number(made: Made) -> None:
    issuer, begun = lister(made), make.now()
    if issuer is None:
        return
    (generation,) = settled(issuer, made.request())
    (record,) = [record for record in lister(made).issued(begun) if record.public_id == made.public_id()]
    assert record.generation == generation
    assert record.serial_number == leaf(generation).serial_number
    assert abs((record.issued_at - begun).total_seconds()) < 60
    assert not list(issuer.issued(make.now() + dt.timedelta(hours=1)))


def test_a_backend_that_forgets_lists_nothing_and_tells_what_its_lists_and_responders_do(made: Made) -> None:
    if not FACTS[made.name].may_forget:
        with pytest.raises(AssertionError):
            made.backend.forgetful()
        return
    issuer, begun, asked = made.issuer(), make.now(), made.request()
    forgetful = made.issuer(made.backend.forgetful())
    (generation,) = settled(forgetful, asked)
    examined(forgetful, generation, asked)
    assert not (list(issuer.issued(begun)) if isinstance(issuer, Lister) else [])
    assert not isinstance(issuer, Revoker) or isinstance(forgetful.status(der(generation)), made.backend.of_forgotten)


def test_asked_again_for_the_same_key_it_gives_the_same_certificate_as_the_facts_say(made: Made) -> None:
    asked, again = made.request(), made.request()
    assert asked.csr != again.csr or made.key_type.startswith("rsa-"), "each has a signature of its own"
    first, second = settled(made.issuer(), asked)[0], settled(made.issuer(), again)[0]
    other = settled(made.issuer(), made.request(number=1))[0]
    if FACTS[made.name].same_again:
        assert first == second != other
        assert len(made.backend.signed()) == 2
    else:
        assert first.credential_id != second.credential_id


def test_one_that_looks_at_itself_finds_nothing_wrong_and_still_signs(made: Made) -> None:
    one = made.issuer()
    if not isinstance(one, Preflight):
        return
    a_day_ago = make.now() - dt.timedelta(days=1)
    before = list(one.issued(a_day_ago)) if isinstance(one, Lister) else None
    checks = list(one.preflight())
    assert checks
    assert {(check.state, check.remedy) for check in checks} == {("ok", "")}
    assert all(check.name and check.found for check in checks)
    assert not isinstance(one, Lister) or list(one.issued(a_day_ago)) == before
    assert settled(one, made.request())
