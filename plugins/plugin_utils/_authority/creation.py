# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Making an authority: what tells of it is there before its key, and all of it before it is published."""

from __future__ import annotations

import contextlib
import typing as t

with contextlib.suppress(ImportError):
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        KeySerializationEncryption,
        NoEncryption,
        PrivateFormat,
    )

from ...module_utils._core.keys import generate, spki_sha256
from ...module_utils._core.staging import staged
from .._keystores.private_key import private_key
from . import publication, signing, store
from .about import written, written_in_custody
from .custody import key_store, label, settle

if t.TYPE_CHECKING:
    import datetime as dt

    from .opening import Custody
    from .store import Authority
    from .wanted import Wanted


class Made(t.NamedTuple):
    """A key that signs, the content of authority.json about it, and its PEM where it is a file."""

    key: t.Any
    about: bytes
    pem: bytes | None


def created(wanted: Wanted, parent: Authority | None, now: dt.datetime) -> Authority:
    """Make an authority, with the key that waits for it in its custody where one does."""
    made = _in_custody(wanted, wanted.opening.custody) if wanted.opening.custody else _in_a_file(wanted)
    chain = _chain(wanted, parent, made.key, now)
    publication.keep(store.staging_place(wanted.directory, wanted.name), wanted.publication(None))
    store.stage(wanted.directory, wanted.name, chain, made.about, made.pem)
    if parent is not None:
        signing.record(parent, chain[:1])
    store.publish(wanted.directory, wanted.name)
    authority = store.load(wanted.directory, wanted.name)
    settle(wanted, authority)
    return authority


def _in_a_file(wanted: Wanted) -> Made:
    store.begin(wanted.directory, wanted.name, None)
    key = generate(wanted.key_type)
    about = written(spki_sha256(key.public_key()), encrypted=wanted.opening.passphrase is not None)
    return Made(key, about, _pem(wanted, key))


def _in_custody(wanted: Wanted, custody: Custody) -> Made:
    name = label(wanted.path)
    store.begin(wanted.directory, wanted.name, written_in_custody("", custody.name, "", name))
    key = private_key(staged(key_store(wanted.path, custody, None), wanted.key_type))
    about = written_in_custody(spki_sha256(key.public_key()), custody.name, key.uri, name)
    return Made(key, about, None)


def _chain(wanted: Wanted, parent: Authority | None, key: t.Any, now: dt.datetime) -> list[t.Any]:
    if parent is None or wanted.parent is None:
        return [signing.root(wanted, key, now)]
    signed = signing.below(parent, parent.open(wanted.parent.opening), wanted, key.public_key(), now)
    return [signed, parent.certificate, *parent.issuers]


def _pem(wanted: Wanted, key: t.Any) -> bytes:
    passphrase = wanted.opening.passphrase
    encryption: KeySerializationEncryption = NoEncryption()
    if passphrase is not None:
        encryption = BestAvailableEncryption(passphrase)
    pem: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    return pem
