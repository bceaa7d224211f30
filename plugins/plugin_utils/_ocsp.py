# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What an OCSP responder says of one certificate (RFC 6960): never more than it may.

A response that is about another certificate, not of now, or not signed by the issuer or by a responder that the issuer
named, says nothing: the answer is Unknown, and never Good.
"""

from __future__ import annotations

import contextlib
import hashlib
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from cryptography.x509 import ocsp
    from cryptography.x509.oid import ExtendedKeyUsageOID

from ..module_utils._core.ports import Good, Revoked, Unknown
from ._path import signed_by
from ._revocation_list import BROKEN_HASHES, SKEW, reason_of
from ._signatures import UNVERIFIABLE

if t.TYPE_CHECKING:
    import datetime as dt


def request(certificate: x509.Certificate, issuer: x509.Certificate, nonce: bytes | None = None) -> bytes:
    """Return the request (DER) about a certificate of an issuer; a `nonce` asks for an answer of now (RFC 9654)."""
    builder = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, hashes.SHA256())
    if nonce:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    return builder.build().public_bytes(Encoding.DER)


def status(
    response: bytes,
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    now: dt.datetime,
    nonce: bytes | None = None,
) -> Good | Revoked | Unknown:
    """Return what a response (DER) says of a certificate of an issuer (RFC 6960, 3.2).

    Many responders leave a `nonce` out, and then need an end. One that answers with another says nothing.
    """
    try:
        found = ocsp.load_der_ocsp_response(response)
        if found.response_status != ocsp.OCSPResponseStatus.SUCCESSFUL:
            return Unknown()
        fresh = _of_now(found, now, nonce)
        holds = fresh and _is_about(found, certificate, issuer) and _is_understood(found)
        holds = holds and _is_signed(found, issuer, now)
        return _said(found) if holds else Unknown()
    except UNVERIFIABLE:
        return Unknown()


def times(response: bytes) -> tuple[dt.datetime | None, dt.datetime | None]:
    """Return since when and until when a response (DER) holds, as it says; None where it does not."""
    with contextlib.suppress(*UNVERIFIABLE):
        found = ocsp.load_der_ocsp_response(response)
        return found.this_update_utc, found.next_update_utc
    return None, None


def _said(found: ocsp.OCSPResponse) -> Good | Revoked | Unknown:
    if found.certificate_status == ocsp.OCSPCertStatus.REVOKED and found.revocation_time_utc:
        return Revoked(reason_of(found.revocation_reason), found.revocation_time_utc)
    return Good() if found.certificate_status == ocsp.OCSPCertStatus.GOOD else Unknown()


def _is_about(found: ocsp.OCSPResponse, certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Tell whether a response names this certificate: by its number, and the name and the key of its issuer."""
    key = issuer.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    algorithm = found.hash_algorithm.name
    named = hashlib.new(algorithm, issuer.subject.public_bytes()).digest()
    keyed = hashlib.new(algorithm, _bits(key)).digest()
    same = found.serial_number == certificate.serial_number
    return same and (found.issuer_name_hash, found.issuer_key_hash) == (named, keyed)


def _is_understood(found: ocsp.OCSPResponse) -> bool:
    """Tell whether a response says nothing critical that nobody here understands (RFC 6960, 4.4)."""
    known = (x509.OCSPNonce, x509.CRLReason, x509.InvalidityDate)
    said = [*found.extensions, *found.single_extensions]
    return all(not one.critical or isinstance(one.value, known) for one in said)


def _bits(spki: bytes) -> bytes:
    """Return the content of the BIT STRING in a SubjectPublicKeyInfo (DER), without its count of unused bits."""
    _whole, start = _header(spki, 0)
    length, begin = _header(spki, start)  # the algorithm
    size, bits = _header(spki, begin + length)
    return spki[bits + 1 : bits + size]


def _header(der: bytes, at: int) -> tuple[int, int]:
    """Return the length of the value at a place, and where it begins (X.690, 8.1.3)."""
    first = der[at + 1]
    if first < 128:
        return first, at + 2
    count = first - 128
    return int.from_bytes(der[at + 2 : at + 2 + count], "big"), at + 2 + count


def _of_now(found: ocsp.OCSPResponse, now: dt.datetime, nonce: bytes | None) -> bool:
    """Tell whether a response is not from the future, and not stale; one that names no end is, but for our nonce."""
    until, said = found.next_update_utc, _nonce(found)
    if said is not None and nonce is not None and said != nonce:
        return False
    stale = now >= until if until is not None else said is None or said != nonce
    return found.this_update_utc <= now + SKEW and not stale


def _nonce(found: ocsp.OCSPResponse) -> bytes | None:
    with contextlib.suppress(x509.ExtensionNotFound):
        return found.extensions.get_extension_for_class(x509.OCSPNonce).value.nonce
    return None


def _is_signed(found: ocsp.OCSPResponse, issuer: x509.Certificate, now: dt.datetime) -> bool:
    """Tell whether the issuer signed a response, or a responder whose certificate it signed (RFC 6960, 4.2.2.2)."""
    signers = [issuer, *(one for one in found.certificates if _may_respond(one, issuer, now))]
    return any(_verifies(found, one.public_key()) for one in signers)


def _may_respond(certificate: x509.Certificate, issuer: x509.Certificate, now: dt.datetime) -> bool:
    """Tell whether the issuer signed a certificate for this purpose, and nothing in it speaks against that."""
    valid = certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc
    return valid and _is_for_responses(certificate.extensions) and signed_by(certificate, issuer)


def _is_for_responses(extensions: x509.Extensions) -> bool:
    """Tell whether a certificate is for who signs responses, by all of its usages (RFC 6960, 4.2.2.2; RFC 5280, 4.2).

    One that names no usage of its key permits any, and one with something critical that nobody here understands none.
    """
    known = (x509.ExtendedKeyUsage, x509.KeyUsage, x509.BasicConstraints, x509.SubjectAlternativeName, x509.OCSPNoCheck)
    if any(one.critical and not isinstance(one.value, known) for one in extensions):
        return False
    said = {type(one.value): one.value for one in extensions}
    usage = said.get(x509.KeyUsage)
    signs = usage is None or usage.digital_signature or usage.content_commitment
    return bool(signs) and ExtendedKeyUsageOID.OCSP_SIGNING in said.get(x509.ExtendedKeyUsage, ())


def _verifies(found: ocsp.OCSPResponse, key: t.Any) -> bool:
    """Tell whether a key made the signature; with kinds of keys that no responder of ours has, no."""
    signature, content = found.signature, found.tbs_response_bytes
    algorithm = found.signature_hash_algorithm
    if algorithm is not None and algorithm.name in BROKEN_HASHES:
        return False
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, content)
        elif isinstance(key, rsa.RSAPublicKey) and algorithm:
            key.verify(signature, content, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey) and algorithm:
            key.verify(signature, content, ec.ECDSA(algorithm))
        else:
            return False
    except InvalidSignature:
        return False
    return True
