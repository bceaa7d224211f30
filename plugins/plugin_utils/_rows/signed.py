# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which hash the signature of a certificate is over: who can make two contents with one hash can forge it."""

from __future__ import annotations

import contextlib
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm

from ...module_utils._core import credentials, pki, ssh
from ...module_utils._core.errors import printable
from .._findings import finding
from .._policy.hashes import INTRINSIC, WEAK

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from .row import Row

_UNREADABLE: tuple[type[Exception], ...] = (*pki.MALFORMED, IndexError)
UNKNOWN = "unknown"
"""Stands for the hash of an algorithm of X.509 that cryptography does not know, as MD2 and MD4 with RSA."""
_OF_SSH = {
    b"ssh-rsa": "sha1", b"ssh-dss": "sha1", b"rsa-sha2-256": "sha256", b"rsa-sha2-512": "sha512",
    b"ecdsa-sha2-nistp256": "sha256", b"ecdsa-sha2-nistp384": "sha384", b"ecdsa-sha2-nistp521": "sha512",
    b"ssh-ed25519": INTRINSIC,
}  # fmt: skip
"""RFC 4253, 6.6; RFC 5656, 3.1; RFC 8332, 3; RFC 8709, 6."""


def hash_of(content: bytes) -> str | None:
    """Return the hash by its name, as sha256; INTRINSIC where the signature has its own; None where it is unknown."""
    try:
        if credentials.is_of_ssh(content):
            return _OF_SSH.get(ssh.parsed(content).signature_type)
        return _hash(x509.load_der_x509_certificate(content))
    except _UNREADABLE:
        return None


def _hash(certificate: x509.Certificate) -> str | None:
    try:
        found = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return UNKNOWN
    return INTRINSIC if found is None else found.name


def weak_signature(row: Row) -> Iterator[dict[str, str]]:
    """Yield the finding that the signature of a row's certificate can be forged, where it can."""
    if row.certificate is None:
        return
    with contextlib.suppress(ValueError, IndexError):
        yield from _weak(hash_of(credentials.encoded(row.certificate.encode())), "its signature")


def of_authority(authority: x509.Certificate) -> Iterator[dict[str, str]]:
    """Yield the finding about the signature of an authority; that of a root nobody relies on."""
    if authority.subject != authority.issuer:
        yield from _weak(_hash(authority), f"the signature of {authority.subject.rfc4514_string()[:80]}, above it,")


def _weak(name: str | None, what: str) -> Iterator[dict[str, str]]:
    if name in WEAK or name == UNKNOWN:
        how = "by an algorithm that nobody here knows" if name == UNKNOWN else f"over {name} and can be forged"
        yield finding("weak_signature", printable(f"{what} is {how}; have it issued anew"))
