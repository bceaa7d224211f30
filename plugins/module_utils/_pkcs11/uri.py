# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""PKCS#11 URIs (RFC 7512): what names a key in a token for ever, the token's label and serial number included."""

from __future__ import annotations

import typing as t
from urllib.parse import quote, unquote_to_bytes

_SCHEME = "pkcs11:"
_TEXTS = ("token", "serial", "object", "type", "model", "manufacturer")


class Uri(t.NamedTuple):
    """CKA_ID, CKA_LABEL, the class of the object, and its token, whose model and maker are only read here."""

    token: str = ""
    serial: str = ""
    id: bytes = b""
    object: str = ""
    type: str = "private"
    model: str = ""
    manufacturer: str = ""


def text(uri: Uri) -> str:
    """Return a URI. CKA_ID is percent-encoded as a whole (RFC 7512, 2.3); what is empty is left out."""
    said = {
        "token": quote(uri.token, safe=""),
        "serial": quote(uri.serial, safe=""),
        "id": "".join(f"%{byte:02X}" for byte in uri.id),
        "object": quote(uri.object, safe=""),
        "type": uri.type,
    }
    return _SCHEME + ";".join(f"{name}={value}" for name, value in said.items() if value)


def parse(uri: str) -> Uri:
    """Read a URI. The query (who opens the token, by which module) and other attributes are passed over.

    Raises ValueError for what is none, and for an attribute that is there twice (RFC 7512, 2.3).
    """
    if not uri.startswith(_SCHEME):
        raise ValueError(f"{uri} is no PKCS#11 URI")
    found: dict[str, bytes] = {}
    for attribute in filter(None, uri[len(_SCHEME) :].partition("?")[0].split(";")):
        name, equals, value = attribute.partition("=")
        if not equals or name in found:
            raise ValueError(f"{uri} has the attribute {name} twice, or without a value")
        found[name] = unquote_to_bytes(value)
    texts = {name: found[name].decode() for name in _TEXTS if name in found}
    return Uri(id=found.get("id", b""), **{"type": "", **texts})
