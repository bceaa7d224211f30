# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Looks at one identity of a store: reads what is there, then judges it. Nothing here writes."""

from __future__ import annotations

import hashlib
import os
import typing as t

from .._core import credentials
from .._core.key import KEY_ORIGINS
from .._core.keys import from_pem, spki_sha256
from .._core.model import Credential, Finding, Identity, Observed
from .._core.plan import generation_to_be
from . import elsewhere
from .copy_record import COPIES, CopyRecord
from .drift import drift_of
from .layout import ADOPTING, FILE_OF, FILES_OF, MANIFEST, NEXT, PART_OF, PENDING, expected_files
from .links import look_at_links, stale_links
from .place import Place, manifest, numbers_among
from .safe_files import read_file, read_with_facts

if t.TYPE_CHECKING:
    from .._core.beside import Beside
    from .._core.model import Known

Contents = t.Dict[str, bytes]
KEY = FILE_OF["private_key"]
_UNREADABLE_KEY = Finding("unreadable", KEY, "it is not a private key")


class Seen(t.NamedTuple):
    """What stands of an identity in a store, as it was read and not yet judged.

    `numbers` are the fields of Observed that its directories tell. `contents` are the parts of the current generation,
    `record` is its manifest, `drift` is what is wrong about its files, `elsewhere` is about keys in no file. `other` is
    the certificate (PEM) of the generation that is to be current and is not, `copied` which files outside are ours,
    `beside` what the ledger lacks.
    """

    numbers: t.Mapping[str, t.Any]
    contents: Contents
    record: t.Mapping[str, t.Any] | None = None
    damage: tuple[Finding, ...] = ()
    drift: tuple[Finding, ...] = ()
    other: bytes | None = None
    elsewhere: elsewhere.Elsewhere = elsewhere.Elsewhere()
    copied: CopyRecord | None = None
    beside: tuple[Beside, ...] = ()


def observe(
    place: Place | None, store: str, wanted: Identity, known: Known, siblings: t.Mapping[str, Identity]
) -> Observed:
    """Return what is there; `siblings` are the identities of the task."""
    return judged(see(place, wanted), store, wanted, known, siblings)


def see(place: Place | None, wanted: Identity, newest: int | None = None) -> Seen:
    """Read what is there, with all that is beyond the `newest` that the ledger knows, where that is said.

    Many identities are all read before the first is judged, for a processor likes that.
    """
    if place is None:
        return Seen({"generation": None, "unfinished": elsewhere.look(None, wanted, None).left}, {})
    current = place.current()
    entries = place.entries()
    numbers = _numbers(place, current, entries)
    seen = Seen(numbers, {}) if current is None else _current(place, current, wanted)
    custody = None if seen.record is None else _custody(seen.record)
    keys = elsewhere.look(place, wanted, custody, _number_to_be(wanted, numbers))
    numbers = {
        **numbers,
        "unfinished": numbers["unfinished"] or keys.left,
        "key_uris": keys.key_uris,
        "other_uri": keys.other_uri,
        "other_gone": keys.other_gone,
    }
    copied = CopyRecord(place) if COPIES in entries else None
    other = _certificate_to_be(place, wanted, numbers)
    beside = _beside(place, numbers["others"], newest)
    return seen._replace(numbers=numbers, other=other, elsewhere=keys, copied=copied, beside=beside)


def judged(
    seen: Seen, store: str, wanted: Identity, known: Known, siblings: t.Mapping[str, Identity]
) -> Observed:
    """Parse what was read, compare it, and look where the links lead; `siblings` are the identities of the task."""
    found: dict[str, t.Any] = {"name": wanted.name, **seen.numbers}
    contents = seen.contents
    if seen.numbers["generation"] is not None:
        found.update(_judged(seen))
    found["other"], found["beside"] = parsed(_der(seen.other)), seen.beside
    if wanted.adopt and (seen.numbers["generation"] is None or wanted.state == "observed"):
        from . import originals

        found["original"], contents = originals.look(wanted, store)
    if wanted.state == "present":
        found["links"] = look_at_links(store, wanted, contents, siblings, seen.copied)
    found["stale_links"] = stale_links(store, wanted, known)
    if wanted.publish or seen.copied:
        from . import publications

        found.update(publications.look(seen.copied or CopyRecord(None), store, wanted, contents, siblings))
    return Observed(**found)


def _numbers(place: Place, current: int | None, entries: frozenset[str]) -> dict[str, t.Any]:
    """Sort the directories into complete ones and what a killed run left."""
    unproved = place.unproved() if PENDING in entries else None
    unpublished = unproved.generation if unproved and unproved.fresh and unproved.generation != current else None
    numbers = numbers_among(entries)
    others = [n for n in numbers if n not in (current, unpublished) and place.is_complete(n)]
    left = [n for n in numbers if n != current and n not in others]
    return {
        "generation": current,
        "newest": max([*numbers, unpublished or 0], default=0),
        "others": tuple(others),
        "unfinished": bool(left) or NEXT in entries or ADOPTING in entries,
        "pending": current if unproved and current in (unproved.generation, unproved.before) else None,
    }


