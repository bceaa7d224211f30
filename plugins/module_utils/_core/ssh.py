# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""OpenSSH certificates and public keys as the core's nouns (OpenSSH's PROTOCOL.certkeys; RFC 4251, 5; RFC 4253, 6.6).

A certificate is read here and not by cryptography, which has known them since version 40 only: hosts have older ones.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import typing as t
from datetime import datetime, timezone

with contextlib.suppress(ImportError):
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_ssh_public_key

from .errors import printable
from .keys import key_type_of, spki, spki_sha256
from .model import Credential, Subject, X509Facts
from .pki import UNREADABLE

KIND = "ssh_host"
CERTIFICATE = b"-cert-v01@openssh.com"  # ends the name of the type of every certificate
HOST, USER = 2, 1
FORMAT_TYPES = {USER: "user", HOST: "host"}
LARGEST, MOST_PRINCIPALS, LONGEST_NAME = 16 * 1024, 256, 4000
_FIELDS = {b"ssh-rsa": 2, b"ssh-ed25519": 1, b"ecdsa-sha2-nistp256": 2, b"ecdsa-sha2-nistp384": 2,
           b"ecdsa-sha2-nistp521": 2}  # fmt: skip
_FIELDS_OF_USERS = {b"sk-ssh-ed25519": 2, b"sk-ecdsa-sha2-nistp256": 3, b"ssh-dss": 4}
_OF_OPENSSH = b"@openssh.com"  # ends the names of the keys of PROTOCOL.u2f, beside those of their certificates
_END_OF_TIME = 253402300799  # 9999-12-31, the last second that a datetime has


class Certificate(t.NamedTuple):
    """What a certificate says, with its keys in SSH's own form (RFC 4253, 6.6). Times are seconds since 1970.

    `signed` is what the signature is over, `signature` itself as RFC 4253, 6.6 writes it.
    """

    key: bytes
    serial_number: int
    type: int
    key_id: bytes
    principals: tuple[bytes, ...]
    valid_after: int
    valid_before: int
    critical: bytes
    extensions: bytes
    authority: bytes
    signed: bytes
    signature: bytes

    @property
    def signature_type(self) -> bytes:
        """How it is signed, for example `rsa-sha2-512`."""
        return Reader(self.signature).string()

    @property
    def key_type(self) -> bytes:
        """How the type of its key is called."""
        return Reader(self.key).string()


class Reader:
    """Reads the types of RFC 4251, 5; raises ValueError where there is less than that."""

    def __init__(self, content: bytes) -> None:
        """Begin at the beginning."""
        self._content, self._at = content, 0

    def take(self, count: int) -> bytes:
        """Return so many bytes."""
        found = self._content[self._at : self._at + count]
        if len(found) < count:
            raise ValueError("it ends too early")
        self._at += count
        return found

    def number(self, size: int) -> int:
        """Return a uint32 or uint64, of so many bytes."""
        return int.from_bytes(self.take(size), "big")

    def string(self) -> bytes:
        """Return a string, or what an mpint holds."""
        return self.take(self.number(4))

    @property
    def passed(self) -> bytes:
        """Return what was read until now."""
        return self._content[: self._at]

    @property
    def over(self) -> bool:
        """Tell whether nothing is left."""
        return self._at == len(self._content)


def string(content: bytes) -> bytes:
    """Return a string as it is written (RFC 4251, 5)."""
    return len(content).to_bytes(4, "big") + content


def first_in(text: bytes) -> bytes | None:
    """Return what the line of a certificate encodes, for `credential` to parse; None where it is none."""
    try:
        return encoded(text)
    except ValueError:
        return None


def encoded(text: bytes) -> bytes:
    """Return what the line of a certificate encodes: type, base64 and perhaps a comment. Raises ValueError."""
    words = text.split()
    try:
        content = binascii.a2b_base64(words[1])
    except (IndexError, binascii.Error):
        raise ValueError("not a certificate of SSH") from None
    if not content.startswith(string(words[0])):
        raise ValueError("not a certificate of SSH")
    return content


def as_text(content: bytes) -> bytes:
    """Return the line, with a line feed, of a public key or a certificate."""
    return Reader(content).string() + b" " + base64.b64encode(content) + b"\n"


