# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The key of an account: a file on the controller, made when it is missing, and never changed afterwards."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
import typing as t
from pathlib import Path

with contextlib.suppress(ImportError):
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

from ...module_utils._core.errors import Misconfigured
from .._authority.files import locked, put, sync
from .address import OPTION, WHO

if t.TYPE_CHECKING:
    from josepy.jwa import JWASignature
    from josepy.jwk import JWK

LARGEST = 64 * 1024
SHORTEST_RSA = 2048  # bits; RFC 7518, 3.3
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class AccountKey(t.NamedTuple):
    """The key as JWK (RFC 7517), and the algorithm of its signatures (RFC 7518)."""

    jwk: JWK
    algorithm: JWASignature


def load(said: str, option: str = "account_key") -> AccountKey | None:
    """Read the key; None where the file is missing. Raises Misconfigured."""
    path = Path(said).expanduser()
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            content = file.read(LARGEST)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Misconfigured(
            f"{OPTION}.{option} {path} cannot be read ({error.strerror}); write the path of a file of this user"
        ) from None
    if found.st_mode & _OTHERS:
        raise Misconfigured(f"{OPTION}.{option} {path} may be read by others; run: chmod 600 {path}")
    key = _parsed(content, f"{OPTION}.{option} {path}")
    size = getattr(key.jwk.key, "key_size", SHORTEST_RSA)
    if key.jwk.typ == "RSA" and size < SHORTEST_RSA and option == "account_key":
        raise Misconfigured(
            f"{OPTION}.account_key {path} is an RSA key of {size} bits, which is too weak; "
            "name another file, or one that is not there yet, and this one in previous_account_key"
        )
    return key


def load_or_make(said: str) -> AccountKey:
    """Read the key, or make one (ECDSA P-256) that only this user may read, once for all who ask at the same time."""
    found = load(said)
    if found is not None:
        return found
    path = Path(said).expanduser()
    if not path.parent.is_dir():
        raise Misconfigured(f"{OPTION}.account_key {path}: its directory does not exist; make it, for this user alone")
    try:
        with locked(path.with_name(f".{path.name}.lock")):
            if not path.exists():
                put(path, _made(), 0o600)
                sync(path.parent)
    except Misconfigured as error:
        raise Misconfigured(f"{OPTION}.account_key: {str(error).removeprefix('local: ')}") from None
    return t.cast("AccountKey", load(said))


def _made() -> bytes:
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _parsed(content: bytes, where: str) -> AccountKey:
    josepy = library()
    try:
        key = serialization.load_pem_private_key(content, None)
    except Exception:  # noqa: BLE001 - whatever it raises could hold what was read
        key = None
    if isinstance(key, rsa.RSAPrivateKey):
        return AccountKey(josepy.JWKRSA(key=key), josepy.RS256)
    curves = {"secp256r1": josepy.ES256, "secp384r1": josepy.ES384, "secp521r1": josepy.ES512}
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in curves:
        return AccountKey(josepy.JWKEC(key=key), curves[key.curve.name])
    raise Misconfigured(
        f"{where} is no RSA or ECDSA key in PEM without a passphrase; name another file, or one that is not there yet"
    )


def library() -> t.Any:
    """Return josepy, which comes with the library acme. Raises Misconfigured where it is missing."""
    try:
        import acme.messages
        import josepy
    except ImportError:
        raise Misconfigured(f"{WHO}: {sys.executable} lacks acme; run: {sys.executable} -m pip install acme") from None
    return josepy if acme else None
