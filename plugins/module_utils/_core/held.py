# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""A key that somebody wants in a token, and keys that are there: what hsm_key asks of a host and what comes back."""

from __future__ import annotations

import re
import typing as t

from .key import KEY_TYPES, Token

TOKEN_KEY_TYPES = (*(name for name in KEY_TYPES if not name.startswith("ml-dsa-")), "ecdsa-p521", "aes-256")
ERRANDS = ("look", "make", "prove", "destroy")
HALVES = ("private", "public", "secret")
_MAY = {"sign": ("sign",), "decrypt": ("decrypt",), "unwrap": ("unwrap",), "derive": ("derive",)}
_BOTH_WAYS = {"encrypt": ("encrypt", "decrypt"), "wrap": ("wrap", "unwrap"), "derive": ("derive",)}
_USAGES = {"rsa": ("sign", "decrypt", "unwrap"), "ecdsa": ("sign", "derive"), "ed25519": ("sign",),
           "aes": ("encrypt", "wrap", "derive")}  # fmt: skip
USAGES = ("sign", "encrypt", "decrypt", "wrap", "unwrap", "derive")


_GENERATION = re.compile(r"\.([2-9]|[1-9][0-9]{1,8})", re.ASCII)


def generation_label(name: str, number: int) -> str:
    """Return the label of a generation of the key that is declared by a label: its own, and never another one's."""
    return name if number == 1 else f"{name}.{number}"


def generation_of(label: str, name: str) -> int | None:
    """Return which generation of the key that is declared as `name` a label is that of; None where it is none."""
    if label == name:
        return 1
    number = _GENERATION.fullmatch(label[len(name) :]) if label.startswith(name) else None
    return int(number[1]) if number else None


def usages_of(key_type: str) -> tuple[str, ...]:
    """Return what a key of a type can be for, the usual purpose first; nothing for a type that is not made here."""
    return _USAGES.get(key_type.partition("-")[0], ()) if key_type in TOKEN_KEY_TYPES else ()


def capabilities(key_type: str, usage: t.Iterable[str]) -> set[str]:
    """Return the attributes (CKA_SIGN is `sign`) that a private or a secret key has for a usage.

    A secret key does both directions: what it encrypts, nobody else could decrypt.
    """
    table = _BOTH_WAYS if key_type.startswith("aes") else _MAY
    return {one for name in usage for one in table.get(name, ())}


class Errand(t.NamedTuple):
    """What a host is to do in a token: look for keys with a label or an id, make one, prove one, or destroy these.

    `id` is CKA_ID in hexadecimal. `type` is that of a key to be made; with `look`, the one whose making is foreseen,
    with `destroy`, that of the key that was seen. With `generations`, the label is that of all generations of a key.
    `uri` is the one that is to be proved.
    """

    errand: str
    token: Token
    label: str | None = None
    id: str | None = None
    type: str | None = None
    usage: tuple[str, ...] = ()
    extractable: bool = False
    doomed: tuple[str, ...] = ()
    generations: bool = False
    uri: str = ""


class Held(t.NamedTuple):
    """A key in a token as it is: which of its halves are there, its public key (DER), and its attributes.

    `has` and `lacks` name the attributes that are true and false; of all others the token says nothing.
    """

    uri: str
    id: str
    label: str
    type: str
    halves: tuple[str, ...]
    public_key: bytes | None = None
    has: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()

    @property
    def usable(self) -> bool:
        """Tell whether it can do anything: a public half alone is no key."""
        return self.halves != ("public",)

    @property
    def called(self) -> str:
        """Return what a user calls it."""
        halves = f", only its {self.halves[0]} half" if self.halves in (("private",), ("public",)) else ""
        return f"key of type {self.type} with label {self.label or 'none'} and id {self.id or 'none'}{halves}"


class Seen(t.NamedTuple):
    """A token, and those of its keys that have the label or the id which were asked for.

    `restricts` tells whether the token lets a key be made for one usage alone.
    """

    label: str
    serial: str
    manufacturer: str
    model: str
    restricts: bool = True
    keys: tuple[Held, ...] = ()
