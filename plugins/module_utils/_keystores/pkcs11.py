# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Private keys in a PKCS#11 token. A label is one identity's; which of its keys is which is told by their ids."""

from __future__ import annotations

import typing as t

from .._core.errors import NotConverged
from .._pkcs11.generate import Wish, checked, generate
from .._pkcs11.keys import TokenKey
from .._pkcs11.kinds import type_of
from .._pkcs11.token import using
from .._pkcs11.uri import Uri, parse, text

if t.TYPE_CHECKING:
    from .._core.model import Token
    from .._core.ports import Slot
    from .._pkcs11.objects import Pair
    from .._pkcs11.token import OpenToken


class Pkcs11KeyStore:
    """The keys of one identity in a token. A key's URI is never another's, so there is nothing to retag."""

    def __init__(self, token: Token, slot: Slot) -> None:
        """Keep where the token is and whose keys these are; the token is opened when it is asked for something."""
        self._wanted, self._slot = token, slot

    def current(self) -> TokenKey | None:
        """Return the key of the current generation; None when there is none, or it is not in this token."""
        with using(self._wanted) as token:
            identifier = _here(token, self._slot.current)
            found = [pair for pair in token.objects.identified(identifier or b"") if pair.private is not None]
            mine = [pair for pair in found if pair.label == self._slot.label] or found
            return TokenKey(token, mine[0]) if identifier and mine else None

    def staged(self) -> TokenKey | None:
        """Return the key that no generation has; None when there is none, or only half of one."""
        with using(self._wanted) as token:
            waiting = [pair for pair in self._unused(token, token.objects.labelled(self._slot.label)) if pair.whole]
            return TokenKey(token, waiting[0]) if waiting else None

    def stage(self, key_type: str) -> TokenKey:
        """Make a key, unless one of this type waits already; one of another type, and half of one, are destroyed."""
        with using(self._wanted) as token:
            checked(token, key_type)
            left = self._unused(token, self._look_again(token))
            fits = [pair for pair in left if pair.whole and _type(token, pair) == key_type]
            self._destroy(token, [pair for pair in left if pair not in fits])
            return TokenKey(token, fits[0] if fits else generate(token, Wish(key_type, self._slot.label)))

    def promote(self) -> None:
        """Do nothing: the URI in the generation names the key."""

    def delete(self) -> None:
        """Destroy every key of this identity that no generation has, halves included, and look whether it is gone."""
        with using(self._wanted) as token:
            self._destroy(token, self._unused(token, self._look_again(token)))

    def left(self) -> str | None:
        """Return what would be destroyed."""
        with using(self._wanted) as token:
            unused = self._unused(token, token.objects.labelled(self._slot.label))
        if not unused:
            return None
        halves = sum(not pair.whole for pair in unused)
        counts = [
            f"{len(unused) - halves} keys" if len(unused) - halves else "",
            f"{halves} halves of keys" if halves else "",
        ]
        return (
            f"{token.name} has {' and '.join(filter(None, counts))} with the label {self._slot.label} that nothing uses"
        )

    def _look_again(self, token: OpenToken) -> list[Pair]:
        objects = token.objects
        try:
            return objects.look_again(self._slot.label)
        except RuntimeError as error:
            raise token.said(error, f"looking for keys with the label {self._slot.label}") from None

    def _unused(self, token: OpenToken, pairs: list[Pair]) -> list[Pair]:
        used = {_here(token, uri) for uri in (*self._slot.used, self._slot.current)}
        return [pair for pair in pairs if pair.id not in used and pair.secret is None]

    def _destroy(self, token: OpenToken, pairs: list[Pair]) -> None:
        if not pairs:
            return
        try:
            for pair in pairs:
                token.objects.destroy(pair)
        except RuntimeError as error:
            raise token.said(error, f"destroying keys with the label {self._slot.label}") from None
        doomed = {pair.id for pair in pairs}
        still = [pair for pair in self._look_again(token) if pair.id in doomed]
        if still:
            uris = " and ".join(text(Uri(token.label, token.serial, pair.id, pair.label)) for pair in still)
            raise NotConverged(
                f"pkcs11: {token.name} said that it destroyed {uris}, and still has it; destroy it by hand"
            )


def _here(token: OpenToken, uri: str | None) -> bytes | None:
    """Return the id in a URI; None where it is not one of a key in this token."""
    try:
        found = parse(uri or "")
    except ValueError:
        return None
    return found.id if (found.token, found.serial) == (token.label, token.serial) else None


def _type(token: OpenToken, pair: Pair) -> str:
    try:
        return type_of(pair.public)
    except RuntimeError as error:
        raise token.said(error, f"looking for keys with the label {pair.label}") from None
