# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A key in a custody as one of cryptography's: it signs in one way, and does nothing else."""

from __future__ import annotations

import copy
import datetime as dt
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.module_utils._core.key import KEY_TYPES
from ansible_collections.keystead.identity.plugins.module_utils._core.keys import signing_hash
from ansible_collections.keystead.identity.plugins.plugin_utils._keystores.private_key import private_key
from ansible_collections.keystead.identity.tests.harness.soft_key import SoftKey
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, mldsa, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12
from cryptography.x509.oid import NameOID

NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "root")])
NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


@pytest.mark.parametrize("key_type", KEY_TYPES)
def test_the_builders_of_certificates_lists_and_requests_sign_with_it(key_type: str) -> None:
    soft = SoftKey(key_type)
    key = private_key(soft)
    certificate = (
        x509.CertificateBuilder().subject_name(NAME).issuer_name(NAME).public_key(key.public_key())
        .serial_number(1).not_valid_before(NOW).not_valid_after(NOW + DAY).sign(key, signing_hash(key))
    )  # fmt: skip
    certificate.verify_directly_issued_by(certificate)
    listed = x509.CertificateRevocationListBuilder().issuer_name(NAME).last_update(NOW).next_update(NOW + DAY)
    assert listed.sign(key, signing_hash(key)).is_signature_valid(soft.public_key())
    request = x509.CertificateSigningRequestBuilder().subject_name(NAME).sign(key, signing_hash(key))
    assert request.is_signature_valid
    assert request.public_key() == soft.public_key()
    assert soft.asked == 3


@pytest.mark.parametrize(
    ("key_type", "kind"),
    [
        ("ecdsa-p256", ec.EllipticCurvePrivateKey),
        ("rsa-2048", rsa.RSAPrivateKey),
        ("ed25519", ed25519.Ed25519PrivateKey),
        ("ml-dsa-44", mldsa.MLDSA44PrivateKey),
        ("ml-dsa-87", mldsa.MLDSA87PrivateKey),
    ],
)
def test_it_is_what_its_class_says_and_a_copy_is_itself(key_type: str, kind: type) -> None:
    soft = SoftKey(key_type)
    key = private_key(soft)
    assert isinstance(key, kind)
    assert copy.copy(key) is key
    assert copy.deepcopy(key) is key
    assert type(private_key(soft)) is type(key)
    assert key.uri == soft.uri


@pytest.mark.parametrize("key_type", ["ecdsa-p256", "rsa-2048", "ed25519", "ml-dsa-44"])
def test_nothing_that_needs_the_private_numbers_is_done(key_type: str) -> None:
    key = private_key(SoftKey(key_type))
    asks: list[t.Callable[[], t.Any]] = [
        lambda: key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        key.private_bytes_raw,
        key.private_numbers,
        lambda: key.exchange(ec.ECDH(), key.public_key()),
        lambda: key.decrypt(b"x", padding.PKCS1v15()),
        lambda: key.sign_mu(bytes(64)),
    ]
    if key_type != "ml-dsa-44":  # which PKCS#12 does not know
        asks.append(lambda: pkcs12.serialize_key_and_certificates(None, key, None, None, NoEncryption()))
    for ask in asks:
        with pytest.raises(Misconfigured, match=r"^key soft:1 never leaves its custody") as refused:
            ask()
        assert str(refused.value).isprintable()


PSS = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
OTHER_WAYS: list[tuple[str, tuple[t.Any, ...], str]] = [
    ("ecdsa-p256", (ec.ECDSA(hashes.SHA384()),), "ECDSA and sha256"),
    ("ecdsa-p256", (ec.ECDSA(utils.Prehashed(hashes.SHA256())),), "ECDSA and sha256"),
    ("ecdsa-p256", (ec.ECDSA(hashes.SHA256(), deterministic_signing=True),), "ECDSA and sha256"),
    ("ecdsa-p384", (ec.ECDSA(hashes.SHA256()),), "ECDSA and sha384"),
    ("ecdsa-p256", (hashes.SHA256(),), "ECDSA and sha256"),
    ("rsa-2048", (PSS, hashes.SHA256()), "PKCS #1 v1.5 and SHA-256"),
    ("rsa-2048", (padding.PKCS1v15(), hashes.SHA512()), "PKCS #1 v1.5 and SHA-256"),
    ("rsa-2048", (padding.PKCS1v15(), utils.Prehashed(hashes.SHA256())), "PKCS #1 v1.5 and SHA-256"),
    ("ml-dsa-44", (b"a context",), "no context"),
]


@pytest.mark.parametrize(("key_type", "how", "only"), OTHER_WAYS)
def test_every_other_way_to_sign_is_refused_before_the_key_is_asked(
    key_type: str, how: tuple[t.Any, ...], only: str
) -> None:
    soft = SoftKey(key_type)
    with pytest.raises(Misconfigured, match=only):
        private_key(soft).sign(b"data", *how)
    assert not soft.asked


def test_a_builder_that_is_told_another_hash_gives_no_certificate() -> None:
    key = private_key(SoftKey("ecdsa-p256"))
    with pytest.raises(Misconfigured, match="ECDSA and sha256"):
        x509.CertificateSigningRequestBuilder().subject_name(NAME).sign(key, hashes.SHA512())


@pytest.mark.parametrize("make", [ed448.Ed448PrivateKey.generate, lambda: dsa.generate_private_key(2048)])
def test_a_key_of_another_type_is_refused(make: t.Callable[[], t.Any]) -> None:
    with pytest.raises(Misconfigured, match="signs no certificates"):
        private_key(SoftKey("", make()))
