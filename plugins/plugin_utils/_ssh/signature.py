# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whether an authority signed a certificate of SSH, whoever it is for (RFC 4253, 6.6; RFC 5656, 3.1.2; RFC 8332).

What is taken back has to be understood as little as possible: cryptography reads no certificates of FIDO or DSA keys,
and users have such.
"""

from __future__ import annotations

import contextlib
import typing as t

with contextlib.suppress(ImportError):
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
    from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384, SHA512
    from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from ...module_utils._core import pki, ssh

_UNVERIFIED: tuple[type[Exception], ...] = pki.MALFORMED
with contextlib.suppress(NameError):
    _UNVERIFIED += (InvalidSignature,)


def is_signed(said: ssh.Certificate) -> bool:
    """Tell whether a certificate bears a signature by the key that it names as its authority's."""
    try:
        reader = ssh.Reader(said.signature)
        name, content = reader.string(), reader.string()
        _verify(load_ssh_public_key(ssh.as_text(said.authority)), name, content, said.signed)
    except _UNVERIFIED:
        return False
    return True


def _verify(key: t.Any, name: bytes, content: bytes, signed: bytes) -> None:
    """Raise InvalidSignature, or one of `pki.MALFORMED`, where a signature is none of this key."""
    if isinstance(key, rsa.RSAPublicKey):
        # SHA-1 is refused where it is used; that something is taken back is no use of it
        hashing: t.Any = {b"rsa-sha2-512": SHA512, b"rsa-sha2-256": SHA256, b"ssh-rsa": SHA1}.get(name)
        if hashing is None:
            raise ValueError("no signature of RSA")
        key.verify(content, signed, padding.PKCS1v15(), hashing())
    elif isinstance(key, ec.EllipticCurvePublicKey):
        numbers = ssh.Reader(content)
        r, s = (int.from_bytes(numbers.string(), "big") for _number in range(2))
        hashing = {256: SHA256, 384: SHA384}.get(key.key_size, SHA512)
        key.verify(utils.encode_dss_signature(r, s), signed, ec.ECDSA(hashing()))
    else:
        key.verify(content, signed)
