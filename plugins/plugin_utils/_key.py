# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The options of a private key: its type, and where it lives."""

from __future__ import annotations

import hashlib
import typing as t

from ..module_utils._core.errors import Misconfigured
from ..module_utils._core.key import Key, Token
from ._paths import absolute

Options = t.Mapping[str, t.Any]
Backend = t.Mapping[str, Options]

_PINS = ("pin", "pin_env", "pin_file")
_UNKNOWN_TO_TOKENS = "ml-dsa-"


def key(options: Options | None) -> tuple[Key, Backend | None]:
    """Return what validated options declare, and the custody with its options, where that is not a file.

    Raises Misconfigured.
    """
    if options is None:
        return Key(), None
    custody: Backend = options["custody"] or {Key().custody: {}}
    ((name, said),) = custody.items()
    if name == "file":
        return Key(options["type"], origin=options["origin"]), None
    if options["origin"] != Key().origin:
        raise Misconfigured(
            f"key.origin: {options['origin']} makes a key for a file, and one in custody {name} is made there; leave "
            "origin out, or write custody: {file: {}}"
        )
    found = Key(options["type"], name)
    if name == "pkcs11":
        if found.type.startswith(_UNKNOWN_TO_TOKENS):
            raise Misconfigured(f"key.type: no PKCS#11 token makes {found.type} keys yet; write for example ecdsa-p256")
        there = token(said, "key.custody.pkcs11.")
        found = found._replace(token=there if said["at"] == "host" else None)
    return found, custody


def token(options: Options, where: str = "") -> Token:
    """Return which token is meant and how it is opened, but for the PIN itself. Raises Misconfigured."""
    labels = [name for name in ("token_label", "token_serial") if options[name]]
    if len(labels) != 1:
        raise Misconfigured(
            f"{where}token_label: exactly one of token_label and token_serial is needed, "
            f"found {' and '.join(labels) or 'none'}"
        )
    pins = [name for name in _PINS if options[name]]
    if len(pins) > 1:
        raise Misconfigured(f"{where}{pins[0]}: one of {', '.join(_PINS)} is enough, found {' and '.join(pins)}")
    for name in ("module_path", "pin_file"):
        if options[name]:
            try:
                absolute(options[name])
            except Misconfigured as error:
                raise Misconfigured(f"{where}{name}: {error}") from None
    return Token(**{name: options[name] for name in Token._fields if name != "pin"})


def label(host: str, store: str, name: str) -> str:
    """Return what names the keys of an identity outside files: of this one alone, and readable in the backend."""
    return f"{host}/{name} {hashlib.sha256(f'{store}/{name}@{host}'.encode()).hexdigest()[:12]}"
