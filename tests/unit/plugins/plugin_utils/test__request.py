# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""Rule C2: no request of a rogue host gets through, and none of an honest one is refused."""

from __future__ import annotations

import typing as t
from ipaddress import ip_address

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core import pki
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied
from ansible_collections.keystead.identity.plugins.module_utils._core.key import KEY_TYPES, Key
from ansible_collections.keystead.identity.plugins.module_utils._core.keys import signing_hash, spki_sha256
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Subject
from ansible_collections.keystead.identity.plugins.plugin_utils._request import LARGEST_CSR, checked
from ansible_collections.keystead.identity.tests.harness import local as make
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import AttributeOID, ExtendedKeyUsageOID, NameOID

HONEST = pki.request(make.WEB, make.key())
SAN = pki.alternative_names(make.WEB)
NAMED = Subject(common_name="a.example.org", dns_names=("a.example.org",))


def tlv(tag: int, *content: bytes) -> bytes:
    """Encode one DER element."""
    body = b"".join(content)
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8 or 1, "big")
    size = length if len(body) < 0x80 else bytes([0x80 | len(length)]) + length
    return bytes([tag]) + size + body


def by_hand(attributes: bytes = b"", subject: bytes = b"", version: int = 0) -> bytes:
    """Assemble what no builder makes, rightly signed (RFC 2986, 4)."""
    spki = make.key().public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    info = tlv(0x30, tlv(0x02, bytes([version])), tlv(0x30, subject), spki, tlv(0xA0, attributes))
    signature = make.key().sign(info, ec.ECDSA(hashes.SHA256()))
    algorithm = tlv(0x30, bytes.fromhex("06082a8648ce3d040302"))
    return tlv(0x30, info, algorithm, tlv(0x03, b"\0" + signature))


def extension(value: bytes, oid: str = "0603551d11") -> bytes:
    """Encode an extension, of alternative names by default."""
    return tlv(0x30, bytes.fromhex(oid), tlv(0x04, value))


def requested(*extensions: bytes) -> bytes:
    """Encode an extensionRequest attribute."""
    return tlv(0x30, bytes.fromhex("06092a864886f70d01090e"), tlv(0x31, tlv(0x30, *extensions)))


DNS = [tlv(0x82, name.encode()) for name in make.WEB.dns_names]
NAMES = extension(tlv(0x30, *DNS))


def built(
    names: t.Sequence[x509.GeneralName] = SAN,
    *more: x509.ExtensionType,
    subject: t.Sequence[tuple[x509.ObjectIdentifier, str]] = (),
    key: t.Any = None,
    attribute: tuple[x509.ObjectIdentifier, bytes] | None = None,
) -> bytes:
    """Build a request that differs from the honest one in what is given."""
    name = x509.Name([x509.NameAttribute(oid, value) for oid, value in subject])
    builder = x509.CertificateSigningRequestBuilder().subject_name(name)
    for one in (*([x509.SubjectAlternativeName(names)] if names else []), *more):
        builder = builder.add_extension(one, critical=False)
    if attribute:
        builder = builder.add_attribute(*attribute)
    key = key or make.key()
    return builder.sign(key, signing_hash(key)).public_bytes(Encoding.DER)


def cn(*values: str) -> list[tuple[x509.ObjectIdentifier, str]]:
    """Return common names."""
    return [(NameOID.COMMON_NAME, value) for value in values]


def usage(**said: bool) -> x509.KeyUsage:
    """Return a key usage."""
    flags = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")  # fmt: skip
    return x509.KeyUsage(**{flag: said.get(flag, False) for flag in flags})


def flipped(der: bytes, at: int) -> bytes:
    """Change one bit."""
    return der[:at] + bytes([der[at] ^ 1]) + der[at + 1 :]


def dns(*names: str) -> list[x509.GeneralName]:
    """Return DNS names, unchecked."""
    return [x509.DNSName._init_without_validation(name) for name in names]


