# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""X.509 certificates and requests as the core's nouns (RFC 5280, RFC 2986)."""

from __future__ import annotations

import binascii
import contextlib
import functools
import hashlib
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509
    from cryptography.exceptions import InternalError, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .errors import printable
from .keys import key_type_of, signing_hash, spki, spki_sha256
from .model import Credential, Subject, X509Facts

# What bytes that somebody else made can raise; a compressed point of a key in SSH's form is "not implemented".
MALFORMED: tuple[type[Exception], ...] = (ValueError, TypeError, NotImplementedError)
with contextlib.suppress(NameError):
    MALFORMED += (UnsupportedAlgorithm, x509.InvalidVersion, x509.DuplicateExtension, x509.UnsupportedGeneralNameType)
# What older ones raise too: 38 a KeyError for an unknown kind of string in a name, 43 InternalError for some keys.
UNREADABLE: tuple[type[Exception], ...] = (*MALFORMED, KeyError)
with contextlib.suppress(NameError):
    UNREADABLE += (InternalError,)
PEM_BEGIN = b"-----BEGIN CERTIFICATE-----"
_PEM_END = b"-----END CERTIFICATE-----"
# What crosses the wire, and what any sensible certificate keeps to.
LARGEST, LARGEST_SERIAL, MOST_NAMES, LONGEST_NAME = 16 * 1024, 500, 4000, 4000
MOST_KEPT = 4096  # certificates: a run looks at each of its identities' twice, before and after something else


def fingerprint(der: bytes) -> str:
    """Return the SHA-256 of a DER certificate in lower-case hex."""
    return hashlib.sha256(der).hexdigest()


def pem_certificate(der: bytes) -> bytes:
    """Return a DER certificate as PEM (RFC 7468)."""
    return x509.load_der_x509_certificate(der).public_bytes(Encoding.PEM)


def der_certificates(pem: bytes) -> tuple[bytes, ...]:
    """Return the certificates of a PEM text as DER, in its order; raises ValueError where there is none."""
    # cryptography < 39 loads one at a time.
    blocks = [PEM_BEGIN + rest for rest in pem.split(PEM_BEGIN)[1:]] or [pem]
    try:
        return tuple(x509.load_pem_x509_certificate(block).public_bytes(Encoding.DER) for block in blocks)
    except MALFORMED:
        raise ValueError("not a certificate in PEM") from None


def first_in(pem: bytes) -> bytes | None:
    """Return what the first certificate of a PEM text encodes, for `credential` to parse; None where there is none."""
    body, end, _rest = pem.partition(PEM_BEGIN)[2].partition(_PEM_END)
    try:
        return binascii.a2b_base64(body) if end else None
    except binascii.Error:
        return None


def public_key(der: bytes) -> bytes:
    """Return the SubjectPublicKeyInfo of a DER certificate, in DER; raises ValueError for what is none."""
    try:
        return spki(x509.load_der_x509_certificate(der).public_key())
    except MALFORMED:
        raise ValueError("not a certificate") from None


def credential(der: bytes) -> Credential:
    """Parse a DER certificate; raises ValueError on anything that is not one, or not one that can be understood."""
    try:
        return _credential(der)
    except UNREADABLE:
        raise ValueError("not a certificate in DER") from None


@functools.lru_cache(maxsize=MOST_KEPT)
def _credential(der: bytes) -> Credential:
    if len(der) > LARGEST:
        raise ValueError("too large")
    certificate = x509.load_der_x509_certificate(der)
    if certificate.serial_number.bit_length() > LARGEST_SERIAL:
        raise ValueError("too large a serial number")
    public_key = certificate.public_key()
    return Credential(
        credential_id=fingerprint(der),
        public_id=spki_sha256(public_key),
        not_before=_utc(certificate, "not_valid_before"),
        not_after=_utc(certificate, "not_valid_after"),
        facts=X509Facts(
            subject=subject_of(certificate.subject, certificate.extensions),
            key_type=key_type_of(public_key),
            serial_number=certificate.serial_number,
            issuer=_shown(certificate.issuer.rfc4514_string()),
            subject_name=_shown(certificate.subject.rfc4514_string()),
            is_ca=_is_ca(certificate.extensions),
            usages=_usages(certificate.extensions),
        ),
    )


def request(subject: Subject, key: t.Any) -> bytes:
    """Build the DER request of a host: subject and alternative names only; usages are the issuer's to say."""
    names = alternative_names(subject)
    if hasattr(key, "uri"):  # it lives in no file, and only signs
        from .der import request as assembled

        key_type = key_type_of(key.public_key())
        return assembled(name(subject), names, key, key_type, critical=not subject.common_name)
    builder = x509.CertificateSigningRequestBuilder().subject_name(name(subject))
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=not subject.common_name)
    return builder.sign(key, signing_hash(key)).public_bytes(Encoding.DER)


def name(subject: Subject) -> x509.Name:
    """Return the distinguished name; empty where no common name is declared."""
    common_name = subject.common_name
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else [])


def alternative_names(subject: Subject) -> list[x509.GeneralName]:
    """Return the subject alternative names (RFC 5280, 4.2.1.6)."""
    from ipaddress import ip_address

    return [
        *map(x509.DNSName, subject.dns_names),
        *(x509.IPAddress(ip_address(address)) for address in subject.ip_addresses),
        *map(x509.UniformResourceIdentifier, subject.uris),
        *map(x509.RFC822Name, subject.email_addresses),
    ]


def subject_of(distinguished: x509.Name, extensions: x509.Extensions) -> Subject:
    """Return the names of a certificate or a request."""
    common = distinguished.get_attributes_for_oid(NameOID.COMMON_NAME)
    names = _extension(extensions, "SubjectAlternativeName") or ()
    if len(names) > MOST_NAMES:
        raise ValueError("too many names")
    found: dict[type, list[str]] = {}
    for entry in names:
        found.setdefault(type(entry), []).append(_shown(str(entry.value)))
    return Subject(
        common_name=_shown(str(common[0].value)) if common else None,
        dns_names=tuple(found.get(x509.DNSName, ())),
        ip_addresses=tuple(found.get(x509.IPAddress, ())),
        uris=tuple(found.get(x509.UniformResourceIdentifier, ())),
        email_addresses=tuple(found.get(x509.RFC822Name, ())),
    )


def _shown(name: str) -> str:
    """Return a name as it may be shown; no declared one has other characters, so it still differs from all of them."""
    if len(name) > LONGEST_NAME:
        raise ValueError("too long a name")
    return printable(name)


def _extension(extensions: x509.Extensions, kind: str) -> t.Any:
    """Return an extension, found by its id: these are classes of an abstract one, which `isinstance` is slow to ask."""
    wanted = getattr(x509, kind).oid
    return next((one.value for one in extensions if one.oid == wanted), None)


def _is_ca(extensions: x509.Extensions) -> bool:
    constraints = _extension(extensions, "BasicConstraints")
    return bool(constraints and constraints.ca)


def _usages(extensions: x509.Extensions) -> tuple[str, ...]:
    known = {ExtendedKeyUsageOID.SERVER_AUTH: "server_auth", ExtendedKeyUsageOID.CLIENT_AUTH: "client_auth"}
    return tuple(sorted(known.get(oid, oid.dotted_string) for oid in _extension(extensions, "ExtendedKeyUsage") or ()))


def _utc(certificate: x509.Certificate, field: str) -> t.Any:
    """Read a time; cryptography < 42 has only naive ones, which are UTC."""
    import datetime as dt

    value = getattr(certificate, field + "_utc", None)
    return value or getattr(certificate, field).replace(tzinfo=dt.timezone.utc)
