# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What lists and responses may say of a certificate, and what says nothing: by tables."""

from __future__ import annotations

import datetime as dt
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.ports import Good, Revoked, Unknown
from ansible_collections.keystead.identity.plugins.plugin_utils import _ocsp, _revocation_status
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

pytestmark = pytest.mark.one_core
NOW = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
POINT, OTHER = "http://crl.example.org/1.crl", "http://crl.example.org/2.crl"


class Signer(t.NamedTuple):
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def signer(
    name: str, above: Signer | None = None, *usages: x509.ObjectIdentifier, point: str = "", lists: bool | None = None,
    further: tuple[x509.ExtensionType, ...] = (),
) -> Signer:
    key, subject = ec.generate_private_key(ec.SECP256R1()), _named(name)
    builder = (
        x509.CertificateBuilder().subject_name(subject)
        .issuer_name(above.certificate.subject if above else subject).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(NOW - 24 * HOUR).not_valid_after(NOW + 24 * HOUR)
    )  # fmt: skip
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    if lists is not None:
        named = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
                 "encipher_only", "decipher_only")  # fmt: skip
        usage = x509.KeyUsage(**dict.fromkeys(named, False), key_cert_sign=True, crl_sign=lists)
        builder = builder.add_extension(usage, critical=True)
    if point:
        places = [x509.DistributionPoint(_uri(point), None, None, None)]
        builder = builder.add_extension(x509.CRLDistributionPoints(places), critical=False)
    for one in further:
        builder = builder.add_extension(one, critical=True)
    return Signer(builder.sign(above.key if above else key, hashes.SHA256()), key)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def _uri(place: str) -> list[x509.GeneralName]:
    return [x509.UniformResourceIdentifier(place)]


CA, STRANGER = signer("ca"), signer("ca")
LEAF, SIBLING = signer("leaf", CA, point=POINT), signer("sibling", CA)
DELEGATE = signer("responder", CA, x509.ExtendedKeyUsageOID.OCSP_SIGNING)
PRETENDER, FOREIGN = signer("responder", CA), signer("responder", STRANGER, x509.ExtendedKeyUsageOID.OCSP_SIGNING)


def listed(  # noqa: PLR0913 - what a list says
    *reasons: x509.ReasonFlags, by: Signer = CA, begin: dt.datetime = NOW - HOUR, end: dt.datetime = NOW + HOUR,
    number: int = 5, base: int | None = None, further: tuple[x509.ExtensionType, bool] | None = None,
) -> bytes:  # fmt: skip
    """Return a list in which the leaf stands once for each reason."""
    builder = (
        x509.CertificateRevocationListBuilder().issuer_name(by.certificate.subject)
        .last_update(begin).next_update(end).add_extension(x509.CRLNumber(number), critical=False)
    )  # fmt: skip
    if base is not None:
        builder = builder.add_extension(x509.DeltaCRLIndicator(base), critical=True)
    if further:
        builder = builder.add_extension(further[0], critical=further[1])
    for reason in reasons:
        entry = x509.RevokedCertificateBuilder().serial_number(LEAF.certificate.serial_number).revocation_date(NOW)
        if reason is not x509.ReasonFlags.unspecified:
            entry = entry.add_extension(x509.CRLReason(reason), critical=False)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(by.key, hashes.SHA256()).public_bytes(Encoding.DER)


def scope(place: str = "", **said: bool) -> tuple[x509.ExtensionType, bool]:
    names = ("only_contains_user_certs", "only_contains_ca_certs", "indirect_crl", "only_contains_attribute_certs")
    asked = dict.fromkeys(names, False)
    where = _uri(place) if place else None
    return x509.IssuingDistributionPoint(where, None, only_some_reasons=None, **{**asked, **said}), True


