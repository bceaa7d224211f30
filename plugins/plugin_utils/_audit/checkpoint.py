# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Checkpoints: what the record of events was at a moment, signed, so that others can keep it (rule A3).

One is a JSON Web Signature in the compact form (RFC 7515), so that anybody's tools can check it. Its payload says the
id of a ledger, the number of an event, and that event's hash, which covers all events before; and up to which event
the ledger was archived, so that nobody else says what may be missing there.
"""

from __future__ import annotations

import contextlib
import json
import re
import sys
import typing as t

with contextlib.suppress(ImportError):
    import jwt

from ...module_utils._core.errors import Misconfigured
from ...module_utils._core.keys import key_type_of, spki_sha256
from .._canonical import canonical

WHO = "identity_audit"
TYPE = "keystead-checkpoint"
ALGORITHMS = {
    "ecdsa-p256": "ES256", "ecdsa-p384": "ES384", "ed25519": "EdDSA",
    "rsa-2048": "RS256", "rsa-3072": "RS256", "rsa-4096": "RS256",
}  # fmt: skip
"""How a key signs (RFC 7518, RFC 8037), by its type."""
_WORD = re.compile(r"[A-Za-z0-9_.-]+", re.ASCII)
_BEGINNING, _PARTS = "eyJ", 3  # of every JSON Web Signature: a brace and a quote, in base64url
_SHORTEST = 20  # characters of a part
_FIELDS = {"archived": int, "at": str, "hash": str, "ledger": str, "seq": int}
_NONE = {TYPE: "it is no checkpoint of a ledger"}
Keys = t.Mapping[str, t.Any]
"""Public keys, by the SHA-256 of their SPKI in lower-case hex."""


class Checkpoint(t.NamedTuple):
    """The event `seq` of a ledger has this hash, at a moment as the ledger writes it (RFC 3339).

    Events up to `archived` were moved out of the ledger by then.
    """

    ledger: str
    seq: int
    hash: str
    at: str
    archived: int = 0


class Refused(Exception):
    """Why a text is no checkpoint that can be believed."""


def sign(checkpoint: Checkpoint, key: t.Any) -> str:
    """Return a checkpoint signed by a private key of cryptography's, wherever that lives. Raises KeysteadError."""
    return signed(canonical(checkpoint._asdict(), WHO), key, TYPE, WHO)


def signed(payload: bytes, key: t.Any, kind: str, who: str) -> str:
    """Return a payload of a kind signed by a private key of cryptography's; `who` speaks. Raises KeysteadError."""
    public_key = key.public_key()
    algorithm = algorithm_of(public_key, who)
    headers = {"kid": spki_sha256(public_key), "typ": kind}
    return jwt.PyJWS().encode(payload, key, algorithm, headers)


def algorithm_of(public_key: t.Any, who: str, option: str = "key") -> str:
    """Return how a key that an option names signs; `who` speaks. Raises Misconfigured where it cannot."""
    _check_is_there(who)
    key_type = key_type_of(public_key)
    if key_type not in ALGORITHMS:
        raise Misconfigured(
            f"{who}: option {option}: it is of type {key_type}, which JSON Web Signatures do not know; use one of "
            f"{', '.join(ALGORITHMS)}"
        )
    return ALGORITHMS[key_type]


def signer_of(said: str, who: str) -> str:
    """Return by which key a text says that it was signed, as the SHA-256 of its SPKI; nothing where it does not."""
    _check_is_there(who)
    try:
        return str(jwt.get_unverified_header(said).get("kid", ""))
    except jwt.PyJWTError:
        return ""


def read(said: str, keys: Keys) -> Checkpoint:
    """Return the checkpoint that one of these keys has signed. Raises Refused."""
    try:
        return _checkpoint(json.loads(opened(said, keys, TYPE, WHO)))
    except (ValueError, TypeError) as error:
        raise Refused("its signature is not that of its key, or it is damaged") from error


def opened(said: str, keys: Keys, kind: str, who: str) -> bytes:
    """Return the payload of a kind that one of these keys has signed. Raises Refused, and Misconfigured."""
    _check_is_there(who)
    try:
        header = jwt.get_unverified_header(said)
        if header.get("typ") != kind:
            raise Refused(_NONE.get(kind, "it is of another kind"))
        key = keys.get(str(header.get("kid")))
        if key is None:
            raise Refused(f"nobody named the public key that it was signed with, {str(header.get('kid'))[:64]}")
        payload: bytes = jwt.PyJWS().decode(said, key, algorithms=[ALGORITHMS[key_type_of(key)]])
    except (jwt.PyJWTError, KeyError, ValueError, TypeError) as error:
        raise Refused("its signature is not that of its key, or it is damaged") from error
    return payload


def _checkpoint(said: t.Any) -> Checkpoint:
    if not isinstance(said, dict) or {name: type(value) for name, value in said.items()} != _FIELDS:
        raise ValueError(said)
    return Checkpoint(**said)


def found_in(text: str) -> list[str]:
    """Return what looks like a checkpoint in a text, such as a file of them or the log of a syslog server."""
    words = (word.strip(".") for word in _WORD.findall(text) if _BEGINNING in word)
    return list(dict.fromkeys(word for word in words if _looks_signed(word)))


def _looks_signed(word: str) -> bool:
    parts = word.split(".")
    return word.startswith(_BEGINNING) and len(parts) == _PARTS and all(len(part) >= _SHORTEST for part in parts)


def _check_is_there(who: str) -> None:
    if "jwt" not in globals():
        raise Misconfigured(
            f"{who}: signatures need PyJWT, which {sys.executable} lacks; run: {sys.executable} -m pip install pyjwt"
        )
