# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A two-tier CA in memory, for certificates that the product itself would never issue (expired, re-used keys)."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import typing as t
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if t.TYPE_CHECKING:
    from pathlib import Path


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


@dataclass(frozen=True)
class Pair:
    """A leaf with its key and the chain above it, without the root."""

    leaf: x509.Certificate
    key: ec.EllipticCurvePrivateKey
    chain: bytes

    @property
    def der(self) -> bytes:
        """The leaf in DER."""
        return self.leaf.public_bytes(Encoding.DER)

    def write(self, directory: Path, *, chain: bool = True) -> tuple[str, str]:
        """Write full chain and key; return their paths."""
        directory.mkdir(parents=True, exist_ok=True)
        certificate, key = directory / "fullchain.pem", directory / "key.pem"
        certificate.write_bytes(_pem(self.leaf) + (self.chain if chain else b""))
        key.write_bytes(self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        return str(certificate), str(key)


class TwoTier:
    """A root and an issuing intermediate in memory."""

    def __init__(self, name: str = "test") -> None:
        """Make both keys and certificates."""
        self._root_key, self._key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        self._root_name, self._issuer_name = _name(f"{name} root"), _name(f"{name} issuing")
        root = self._sign(self._root_name, self._root_key.public_key(), self._root_name, self._root_key, ca=True)
        issuing = self._sign(self._issuer_name, self._key.public_key(), self._root_name, self._root_key, ca=True)
        self.root, self.issuing = _pem(root), _pem(issuing)

    def issue(
        self,
        *names: str,
        key: ec.EllipticCurvePrivateKey | None = None,
        usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.SERVER_AUTH,
        expired: bool = False,
    ) -> Pair:
        """Sign a leaf for DNS names and IP addresses."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        alternatives = x509.SubjectAlternativeName([_general_name(name) for name in names])
        leaf = self._sign(
            _name("leaf"),
            key.public_key(),
            self._issuer_name,
            self._key,
            extensions=[alternatives, x509.ExtendedKeyUsage([usage])],
            expired=expired,
        )
        return Pair(leaf, key, self.issuing)

    def _sign(  # noqa: PLR0913 - what a certificate says
        self,
        subject: x509.Name,
        public_key: ec.EllipticCurvePublicKey,
        issuer: x509.Name,
        issuer_key: ec.EllipticCurvePrivateKey,
        *,
        ca: bool = False,
        extensions: t.Sequence[x509.ExtensionType] = (),
        expired: bool = False,
    ) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(days=2))
            .not_valid_after(now + dt.timedelta(days=-1 if expired else 1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        return builder.sign(issuer_key, hashes.SHA256())


def _general_name(name: str) -> x509.GeneralName:
    with contextlib.suppress(ValueError):
        return x509.IPAddress(ipaddress.ip_address(name))
    return x509.DNSName(name)
