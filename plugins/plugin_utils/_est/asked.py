# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a server wants to be in requests: CSR attributes (RFC 7030, 4.5; RFC 9908).

The request of a host is what the task declares and nothing more (C2). So what a server wants is either in it already,
or the task has to change, or it cannot be given. What nobody here knows is passed over, as the standard demands.
"""

from __future__ import annotations

import contextlib
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509

from ...module_utils._core.errors import Denied, Unavailable
from ...module_utils._core.keys import key_type_of
from .address import WHO
from .cms import decoded
from .der import OID, SEQUENCE, SET, children, dotted

if t.TYPE_CHECKING:
    from ...module_utils._core.ports import Request

_CHALLENGE, _EXTENSIONS = "1.2.840.113549.1.9.7", "1.2.840.113549.1.9.14"
_TEMPLATE = "1.2.840.113549.1.9.16.2.61"  # RFC 9908, 3.4
_EC, _RSA, _ED25519 = "1.2.840.10045.2.1", "1.2.840.113549.1.1.1", "1.3.101.112"
_CURVES = {"1.2.840.10045.3.1.7": "ecdsa-p256", "1.3.132.0.34": "ecdsa-p384", "1.3.132.0.35": "ecdsa-p521"}
_PLAIN = {_ED25519: "ed25519", **{f"2.16.840.1.101.3.4.3.{17 + index}": f"ml-dsa-{size}"
                                  for index, size in enumerate((44, 65, 87))}}  # RFC 8410, 3; RFC 9881, 2
_SIGNATURES = {  # those that a request of ours can have, with the types of key that it then has
    "1.2.840.10045.4.3.2": ("ecdsa-p256",),
    "1.2.840.10045.4.3.3": ("ecdsa-p384",),
    "1.2.840.10045.4.3.4": ("ecdsa-p521",),
    "1.2.840.113549.1.1.11": ("rsa-2048", "rsa-3072", "rsa-4096"),
}
_HASHES = {  # of requests of ours; another one is passed over: who signs may mean it of a certificate
    "2.16.840.1.101.3.4.2.1": ("ecdsa-p256", "rsa-"),
    "2.16.840.1.101.3.4.2.2": ("ecdsa-p384",),
    "2.16.840.1.101.3.4.2.3": ("ecdsa-p521", "ed25519"),
}
_NEVER = {
    _CHALLENGE: "a challenge password that binds the request to its TLS connection (RFC 7030, 3.5)",
    _TEMPLATE: "requests by a template (RFC 9908)",
}


class Wish(t.NamedTuple):
    """One thing that is wanted: an object identifier, and the DER of its values where it has some."""

    oid: str
    values: tuple[bytes, ...] = ()


def wishes(body: bytes) -> tuple[Wish, ...]:
    """Read what a server wants: `CsrAttrs` (RFC 7030, 4.5.2). Raises Unavailable for what is something else."""
    try:
        ((_sequence, content),) = children(decoded(body))
        return tuple(_wish(*one) for one in children(content))
    except ValueError:
        raise Unavailable(f"{WHO}: the attributes that it wants (csrattrs) cannot be understood; see its log") from None


def _wish(tag: int, content: bytes) -> Wish:
    if tag == OID:
        return Wish(dotted(content))
    (first, oid), (second, values) = children(content)
    if (tag, first, second) != (SEQUENCE, OID, SET):
        raise ValueError("no attribute")
    return Wish(dotted(oid), tuple(value for _tag, value in children(values)))


def check(wanted: t.Iterable[Wish], request: Request) -> list[str]:
    """Raise Denied for what the request lacks and only the task, or nobody, can give; return what nobody here knows."""
    csr = x509.load_der_x509_csr(request.csr)
    has, key_type = {one.oid.dotted_string for one in csr.extensions}, key_type_of(csr.public_key())
    wanted = tuple(wanted)
    unknown = []
    for wish in wanted:
        if wish.oid in _NEVER:
            raise Denied(f"{WHO}: it wants {_NEVER[wish.oid]}, which no host gives; let it do without for this label")
        if wish.oid == _EXTENSIONS:
            _check_extensions(wish, has, request.name)
        elif not _keys(wish) and wish.oid not in _SIGNATURES and not _fits(key_type, _HASHES.get(wish.oid, ())):
            unknown.append(wish.oid)
    _check_key(wanted, key_type, request.name)
    return unknown


def _check_key(wanted: t.Iterable[Wish], key_type: str, name: str) -> None:
    """Look whether a key is one of those that are wanted: several are a choice (RFC 9908). Raises Denied.

    A signature that is wanted says which key; beside keys, it says something of keys of its own algorithm alone.
    """
    keys = [one for wish in wanted for one in _keys(wish)]
    signed = [one for wish in wanted for one in _SIGNATURES.get(wish.oid, ())]
    family = key_type.partition("-")[0]
    mine = [one for one in signed if not keys or one.startswith(family)]
    for types in (keys, mine):
        if types and not _fits(key_type, types):
            raise Denied(f"{WHO}: it wants keys of type {' or '.join(types)}; declare key.type so for {name}")


def _fits(key_type: str, types: t.Iterable[str]) -> bool:
    return any(key_type.startswith(one) for one in types)


def _keys(wish: Wish) -> tuple[str, ...]:
    """Return which types of key fit; none where it is not about keys."""
    if wish.oid == _EC:
        return tuple(_CURVES.get(_oid_or_none(one), "of another curve") for one in wish.values) or ("ecdsa-",)
    if wish.oid == _RSA:
        return tuple(f"rsa-{int.from_bytes(one[-4:], 'big')}" for one in wish.values) or ("rsa-",)
    return (_PLAIN[wish.oid],) if wish.oid in _PLAIN else ()


def _oid_or_none(content: bytes) -> str:
    try:
        return dotted(content)
    except ValueError:
        return ""


def _check_extensions(wish: Wish, has: set[str], name: str) -> None:
    """Look at the extensions that are wanted (RFC 9908, 3.2): a request of ours has alternative names only."""
    for extensions in wish.values:
        try:
            wanted = [dotted(children(content)[0][1]) for _tag, content in children(extensions)]
        except (ValueError, IndexError):
            raise Unavailable(f"{WHO}: the extensions that it wants (csrattrs) cannot be understood") from None
        for oid in sorted(set(wanted) - has):
            raise Denied(
                f"{WHO}: it wants the extension {oid} in the request for {name}, which has "
                f"{'no other than alternative names' if has else 'none'}; let the server add it to what it signs"
            )
