# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What other people leave on a host: pairs signed by an authority of theirs, with files as their tools write them."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if t.TYPE_CHECKING:
    from pathlib import Path

PEM = Encoding.PEM
SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else [])


@dataclass
class Authority:
    """An authority that keystead knows nothing of."""

    name: str = "Old Corp CA"
    key: t.Any = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def __post_init__(self) -> None:
        """Sign the root."""
        self.certificate = self.sign(self.key, self.name, (), days=3650, authority=True)

    def sign(  # noqa: PLR0913 - what a certificate is
        self,
        key: t.Any,
        common_name: str,
        names: t.Sequence[str],
        *,
        days: float = 300,
        age: float = 30,
        usages: t.Sequence[x509.ObjectIdentifier] = (SERVER,),
        authority: bool = False,
        serial_number: int | None = None,
    ) -> x509.Certificate:
        """Return a certificate that ends in `days` and began `age` days ago."""
        now = datetime.now(UTC).replace(microsecond=0)
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(common_name))
            .issuer_name(_name(self.name))
            .public_key(key.public_key())
            .serial_number(serial_number or x509.random_serial_number())
            .not_valid_before(now - timedelta(days=age))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(list(map(x509.DNSName, names))), critical=False)
        if usages and not authority:
            builder = builder.add_extension(x509.ExtendedKeyUsage(list(usages)), critical=False)
        return builder.sign(self.key, hashes.SHA256())


@dataclass
class Pair:
    """A key with its certificate and the chain of its authority, as PEM."""

    key: bytes
    certificate: bytes
    chain: bytes

    def write(self, directory: Path, *, mode: int = 0o600) -> Pair:
        """Write web.key, web.crt (the certificate alone), chain.crt and fullchain.pem."""
        directory.mkdir(parents=True, exist_ok=True)
        contents = {"web.key": self.key, "web.crt": self.certificate, "chain.crt": self.chain}
        for name, content in {**contents, "fullchain.pem": self.certificate + self.chain}.items():
            (directory / name).write_bytes(content)
            (directory / name).chmod(mode if name == "web.key" else 0o644)
        return self

    def as_certbot(self, top: Path, name: str = "web") -> Path:
        """Write what certbot keeps below its directory; return `live/NAME`."""
        archive, live = top / "archive" / name, top / "live" / name
        for directory in (archive, live, top / "renewal"):
            directory.mkdir(parents=True, exist_ok=True)
        parts = {"privkey": self.key, "cert": self.certificate, "chain": self.chain}
        for part, content in {**parts, "fullchain": self.certificate + self.chain}.items():
            (archive / f"{part}1.pem").write_bytes(content)
            (archive / f"{part}1.pem").chmod(0o600 if part == "privkey" else 0o644)
            (live / f"{part}.pem").symlink_to(f"../../archive/{name}/{part}1.pem")
        lines = [f"{part} = {live}/{part}.pem" for part in ("cert", "privkey", "chain", "fullchain")]
        text = "\n".join(["version = 2.9.0", *lines, "[renewalparams]", "authenticator = nginx", ""])
        (top / "renewal" / f"{name}.conf").write_text(text, encoding="utf-8")
        return live


def pem_key(key: t.Any, form: PrivateFormat = PrivateFormat.PKCS8, encryption: t.Any = None) -> bytes:
    """Return a private key as PEM."""
    return t.cast("bytes", key.private_bytes(PEM, form, encryption or NoEncryption()))


def pair(*names: str, authority: Authority | None = None, key: t.Any = None, **said: t.Any) -> Pair:
    """Return a pair for these names, by default of an ECDSA key and an authority of its own."""
    signer, made = authority or Authority(), key or ec.generate_private_key(ec.SECP256R1())
    common_name = said.pop("common_name", names[0] if names else "")
    certificate = signer.sign(made, common_name, names or ("web.example.org",), **said)
    return Pair(pem_key(made), certificate.public_bytes(PEM), signer.certificate.public_bytes(PEM))
