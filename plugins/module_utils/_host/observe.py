# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Looks at one identity of a store. Nothing here writes."""

from __future__ import annotations

import hashlib
import os
import typing as t

from .._core import pki
from .._core.keys import from_pem, spki_sha256
from .._core.model import Credential, Finding, Identity, Observed
from .._core.plan import generation_to_be
from .._core.ports import Leftovers
from .._keystores.registry import keystore
from .copy_record import COPIES
from .drift import drift_of
from .layout import ADOPTING, FILE_OF, MANIFEST, NEXT, PENDING, expected_files
from .links import PART_OF, look_at_links, stale_links
from .place import Place, manifest, numbers_among
from .safe_files import read_file, read_with_facts

if t.TYPE_CHECKING:
    from .._core.model import Known

Contents = t.Dict[str, bytes]


def observe(
    place: Place | None, store: str, wanted: Identity, known: Known, siblings: t.Mapping[str, Identity]
) -> Observed:
    """Return what is there; `siblings` are the identities of the task."""
    current = place.current() if place else None
    found: dict[str, t.Any] = {"name": wanted.name, "generation": current}
    contents: Contents = {}
    if place is not None:
        found.update(_numbers(place, current))
        if current is not None:
            contents, look = _current(place, current, wanted)
            found.update(look)
        found.update(_elsewhere(place, wanted, found))
        found["other"] = parsed(_certificate_to_be(place, wanted, found))
    if wanted.adopt and (current is None or wanted.state == "observed"):
        from . import originals

        found["original"], contents = originals.look(wanted, store)
    if wanted.state == "present":
        found["links"] = look_at_links(store, wanted, contents, siblings)
    found["stale_links"] = stale_links(store, wanted, known)
    if wanted.publish or (place is not None and place.has(COPIES)):
        from . import publications

        found.update(publications.look(place, store, wanted, known, contents))
    return Observed(**found)


def _numbers(place: Place, current: int | None) -> dict[str, t.Any]:
    """Sort the directories into complete ones and what a killed run left."""
    entries = place.entries()
    unproved = place.unproved() if PENDING in entries else None
    unpublished = unproved.generation if unproved and unproved.fresh and unproved.generation != current else None
    numbers = numbers_among(entries)
    others = [n for n in numbers if n not in (current, unpublished) and place.is_complete(n)]
    left = [n for n in numbers if n != current and n not in others]
    return {
        "newest": max([*numbers, unpublished or 0], default=0),
        "others": tuple(others),
        "unfinished": bool(left) or NEXT in entries or ADOPTING in entries,
        "pending": current if unproved and current in (unproved.generation, unproved.before) else None,
    }


def _elsewhere(place: Place, wanted: Identity, found: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Add what is to be said of keys that are in no file: what names them, and that some are left in a token."""
    if "file" in (wanted.key.custody, found.get("custody", wanted.key.custody)):
        return {}
    said: dict[str, t.Any] = {"key_uris": place.key_uris()[1]}
    if wanted.key.token and not found["unfinished"]:
        keys = keystore(place, wanted.key)
        said["unfinished"] = isinstance(keys, Leftovers) and keys.left() is not None
    return said


def _current(
    place: Place, number: int, wanted: Identity
) -> tuple[Contents, dict[str, t.Any]]:
    directory = place.open_generation(str(number))
    if directory is None:  # it was there a moment ago
        return {}, {"damage": (Finding("part_missing", f"generation {number}"),)}
    try:
        record = manifest(directory)
        if record is None:
            return {}, {"damage": (Finding("part_missing", MANIFEST),)}
        names = [name for name in record["files"] if name in PART_OF]
        read = {name: found for name in names if (found := read_with_facts(directory, name))}
        contents = {name: found.content for name, found in read.items()}
        certificate = _der(contents.get(FILE_OF["certificate"]))
        credential = parsed(certificate)
        damage = [*_damage(record, contents), *_pair(place, wanted, record, contents, credential)]
        drift = drift_of(directory, {name: found.facts for name, found in read.items()}, wanted.files)
    finally:
        os.close(directory)
    return contents, {
        "certificate": certificate if credential else None,
        "credential": credential,
        "issuer_id": str(record.get("issuer_id")),
        "public_id": str(record.get("public_id")),
        "custody": _custody(record),
        "key_uri": record.get("key_uri"),
        "damage": tuple(damage),
        "drift": drift,
    }


def _damage(record: dict[str, t.Any], contents: Contents) -> t.Iterator[Finding]:
    """Compare every part with the manifest; secret parts have no digest there, `_pair` judges them."""
    for name in dict.fromkeys((*expected_files(_custody(record)), *record["files"])):
        content, digest = contents.get(name), record["files"].get(name)
        if content is None:
            yield Finding("part_missing", name)
        elif digest and hashlib.sha256(content).hexdigest() != digest:
            yield Finding("part_changed", name)


def _custody(record: t.Mapping[str, t.Any]) -> str:
    return str(record.get("custody") or "file")


def _pair(
    place: Place, wanted: Identity, record: dict[str, t.Any], contents: Contents, credential: Credential | None
) -> t.Iterator[Finding]:
    """Compare the key with the certificate; one that is in no file is where its custody keeps it."""
    if credential is None and FILE_OF["certificate"] in contents:
        yield Finding("unreadable", FILE_OF["certificate"], "it is not a certificate")
    if _custody(record) == "file":
        yield from _key_file(contents, credential)
    elif _custody(record) == wanted.key.custody and wanted.key.token:
        key = keystore(place, wanted.key).current()
        if key is None:
            yield Finding("key_gone", _custody(record))
        elif credential is not None and credential.public_id != spki_sha256(key.public_key()):
            yield Finding("pair_mismatched", _custody(record))


def _key_file(contents: Contents, credential: Credential | None) -> t.Iterator[Finding]:
    """Compare the key in its file with the certificate, and the combined file with both."""
    name = FILE_OF["private_key"]
    try:
        key = from_pem(contents[name]) if name in contents else None
    except (ValueError, TypeError):
        yield Finding("unreadable", name, "it is not a private key")
        return
    if key is not None and credential is not None and credential.public_id != spki_sha256(key.public_key()):
        yield Finding("pair_mismatched", name)
    joined = contents.get(name, b"") + contents.get(FILE_OF["fullchain"], b"")
    if contents.get(FILE_OF["combined"], joined) != joined:
        yield Finding("part_changed", FILE_OF["combined"])


def _der(pem: bytes | None) -> bytes | None:
    try:
        return pki.der_certificates(pem)[0] if pem else None
    except ValueError:
        return None


def parsed(certificate: bytes | None) -> Credential | None:
    """Parse a DER certificate; None where there is none, or where it is none."""
    try:
        return pki.credential(certificate) if certificate else None
    except ValueError:
        return None


def _certificate_to_be(place: Place, wanted: Identity, found: t.Mapping[str, t.Any]) -> bytes | None:
    """Return the certificate of the generation that is to be current and is not."""
    number = generation_to_be(wanted, found["generation"], found["others"])
    if number in (None, found["generation"]):
        return None
    directory = place.open_generation(str(number))
    if directory is None:
        return None
    try:
        return _der(read_file(directory, FILE_OF["certificate"]))
    finally:
        os.close(directory)
