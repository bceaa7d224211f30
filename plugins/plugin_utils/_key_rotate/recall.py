# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whether a key by itself is due, as the ledger alone knows it: no backend is asked."""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import Misconfigured
from .._ledger import queries
from .age import due, since
from .decide import WHO
from .history import history, in_use
from .model import Version

if t.TYPE_CHECKING:
    from .._ledger.chain import Readable
    from .._rotation import Limits

MOST_SHOWN = 10
Record = dict[str, t.Any]


class Asked(t.NamedTuple):
    """How old keys may be, how long before they are due the next one is prepared (seconds), and whose are meant.

    `host` is the one that is asked for, `here` the one that asks.
    """

    allowed: Limits
    overlap: int
    host: str | None
    here: str


def known_keys(ledger: Readable, host: str | None) -> str:
    """Return the end of a sentence: which keys by themselves the ledger knows."""
    rows = in_use([row for row in queries.backend_keys(ledger, host=host) if _is_by_itself(row)])
    labels = sorted({row["label"] for row in rows})
    shown = ", ".join(labels[:MOST_SHOWN]) + (" and others" if len(labels) > MOST_SHOWN else "")
    return f"; of keys that belong to no identity it knows {shown or 'none'}"


def _is_by_itself(row: queries.Record) -> bool:
    return not row["place"].startswith(queries.AUTHORITIES)


def due_key(ledger: Readable, term: str, asked: Asked) -> Record | None:
    """Return whether a key is due; None where the ledger knows none of this name, or with this URI.

    Raises Misconfigured where several may be meant.
    """
    row, allowed = _row(ledger, term, (asked.host, asked.here)), asked.allowed
    if row is None:
        return None
    place, name = row["place"], row["label"]
    known = history(ledger, place, name)
    number = next(one.number for one in known.live if one.uri == row["uri"])
    active = Version(row["uri"], number, row["key_type"])
    at, reason = since(active, known), due(active, known, allowed, asked.overlap)
    young = f"its key is from {at:%Y-%m-%d %H:%M}, and only those from before"
    young = f"{young} {allowed.before(asked.overlap):%Y-%m-%d %H:%M} are replaced"
    if number < known.live[-1].number:
        reason, young = None, f"it gave way to generation {known.live[-1].number}"
    return {
        "name": name,
        "host": row["host"],
        "store": None,
        "key_type": row["key_type"],
        "custody": row["backend"],
        "uri": row["uri"],
        "due": reason is not None,
        "since": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "reason": reason or young,
    }


def _row(ledger: Readable, term: str, hosts: tuple[str | None, str]) -> queries.Record | None:
    asked, here = hosts
    rows = [row for row in queries.backend_keys(ledger, host=asked) if term in (row["label"], row["uri"])]
    found = in_use([row for row in rows if _is_by_itself(row)])
    nearer = [row for row in found if row["host"] == here]
    found = nearer if len(found) > 1 and nearer else found
    users = queries.identities(ledger, host=asked or here, name=term) if found else []
    if len(found) + len(users) > 1:
        means = "set option store to mean the identity" if users else "set option host"
        told = ", ".join([*(row["uri"] for row in found), *(f"an identity in {one['store']}" for one in users)])
        raise Misconfigured(f"{WHO}: {term!r} is {told}; {means}, or ask for a URI")
    return found[0] if found else None
