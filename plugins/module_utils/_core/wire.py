# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""The nouns as JSON, and back. What comes back is checked for its form before anything else looks at it.

Fields that have their default are left out. Bytes are base64. A value of another form raises ValueError.
"""

from __future__ import annotations

import base64
import binascii
import typing as t
from datetime import datetime, timezone

from . import challenge, held, model, publication
from .beside import Beside
from .key import KEY_FORMS, KEY_ORIGINS, Key, Token

FORMAT = 1
LONGEST_TEXT = 4096
LONGEST_LIST = 4096
LARGEST_BINARY = 64 * 1024
LONGEST_SERIAL = 512  # bits
LARGEST_NUMBER = 10**12

_AS_IT_IS = frozenset((str, int, float, bool, type(None)))

T = t.TypeVar("T")
Reader = t.Callable[[t.Any], t.Any]


def text(value: t.Any) -> str:
    """Read a string of at most LONGEST_TEXT characters, without control characters."""
    if not isinstance(value, str) or len(value) > LONGEST_TEXT or not value.isprintable():
        raise ValueError("not a printable text of moderate length")
    return value


def number(value: t.Any) -> t.Any:
    """Read a number; JSON as Python reads it knows NaN as well."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= LARGEST_NUMBER:
        raise ValueError("not a number of moderate size")
    return value


