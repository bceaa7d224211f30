# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""What an authority signs: other authorities and leaves (RFC 5280, 4)."""

from __future__ import annotations

import contextlib
import datetime as dt
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import ExtendedKeyUsageOID

from ...module_utils._core import pki
from ...module_utils._core.errors import Misconfigured
from ...module_utils._core.keys import signing_hash
from ...module_utils._core.model import PROFILE_USAGES
from .files import entries, put_all, read, sync

if t.TYPE_CHECKING:
    from ...module_utils._core.ports import Request
    from .store import Authority
    from .wanted import Wanted

LONGEST_BACKDATING = 300  # seconds, for clocks that are behind
_USAGES = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
           "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")  # fmt: skip


def check_is_alive(authority: Authority, now: dt.datetime) -> None:
    """Refuse to sign with an authority that has ended, is yet to begin or was revoked, or one of whose issuers so is.

    Of a revocation, those know that stand in the same directory.
    """
    for certificate in (authority.certificate, *authority.issuers):
        begins = certificate.not_valid_before_utc
        if certificate.not_valid_after_utc <= now:
            raise Misconfigured(
                f"local: authority {authority.name} in {authority.path.parent} cannot sign any more: "
                f"{certificate.subject.rfc4514_string()} ended on {certificate.not_valid_after_utc:%Y-%m-%d}; "
                "create another authority and name it in the issuer"
            )
        if begins > now:
            raise Misconfigured(
                f"local: authority {authority.name} in {authority.path.parent} cannot sign yet: "
                f"{certificate.subject.rfc4514_string()} begins at {begins:%Y-%m-%d %H:%M} UTC, and the controller's "
                f"clock says {now:%Y-%m-%d %H:%M}; set that clock, or, where it was wrong when the authority was made, "
                "create another one and name it in the issuer"
            )
        if any(authority.path.parent.glob(f"*/revoked/{certificate.serial_number:x}.json")):
            raise revoked(authority, certificate)


def revoked(authority: Authority, certificate: x509.Certificate) -> Misconfigured:
    """Return what to say of an authority that another has taken back, or one of whose issuers."""
    return Misconfigured(
        f"local: authority {authority.name} in {authority.path.parent} cannot sign any more: "
        f"{certificate.subject.rfc4514_string()} was revoked by the authority above it; finish what was begun with "
        "certificate_authority and state absent, and create another one under another name"
    )


def root(wanted: Wanted, key: t.Any, now: dt.datetime) -> x509.Certificate:
    """Return the certificate of an authority that signs itself."""
    end = now + dt.timedelta(seconds=wanted.lifetime)
    builder = _dated(wanted.subject, key.public_key(), now, end).issuer_name(wanted.subject)
    return _signed(_as_authority(builder, wanted.constraints()), key, key.public_key())


def below(parent: Authority, key: t.Any, wanted: Wanted, public_key: t.Any, now: dt.datetime) -> x509.Certificate:
    """Return the certificate of an authority below `parent`, signed with the parent's key; it never outlives it."""
    builder = _dated(wanted.subject, public_key, now, _end(parent, now, wanted.lifetime))
    builder = builder.issuer_name(parent.certificate.subject)
    return _signed(_as_authority(builder, wanted.constraints()), key, public_key, parent)


def leaf(authority: Authority, key: t.Any, request: Request, now: dt.datetime) -> x509.Certificate:
    """Return the certificate of a request, of whose CSR only the public key is used."""
    public_key = x509.load_der_x509_csr(request.csr).public_key()
    subject = pki.name(request.subject)
    purposes = [getattr(ExtendedKeyUsageOID, usage.upper()) for usage in PROFILE_USAGES[request.profile]]
    builder = _dated(subject, public_key, now, _end(authority, now, request.lifetime))
    builder = (
        builder.issuer_name(authority.certificate.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage("digital_signature"), critical=True)
        .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    )
    names = pki.alternative_names(request.subject)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=not list(subject))
    return _signed(builder, key, public_key, authority)


def record(authority: Authority, certificates: t.Sequence[x509.Certificate]) -> None:
    """Write down what was signed before anybody gets it: a lost answer can be found, a forgotten one revoked."""
    put_all({authority.issued / f"{one.serial_number:x}.pem": one.public_bytes(Encoding.PEM) for one in certificates})
    sync(authority.issued)


def recorded(authority: Authority) -> t.Iterator[x509.Certificate]:
    """Yield everything that was ever written down, in no order."""
    for path in entries(authority.issued, ".pem"):
        try:
            certificate = x509.load_pem_x509_certificate(read(path))
            certificate.public_key()
        except pki.MALFORMED:
            raise Misconfigured(f"local: {path} is not a certificate; restore it from a backup") from None
        yield certificate


def _end(authority: Authority, now: dt.datetime, lifetime: int) -> dt.datetime:
    return min(now + dt.timedelta(seconds=lifetime), authority.certificate.not_valid_after_utc)


def issued_at(certificate: x509.Certificate) -> dt.datetime:
    """Return when a certificate of ours was signed, to the second: it counts from a little before."""
    start = certificate.not_valid_before_utc
    life = int((certificate.not_valid_after_utc - start).total_seconds())
    return start + dt.timedelta(seconds=min(LONGEST_BACKDATING, life // 11))


def _dated(
    subject: x509.Name, public_key: t.Any, now: dt.datetime, not_after: dt.datetime
) -> x509.CertificateBuilder:
    """Begin a certificate. It is antedated by a tenth of its life at most, which would else be half over at once."""
    now, not_after = now.replace(microsecond=0), not_after.replace(microsecond=0)
    backdating = min(LONGEST_BACKDATING, int((not_after - now).total_seconds()) // 10)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(seconds=backdating))
        .not_valid_after(not_after)
    )


def _as_authority(
    builder: x509.CertificateBuilder, constraints: t.Sequence[x509.ExtensionType]
) -> x509.CertificateBuilder:
    for constraint in constraints:  # basic and name constraints
        builder = builder.add_extension(constraint, critical=True)
    return builder.add_extension(_key_usage("key_cert_sign", "crl_sign"), critical=True)


def _signed(
    builder: x509.CertificateBuilder, key: t.Any, public_key: t.Any, issuer: Authority | None = None
) -> x509.Certificate:
    builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    if issuer is not None:
        builder = builder.add_extension(key_identifier(issuer), critical=False)
    return builder.sign(key, signing_hash(key))


def key_identifier(issuer: Authority) -> x509.AuthorityKeyIdentifier:
    """Return the AKI of what an authority signs (RFC 5280, 4.2.1.1 and 5.2.1)."""
    extension = issuer.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(extension.value)


def _key_usage(*wanted: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{usage: usage in wanted for usage in _USAGES})
