# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""One file of a scan: what it holds, as far as everybody may know it."""

from __future__ import annotations

import base64
import typing as t

from .._core import pki
from .._core.keys import from_pem, key_type_of, spki_sha256
from .pem_files import beyond, certificates, is_encrypted, key_block

Record = t.Dict[str, t.Any]
PKCS12 = (".p12", ".pfx", ".pkcs12")
NAMES = (".pem", ".key", ".crt", ".cer", *PKCS12)

MOST_FINGERPRINTS = 20


def is_named_like_one(path: str) -> bool:
    """Tell whether a file is called as keys and certificates are."""
    return path.lower().endswith(NAMES)


def classified(path: str, content: bytes) -> Record | None:
    """Return what a file holds: `kind`, and what is public of it; None for what is none of our business."""
    if b"-----BEGIN " in content:
        return _pem(content)
    return _pkcs12(content) if path.lower().endswith(PKCS12) and content[:1] == b"\x30" else None


def _pem(content: bytes) -> Record | None:
    block = key_block(content)
    if block is not None and b"OPENSSH" in block[:40]:
        return None
    try:
        found = certificates(content)
    except ValueError:
        found = ()
        if block is None:
            return {"kind": "certificate", "msg": "its certificate cannot be read"}
    if block is None:
        return _further(content, {"kind": "certificate", **_certificate(found)}, found) if found else None
    kind = "pair" if found else "private_key"
    return _further(content, {"kind": kind, **_certificate(found), **_key(block)}, found)


def _further(content: bytes, record: Record, found: t.Sequence[bytes]) -> Record:
    """Add the labels of what else stands in a file: a link in its place would lose that."""
    if "msg" not in record and not record.get("encrypted"):
        known = (key_block(content) or b"") + b"".join(map(pki.pem_certificate, found))
        record["further"] = list(beyond(content, known))
    return record


def _key(block: bytes) -> Record:
    if is_encrypted(block):
        return {"encrypted": True}
    try:
        return _public(from_pem(block))
    except ValueError:
        return {"msg": "its private key cannot be read"}


def _public(key: t.Any) -> Record:
    public_key = key.public_key()
    return {"public_id": spki_sha256(public_key), "key_type": key_type_of(public_key)}


def _certificate(found: t.Sequence[bytes]) -> Record:
    if not found:
        return {}
    try:
        credential = pki.credential(found[0])
    except ValueError:
        return {"msg": "its certificate cannot be read"}
    return {
        "certificate": base64.b64encode(found[0]).decode(),
        "certificates": len(found),
        "fingerprints": [pki.fingerprint(one) for one in found[:MOST_FINGERPRINTS]],
        "credential": credential,
    }


def _pkcs12(content: bytes) -> Record:
    """Open a PKCS#12 file that has no password, or an empty one (RFC 7292 does not tell which)."""
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.hazmat.primitives.serialization.pkcs12 import load_key_and_certificates

    for password in (None, b""):
        try:
            key, certificate, further = load_key_and_certificates(content, password)
        except pki.UNREADABLE:
            continue
        found = [certificate] if certificate else []
        ders = [one.public_bytes(Encoding.DER) for one in (*found, *(further or ()))]
        return {"kind": "pkcs12", **_certificate(ders), **(_public(key) if key else {})}
    return {"kind": "pkcs12", "encrypted": True}
