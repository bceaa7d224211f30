# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a task of hsm_key declares: which token, which key in it, and how it shall be."""

from __future__ import annotations

import re
import typing as t

from ...module_utils._core.errors import Misconfigured
from ...module_utils._core.held import Errand, usages_of
from ...module_utils._core.key import Key, Token
from ...module_utils._pkcs11.uri import Uri, parse
from .._key import token

Options = t.Mapping[str, t.Any]

WHO = "hsm_key"
LONGEST_ID = 255  # bytes
_OPTION = f"{WHO}: option "


class Wanted(t.NamedTuple):
    """One key that shall be in a token, or not. `id` is lower-case hexadecimal; `type` is None where it is not said.

    `uri` is what the task says by a URI; label, id and token are taken from there. `now` is the label of the active
    generation, where key_rotate replaced the first one.
    """

    token: Token
    label: str | None
    id: str | None
    type: str | None
    usage: tuple[str, ...]
    extractable: bool
    present: bool
    destroy_in_use: bool
    uri: Uri = Uri(type="")
    now: str | None = None

    @property
    def called(self) -> str:
        """What it is called in sentences."""
        said = {"label": self.label, "id": self.id}
        return " and ".join(f"{name} {value}" for name, value in said.items() if value is not None)

    @property
    def name(self) -> str:
        """What it is called in the ledger, and by the policy."""
        return self.label or f"id {self.id}"

    @property
    def made_as(self) -> str:
        """The type of the key if it has to be made."""
        return self.type or Key().type

    def used_for(self, key_type: str) -> tuple[str, ...]:
        """Return what a key of this type is to be for."""
        return self.usage or usages_of(key_type)[:1]

    def errand(self, what: str, **more: t.Any) -> Errand:
        """Return what goes down to where the token is."""
        generations = what != "make" and self.has_generations
        return Errand(what, self.token, self.label, self.id, generations=generations, **more)

    @property
    def has_generations(self) -> bool:
        """Whether a label alone says which key is meant: that of a key that may have been rotated since."""
        return self.label is not None and self.id is None


def wanted(args: Options) -> Wanted:
    """Read validated options. Raises Misconfigured."""
    said = _of_uri(args) if args["uri"] else dict(args)
    if said["label"] is None and said["id"] is None:
        raise Misconfigured(f"{_OPTION}label: nothing says which key is meant; set label, id or uri")
    for name in ("label", "token_label", "token_serial"):
        if said[name] is not None and not (said[name] and said[name].isprintable()):
            raise Misconfigured(f"{_OPTION}{name}: it is empty or has control characters; write a printable text")
    found = Wanted(
        token=token(said, _OPTION),
        label=said["label"],
        id=None if said["id"] is None else _id(said["id"]),
        type=said["type"],
        usage=tuple(dict.fromkeys(said["usage"] or ())),
        extractable=said["extractable"],
        present=said["state"] == "present",
        destroy_in_use=said["destroy_in_use"],
        uri=said.get("read", Uri(type="")),
    )
    if found.type is not None:
        check_usage(found.type, found)
    return found


def _of_uri(args: Options) -> dict[str, t.Any]:
    """Return the options with what the URI says in their places."""
    beside = [name for name in ("label", "id") if args[name] is not None]
    if beside:
        raise Misconfigured(f"{_OPTION}uri: {' and '.join(beside)} stand beside it; write either the URI or these")
    try:
        uri = parse(args["uri"])
    except ValueError as error:
        raise Misconfigured(f"{_OPTION}uri: {error}; write one as hsm_key returns it") from None
    if uri.type not in ("", "private", "public", "secret-key"):
        raise Misconfigured(f"{_OPTION}uri: it names no key, but something of type {uri.type}; write that of a key")
    _check_token(args, uri)
    of_token = {} if args["token_label"] or args["token_serial"] else _token_of(uri)
    return {**args, **of_token, "label": uri.object or None, "id": uri.id.hex() or None, "read": uri}


def _check_token(args: Options, uri: Uri) -> None:
    for name, there in (("token_label", uri.token), ("token_serial", uri.serial)):
        if args[name] and there and args[name] != there:
            says = f"it names a token with {name} {there}, and {name} is {args[name]}"
            raise Misconfigured(f"{_OPTION}uri: {says}; write one of them")


def _token_of(uri: Uri) -> dict[str, str]:
    if uri.serial:
        return {"token_serial": uri.serial}
    return {"token_label": uri.token} if uri.token else {}


def _id(said: str) -> str:
    """Return an id as it is compared; pkcs11-tool writes it like this, others with colons."""
    digits = said.replace(":", "").lower()
    if not re.fullmatch(r"([0-9a-f]{2})+", digits) or len(digits) > 2 * LONGEST_ID:
        raise Misconfigured(
            f"{_OPTION}id: {said[:80]!r} is not CKA_ID in hexadecimal, two digits a byte; write for example '0a1b2c', "
            "in quotes"
        )
    return digits


def check_usage(key_type: str, found: Wanted) -> None:
    """Raise Misconfigured for a usage that a key of this type cannot have."""
    known = usages_of(key_type)
    wrong = [name for name in found.usage if name not in known]
    if wrong:
        raise Misconfigured(f"{_OPTION}usage: a key of type {key_type} does not {wrong[0]}; use {', '.join(known)}")
