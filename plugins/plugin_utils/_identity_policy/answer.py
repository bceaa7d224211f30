# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The whole of identity_policy: what fails at a moment, why, what to change, and what will fail on which day."""

from __future__ import annotations

import contextlib
import datetime as dt
import typing as t

from ...module_utils._core.errors import Misconfigured
from ...module_utils._options.ledger_info import SELECT
from .._as_said import moment
from .._ledger.rows import select
from .._policy.load import at, compiled_of, load
from .._recall import opened
from .._records.files import read
from .._rows.asked import selection
from .._rows.selection import fits
from .calendar import Rules, calendar
from .controls import Asked, controls, controls_asked
from .difference import difference
from .failure import failures, said
from .given import certificate, declared
from .not_judged import not_judged
from .subject import WHO, of_rows, who_is
from .versions import of_controller

if t.TYPE_CHECKING:
    from .._inventory import Place
    from .._ledger.chain import Readable
    from .._policy.policy import Policy
    from .._rows.row import Row
    from .._rows.selection import Selection
    from .failure import Failure
    from .subject import Fields, Subject

MOST = 100_000
LONGEST_CALENDAR = dt.timedelta(days=36500)

Options = t.Mapping[str, t.Any]


def answer(args: Options, now: dt.datetime, where: Place, *, check: bool = False) -> Fields:
    """Return what the task returns; `where` is the host that it is for. Raises KeysteadError.

    The ledger is opened to be read, and must be there, unless something else is given to be judged.
    """
    _check(args)
    begin = moment_of(args["as_of"], "as_of", now) if args["as_of"] is not None else now
    end = moment_of(args["until"], "until", begin) if args["until"] is not None else None
    rules = Rules(compiled_of(args["policy"]), args["policy"])
    policy = at(dict(rules.compiled), rules.path, begin)
    with _ledger(args) as ledger:
        subjects = subjects_of(args, now, where, ledger)
        looked = args["findings"] or controls_asked(args)
        found = _found(subjects, ledger, policy, begin, selection(args, now, WHO)) if looked else []
        judged = controls(args, subjects, found, Asked(ledger, policy, rules.compiled, begin, check))
    days = [] if end is None else calendar(subjects, rules, begin, end)
    return {
        **judged,
        "as_of": f"{begin:%Y-%m-%dT%H:%M:%SZ}",
        "policy": policy.source,
        "counts": _counts(subjects),
        **_shown(failures(subjects, policy, begin), args["limit"]),
        **_said_of(found, args),
        "difference": _difference(args, subjects, policy, begin),
        "calendar": [_day(one, args["limit"]) for one in days],
        "not_judged": not_judged(policy, subjects),
    }


def _check(args: Options) -> None:
    if not 1 <= args["limit"] <= MOST:
        raise Misconfigured(f"{WHO}: option limit: {args['limit']} is not from 1 to {MOST}; write such a number")
    if args["evidence"] is not None and args["as_of"] is not None:
        raise Misconfigured(f"{WHO}: option evidence is about what is there now; leave as_of out")
    if controls_asked(args) and (args["certificates"] is not None or args["declarations"] is not None):
        raise Misconfigured(
            f"{WHO}: options frameworks and evidence are about the ledger; leave certificates and declarations out"
        )


@contextlib.contextmanager
def _ledger(args: Options) -> t.Iterator[Readable | None]:
    """Open the ledger to be read, unless something else is given to be judged; it must be there."""
    if args["certificates"] is not None or args["declarations"] is not None:
        yield None
        return
    with opened(args, WHO) as ledger:
        yield ledger


def subjects_of(args: Options, now: dt.datetime, where: Place, ledger: Readable | None) -> list[Subject]:
    """Return what is judged: what is given, or what the ledger has in use and options select; and records."""
    asked = selection(args, now, WHO)
    public = args["public_issuers"]
    records = of_rows((one for one in read(args["records"] or ()) if fits(one, asked)), public)
    if ledger is not None:
        return [*of_rows(select(ledger, asked), public), *records]
    for option in (*SELECT, "managed"):
        if args[option] is not None:
            raise Misconfigured(
                f"{WHO}: option {option} selects from the ledger, which is not asked where certificates or "
                "declarations are given; leave one of them out"
            )
    said = enumerate(args["certificates"] or (), len(records))
    given = [certificate(one, number, f"{WHO}: option certificates", public) for number, one in said]
    return [*(declared(args["declarations"], where, WHO) if args["declarations"] else ()), *given, *records]


def _found(
    subjects: t.Sequence[Subject], ledger: Readable | None, policy: Policy, begin: dt.datetime, asked: Selection
) -> list[tuple[Row, dict[str, str]]]:
    from .findings import findings

    return findings(ledger, [one.row for one in subjects if one.row is not None], policy, begin, asked)


def _said_of(found: t.Sequence[tuple[Row, dict[str, str]]], args: Options) -> Fields:
    if not args["findings"]:
        return {"findings": None, "total_findings": None, "versions": None}
    return {
        "findings": [{**who_is(row), **one} for row, one in found[: args["limit"]]],
        "total_findings": len(found),
        "versions": {"controller": of_controller(), "hosts": None},
    }


def _difference(args: Options, subjects: t.Sequence[Subject], policy: Policy, begin: dt.datetime) -> Fields | None:
    path = args["compare_with"]
    return None if path is None else difference(subjects, policy, load(path, begin, "compare_with"), args["limit"])


def moment_of(text: str, option: str, earliest: dt.datetime) -> dt.datetime:
    """Return a moment, or the last one of a day, which is not before another. Raises Misconfigured."""
    found = moment(f"{text}T23:59:59.999Z" if _is_day(text) else text, f"{WHO}: option {option}")
    if found < earliest:
        raise Misconfigured(
            f"{WHO}: option {option}: {text} is before {earliest:%Y-%m-%dT%H:%M:%SZ}; only what is there now is known, "
            "so write a later day, as 2027-03-15"
        )
    if found - earliest > LONGEST_CALENDAR:
        raise Misconfigured(f"{WHO}: option {option}: {text} is more than 36500 days ahead; write an earlier day")
    return found


def _is_day(text: str) -> bool:
    try:
        return dt.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _counts(subjects: t.Sequence[Subject]) -> dict[str, int]:
    managed = sum(one.row is not None and one.row.managed for one in subjects)
    observed = sum(one.row is not None and not one.row.managed for one in subjects)
    return {"managed": managed, "observed": observed, "declared": len(subjects) - managed - observed}


def _shown(found: t.Sequence[Failure], limit: int) -> Fields:
    by_rule: dict[str, int] = {}
    for one in found:
        name = one.rule or one.code
        by_rule[name] = by_rule.get(name, 0) + 1
    return {"fails": [said(one) for one in found[:limit]], "total": len(found), "by_rule": by_rule}


def _day(one: Fields, limit: int) -> Fields:
    totals = {name: len(one[name]) for name in ("fails", "ends")}
    return {**one, "fails": one["fails"][:limit], "ends": one["ends"][:limit], "totals": totals}
