# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""All figures of a report, as JSON has them: made of what is known and of the time, and of nothing else."""

from __future__ import annotations

import typing as t
from datetime import timedelta

from .._ledger.moments import moment, stamp
from .._rows.findings import findings
from .._rows.said import said
from . import signatures
from .algorithms import algorithms, post_quantum, signed_with
from .backends import IDLE_DAYS, Told, backends
from .coverage import coverage
from .groups import groups, has_ended
from .reasons import kinds
from .risk import LEVELS, days_left, risk
from .timeline import timeline

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from .._policy.policy import Policy
    from .._rows.alike import Alike
    from .._rows.row import Row
    from .._rows.strength import Broken

FORMAT = "keystead-report-1"
WITHIN = (7, 30, 90)

Figures = dict[str, t.Any]


class Known(t.NamedTuple):
    """What a report is made of: the rows in use, of the ledger and of records, and what they are judged by.

    `told` is about backends, `hosts` are those of the inventory, `never` what is declared and never got a credential,
    `events` the last ones, the newest first.
    """

    ledger_id: str
    title: str
    policy: Policy
    rows: Sequence[Row]
    alike: Alike
    broken: Broken
    told: Told = Told()
    hosts: Sequence[str] = ()
    never: Sequence[Mapping[str, t.Any]] = ()
    events: Sequence[Mapping[str, t.Any]] = ()


def figures(known: Known, now: datetime) -> Figures:
    """Return the figures, of types that JSON has."""
    identities = sorted((_identity(one, known, now) for one in known.rows), key=_worst_first)
    covered = coverage(identities, known.hosts, known.never, known.told.asked)
    ends = [moment(one.not_after) for one in known.rows if one.not_after is not None]
    return {
        "format": FORMAT,
        "title": known.title,
        "made_at": f"{stamp(now)[:19]}Z",
        "ledger_id": known.ledger_id,
        "policy": known.policy.source,
        "totals": {**_totals(identities), **_uncovered(covered)},
        "timeline": timeline(ends, now),
        "findings": kinds(identities),
        "identities": identities,
        "services": groups("service", "contact", identities),
        "contacts": groups("contact", "service", identities),
        "backends": backends(identities, known.told, stamp(now - timedelta(days=IDLE_DAYS))),
        "algorithms": algorithms(identities),
        "signatures": signed_with(identities),
        "post_quantum": post_quantum(identities),
        "coverage": covered,
        "events": [{**one, "at": f"{one['at'][:19]}Z"} for one in known.events],
    }


def _identity(row: Row, known: Known, now: datetime) -> dict[str, t.Any]:
    signature = signatures.of_row(row)
    found = risk(row, findings(row, known.policy, known.alike, known.broken, now), now)
    told = {"signature": signature, "days_left": days_left(row, now), "risk": found.level, "score": found.score}
    return {**said(row, found.reasons), **told}


def _worst_first(one: dict[str, t.Any]) -> tuple[t.Any, ...]:
    end = (one["certificate"] or {}).get("not_after") or "~"
    return LEVELS.index(one["risk"]), -one["score"], end, one["host"] or "", one["name"]


def _totals(identities: Sequence[dict[str, t.Any]]) -> dict[str, int]:
    left = [one["days_left"] for one in identities if one["days_left"] is not None and not has_ended(one)]
    return {
        "identities": len(identities),
        "managed": sum(one["managed"] for one in identities),
        "observed": sum(not one["managed"] for one in identities),
        **{f"{name}s": len({one[name] for one in identities if one[name]}) for name in ("host", "service", "contact")},
        "expired": sum(map(has_ended, identities)),
        **{f"ends_within_{days}d": sum(one < days for one in left) for days in WITHIN},
        "revoked": sum(one["revoked_at"] is not None for one in identities),
        "not_valid_yet": sum(one["code"] == "not_valid_yet" for each in identities for one in each["findings"]),
        **{level: sum(one["risk"] == level for one in identities) for level in LEVELS if level != "none"},
        "without_risk": sum(one["risk"] == "none" for one in identities),
        "findings": sum(len(one["findings"]) for one in identities),
    }


def _uncovered(covered: Mapping[str, t.Any]) -> dict[str, int | None]:
    """Count what is not covered; None is what nobody could tell, which is something else than none."""
    inventory = ("hosts_without_identity", "identities_without_host")
    rogue, silent = len(covered["rogue"]), len(covered["issuers_silent"])
    return {
        **{name: len(covered[name]) if covered["hosts"] else None for name in inventory},
        "rogue": rogue if rogue or (covered["issuers_asked"] and not silent) else None,
        "issuers_silent": silent,
    }
