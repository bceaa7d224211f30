# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the ledger has of the generations of a key: in `backend_keys`, and in the events of runs that made one.

The column `label` has the name by which a key is declared, which all its generations share; the URI is each one's own.
"""

from __future__ import annotations

import re
import typing as t

from ...module_utils._core.held import generation_of
from ...module_utils._pkcs11.uri import parse
from .._hsm_key.record import users_of
from .._ledger import key_runs, queries
from .._ledger.moments import moment, stamp
from .ending import AGREED_FOR
from .model import Kept, Known, There, Version

if t.TYPE_CHECKING:
    from datetime import datetime

    from .._ledger.chain import Readable

_VERSION = re.compile(r"\?version=([0-9]{1,9})$", re.ASCII)
_PKCS11 = "pkcs11:"
Row = t.Mapping[str, t.Any]


def kept_of(rows: t.Sequence[Row]) -> tuple[Kept, ...]:
    """Return the generations that rows of one name in one place are about, by their numbers."""
    found = [
        Kept(
            uri=row["uri"],
            number=_number(row, order),
            at=moment(row["recorded_at"]),
            made=row["origin"] == "made",
            gone=moment(row["destroyed_at"]) if row["destroyed_at"] else None,
        )
        for order, row in enumerate(rows, 1)
    ]
    return tuple(sorted(found, key=lambda one: one.number))


def _number(row: Row, order: int) -> int:
    """Return the number that a URI says; where it says none, the order in which keys were recorded tells it."""
    if row["uri"].startswith(_PKCS11):
        return generation_of(parse(row["uri"]).object, row["label"]) or 1
    version = _VERSION.search(row["uri"])
    return int(version[1]) if version else order


def history(book: Readable, place: str, name: str) -> Known:
    """Return what is known of a key in a place, but for who uses it."""
    kept = kept_of(queries.key_generations(book, place, name))
    at, outcomes = _made(book, place, name)
    begun = [number for number, outcome in outcomes.items() if outcome != "ok"]
    return Known(kept, at, begun, key_runs.prepared(book, place, name))


def _made(book: Readable, place: str, name: str) -> tuple[dict[int, datetime], dict[int, str]]:
    """Return by number when the last making began, and how it ended. The first generation has no number in events."""
    found = [one for one in queries.events(book, store=place, identity=name) if one["action"] == "stage_key"]
    begun = {one["generation"] or 1: moment(one["at"]) for one in found if one["outcome"] == "pending"}
    return begun, {one["generation"] or 1: one["outcome"] for one in found}


def known(book: Readable, there: There, name: str, now: datetime) -> Known:
    """Return what is known of a key that was looked at."""
    users = {one.uri: _users(book, there, one, name, now) for one in there.versions}
    return history(book, there.place, name)._replace(users=users)


def with_moments(book: Readable, known: Known, now: datetime) -> Known:
    """Return it with the latest moments of all runs, by which a grace is over."""
    seen, agreed = (key_runs.latest(book, stamp(at)) for at in (now, now - AGREED_FOR))
    return known._replace(seen=moment(seen) if seen else None, agreed=moment(agreed) if agreed else None)


def _users(book: Readable, there: There, version: Version, name: str, now: datetime) -> tuple[str, ...]:
    """Return who has a key beside its declaration: identities, authorities, and other declarations."""
    public_id = version.public_id
    claims = queries.key_claims(book, version.uri, public_id, there.place, name)
    others = [one for one in claims if not one["place"].startswith(queries.AUTHORITIES)]
    also = tuple(f"the key {one['label']} of {one['host']} in {one['place']}" for one in others)
    of_all = users_of(book, there.place, None, stamp(now))  # who has a version of a key has it all
    return tuple(dict.fromkeys((*users_of(book, version.uri, public_id, stamp(now)), *of_all, *also)))


def in_use(rows: t.Sequence[queries.Record]) -> list[queries.Record]:
    """Return, of the live rows of several keys, those of active generations: of each name and place, the newest."""
    alike: dict[tuple[str, str], list[queries.Record]] = {}
    for row in rows:
        alike.setdefault((row["place"], row["label"]), []).append(row)
    found = []
    for same in alike.values():
        numbered = [(_number(row, order), row) for order, row in enumerate(same, 1)]
        last = max(number for number, _row in numbered)
        found += [row for number, row in numbered if number == last]
    return found
