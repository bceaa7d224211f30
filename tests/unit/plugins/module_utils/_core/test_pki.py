# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""Requests and certificates: what is built, and what is read back, of every key type and kind of name."""

from __future__ import annotations

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core import pki
from ansible_collections.keystead.identity.plugins.module_utils._core.key import KEY_TYPES
from ansible_collections.keystead.identity.plugins.module_utils._core.keys import (
    from_pem,
    generate,
    key_type_of,
    spki_sha256,
    to_pem,
)
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Subject
from ansible_collections.keystead.identity.tests.harness.two_tier import TwoTier
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

EVERY = Subject(
    "web.example.org",
    ("web.example.org", "*.example.org", "xn--bcher-kva.example"),
    ("192.0.2.1", "2001:db8::1"),
    ("spiffe://example.org/web",),
    ("ops@example.org",),
)


@pytest.mark.parametrize("key_type", KEY_TYPES)
def test_a_request_of_every_key_type_is_signed_by_its_key_and_says_its_names(key_type: str) -> None:
    key = generate(key_type)
    csr = x509.load_der_x509_csr(pki.request(EVERY, key))
    assert csr.is_signature_valid
    assert key_type_of(csr.public_key()) == key_type
    assert pki.subject_of(csr.subject, csr.extensions) == EVERY
    again = from_pem(to_pem(key))
    assert spki_sha256(again.public_key()) == spki_sha256(key.public_key())


def test_alternative_names_are_critical_when_there_is_no_subject() -> None:
    key = generate("ed25519")
    for subject, critical in [(Subject(dns_names=("a",)), True), (Subject("a", ("a",)), False)]:
        csr = x509.load_der_x509_csr(pki.request(subject, key))
        (extension,) = csr.extensions
        assert extension.critical is critical


def test_a_certificate_is_read_with_its_facts() -> None:
    pair = TwoTier().issue("web.example.org", "192.0.2.1")
    found = pki.credential(pair.der)
    assert (found.credential_id, found.public_id) == (pki.fingerprint(pair.der), spki_sha256(pair.key.public_key()))
    assert found.facts.subject == Subject("leaf", ("web.example.org",), ("192.0.2.1",))
    assert (found.facts.key_type, found.facts.usages, found.facts.is_ca) == ("ecdsa-p256", ("server_auth",), False)
    assert found.not_before < found.not_after
    assert pki.der_certificates(pki.pem_certificate(pair.der) + pair.chain)[0] == pair.der


def test_the_first_certificate_of_a_text_is_what_its_parser_reads_too() -> None:
    pair = TwoTier().issue("web.example.org")
    pem = pki.pem_certificate(pair.der)
    for text in (pem, pem + pair.chain, b"said before\n" + pem, pem.replace(b"\n", b"\r\n")):
        assert pki.first_in(text) == pki.der_certificates(text)[0] == pair.der
    for text in (b"", pair.der, pem[:-40], pki.PEM_BEGIN):
        assert pki.first_in(text) is None


def test_an_authority_is_known_as_one() -> None:
    (der,) = pki.der_certificates(TwoTier().issuing)
    assert pki.credential(der).facts.is_ca


def test_a_text_is_read_to_its_end_or_not_at_all() -> None:
    first, second = TwoTier().issuing, TwoTier().issuing
    read = pki.der_certificates(b"said before\n" + first + b"said between\n" + to_pem(generate("ed25519")) + second)
    assert b"".join(map(pki.pem_certificate, read)) == first + second
    for cut in (first + second[:-40], first + pki.PEM_BEGIN, b"said before\n"):
        with pytest.raises(ValueError, match="not a certificate in PEM"):
            pki.der_certificates(cut)


def test_a_name_in_a_kind_of_string_that_does_not_exist_is_a_value_error() -> None:
    der = _DER.replace(b"\x06\x03\x55\x04\x03\x0c", b"\x06\x03\x55\x04\x03\x49")  # commonName as UTF8String
    assert der != _DER
    with pytest.raises(ValueError, match="not a certificate in DER"):
        pki.credential(der)


@given(st.binary(max_size=200))
def test_bytes_that_are_no_certificate_are_a_value_error(junk: bytes) -> None:
    for read in (pki.credential, pki.der_certificates):
        with pytest.raises(ValueError, match=r"."):
            read(junk)


@given(st.integers(0, 400), st.integers(0, 255))
def test_a_certificate_with_a_changed_byte_is_read_or_is_a_value_error(place: int, value: int) -> None:
    der = bytearray(_DER)
    der[place % len(der)] = value
    try:
        found = pki.credential(bytes(der))
    except ValueError:
        return
    assert found.credential_id == pki.fingerprint(bytes(der))


_DER = TwoTier().issue("web.example.org", "192.0.2.1").leaf.public_bytes(Encoding.DER)
