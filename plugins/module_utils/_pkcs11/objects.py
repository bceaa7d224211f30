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
    """What belongs together: both halves of a key pair, one that has no other, or a secret key."""

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
        sought = {attribute.LABEL: label or None, attribute.ID: identifier}  # a label may be one that cannot be read
        known = self._by_id.get(identifier, []) if identifier is not None else self._by_label.get(label or "", [])
        self._remove([one for one in known if label in (None, one.label)])
        there = self._search({name: value for name, value in sought.items() if value is not None})
        found = [one for one in there if label in (None, one.label)]
        for one in found:
            self._add(one)
        return _pairs(found)

    def known(self, pair: Pair) -> int:
        """Return how many objects have the names of a key, and are of a class that it has, as far as is known here."""
        alike = (one for one in self._by_id.get(pair.id, ()) if one.label == pair.label)
        return sum(getattr(pair, one.kind) is not None for one in alike)

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

    def count(self, label: str, identifier: bytes) -> int:
        """Return how many objects of keys have a label and an id now, as the token itself says."""
        attribute = pkcs11().Attribute
        return sum(1 for _one in self._search({attribute.LABEL: label, attribute.ID: identifier}))

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
    """Return what an object is called; None for one that vanished. A label that is no text is told as an empty one.

    Nobody can ask for it by that, and its id says that there is a key.
    """
    try:
        identifier = bytes(handle[library.Attribute.ID])
        try:
            label = handle[library.Attribute.LABEL]
        except ValueError:
            label = ""
        return Found(kind, identifier, label, handle)
    except (library.exceptions.ObjectHandleInvalid, library.exceptions.AttributeTypeInvalid):
        return None


def _pairs(found: t.Iterable[Found]) -> list[Pair]:
    """Join what has the same id and the same label, in the order of the ids."""
    alike: dict[tuple[bytes, str], list[Found]] = {}
    for one in found:
        alike.setdefault((one.id, one.label), []).append(one)
    pairs: list[Pair] = []
    for names in sorted(alike):
        pairs += _joined(*names, alike[names])
    return pairs


def _joined(identifier: bytes, label: str, found: list[Found]) -> list[Pair]:
    """Return the keys of one id and label: two halves are a pair where there is one of each, and nothing to choose.

    Many tools give an empty id, or one and the same, to all that they make. What is not joined is a key of its own, so
    whoever asks for one sees that there are several.
    """
    halves = [one for one in found if one.kind != "secret"]
    keys = [Pair(identifier, label, secret=one.handle) for one in found if one.kind == "secret"]
    if sorted(one.kind for one in halves) == ["private", "public"]:
        return [Pair(identifier, label, **{one.kind: one.handle for one in halves}), *keys]
    return [*(Pair(identifier, label, **{one.kind: one.handle}) for one in halves), *keys]
