# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a run renews: what is due, as far as windows, freezes and a limit allow it or the floor demands it."""

from __future__ import annotations

import datetime as dt
import typing as t

from ...module_utils._core.errors import Misconfigured
from ...module_utils._core.model import Credential
from ...module_utils._core.renewal import renew_at
from ...module_utils._options.machine_identity import DEFAULT_STORE
from .turns import Candidate, divided
from .wishes import floor_of

if t.TYPE_CHECKING:
    from .calendar import Calendar
    from .wishes import Wish

Row = t.Mapping[str, t.Any]
Said = dict[str, t.Any]


class Limits(t.NamedTuple):
    """What holds a run back: the calendar, the floor that is stronger, and how many it renews."""

    calendar: Calendar
    floor: str
    at_most: int


def renewals(
    rows: t.Sequence[Row], wanted: t.Sequence[Wish], stores: t.Mapping[str, str], limits: Limits, now: dt.datetime
) -> Said:
    """Return what is `selected`, what is due and `waits`, and what is due and `undeclared` on hosts that declare.

    `rows` are those of identity_ledger_info. Raises Misconfigured.
    """
    declared = {(one.host, one.name): one for one in wanted}
    known = {one.host for one in wanted} | {*stores}
    closed = limits.calendar.closed_because(now)
    found: list[Candidate] = []
    waiting, undeclared = [], []
    for row in _newest(rows, stores):
        life = _life(row)
        if life is None or row["host"] not in known:
            continue
        wish = declared.get((row["host"], row["name"]))
        due = _due(row, life, wish, limits.floor, now)
        if due is None:
            continue
        one = {**{name: row[name] for name in ("host", "name", "scope")}, "not_after": row["certificate"]["not_after"]}
        if wish is None:
            undeclared.append({**one, "why": f"{due.why}, and is declared for no host of this inventory"})
        elif closed is not None and not due.urgent:
            waiting.append({**one, "why": f"{due.why}; {closed}"})
        else:
            said = {**one, "why": due.why}
            found.append(Candidate(row["host"], row["name"], life.not_after, bool(row["revoked"]), said))
    taken, left = divided(found, limits.at_most, now)
    limit = f"a run renews {limits.at_most} at most, and it is the turn of others"
    later = [{**one.said, "why": f"{one.said['why']}; {limit}"} for one in left]
    return {"selected": [one.said for one in taken], "waiting": [*later, *waiting], "undeclared": undeclared}


class _Due(t.NamedTuple):
    why: str
    urgent: bool


def _due(row: Row, life: Credential, wish: Wish | None, floor: str, now: dt.datetime) -> _Due | None:
    """Return why it is due, if it is; what is not declared is so by its floor alone."""
    if row["revoked"]:
        return _Due(f"it is revoked ({row['revoked']})", urgent=True)
    floor_at = life.not_after - floor_of(floor, life.not_after - life.not_before)
    if now < (floor_at if wish is None else renew_at(life, wish.renew_before)):
        return None
    if now >= life.not_after:
        return _Due("it ended", urgent=True)
    return _Due("it is below the floor", urgent=True) if now >= floor_at else _Due("it is due", urgent=False)


def _newest(rows: t.Sequence[Row], stores: t.Mapping[str, str]) -> t.Iterable[Row]:
    """Return the newest generation in use of each identity in the store that its host declares."""
    found: dict[tuple[str, str], Row] = {}
    try:
        for row in rows:
            if not row["managed"] or row["host"] not in stores or not row["in_use"]:
                continue
            if row["store"] != (stores[row["host"]] or DEFAULT_STORE):
                continue
            key = (row["host"], row["name"])
            if key not in found or (row["generation"] or 0) > (found[key]["generation"] or 0):
                found[key] = row
    except (TypeError, KeyError):
        raise Misconfigured(
            "the input is no list of rows of keystead.identity.identity_ledger_info; register what that returns"
        ) from None
    return found.values()


def _life(row: Row) -> Credential | None:
    """Return the credential of a row as far as its renewal is concerned; None where it has none, or no end."""
    facts = row["certificate"]
    if not facts or not facts["not_after"] or not facts["not_before"]:
        return None
    begin, end = (dt.datetime.fromisoformat(facts[name]) for name in ("not_before", "not_after"))
    return Credential(facts["fingerprint_sha256"] or "", "", begin, end, None)
