# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Those who sign lists with another key than the one that signed the certificates, and where they publish."""

from __future__ import annotations

import datetime as dt
import http.server
import typing as t

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

if t.TYPE_CHECKING:
    from collections.abc import Sequence

Extensions = t.Sequence[tuple[x509.ExtensionType, bool]]
_USAGES = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
           "encipher_only", "decipher_only", "key_cert_sign", "crl_sign")  # fmt: skip


class Signer(t.NamedTuple):
    """A certificate and its key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()


def authority(  # noqa: PLR0913 - what its certificate says
    name: str, above: Signer | None = None, *, certs: bool = True, lists: bool | None = True,
    places: Sequence[str] = (), key: ec.EllipticCurvePrivateKey | None = None, more: Extensions = (), days: int = 25,
) -> Signer:  # fmt: skip
    """Return one who may sign certificates, lists, or both; with `lists` None, its certificate does not say what."""
    usage = x509.KeyUsage(**{**dict.fromkeys(_USAGES, False), "key_cert_sign": certs, "crl_sign": bool(lists)})
    more = [*more, (x509.BasicConstraints(ca=certs, path_length=None), True)]
    more += [(usage, True)] if lists is not None else []
    more += [(x509.CRLDistributionPoints([point(place) for place in places]), False)] if places else []
    return signed(name, above, more, key, days=days)


def signed(  # noqa: PLR0913 - what it says
    name: str, above: Signer | None, more: Extensions, key: ec.EllipticCurvePrivateKey | None = None, *,
    number: int = 0, days: int = 25,
) -> Signer:  # fmt: skip
    """Return a certificate; one with nobody above has its own signature."""
    key, now = key or ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateBuilder().subject_name(named(name)).public_key(key.public_key())
        .issuer_name(above.certificate.subject if above else named(name))
        .serial_number(number or x509.random_serial_number()).not_valid_before(now - dt.timedelta(days=5))
        .not_valid_after(now + dt.timedelta(days=days))
    )  # fmt: skip
    for extension, critical in more:
        builder = builder.add_extension(extension, critical=critical)
    return Signer(builder.sign(above.key if above else key, hashes.SHA256()), key)


def leaf(above: Signer, *points: x509.DistributionPoint, number: int = 0) -> Signer:
    """Return a certificate whose lists are at these points."""
    names = x509.SubjectAlternativeName([x509.DNSName("web.example.org")])
    more = [(names, False), (x509.CRLDistributionPoints(points), False)]
    return signed("web.example.org", above, more, number=number)


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def point(
    place: str, reasons: frozenset[x509.ReasonFlags] | None = None, by: Signer | None = None
) -> x509.DistributionPoint:
    """Return where a list is; for some reasons only, or one of somebody else."""
    whose = [x509.DirectoryName(by.certificate.subject)] if by else None
    return x509.DistributionPoint([x509.UniformResourceIdentifier(place)], None, reasons, whose)


def scope(
    place: str = "", reasons: frozenset[x509.ReasonFlags] | None = None, *, indirect: bool = False
) -> tuple[x509.ExtensionType, bool]:
    """Return what a list says that it is about."""
    where = [x509.UniformResourceIdentifier(place)] if place else None
    kinds = dict.fromkeys((f"only_contains_{kind}_certs" for kind in ("user", "ca", "attribute")), False)
    return x509.IssuingDistributionPoint(where, None, only_some_reasons=reasons, indirect_crl=indirect, **kinds), True


def revocations(
    by: Signer, *entries: tuple[Signer, x509.Name | None], more: Extensions = (), number: int = 5,
    base: int | None = None, reason: x509.ReasonFlags = x509.ReasonFlags.superseded,
) -> bytes:  # fmt: skip
    """Return a list (DER) with these certificates, each with the name of its issuer, where that is told."""
    now = dt.datetime.now(dt.UTC)
    builder = (
        x509.CertificateRevocationListBuilder().issuer_name(by.certificate.subject)
        .last_update(now - dt.timedelta(days=2)).next_update(now + dt.timedelta(days=1))
        .add_extension(x509.CRLNumber(number), critical=False)
    )  # fmt: skip
    told = [*more, (x509.DeltaCRLIndicator(base), True)] if base is not None else more
    for extension, critical in told:
        builder = builder.add_extension(extension, critical=critical)
    for one, issuer in entries:
        entry = x509.RevokedCertificateBuilder().serial_number(one.certificate.serial_number).revocation_date(now)
        entry = entry.add_extension(x509.CRLReason(reason), critical=False)
        if issuer:
            entry = entry.add_extension(x509.CertificateIssuer([x509.DirectoryName(issuer)]), critical=True)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(by.key, hashes.SHA256()).public_bytes(Encoding.DER)


class Shelf(http.server.ThreadingHTTPServer):
    """Serves what stands under a name, and counts; the rest is not there."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Serving)
        self.content: dict[str, bytes] = {}
        self.asked: list[str] = []

    def at(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{name}"


class _Serving(http.server.BaseHTTPRequestHandler):
    server: Shelf

    def do_GET(self) -> None:
        name = self.path.lstrip("/")
        self.server.asked.append(name)
        content = self.server.content.get(name)
        self.send_response(200 if content is not None else 404)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, *_said: object) -> None:
        """Say nothing."""