R = x509.ReasonFlags
STRANGE = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")
LISTS: dict[str, tuple[bytes, bytes | None, t.Any]] = {
    "it is not in the list": (listed(), None, Good()),
    "it is in the list": (listed(R.superseded), None, Revoked("superseded", NOW)),
    "it is in the list without a reason": (listed(R.unspecified), None, Revoked("unspecified", NOW)),
    "a reason with two capitals": (listed(R.aa_compromise), None, Revoked("aa_compromise", NOW)),
    "the list is stale": (listed(end=NOW - HOUR / 2), None, Unknown()),
    "the list ends at this moment": (listed(end=NOW), None, Unknown()),
    "a stale list has it": (listed(R.superseded, end=NOW - HOUR / 2), None, Unknown()),
    "the list is of the future": (listed(begin=NOW + HOUR / 2), None, Unknown()),
    "the list is of a clock that goes ahead": (listed(begin=NOW + HOUR / 30), None, Good()),
    "another with the same name signed it": (listed(by=STRANGER), None, Unknown()),
    "another issuer signed it": (listed(by=DELEGATE), None, Unknown()),
    "it is no list": (b"<html>", None, Unknown()),
    "nothing was given": (b"", None, Unknown()),
    "the list is of its distribution point": (listed(further=scope(POINT)), None, Good()),
    "the list is of another distribution point": (listed(further=scope(OTHER)), None, Unknown()),
    "the list is of authorities": (listed(further=scope(only_contains_ca_certs=True)), None, Unknown()),
    "the list is of users": (listed(further=scope(only_contains_user_certs=True)), None, Good()),
    "the list is indirect, and begins with its own": (listed(further=scope(indirect_crl=True)), None, Good()),
    "an indirect list of it has it": (listed(R.superseded, further=scope(indirect_crl=True)), None,
                                      Revoked("superseded", NOW)),
    "a critical extension is unknown": (listed(further=(STRANGE, True)), None, Unknown()),
    "another extension is unknown": (listed(further=(STRANGE, False)), None, Good()),
    "a delta list stands for a complete one": (listed(base=3), None, Unknown()),
    "a delta list adds it": (listed(), listed(R.superseded, number=6, base=5), Revoked("superseded", NOW)),
    "a delta list takes it away": (listed(R.certificate_hold), listed(R.remove_from_crl, number=6, base=5), Good()),
    "a delta list of a later base tells of it": (listed(), listed(R.superseded, number=8, base=7), Unknown()),
    "a delta list of a later base": (listed(), listed(number=8, base=7), Good()),
    "an older delta list": (listed(number=9), listed(R.superseded, number=6, base=5), Good()),
    "a stale delta list": (listed(), listed(R.superseded, number=6, base=5, end=NOW - HOUR / 2), Good()),
    "a delta list of another scope": (listed(R.certificate_hold),
                                      listed(R.remove_from_crl, number=6, base=5, further=scope(POINT)),
                                      Revoked("certificate_hold", NOW)),
    "a delta list of another": (listed(R.superseded), listed(R.remove_from_crl, number=6, base=5, by=STRANGER),
                                Revoked("superseded", NOW)),
}  # fmt: skip


@pytest.mark.parametrize("what", LISTS)
def test_a_list_says_what_it_may(what: str) -> None:
    complete, delta, expected = LISTS[what]
    assert _revocation_status.status(LEAF.certificate, CA.certificate, complete, delta, NOW) == expected


def test_who_may_not_sign_lists_says_nothing_by_one() -> None:
    for lists, expected in ((False, Unknown()), (True, Good())):
        authority = signer("ca", lists=lists)
        leaf = signer("leaf", authority).certificate
        said = _revocation_status.status(leaf, authority.certificate, listed(by=authority), None, NOW)
        assert said == expected


