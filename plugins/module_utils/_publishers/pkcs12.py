# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""PKCS#12 files (RFC 7292), as Java and Windows read them. Salts make each of them new, so contents are compared.

`modern` is PBES2 with AES-256 (RFC 8018) and a MAC with SHA-256, as OpenSSL 3 writes them; `legacy` is 3DES and a MAC
with SHA-1, for Java before 8u301 and Windows before Server 2019. A cryptography before 38 writes 3DES alone, and over
OpenSSL 3 with a MAC with SHA-256, which counts as legacy there.
"""

from __future__ import annotations

import os
import typing as t

from .._core import pki
from .._core.errors import Misconfigured
from .._core.keys import from_pem, spki_sha256
from .._host.ownership import user_name
from .._host.pem_files import certificates, read
from .._host.pkcs12_mac import ROUNDS as MAC_ROUNDS
from .._host.pkcs12_mac import rounds_of, strengthened

if t.TYPE_CHECKING:
    from .._core.publication import Publication

ROUNDS = 20000  # what opens a password that somebody chose; more would cost every run
_OID = {
    "pbes2": bytes.fromhex("06092a864886f70d01050d"),
    "aes-256": bytes.fromhex("060960864801650304012a"),
    "pbe": bytes.fromhex("060a2a864886f70d010c01"),  # PKCS #12's own, of which 3DES is number 3
    "3des": bytes.fromhex("060a2a864886f70d010c0103"),
    "sha-256": bytes.fromhex("0609608648016503040201"),
    "sha-1": bytes.fromhex("06052b0e03021a"),
}  # in DER; a cipher text holds one of them by chance less often than a key is guessed


class Pkcs12:
    """A file that one password opens, with the name of the identity as its alias."""

    def __init__(self, publication: Publication, name: str) -> None:
        """Look for the password. Raises Misconfigured for what this host cannot do, before anything is issued."""
        _check_encryption(publication.encryption)
        self._declared, self._name, self._password = publication.encryption, name, _password(publication, name)

    def content(self, parts: t.Mapping[str, bytes]) -> bytes:
        """Return a new file with these parts."""
        from cryptography import x509
        from cryptography.hazmat.primitives.serialization import pkcs12

        key = from_pem(parts["private_key"])
        leaf, *chain = (
            x509.load_der_x509_certificate(der) for part in ("certificate", "chain") for der in _ders(parts, part)
        )
        encryption = _encryption(self._declared, self._password)
        made = pkcs12.serialize_key_and_certificates(self._name.encode(), key, leaf, chain or None, encryption)
        return strengthened(made, self._password)

    def difference(self, content: bytes, parts: t.Mapping[str, bytes]) -> tuple[str, str]:
        """Say how a file differs from the parts and from what is declared; its salts and its aliases do not count."""
        try:
            key, leaf, chain = _held(content, self._password)
        except pki.UNREADABLE:  # it cannot be told from the contents whether the password is wrong
            return ("password" if _is_der(content) else "unreadable"), ""
        if key is None or leaf is None:
            return "parts", ""
        if key != spki_sha256(from_pem(parts["private_key"]).public_key()):
            return "key", ""
        if leaf != _ders(parts, "certificate")[0]:
            return "certificate", ""
        if chain != set(_ders(parts, "chain")):
            return "parts", ""
        return self._how(content)

    def _how(self, content: bytes) -> tuple[str, str]:
        """Say whether a file is encrypted otherwise, or with a MAC that lets passwords be guessed quickly."""
        if self._declared not in encryptions_of(content):
            return "encryption", self._declared
        enough = rounds_of(content) >= MAC_ROUNDS
        return ("", "") if enough else ("encryption", f"{self._declared} with a MAC of {MAC_ROUNDS} rounds")


def _password(publication: Publication, name: str) -> bytes:
    """Return the password in UTF-8, as readers of such files mean it."""
    path, said = publication.password_file, publication.password
    if path is None:
        return (said or "").encode()
    found = read(path)
    if found is None:
        raise Misconfigured(f"host: password_file {path} of {name} does not exist; write the password there first")
    _check_readers(path, found.facts)
    line = found.content.partition(b"\n")[0].rstrip(b"\r")
    if not line:
        raise Misconfigured(f"host: the first line of password_file {path} is empty; write the password there")
    if not _is_text(line):
        raise Misconfigured(
            f"host: the first line of password_file {path} of {name} is no printable text in UTF-8, and no reader of "
            "PKCS#12 agrees with another what it means; write another password there"
        )
    return line


def _is_text(line: bytes) -> bool:
    try:
        return line.decode().isprintable()
    except UnicodeDecodeError:
        return False


def _check_readers(path: str, there: os.stat_result) -> None:
    """Refuse a file that others may read, or change, as pin_file does."""
    if there.st_uid not in (0, os.geteuid()):
        who = user_name(there.st_uid)
        raise Misconfigured(f"host: password_file {path} belongs to {who}; make it yours, or root's")
    if there.st_mode & 0o027:
        mode = f"{there.st_mode & 0o7777:04o}"
        raise Misconfigured(
            f"host: password_file {path} may be read or changed by others ({mode}); set mode 0600 or 0640"
        )


def _check_encryption(declared: str) -> None:
    """Refuse what an old cryptography cannot write."""
    if declared != "legacy" and not _may_choose():
        import cryptography

        raise Misconfigured(
            f"host: its cryptography {cryptography.__version__} cannot write pkcs12 with encryption modern; install a "
            "newer one (>= 38) for its Python, or say encryption: legacy if you must"
        )


def _may_choose() -> bool:
    """Tell whether this cryptography lets its caller choose how a file is encrypted: 38 and newer do."""
    from cryptography.hazmat.primitives.serialization import PrivateFormat

    return hasattr(PrivateFormat, "PKCS12")


def encryptions_of(content: bytes) -> tuple[str, ...]:
    """Return which of our ways to encrypt a file has; none for any other."""
    has = {name for name, oid in _OID.items() if oid in content}
    if has == {"pbes2", "aes-256", "sha-256"}:
        return ("modern",)
    macs = ({"sha-1"},) if _may_choose() else ({"sha-1"}, {"sha-256"})
    return ("legacy",) if has - {"pbe", "3des"} in macs and "3des" in has else ()


def _encryption(declared: str, password: bytes) -> t.Any:
    """Return what cryptography is to encrypt with."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, PrivateFormat

    if not _may_choose():
        return BestAvailableEncryption(password)
    from cryptography.hazmat.primitives.serialization.pkcs12 import PBES

    algorithm, digest = {
        "modern": (PBES.PBESv2SHA256AndAES256CBC, hashes.SHA256()),
        "legacy": (PBES.PBESv1SHA1And3KeyTripleDESCBC, hashes.SHA1()),  # noqa: S303 - who reads it knows no other
    }[declared]
    builder = PrivateFormat.PKCS12.encryption_builder().kdf_rounds(ROUNDS)
    return builder.key_cert_algorithm(algorithm).hmac_hash(digest).build(password)


def _held(content: bytes, password: bytes) -> tuple[str | None, bytes | None, set[bytes]]:
    """Return which key a file holds, its certificate, and the others, whose order does not count. May raise much."""
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates

    key, leaf, others = load_key_and_certificates(content, password)
    return (
        spki_sha256(key.public_key()) if key is not None else None,
        leaf.public_bytes(Encoding.DER) if leaf is not None else None,
        {one.public_bytes(Encoding.DER) for one in others or ()},
    )


def _ders(parts: t.Mapping[str, bytes], part: str) -> tuple[bytes, ...]:
    return certificates(parts.get(part, b""))


def _is_der(content: bytes) -> bool:
    """Tell whether bytes are one whole SEQUENCE, as a PKCS#12 file is."""
    if len(content) < 4 or content[0] != 0x30 or not 0x80 < content[1] <= 0x84:
        return False
    after = 2 + (content[1] & 0x0F)
    return len(content) == after + int.from_bytes(content[2:after], "big")