ROGUE: dict[str, t.Callable[[], bytes]] = {
    "other names": lambda: built(dns("evil.example.com")),
    "one more name": lambda: built([*SAN, *dns("c.example.org")]),
    "one name missing": lambda: built(SAN[:1]),
    "no names at all": lambda: built(()),
    "one name twice": lambda: built([*SAN, SAN[0]]),
    "one name in another's place twice": lambda: built([SAN[0], SAN[0]]),
    "a wildcard": lambda: built([SAN[0], *dns("*.example.org")]),
    "a wildcard more": lambda: built([*SAN, *dns("*")]),
    "upper case": lambda: built(dns("A.example.org", "b.example.org")),
    "a trailing dot": lambda: built(dns("a.example.org.", "b.example.org")),
    "a NUL in a name": lambda: built(dns("a.example.org\0.evil.com", "b.example.org")),
    "an empty name": lambda: built([*SAN, *dns("")]),
    "a name as mail address": lambda: built([*SAN, x509.RFC822Name("root@example.org")]),
    "a name as URI": lambda: built([*SAN, x509.UniformResourceIdentifier("spiffe://example.org/admin")]),
    "an IP address": lambda: built([*SAN, x509.IPAddress(ip_address("192.0.2.1"))]),
    "an IP address in a name's place": lambda: built([SAN[0], x509.IPAddress(ip_address("192.0.2.1"))]),
    "an IP address as DNS name": lambda: built([SAN[0], *dns("192.0.2.1")]),
    "a directory name": lambda: built([*SAN, x509.DirectoryName(x509.Name([]))]),
    "a registered id": lambda: built([*SAN, x509.RegisteredID(NameOID.COMMON_NAME)]),
    "another kind of name": lambda: built([*SAN, x509.OtherName(NameOID.COMMON_NAME, b"\x0c\x04root")]),
    "an undeclared common name": lambda: built(subject=cn("a.example.org")),
    "Jinja in the common name": lambda: built(subject=cn("{{ lookup('pipe', 'id') }}")),
    "an organization": lambda: built(subject=[(NameOID.ORGANIZATION_NAME, "system:masters")]),
    "a CA": lambda: built(SAN, x509.BasicConstraints(ca=True, path_length=None)),
    "a CA that says it is none": lambda: built(SAN, x509.BasicConstraints(ca=False, path_length=None)),
    "certificate signing": lambda: built(SAN, usage(key_cert_sign=True)),
    "a harmless key usage": lambda: built(SAN, usage(digital_signature=True)),
    "code signing": lambda: built(SAN, x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])),
    "server authentication": lambda: built(SAN, x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])),
    "name constraints": lambda: built(SAN, x509.NameConstraints([x509.DNSName("org")], None)),
    "an unknown extension": lambda: built(SAN, x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\5\0")),
    "must-staple": lambda: built(SAN, x509.TLSFeature([x509.TLSFeatureType.status_request])),
    "a challenge password": lambda: built(attribute=(AttributeOID.CHALLENGE_PASSWORD, b"secret")),
    "an unstructured name": lambda: built(attribute=(AttributeOID.UNSTRUCTURED_NAME, b"web")),
    "another key": lambda: built(key=make.key(number=9)),
    "another type of key": lambda: built(key=make.key("ed25519")),
    "a larger curve": lambda: built(key=make.key("ecdsa-p384")),
    "a weak RSA key": lambda: built(key=rsa.generate_private_key(65537, 1024)),  # noqa: S505 - that is the point
    "an invalid signature": lambda: flipped(HONEST, len(HONEST) - 2),
    "names changed after signing": lambda: HONEST.replace(b"a.example.org", b"x.example.org"),
    "a byte behind": lambda: HONEST + b"\0",
    "a second request behind": lambda: HONEST + HONEST,
    "cut short": lambda: HONEST[:-1],
    "PEM": lambda: x509.load_der_x509_csr(HONEST).public_bytes(Encoding.PEM),
    "a certificate": lambda: b"-----BEGIN CERTIFICATE-----\n",
    "nothing": lambda: b"",
    "junk": lambda: b"\x30\x82\xff\xff" + bytes(range(256)),
    "text": lambda: b"{{ 7 * 7 }}",
    "too much": lambda: HONEST + bytes(LARGEST_CSR),
    "deep nesting": lambda: b"\x30\x80" * 20000,
    "alternative names twice": lambda: by_hand(requested(NAMES, NAMES)),
    "two extension requests": lambda: by_hand(requested(NAMES) + requested(NAMES)),
    "a CA in a second extension request": lambda: by_hand(
        requested(NAMES) + requested(extension(bytes.fromhex("30030101ff"), "0603551d13"))
    ),
    "an IP address of five bytes": lambda: by_hand(requested(extension(tlv(0x30, *DNS, tlv(0x87, b"12345"))))),
    "an empty list of extensions": lambda: by_hand(requested()),
    "names that are no names": lambda: by_hand(requested(extension(b"\xff\xff"))),
    "another version": lambda: by_hand(requested(NAMES), version=7),
    "no declared name, and no attribute": by_hand,
}


