# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whose signature a certificate has, by tables: names are compared as RFC 5280 (7.1) says."""

from __future__ import annotations

import datetime as dt
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._authority.name_constraints import refusal
from ansible_collections.keystead.identity.plugins.plugin_utils._distinguished_names import same
from ansible_collections.keystead.identity.plugins.plugin_utils._path import signed_by
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import NameOID

pytestmark = pytest.mark.one_core
NOW = dt.datetime.now(dt.UTC)
KEYS: dict[str, t.Callable[[], t.Any]] = {
    "ECDSA": lambda: ec.generate_private_key(ec.SECP256R1()),
    "RSA": lambda: rsa.generate_private_key(65537, 2048),
    "RSASSA-PSS": lambda: rsa.generate_private_key(65537, 2048),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
}


def name(*values: str, kind: _ASN1Type = _ASN1Type.UTF8String) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, value, kind) for value in values])


def certificate(  # noqa: PLR0913, PLR0917 - what it says
    subject: x509.Name, issuer: x509.Name, key: t.Any, signer: t.Any, kind: str,
    constraints: x509.NameConstraints | None = None,
) -> x509.Certificate:  # fmt: skip
    builder = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
        .serial_number(1).not_valid_before(NOW).not_valid_after(NOW + dt.timedelta(days=1))
    )  # fmt: skip
    if constraints:
        builder = builder.add_extension(constraints, critical=True)
    padded = padding.PSS(padding.MGF1(hashes.SHA256()), 32) if kind == "RSASSA-PSS" else None
    return builder.sign(signer, None if kind == "Ed25519" else hashes.SHA256(), rsa_padding=padded)


def test_a_name_that_is_excluded_is_so_however_it_is_written() -> None:
    key = KEYS["ECDSA"]()
    for side, expected in (("excluded", (True, True, False)), ("permitted", (False, False, True))):
        subtrees = [x509.DirectoryName(name("Acme"))]
        constraints = x509.NameConstraints(*((subtrees, None) if side == "permitted" else (None, subtrees)))
        authority = certificate(name("ca"), name("ca"), key, key, "ECDSA", constraints)
        names = [x509.DirectoryName(name(one, "web")) for one in ("Acme", "ACME", "Other")]
        assert tuple(bool(refusal(authority, [one])) for one in names) == expected, side


@pytest.mark.parametrize("kind", KEYS)
def test_a_name_that_is_written_otherwise_is_the_same_and_the_key_still_counts(kind: str) -> None:
    key, stranger = KEYS[kind](), KEYS[kind]()
    authority = certificate(name("Example Org"), name("Example Org"), key, key, kind)
    for issuer, signer, expected in (
        ("Example Org", key, True),
        ("example  ORG ", key, True),
        ("Example Org", stranger, False),
        ("example  ORG ", stranger, False),
        ("ExampleOrg", key, False),
        ("Example Organisation", key, False),
    ):
        below = certificate(name("web"), name(issuer), stranger, signer, kind)
        assert signed_by(below, authority) is expected, issuer


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (name("Stra\u00dfe"), name("STRASSE"), True),
        (name("A"), name("\uff21"), True),
        (name("a", kind=_ASN1Type.PrintableString), name("A"), True),
        (name("a", "b"), name("b", "a"), False),
        (name("a"), name("a", "b"), False),
        (name("a"), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a")]), False),
    ],
)
def test_what_makes_two_names_the_same(one: x509.Name, other: x509.Name, *, expected: bool) -> None:
    assert same(one, other) is expected