def _beside(place: Place, others: t.Sequence[int], newest: int | None) -> tuple[Beside, ...]:
    unheard = [] if newest is None else [number for number in others if number > newest]
    if not unheard:
        return ()
    from . import beside

    return beside.read(place, unheard)


def _current(place: Place, number: int, wanted: Identity) -> Seen:
    directory = place.open_generation(str(number))
    if directory is None:  # it was there a moment ago
        return Seen({}, {}, damage=(Finding("part_missing", f"generation {number}"),))
    try:
        record = manifest(directory)
        if record is None:
            return Seen({}, {}, damage=(Finding("part_missing", MANIFEST),))
        names = [name for name in record["files"] if name in PART_OF]
        read = {name: found for name in names if (found := read_with_facts(directory, name))}
        drift = drift_of(directory, {name: found.facts for name, found in read.items()}, wanted.files)
    finally:
        os.close(directory)
    return Seen({}, {name: found.content for name, found in read.items()}, record, drift=drift)


def _judged(seen: Seen) -> dict[str, t.Any]:
    """Return the fields of Observed that are about the current generation."""
    if seen.record is None:
        return {"damage": seen.damage}
    certificate = _der(seen.contents.get(FILES_OF[_kind(seen.record)]["certificate"]))
    credential = parsed(certificate)
    return {
        "certificate": certificate if credential else None,
        "credential": credential,
        "issuer_id": str(seen.record.get("issuer_id")),
        "public_id": str(seen.record.get("public_id")),
        "custody": _custody(seen.record),
        "origin": _origin(seen.record),
        "key_uri": seen.record.get("key_uri"),
        "damage": (*_damage(seen.record, seen.contents), *_pair(seen, seen.record, credential)),
        "drift": seen.drift,
    }


def _damage(record: t.Mapping[str, t.Any], contents: Contents) -> t.Iterator[Finding]:
    """Compare every part with the manifest; secret parts have no digest there, `_pair` judges them."""
    for name in dict.fromkeys((*expected_files(_custody(record), _kind(record)), *record["files"])):
        content, digest = contents.get(name), record["files"].get(name)
        if content is None:
            yield Finding("part_missing", name)
        elif digest and hashlib.sha256(content).hexdigest() != digest:
            yield Finding("part_changed", name)


def _kind(record: t.Mapping[str, t.Any]) -> str:
    """Return the kind of a generation; one that is not known here is damaged whatever it is taken for."""
    said = str(record.get("kind"))
    return said if said in FILES_OF else "x509"


def _custody(record: t.Mapping[str, t.Any]) -> str:
    return str(record.get("custody") or "file")


def _origin(record: t.Mapping[str, t.Any]) -> str | None:
    """Return where the key was made: on the host, where nothing else was written down; None for no such place."""
    said = record.get("origin", KEY_ORIGINS[0])
    return said if said in KEY_ORIGINS else None


def _pair(seen: Seen, record: t.Mapping[str, t.Any], credential: Credential | None) -> t.Iterator[Finding]:
    """Compare the key with the certificate, wherever it is."""
    file = FILES_OF[_kind(record)]["certificate"]
    if credential is None and file in seen.contents:
        yield Finding("unreadable", file, "it is not a certificate")
    if _custody(record) == "file":
        yield from _key_file(seen.contents, credential)
    else:
        yield from elsewhere.pair(seen.elsewhere, credential, _custody(record))


def _key_file(contents: Contents, credential: Credential | None) -> t.Iterator[Finding]:
    """Compare the key in its file with the certificate, and the combined file with both."""
    try:
        key = from_pem(contents[KEY]) if KEY in contents else None
    except ValueError:
        yield _UNREADABLE_KEY
        return
    if key is not None and credential is not None and credential.public_id != spki_sha256(key.public_key()):
        yield Finding("pair_mismatched", KEY)
    joined = contents.get(KEY, b"") + contents.get(FILE_OF["fullchain"], b"")
    if contents.get(FILE_OF["combined"], joined) != joined:
        yield Finding("part_changed", FILE_OF["combined"])


def _der(pem: bytes | None) -> bytes | None:
    return credentials.first_in(pem) if pem else None


def parsed(certificate: bytes | None) -> Credential | None:
    """Parse a credential; None where there is none, or where it is none."""
    try:
        return credentials.credential(certificate) if certificate else None
    except ValueError:
        return None


def _number_to_be(wanted: Identity, numbers: t.Mapping[str, t.Any]) -> int | None:
    """Return the generation that is to be current and is not."""
    number = generation_to_be(wanted, numbers["generation"], numbers["others"])
    return None if number == numbers["generation"] else number


def _certificate_to_be(place: Place, wanted: Identity, numbers: t.Mapping[str, t.Any]) -> bytes | None:
    """Return the certificate (PEM) of the generation that is to be current and is not."""
    number = _number_to_be(wanted, numbers)
    if number is None:
        return None
    directory = place.open_generation(str(number))
    if directory is None:
        return None
    try:
        return read_file(directory, FILES_OF[wanted.kind]["certificate"])
    finally:
        os.close(directory)