@pytest.mark.parametrize("what", ROGUE)
def test_a_rogue_request_is_refused(what: str) -> None:
    with pytest.raises(Denied, match=r"^host: its request for web is refused: ") as refused:
        checked(ROGUE[what](), make.identity(), make.public_id())
    assert not any(word in str(refused.value) for word in ("{{", "evil", "root@", "\0"))


def test_there_are_enough_rogue_requests() -> None:
    assert len({make_one() for make_one in ROGUE.values()}) >= 40


def test_what_the_tests_assemble_by_hand_would_pass_if_it_were_honest() -> None:
    assert checked(by_hand(requested(NAMES)), make.identity(), make.public_id()).csr


@pytest.mark.parametrize(
    ("subject", "csr"),
    [
        (NAMED, built(dns("a.example.org"))),
        (NAMED, built(dns("a.example.org"), subject=cn("a.example.org\0.evil.com"))),
        (NAMED, built(dns("a.example.org"), subject=cn("b.example.org"))),
        (NAMED, built(dns("a.example.org"), subject=cn("a.example.org", "root"))),
        (NAMED, built(dns("a.example.org"), subject=[*cn("a.example.org"), (NameOID.ORGANIZATION_NAME, "root")])),
        (NAMED, built((), subject=cn("a.example.org"))),
        (Subject(ip_addresses=("192.0.2.1",)), built(dns("192.0.2.1"))),
        (Subject(uris=("spiffe://example.org/a",)), built([x509.UniformResourceIdentifier("spiffe://example.org/b")])),
    ],
)
def test_a_request_with_another_subject_than_the_declared_is_refused(subject: Subject, csr: bytes) -> None:
    with pytest.raises(Denied):
        checked(csr, make.identity(subject), make.public_id())


def test_a_key_with_a_small_exponent_is_refused() -> None:
    key = rsa.generate_private_key(3, 2048)
    with pytest.raises(Denied, match="exponent"):
        checked(built(key=key), make.identity(key_type="rsa-2048"), spki_sha256(key.public_key()))


@pytest.mark.parametrize(
    "subject",
    [
        make.WEB,
        NAMED,
        Subject(common_name="only a name"),
        Subject(dns_names=("*.example.org",)),
        Subject(dns_names=("xn--bcher-kva.example",)),
        Subject(ip_addresses=("192.0.2.1", "2001:db8::1")),
        Subject(uris=("spiffe://example.org/shop",)),
        Subject(email_addresses=("team@example.org",)),
        Subject(
            dns_names=("a.example.org",), ip_addresses=("::1",), uris=("https://a/",), email_addresses=("a@b.org",)
        ),
        Subject(dns_names=tuple(f"n{number}.example.org" for number in range(100))),
    ],
)
def test_an_honest_request_is_accepted(subject: Subject) -> None:
    request = checked(pki.request(subject, make.key()), make.identity(subject), make.public_id())
    assert (request.subject, request.name) == (subject, "web")


@pytest.mark.parametrize("key_type", KEY_TYPES)
def test_every_type_of_key_is_accepted(key_type: str) -> None:
    wanted = make.identity()._replace(key=Key(key_type))
    assert checked(pki.request(make.WEB, make.key(key_type)), wanted, make.public_id(0, key_type))