def answered(  # noqa: PLR0913 - what a response says
    by: Signer = CA, *, of: Signer = LEAF, issuer: Signer = CA, begin: dt.datetime = NOW - HOUR,
    end: dt.datetime | None = NOW + HOUR, state: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD,
    shown: tuple[Signer, ...] = (), further: tuple[x509.ExtensionType, bool] | None = None,
) -> bytes:  # fmt: skip
    """Return a response."""
    revoked = state == ocsp.OCSPCertStatus.REVOKED
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response(of.certificate, issuer.certificate, hashes.SHA256(), state, begin, end,
                      NOW if revoked else None, R.key_compromise if revoked else None)
        .responder_id(ocsp.OCSPResponderEncoding.HASH, by.certificate)
    )  # fmt: skip
    if shown:
        builder = builder.certificates([one.certificate for one in shown])
    if further:
        builder = builder.add_extension(*further)
    return builder.sign(by.key, hashes.SHA256()).public_bytes(Encoding.DER)


def _responder(*further: x509.ExtensionType) -> Signer:
    """Return somebody whom the issuer named, with critical extensions."""
    return signer("responder", CA, x509.ExtendedKeyUsageOID.OCSP_SIGNING, further=further)


def _usage(**said: bool) -> x509.KeyUsage:
    named = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "encipher_only", "decipher_only", "key_cert_sign", "crl_sign")  # fmt: skip
    return x509.KeyUsage(**{**dict.fromkeys(named, False), **said})


AGREES, SIGNS = _responder(_usage(key_agreement=True)), _responder(_usage(digital_signature=True))
ODD = _responder(STRANGE)


def _unsuccessful() -> bytes:
    built = ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.INTERNAL_ERROR)
    return built.public_bytes(Encoding.DER)


RESPONSES: dict[str, tuple[bytes, t.Any]] = {
    "good": (answered(), Good()),
    "revoked": (answered(state=ocsp.OCSPCertStatus.REVOKED), Revoked("key_compromise", NOW)),
    "unknown": (answered(state=ocsp.OCSPCertStatus.UNKNOWN), Unknown()),
    "an error": (_unsuccessful(), Unknown()),
    "a page": (b"<html>", Unknown()),
    "nothing": (b"", Unknown()),
    "stale": (answered(end=NOW - HOUR / 2), Unknown()),
    "without an end": (answered(end=None), Unknown()),
    "of the future": (answered(begin=NOW + HOUR / 2), Unknown()),
    "about a sibling": (answered(of=SIBLING), Unknown()),
    "about another issuer": (answered(issuer=STRANGER), Unknown()),
    "signed by another of that name": (answered(STRANGER), Unknown()),
    "signed by one whom the issuer named": (answered(DELEGATE, shown=(DELEGATE,)), Good()),
    "signed by one who is not shown": (answered(DELEGATE), Unknown()),
    "signed by one who may not respond": (answered(PRETENDER, shown=(PRETENDER,)), Unknown()),
    "signed by one whom another named": (answered(FOREIGN, shown=(FOREIGN,)), Unknown()),
    "signed by one whose key may sign": (answered(SIGNS, shown=(SIGNS,)), Good()),
    "signed by one whose key may not sign": (answered(AGREES, shown=(AGREES,)), Unknown()),
    "signed by one of whom nobody here understands everything": (answered(ODD, shown=(ODD,)), Unknown()),
    "a critical extension is unknown": (answered(further=(STRANGE, True)), Unknown()),
    "another extension is unknown": (answered(further=(STRANGE, False)), Good()),
    "changed on its way": (answered()[:-1] + bytes([answered()[-1] ^ 1]), Unknown()),
}


@pytest.mark.parametrize("what", RESPONSES)
def test_a_response_says_what_it_may(what: str) -> None:
    response, expected = RESPONSES[what]
    assert _ocsp.status(response, LEAF.certificate, CA.certificate, NOW) == expected


def test_a_request_names_the_certificate() -> None:
    asked = ocsp.load_der_ocsp_request(_ocsp.request(LEAF.certificate, CA.certificate))
    assert asked.serial_number == LEAF.certificate.serial_number
