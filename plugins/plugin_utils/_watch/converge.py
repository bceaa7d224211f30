# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The whole of identity_watch: what there is to watch is looked at, judged, and written where it is asked for."""

from __future__ import annotations

import json
import re
import typing as t
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from ...module_utils._core.errors import Misconfigured
from .._identity_report.files import WHO as OF_FILES
from .._identity_report.files import File, check, differs, put
from .._identity_report.metrics import SUFFIX, Metric, as_text
from . import identities, issuers, ledger
from .judged import STATES, WHO, limits, record, worst_first

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .._endings import Ending
    from .judged import Record

Options = t.Mapping[str, t.Any]
_MADE_AT = {
    "json": re.compile(rb'"made_at": "[^"]*"'),
    "metrics": re.compile(rb"(?m)^keystead_watch_made_timestamp_seconds\{[^}]*\} \d+$"),
}


def watch(args: Options, now: datetime, *, check_mode: bool) -> dict[str, t.Any]:
    """Look at everything; return what the task returns. Raises KeysteadError."""
    bounds = limits(args)
    if args["metrics"] and not args["metrics"].endswith(SUFFIX):
        wrong = f"option metrics: {args['metrics']} does not end in {SUFFIX}, so collectors pass it over; rename it"
        raise Misconfigured(f"{WHO}: {wrong}")
    found = worst_first(record(one, bounds, now) for one in _endings(args, now))
    count = Counter(one["state"] for one in found)
    told = {
        "watched": found,
        "alerts": [one for one in found if one["state"] != "ok"],
        "totals": {state: count[state] for state in STATES},
    }
    files = list(_files(args, told, now))
    return {**told, **_written(files, check_mode=check_mode)}


def _endings(args: Options, now: datetime) -> Iterator[Ending]:
    yield from ledger.endings(args, now)
    if args["identities"] and ledger.known(args):
        yield from identities.endings(args, now)
    yield from issuers.endings(args["issuers"] or ())


def _files(args: Options, told: Record, now: datetime) -> Iterator[File]:
    if args["json"]:
        said = {"made_at": f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", "ledger": ledger.place(args), **told}
        content = json.dumps(said, indent=1, ensure_ascii=False) + "\n"
        yield File("json", Path(args["json"]), content.encode("utf-8", "backslashreplace"), _MADE_AT["json"])
    if args["metrics"]:
        content_of = as_text(_metrics(told["watched"], now), {"ledger": ledger.place(args)})
        yield File("metrics", Path(args["metrics"]), content_of, _MADE_AT["metrics"])


def _metrics(found: Sequence[Record], now: datetime) -> Iterator[Metric]:
    """Yield what a collector reads; the report has the metrics of identities."""
    yield Metric("watch_made_timestamp_seconds", "When this was found out.", [({}, now.timestamp())])
    known = [({"what": one["what"], "name": one["name"]}, one) for one in found if one["what"] != "identity"]
    states = [(labels, STATES.index(one["state"])) for labels, one in known]
    yield Metric("watch_state", "How it stands: 0 ok, 1 unknown, 2 warning, 3 critical.", states)
    ends = [
        (labels, datetime.fromisoformat(one["expires_at"]).timestamp()) for labels, one in known if one["expires_at"]
    ]
    yield Metric("watch_expires_timestamp_seconds", "When it ends, or has ended.", ends)


def _written(files: Sequence[File], *, check_mode: bool) -> dict[str, t.Any]:
    try:
        check(files)
        told = [{"path": str(one.path), "changed": differs(one)} for one in files]
        if not check_mode:
            put(files)
    except Misconfigured as error:
        raise Misconfigured(f"{WHO}: {str(error).removeprefix(f'{OF_FILES}: ')}") from None
    return {"changed": any(one["changed"] for one in told), "files": told}