def parsed(content: bytes) -> Certificate:
    """Return what a certificate says; who signed it is not proved. Raises ValueError."""
    if len(content) > LARGEST:
        raise ValueError("too large")
    reader = Reader(content)
    name = reader.string()
    plain = name[: -len(CERTIFICATE)]
    fields = _FIELDS.get(plain) or _FIELDS_OF_USERS.get(plain)
    if not name.endswith(CERTIFICATE) or fields is None:
        raise ValueError("not a certificate of SSH of a known type")
    reader.string()  # the nonce
    key_type = plain + _OF_OPENSSH if plain.startswith(b"sk-") else plain
    key = string(key_type) + b"".join(string(reader.string()) for _field in range(fields))
    found = Certificate(
        key, reader.number(8), reader.number(4), reader.string(), _strings(reader.string()),
        reader.number(8), reader.number(8), reader.string(), reader.string(), _reserved(reader),
        reader.passed, reader.string(),
    )  # fmt: skip
    if not (reader.over and found.signature_type):
        raise ValueError("there is something after it, or no signature")
    return found


def _reserved(reader: Reader) -> bytes:
    """Pass over what is reserved, and return the key of who signed, which follows."""
    reader.string()
    return reader.string()


def _strings(content: bytes) -> tuple[bytes, ...]:
    reader, found = Reader(content), []
    while not reader.over:
        found.append(reader.string())
    if len(found) > MOST_PRINCIPALS:
        raise ValueError("too many principals")
    return tuple(found)


def credential(content: bytes) -> Credential:
    """Parse a certificate; raises ValueError on anything that is not one, or not one that a host may have."""
    try:
        found = parsed(content)
        if found.key_type not in _FIELDS:
            raise ValueError("a key that only users have")
        key = load_ssh_public_key(as_text(found.key))
        return _credential(content, found, key)
    except UNREADABLE:
        raise ValueError("not a certificate of SSH") from None


def _credential(content: bytes, found: Certificate, key: t.Any) -> Credential:
    return Credential(
        credential_id=hashlib.sha256(content).hexdigest(),
        public_id=spki_sha256(key),
        not_before=moment(found.valid_after),
        not_after=moment(found.valid_before),
        facts=X509Facts(
            subject=subject_of(_text(one) for one in found.principals),
            key_type=key_type_of(key),
            serial_number=found.serial_number,
            issuer=fingerprint(found.authority),
            subject_name=_text(found.key_id),
            is_ca=False,
            usages=(f"ssh_{FORMAT_TYPES.get(found.type, found.type)}",),
        ),
        kind=KIND,
    )


def subject_of(principals: t.Iterable[str]) -> Subject:
    """Return whom principals name: addresses apart from names, each as it stands there."""
    from ipaddress import ip_address

    found: dict[str, list[str]] = {"dns_names": [], "ip_addresses": []}
    for one in principals:
        try:
            is_address = str(ip_address(one)) == one
        except ValueError:
            is_address = False
        found["ip_addresses" if is_address else "dns_names"].append(one)
    return Subject(dns_names=tuple(found["dns_names"]), ip_addresses=tuple(found["ip_addresses"]))


def principals(subject: Subject) -> tuple[str, ...]:
    """Return the principals that name a subject."""
    return (*subject.dns_names, *subject.ip_addresses)


def fingerprint(key: bytes) -> str:
    """Return what ssh-keygen -l shows of a key."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(key).digest()).decode().rstrip("=")


def public_key(content: bytes) -> bytes:
    """Return the SubjectPublicKeyInfo of a certificate's key, in DER; raises ValueError where it has none."""
    try:
        return _public_key(parsed(content).key)
    except UNREADABLE:
        raise ValueError("not a certificate of SSH") from None


def public_id(key: bytes) -> str:
    """Return what a key (RFC 4253, 6.6) is called: the SHA-256 of its SubjectPublicKeyInfo; some of users have none.

    In its place counts what SSH calls such a key.
    """
    with contextlib.suppress(*UNREADABLE):
        return hashlib.sha256(_public_key(key)).hexdigest()
    return hashlib.sha256(key).hexdigest()


def _public_key(key: bytes) -> bytes:
    if Reader(key).string() not in _FIELDS:
        raise ValueError("a key that only users have")
    return spki(load_ssh_public_key(as_text(key)))


def key_of(public: t.Any) -> bytes:
    """Return a public key in SSH's own form (RFC 4253, 6.6)."""
    return binascii.a2b_base64(public.public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).split()[1])


def moment(seconds: int) -> datetime:
    """Return the moment that a certificate names; one without an end ends with what a datetime has."""
    return datetime.fromtimestamp(min(seconds, _END_OF_TIME), timezone.utc)


def _text(content: bytes) -> str:
    """Return a name as it may be shown; no declared one has other characters, so it still differs from all of them."""
    if len(content) > LONGEST_NAME:
        raise ValueError("too long a name")
    return printable(content.decode("utf-8", "replace"))