def count(value: t.Any) -> int:
    """Read a whole number that is not negative."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_NUMBER:
        raise ValueError("not a count of moderate size")
    return value


def serial(value: t.Any) -> int:
    """Read a serial number: RFC 5280 allows 20 octets, and a host may have what an authority got wrong."""
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 1 << LONGEST_SERIAL:
        raise ValueError("not a serial number")
    return value


def moment(value: t.Any) -> datetime:
    """Read a time, in seconds since 1970."""
    try:
        return datetime.fromtimestamp(number(value), timezone.utc)
    except (OverflowError, OSError):
        raise ValueError("not a time") from None


def flag(value: t.Any) -> bool:
    """Read a truth value."""
    if not isinstance(value, bool):
        raise ValueError("not true or false")  # noqa: TRY004 - one error for every wrong form
    return value


def binary(value: t.Any) -> bytes:
    """Read base64 of at most LARGEST_BINARY bytes."""
    if not isinstance(value, str) or len(value) > LARGEST_BINARY * 4 // 3 + 4:
        raise ValueError("not base64 of moderate length")
    try:
        return base64.b64decode(value.encode(), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError("not base64") from error


def word(known: t.Sequence[str]) -> Reader:
    """Read one of these words."""

    def read(value: t.Any) -> str:
        if not isinstance(value, str) or value not in known:
            raise ValueError("none of its words")
        return value

    return read


def many(reader: Reader) -> Reader:
    """Read a list of what `reader` reads, as a tuple."""

    def read(value: t.Any) -> tuple[t.Any, ...]:
        if not isinstance(value, (list, tuple)) or len(value) > LONGEST_LIST:
            raise ValueError("not a list of moderate length")
        return tuple(map(reader, value))

    return read


def one(cls: type) -> Reader:
    """Read a noun."""
    return lambda value: unpack(cls, value)


_SHAPES: dict[type, dict[str, Reader]] = {
    model.Subject: {
        "common_name": text,
        **dict.fromkeys(("dns_names", "ip_addresses", "uris", "email_addresses"), many(text)),
    },
    Token: dict.fromkeys(Token._fields, text),
    Key: {
        **dict.fromkeys(("type", "custody", "label"), text), "token": one(Token), "spent": many(text),
        "origin": word(KEY_ORIGINS), "form": word(KEY_FORMS),
    },
    model.Link: {"path": text, "part": text},
    model.Files: {
        "owner": text, "group": text, "mode": text, "links": many(one(model.Link)), "replace_files": flag,
    },
    model.Activation: {"unit": text, "command": many(text), "only_if": many(text), "timeout": number},
    model.Proof: {
        **dict.fromkeys(("host", "server_name", "starttls", "when"), text),
        "port": count, "client_auth": flag, "command": many(text), "timeout": number,
    },
    challenge.Challenge: {**dict.fromkeys(("token", "content", "webroot"), text), "port": count},
    model.Adopt: dict.fromkeys(("certificate", "private_key", "chain", "replace"), text),
    model.Identity: {
        **dict.fromkeys(("name", "state", "profile", "renew_before", "generation", "issuer_id"), text),
        "kind": word(model.KINDS), "subject": one(model.Subject), "key": one(Key), "files": one(model.Files),
        "activate": one(model.Activation), "prove": one(model.Proof), "adopt": one(model.Adopt),
        "lifetime": count, "keep_generations": count, "publish": many(one(publication.Publication)),
    },
    model.Rotation: {**dict.fromkeys(("public_id", "young"), text), **dict.fromkeys(("before", "since"), moment)},
    model.Known: {
        "revoked": many(many(text)), "links": many(text), "newest": count, "listed": flag,
        **dict.fromkeys(("revoke", "left", "key_gone", "elsewhere", "scheduled", "doubted", "spent"), text),
        "renew_at": moment, "rotation": one(model.Rotation),
    },
    Beside: {"number": count, "certificate": binary, "issuer_id": text, "key_uri": text},
    model.Finding: {"code": text, "about": text, "detail": text},
    model.LinkState: {"path": text, "part": text, "state": word(model.LINK_STATES)},
    model.X509Facts: {
        **dict.fromkeys(("key_type", "issuer", "subject_name"), text),
        "subject": one(model.Subject), "serial_number": serial, "is_ca": flag, "usages": many(text),
    },
    model.Credential: {
        "credential_id": text, "public_id": text, "not_before": moment, "not_after": moment,
        "facts": one(model.X509Facts), "kind": word(model.KINDS),
    },
    model.Original: {
        "certificate": binary, "credential": one(model.Credential), "chain": many(binary),
        "findings": many(one(model.Finding)),
    },
    model.Observed: {
        **dict.fromkeys(("name", "public_id", "issuer_id", "served", "custody", "key_uri", "other_uri"), text),
        "key_uris": many(text), "openssl": text, "origin": word(KEY_ORIGINS),
        **dict.fromkeys(("generation", "newest", "pending"), count), "others": many(count),
        **dict.fromkeys(("damage", "drift"), many(one(model.Finding))), "certificate": binary,
        **dict.fromkeys(("credential", "other"), one(model.Credential)),
        "links": many(one(model.LinkState)), "stale_links": many(text), "unfinished": flag, "other_gone": flag,
        "original": one(model.Original), "beside": many(one(Beside)),
        "copies": many(one(publication.CopyState)), **dict.fromkeys(("stale_copies", "kept_copies"), many(text)),
    },
    publication.Publication: {**dict.fromkeys(publication.Publication._fields, text), "parts": many(text)},
    publication.CopyState: {
        **dict.fromkeys(("where", "publisher", "detail"), text), "state": word(publication.COPY_STATES),
    },
    model.Step: {"action": word(model.ACTIONS), "reason": text, "about": text},
    model.Done: {"action": word(model.ACTIONS), "reason": text, "seconds": number, "error": text},
    held.Errand: {
        **dict.fromkeys(("label", "id", "type", "uri"), text), **dict.fromkeys(("extractable", "generations"), flag),
        "errand": word(held.ERRANDS), "token": one(Token),
        **dict.fromkeys(("usage", "doomed"), many(text)),
    },
    held.Held: {
        **dict.fromkeys(("uri", "id", "label", "type"), text), "halves": many(word(held.HALVES)), "public_key": binary,
        **dict.fromkeys(("has", "lacks"), many(text)),
    },
    held.Seen: {
        **dict.fromkeys(("label", "serial", "manufacturer", "model"), text),
        "restricts": flag, "keys": many(one(held.Held)),
    },
}


def unpack(cls: type[T], value: t.Any) -> T:
    """Read a noun from JSON; raises ValueError that names the field."""
    if not isinstance(value, dict):
        raise ValueError(f"{cls.__name__.lower()} is not a mapping")  # noqa: TRY004 - one error for every wrong form
    shape, fields = _SHAPES[cls], {}
    try:
        for key, content in value.items():
            fields[key] = shape[key](content)
    except KeyError:
        raise ValueError(f"{cls.__name__.lower()} has an unknown field") from None
    except ValueError as error:
        raise ValueError(f"{cls.__name__.lower()}.{key} is {error}") from None
    try:
        return cls(**fields)
    except TypeError:
        raise ValueError(f"{cls.__name__.lower()} lacks a field") from None


_DEFAULTS = {
    noun: tuple((name, noun._field_defaults.get(name, ...)) for name in noun._fields)  # type: ignore[attr-defined]
    for noun in _SHAPES
}


def pack(value: t.Any) -> t.Any:
    """Return a noun as JSON, without the fields that have their default."""
    kind = type(value)
    if kind in _AS_IT_IS:
        return value
    if kind in _DEFAULTS:
        said = zip(_DEFAULTS[kind], value)
        return {
            name: found if type(found) in _AS_IT_IS else pack(found)
            for (name, default), found in said
            if found is not default and found != default
        }
    if isinstance(value, tuple):
        return [pack(entry) for entry in value]
    if isinstance(value, datetime):
        return int(value.timestamp())
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value
