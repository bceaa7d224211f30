# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""The keys in a token, read in one pass and then kept up to date by those who make and destroy them.

Neither label nor id of an object is unique in a token, and a key pair is two objects that nothing but these joins.
"""

from __future__ import annotations

import typing as t

from .library import pkcs11

_CLASSES = {"private": "PRIVATE_KEY", "public": "PUBLIC_KEY", "secret": "SECRET_KEY"}


class Found(t.NamedTuple):
    """One object: its class as RFC 7512 calls it, CKA_ID, CKA_LABEL, and the handle of this session."""

    kind: str
    id: bytes
    label: str
    handle: t.Any


class Pair(t.NamedTuple):
    """What belongs together, by its id: both halves of a key pair, one that lost the other, or a secret key."""

    id: bytes
    label: str
    private: t.Any = None
    public: t.Any = None
    secret: t.Any = None

    @property
    def whole(self) -> bool:
        """Whether both halves of a key pair are there."""
        return self.private is not None and self.public is not None

    def handles(self) -> t.Iterator[t.Any]:
        """Yield what there is of it, the private half first, so that what a kill leaves can do nothing."""
        yield from (one for one in (self.private, self.secret, self.public) if one is not None)


class Objects:
    """The keys of a token, by label and by id. Its methods raise what python-pkcs11 raises."""

    def __init__(self, session: t.Any) -> None:
        """Read them all."""
        self._session = session
        self._by_label: dict[str, list[Found]] = {}
        self._by_id: dict[bytes, list[Found]] = {}
        for found in self._search({}):
            self._add(found)

    def labelled(self, label: str) -> list[Pair]:
        """Return what has a label, in the order of the ids."""
        return _pairs(self._by_label.get(label, ()))

    def identified(self, identifier: bytes) -> list[Pair]:
        """Return what has an id; more than one where the token's ids are ambiguous."""
        return _pairs(self._by_id.get(identifier, ()))

    def every(self) -> list[Pair]:
        """Return all keys."""
        return _pairs(found for some in self._by_id.values() for found in some)

    def look_again(self, *, label: str | None = None, identifier: bytes | None = None) -> list[Pair]:
        """Return what has a label, an id or both now, as the token itself says."""
        attribute = pkcs11().Attribute
        sought = {attribute.LABEL: label, attribute.ID: identifier}
        known = self._by_id.get(identifier, []) if identifier is not None else self._by_label.get(label or "", [])
        self._remove([one for one in known if label in (None, one.label)])
        found = list(self._search({name: value for name, value in sought.items() if value is not None}))
        for one in found:
            self._add(one)
        return _pairs(found)

    def destroy(self, pair: Pair) -> None:
        """Destroy what there is of a key, and forget it. What is gone already is no error."""
        gone = pkcs11().exceptions.ObjectHandleInvalid
        for handle in pair.handles():
            try:
                handle.destroy()
            except gone:
                continue
        mine = {id(handle) for handle in pair.handles()}
        self._remove([one for one in self._by_id.get(pair.id, ()) if id(one.handle) in mine])

    def add(self, kind: str, identifier: bytes, label: str, handle: t.Any) -> None:
        """Take note of an object that was just made."""
        self._add(Found(kind, identifier, label, handle))

    def _remove(self, found: list[Found]) -> None:
        for one in found:
            self._by_id[one.id].remove(one)
            self._by_label[one.label].remove(one)

    def _add(self, found: Found) -> None:
        self._by_label.setdefault(found.label, []).append(found)
        self._by_id.setdefault(found.id, []).append(found)

    def _search(self, template: dict[t.Any, t.Any]) -> t.Iterator[Found]:
        library = pkcs11()
        for kind, name in _CLASSES.items():
            sought = {library.Attribute.CLASS: getattr(library.ObjectClass, name), **template}
            for handle in list(self._session.get_objects(sought)):
                found = _read(library, kind, handle)
                if found is not None:
                    yield found


def _read(library: t.Any, kind: str, handle: t.Any) -> Found | None:
    """Return what an object is called; None for one that vanished, or whose name is no text."""
    try:
        return Found(kind, bytes(handle[library.Attribute.ID]), handle[library.Attribute.LABEL], handle)
    except (library.exceptions.ObjectHandleInvalid, library.exceptions.AttributeTypeInvalid, ValueError):
        return None


def _pairs(found: t.Iterable[Found]) -> list[Pair]:
    """Join what has the same id, and the same label where an id is not that of one pair only."""
    by_id: dict[bytes, list[Found]] = {}
    for one in found:
        by_id.setdefault(one.id, []).append(one)
    pairs: list[Pair] = []
    for identifier in sorted(by_id):
        pairs += _joined(identifier, by_id[identifier])
    return pairs


def _joined(identifier: bytes, found: list[Found]) -> list[Pair]:
    """Return the pairs of one id: one, where it has each class at most once."""
    if len({one.kind for one in found}) == len(found):
        label = min(found, key=lambda one: list(_CLASSES).index(one.kind)).label
        return [Pair(identifier, label, **{one.kind: one.handle for one in found})]
    pairs: list[dict[str, t.Any]] = []
    for one in found:
        open_ones = (pair for pair in pairs if pair["label"] == one.label and one.kind not in pair)
        pair = next(open_ones, None)
        if pair is None:
            pair = {"label": one.label}
            pairs.append(pair)
        pair[one.kind] = one.handle
    return [Pair(identifier, **pair) for pair in pairs]
