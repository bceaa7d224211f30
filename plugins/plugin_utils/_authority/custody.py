# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The key of an authority where that is not a file: found in its custody, or what waits there to become one."""

from __future__ import annotations

import hashlib
import typing as t

from ...module_utils._core.errors import Misconfigured
from ...module_utils._core.keys import spki_sha256
from ...module_utils._core.ports import Leftovers, Slot
from .._keystores.private_key import private_key
from .._keystores.registry import KEYSTORES
from . import store
from .opening import FILE

if t.TYPE_CHECKING:
    from pathlib import Path

    from cryptography import x509

    from ...module_utils._core.ports import KeyStore, SigningKey
    from .about import About
    from .opening import Custody
    from .store import Authority
    from .wanted import Wanted

_PLACE_DIGITS = 8


class Taken(Misconfigured):
    """There is a key that no file tells of, unless somebody is making the authority at this moment."""


class Held(t.NamedTuple):
    """What a custody holds for an authority: a key that waits for it, and what a killed run left undone."""

    waiting: SigningKey | None = None
    left: str | None = None


def label(path: Path) -> str:
    """Return what the keys of an authority are called: its name, and the start of its directory's SHA-256."""
    place = hashlib.sha256(bytes(path.parent.resolve())).hexdigest()
    return f"keystead authority {path.name} {place[:_PLACE_DIGITS]}"


def key_store(path: Path, custody: Custody, about: About | None) -> KeyStore:
    """Return where the keys of the authority `path` are; `about` is there where one of them is an authority's."""
    slot = Slot(about.key_label, about.key_uri, (str(about.key_uri),)) if about else Slot(label(path))
    return KEYSTORES[custody.name](custody.options, slot)


def held(wanted: Wanted, authority: Authority | None, *, present: bool) -> Held:
    """Look what the declared custody holds. Nothing there is looked at that no file here tells of, and nobody wants.

    Raises KeysteadError where it is another custody than the one that has the key, or cannot be reached.
    """
    buried, begun = store.buried(wanted.directory, wanted.name), store.begun(wanted.directory, wanted.name)
    _check_is_the_custody(wanted, authority, [one for one in (buried, begun) if one])
    custody = wanted.opening.custody
    if custody is None:
        return Held()
    if authority is not None:
        opened(authority.about, authority.certificate, custody)
        keys = key_store(wanted.path, custody, authority.about)
        return Held(left=keys.left() if present and isinstance(keys, Leftovers) else None)
    if not present or buried:
        return Held()
    keys = key_store(wanted.path, custody, None)
    if begun is None:
        _check_is_free(wanted, keys)
    return Held(waiting=keys.staged() if begun else None)


def settle(wanted: Wanted, authority: Authority) -> None:
    """Do what a killed run left undone in the custody: nothing else is called as this authority's key is."""
    if wanted.opening.custody:
        keys = key_store(wanted.path, wanted.opening.custody, authority.about)
        keys.promote()
        keys.delete()


def discard(wanted: Wanted, about: About | None) -> None:
    """Destroy the keys of an authority that is gone, or never was, where what it said of itself names its custody."""
    if about is not None and about.custody != FILE and wanted.opening.custody:
        KEYSTORES[about.custody](wanted.opening.custody.options, Slot(about.key_label)).delete()


def _check_is_free(wanted: Wanted, keys: KeyStore) -> None:
    """Refuse a place that has a key which no file tells of: it may be another's, or that of an authority that is lost.

    It is neither taken, since two authorities must not have one key, nor destroyed.
    """
    left = keys.left() if isinstance(keys, Leftovers) else None
    if left:
        raise Taken(
            f"local: nothing in {wanted.directory} tells of a key of authority {wanted.name}, and yet {left}; restore "
            "the authority from a backup, destroy that key if nobody needs it, or write another name"
        )


def _check_is_the_custody(wanted: Wanted, authority: Authority | None, traces: t.Sequence[About]) -> None:
    declared = wanted.opening.custody_name
    if authority and authority.about.custody != declared:
        raise Misconfigured(
            f"local: authority {wanted.name} in {wanted.directory} has key.custody {authority.about.custody}, declared "
            f"is {declared}; declare what it has, or create another authority under a new name"
        )
    for one in traces:
        if one.custody not in (FILE, declared):
            raise Misconfigured(
                f"local: a run that was killed left a key called {one.key_label} in {one.custody}, declared is "
                f"key.custody {declared}; declare {one.custody} with state absent first, so that it is destroyed"
            )


def opened(about: About, certificate: x509.Certificate, custody: Custody) -> t.Any:
    """Return the key of an authority as one of cryptography's; raises Misconfigured where it is not its key."""
    key = key_store(about.path, custody, about).current()
    if key is None:
        raise Misconfigured(
            f"local: the private key of authority {about.name} in {about.path.parent} is {about.key_uri}, which is not "
            f"in this {custody.name}; name the one that made it. Where it is lost, remove {about.path} by hand"
        )
    if spki_sha256(key.public_key()) != spki_sha256(certificate.public_key()):
        raise Misconfigured(
            f"local: {about.key_uri} in {custody.name} is not the key of {about.path / 'certificate.pem'}; "
            "name the custody that made it, or restore both from one backup"
        )
    return private_key(key)
