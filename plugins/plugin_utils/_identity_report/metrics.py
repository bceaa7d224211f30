# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The figures for the textfile collector of Prometheus's node_exporter: text format 0.0.4, without timestamps.

What has ended stays in it for as long as the ledger has it in use, so an alert ends when somebody renewed it, or
declared it absent, and never because it went out of sight.
"""

from __future__ import annotations

import re
import typing as t
from datetime import datetime

from .groups import called
from .risk import LEVELS

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .figures import Figures

MADE_AT = re.compile(rb"(?m)^keystead_report_made_timestamp_seconds\{[^}]*\} \d+$")
SUFFIX = ".prom"
_UNCOVERED = ("hosts_without_identity", "identities_without_host", "rogue", "issuers_silent")

Sample = tuple[t.Mapping[str, t.Any], float]
_ESCAPED = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


class Metric(t.NamedTuple):
    """A gauge: its name, what it says, and its samples, each with its labels."""

    name: str
    says: str
    samples: Iterable[Sample]


def as_metrics(figures: Figures) -> bytes:
    """Return the file."""
    ledger = {"ledger": figures["ledger_id"]}  # files of several may stand in one directory
    return as_text(_metrics(figures), ledger)


def as_text(metrics: Iterable[Metric], common: Mapping[str, str]) -> bytes:
    """Return metrics, each of whose samples has the labels in `common`, as a collector reads them."""
    found = [line for metric in metrics for line in _lines(metric, common)]
    return ("\n".join(found) + "\n").encode("utf-8", "backslashreplace")


def _metrics(figures: Figures) -> Iterator[Metric]:
    totals, identities = figures["totals"], list(_places(figures["identities"]))
    yield Metric("report_made_timestamp_seconds", "When this report was made.", [({}, _seconds(figures["made_at"]))])
    ends = [(_who(one), _seconds(one["certificate"]["not_after"])) for one in identities if _ends(one)]
    yield Metric("identity_not_after_timestamp_seconds", "When an identity in use ends, or has ended.", ends)
    risks = [(_where(one), one["score"]) for one in identities]
    yield Metric("identity_risk_score", "How bad the reasons of an identity are, from 0 to 100.", risks)
    levels = [({"risk": name}, totals["without_risk" if name == "none" else name]) for name in LEVELS]
    yield Metric("identities", "Identities in use, by risk.", levels)
    found = [({"code": one["code"]}, one["identities"]) for one in figures["findings"]]
    yield Metric("findings", "Identities with a finding, by its code.", found)
    covered = [({"what": name}, totals[name]) for name in _UNCOVERED if totals[name] is not None]
    never = ({"what": "never_issued"}, len(figures["coverage"]["never_issued"]))
    yield Metric("uncovered", "What is not covered, by what it is.", [*covered, never])
    yield from _of_backends(figures["backends"])


def _of_backends(backends: Iterable[Mapping[str, t.Any]]) -> Iterator[Metric]:
    known = [({"kind": one["kind"], "name": one["name"]}, one) for one in backends]
    up = [(labels, one["health"] != "failed") for labels, one in known if one["health"] not in {None, "unknown"}]
    yield Metric("backend_up", "Whether a backend works: 0 where it does not.", up)
    used = [(labels, one["identities"]) for labels, one in known]
    yield Metric("backend_identities", "Identities in use of a backend.", used)
    last = [(labels, _seconds(one["last"])) for labels, one in known if one["last"]]
    yield Metric("backend_last_issue_timestamp_seconds", "When a backend was used last.", last)


def _places(identities: Iterable[Mapping[str, t.Any]]) -> Iterable[Mapping[str, t.Any]]:
    """Return one of each place: where it has several generations in use, or records, what ends first."""
    found: dict[tuple[t.Any, ...], Mapping[str, t.Any]] = {}
    for one in identities:
        key = tuple(_where(one).values())
        if key not in found or (_ends(one) or "~") < (_ends(found[key]) or "~"):
            found[key] = one
    return found.values()


def _ends(one: Mapping[str, t.Any]) -> str | None:
    return (one["certificate"] or {}).get("not_after")


def _where(one: Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return the labels that tell an identity from all others; they stay as they are when it is renewed."""
    return {
        "host": one["host"], "store": one["store"], "identity": one["name"], "managed": str(one["managed"]).lower(),
    }  # fmt: skip


def _who(one: Mapping[str, t.Any]) -> dict[str, t.Any]:
    issuer = called(one["issuer_id"]) if one["issuer_id"] else one["certificate"].get("issuer")
    return {**_where(one), "service": one["service"], "contact": one["contact"], "issuer": issuer}


def _lines(metric: Metric, common: Mapping[str, str]) -> Iterator[str]:
    name = f"keystead_{metric.name}"
    yield f"# HELP {name} {metric.says}"
    yield f"# TYPE {name} gauge"
    for labels, value in metric.samples:
        told = {key: str(said).translate(_ESCAPED) for key, said in {**common, **labels}.items() if said}
        text = ",".join(f'{key}="{said}"' for key, said in told.items())
        yield f"{name}{{{text}}} {int(value)}"


def _seconds(at: str) -> float:
    return datetime.fromisoformat(at).timestamp()
