# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Private keys in a PKCS#11 token. A label is one identity's; which of its keys is which is told by their ids."""

from __future__ import annotations

import typing as t

from .._core.errors import KeysteadError
from .._pkcs11.alone import alone
from .._pkcs11.generate import Wish, checked, generate
from .._pkcs11.keys import TokenKey
from .._pkcs11.lookup import destroy, labelled, only
from .._pkcs11.token import using
from .._pkcs11.uri import parse

if t.TYPE_CHECKING:
    from .._core.key import Token
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
            if identifier is None:
                return None
            found = _private(token.objects.identified(identifier))
            if not found:  # another process may have made it since this one read the token
                labelled(token, self._slot.label)
                found = _private(token.objects.identified(identifier))
            mine = [pair for pair in found if pair.label == self._slot.label] or found
            pair = only(token, mine)
            return None if pair is None else TokenKey(token, pair)

    def staged(self) -> TokenKey | None:
        """Return the key that no generation has; None when there is none, or none that signs."""
        with using(self._wanted) as token:
            waiting = self._fresh(token, self._unused(token, token.objects.labelled(self._slot.label)))
            return next(filter(None, (_signing(token, pair) for pair in waiting)), None)

    def stage(self, key_type: str) -> TokenKey:
        """Make a key, unless one of this type waits already; any other that waits, and half of one, are destroyed."""
        with using(self._wanted) as token, alone(token):
            checked(token, key_type)
            left = self._unused(token, labelled(token, self._slot.label))
            waiting = ((pair, _signing(token, pair)) for pair in self._fresh(token, left))
            fits = {pair.id: key for pair, key in waiting if key is not None and key.type == key_type}
            destroy(token, [pair for pair in left if pair.id not in fits])
            if fits:
                return next(iter(fits.values()))
            return TokenKey(token, generate(token, Wish(key_type, self._slot.label)))

    def promote(self) -> None:
        """Do nothing: the URI in the generation names the key."""

    def delete(self) -> None:
        """Destroy every key of this identity that no generation has, halves included, and look whether it is gone."""
        with using(self._wanted) as token:
            destroy(token, self._unused(token, labelled(token, self._slot.label)))

    def left(self) -> str | None:
        """Return what would be destroyed."""
        with using(self._wanted) as token:
            unused = self._unused(token, token.objects.labelled(self._slot.label))
        if not unused:
            return None
        halves = sum(not pair.whole for pair in unused)
        counted = ((len(unused) - halves, "key"), (halves, "half of a key"))
        said = " and ".join(f"{count} times {what}" if count > 1 else f"a {what}" for count, what in counted if count)
        return f"{token.name} has {said} with the label {self._slot.label} that nothing uses"

    def elsewhere(self, uri: str) -> str | None:
        """Return which token a URI names, if that is another one."""
        with using(self._wanted) as token:
            if _here(token, uri) is not None:
                return None
            try:
                found = parse(uri)
            except ValueError:
                return uri or None
            return f"token {found.token}" if found.token != token.label else f"token {found.token} ({found.serial})"

    def check(self, key_type: str) -> None:
        """Refuse a type that the token cannot make."""
        with using(self._wanted) as token:
            checked(token, key_type)

    def _fresh(self, token: OpenToken, pairs: list[Pair]) -> list[Pair]:
        """Leave out what earlier generations had: a renewal has a new key."""
        spent = {_here(token, uri) for uri in self._slot.spent}
        return [pair for pair in pairs if pair.id not in spent]

    def _unused(self, token: OpenToken, pairs: list[Pair]) -> list[Pair]:
        used = {_here(token, uri) for uri in (*self._slot.used, self._slot.current)}
        return [pair for pair in pairs if pair.id not in used and pair.secret is None]


def _signing(token: OpenToken, pair: Pair) -> TokenKey | None:
    """Return a key that waits, if it signs: one of a token that was killed meanwhile may have no value.

    Raises KeysteadError where it is the token that fails, and nobody knows what the key is worth.
    """
    if not pair.whole:
        return None
    try:
        key = TokenKey(token, pair)
        key.sign(b"")
    except KeysteadError:
        token.check_open()
        return None
    return key


def _private(pairs: list[Pair]) -> list[Pair]:
    return [pair for pair in pairs if pair.private is not None]


def _here(token: OpenToken, uri: str | None) -> bytes | None:
    """Return the id in a URI; None where it is not one of a key in this token."""
    try:
        found = parse(uri or "")
    except ValueError:
        return None
    return (found.id or None) if (found.token, found.serial) == (token.label, token.serial) else None
