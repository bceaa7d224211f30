# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whether a key by itself is due, as the ledger alone knows it: no backend is asked."""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import Misconfigured
from .._ledger import queries
from .decide import WHO, due, since
from .history import history, in_use
from .model import Version

if t.TYPE_CHECKING:
    from .._ledger.chain import Readable
    from .._rotation import Limits

Record = dict[str, t.Any]


def due_key(ledger: Readable, term: str, allowed: Limits, hosts: tuple[str | None, str]) -> Record | None:
    """Return whether a key is due; None where the ledger knows none of this name, or with this URI.

    `hosts` are the one that is asked for, and the one that asks. Raises Misconfigured where several may be meant.
    """
    row = _row(ledger, term, hosts)
    if row is None:
        return None
    place, name = row["place"], row["label"]
    known = history(ledger, place, name)
    number = next(one.number for one in known.live if one.uri == row["uri"])
    active = Version(row["uri"], number, row["key_type"])
    at, reason = since(active, known), due(active, known, allowed)
    young = f"its key is from {at:%Y-%m-%d %H:%M}, and only those from before"
    young = f"{young} {allowed.before():%Y-%m-%d %H:%M} are replaced"
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
    found = in_use([row for row in rows if not row["place"].startswith(queries.AUTHORITIES)])
    nearer = [row for row in found if row["host"] == here]
    found = nearer if len(found) > 1 and nearer else found
    users = queries.identities(ledger, host=asked or here, name=term) if found else []
    if len(found) + len(users) > 1:
        means = "set option store to mean the identity" if users else "set option host"
        told = ", ".join([*(row["uri"] for row in found), *(f"an identity in {one['store']}" for one in users)])
        raise Misconfigured(f"{WHO}: {term!r} is {told}; {means}, or ask for a URI")
    return found[0] if found else None
