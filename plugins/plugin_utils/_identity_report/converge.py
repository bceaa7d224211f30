# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The whole of identity_report: what is known is gathered, figures are made of it, and files of those."""

from __future__ import annotations

import re
import typing as t
from datetime import timedelta
from pathlib import Path

from ...module_utils._core.errors import Misconfigured
from ...module_utils._core.model import OBSERVED
from .._ledger import reported
from .._ledger import rows as ledgers
from .._ledger.moments import stamp
from .._ledger.queries import credentials
from .._policy.load import load
from .._policy.weak_lists import known_weak
from .._recall import opened
from .._records.files import read
from .._rows.alike import Alike
from .._rows.row import OBSERVED as OF_OTHERS
from .._rows.selection import IN_USE, Selection
from .._rows.strength import broken_keys
from .backends import Told
from .figures import Known, figures
from .files import WHO, File, check, differs, put
from .metrics import SUFFIX
from .sentences import silent

if t.TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from .._rows.row import Row
    from .figures import Figures

FILES = ("html", "json", "csv", "cbom", "metrics")
_MADE_AT = re.compile(rb'"made_at": "[^"]*"')


LAST_EVENTS = 200
ANSWERS_DAYS = 30


class Setting(t.NamedTuple):
    """How the task runs, and which hosts the inventory has."""

    check: bool
    hosts: tuple[str, ...] = ()


def report(args: t.Mapping[str, t.Any], setting: Setting, now: datetime) -> dict[str, t.Any]:
    """Make what validated options ask for; return what the task returns. Raises KeysteadError."""
    _check(args)
    found = figures(_known(args, setting, now), now)
    files = list(_files(args, found))
    check(files)
    told = [{"path": str(one.path), "changed": differs(one)} for one in files]
    if not setting.check:
        put(files)
    warnings = [f"{WHO}: it is not known whether others got certificates of {line}" for line in silent(found)]
    return {
        "changed": any(one["changed"] for one in told), "files": told, "totals": found["totals"], "warnings": warnings,
    }  # fmt: skip


def _check(args: t.Mapping[str, t.Any]) -> None:
    if not any(args[name] for name in FILES):
        raise Misconfigured(f"{WHO}: none of {', '.join(FILES)} says where to write; set one of them")
    if not args["title"].strip():
        raise Misconfigured(f"{WHO}: option title is empty; leave it out, or say what the report is called")
    if args["metrics"] and not args["metrics"].endswith(SUFFIX):
        wrong = f"option metrics: {args['metrics']} does not end in {SUFFIX}, so collectors pass it over; rename it"
        raise Misconfigured(f"{WHO}: {wrong}")


def _known(args: t.Mapping[str, t.Any], setting: Setting, now: datetime) -> Known:
    policy, records = load(args["policy"], now), read(args["records"] or ())
    with opened(args, WHO) as ledger:
        ours = [_as_known(one) for one in ledgers.select(ledger, Selection(states=(IN_USE,)))]
        never, events = reported.never(ledger), reported.events(ledger, LAST_EVENTS)
        answers = reported.answers(ledger, stamp(now - timedelta(days=ANSWERS_DAYS)))
        told = Told(reported.signed(ledger), reported.kept(ledger), answers)
        rows = [*ours, *_elsewhere(records, ours)]
        broken = broken_keys(ledger, rows, known_weak(policy.weak_lists))
        issued = credentials(ledger)
        ledger_id = ledger.id
    if args["issuers"]:  # the ledger is closed by then: an issuer may take its time
        from .listed import Seen, ask

        told = told._replace(asked=ask(args["issuers"], Seen(issued, Alike(records)), now))
    return Known(ledger_id, args["title"], policy, rows, Alike(rows), broken, told, setting.hosts, never, events)


def _elsewhere(records: Sequence[Row], ours: Sequence[Row]) -> list[Row]:
    """Return the records without what a scanner found where we have put it: that is known already."""
    placed = Alike(ours if records else ())
    return [one for one in records if not placed.is_in_place(one)]


def _as_known(row: Row) -> Row:
    """Return what is only observed as what others look after: the ledger has its certificate and nothing else."""
    if not (row.issuer_id or "").startswith(OBSERVED):
        return row
    return row._replace(managed=False, state=OF_OTHERS, issuer_id=None, custody=None)


def _files(args: t.Mapping[str, t.Any], found: Figures) -> t.Iterator[File]:
    """Yield what is to be written. What makes a form is loaded only for whom wants that."""
    from . import cbom, metrics, page, tables

    if args["html"]:
        yield File("html", Path(args["html"]), page.as_html(found), page.MADE_AT)
    if args["json"]:
        yield File("json", Path(args["json"]), tables.as_json(found), _MADE_AT)
    if args["csv"]:
        for name, content in tables.as_csv(found).items():
            yield File("csv", Path(args["csv"], name), content)
    if args["cbom"]:
        yield File("cbom", Path(args["cbom"]), cbom.as_cbom(found), cbom.MADE_AT)
    if args["metrics"]:
        yield File("metrics", Path(args["metrics"]), metrics.as_metrics(found), metrics.MADE_AT)
