# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a whole run did to identities, on a screen of 80 columns: counts and reasons by host, and the nearest expiry."""

from __future__ import annotations

import textwrap
import typing as t
from collections import Counter, defaultdict
from datetime import UTC, datetime

from ._report import DONE, told

WIDTH = 79
MOST_NAMES = 4
LONGEST_REASON = 240
TASK = "the whole task"
_ORDER = (*DONE, *(f"would be {word}" for word in DONE), "unchanged", "failed")

Counts = Counter[str]
Reasons = dict[tuple[str, str], list[str]]


class Summary:
    """Collects the results of tasks; `lines` tells of them."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._counts: dict[str, Counts] = defaultdict(Counter)
        self._reasons: dict[str, Reasons] = defaultdict(lambda: defaultdict(list))
        self._expiries: list[tuple[str, str, str]] = []
        self._hidden = False

    def add(self, host: str, result: t.Mapping[str, t.Any], *, check: bool, ignored: bool = False) -> None:
        """Take what a task returned for a host, a loop as a whole."""
        for one in result.get("results") or [result]:
            if "identities" in one:
                for record in one["identities"]:
                    self._add_identity(host, record, check=check, ignored=ignored)
            elif "censored" in one:
                self._hidden = True
            elif not one.get("skipped"):  # a result without records is a failure, whatever Ansible strips from it
                self._note(host, "failed", str(one.get("msg", "")), TASK, ignored=ignored)

    def _add_identity(self, host: str, record: t.Mapping[str, t.Any], *, check: bool, ignored: bool) -> None:
        self._note(host, told(record, check=check), _reason(record), record["name"], ignored=ignored)
        if record["certificate"]:
            self._expiries.append((record["certificate"]["not_after"], record["name"], host))

    def _note(self, host: str, label: str, reason: str, name: str, *, ignored: bool) -> None:
        self._counts[host][label] += 1
        if label != "unchanged":
            shown = f"{label} (ignored)" if ignored and label == "failed" else label
            self._reasons[host][shown, reason].append(name)

    def lines(self) -> list[str]:
        """Return the lines to show; none when no task told of an identity. Hosts with the same story share it."""
        stories: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for host, counts in sorted(self._counts.items()):
            stories[_counted(counts), *_explained(self._reasons[host])].append(host)
        lines = []
        for (counted, *reasons), hosts in stories.items():
            lines += [*_wrapped(f"{_joined(hosts)}: {counted}", "    "), *reasons]
        if len(self._counts) > 1:
            total = sum(self._counts.values(), Counter())
            lines += _wrapped(f"total of {len(self._counts)} hosts: {_counted(total)}", "    ")
        if self._expiries:
            lines += _wrapped(_nearest(*min(self._expiries)), "    ")
        if self._hidden:
            lines.append("not counted: what no_log hides")
        return lines


def _reason(record: t.Mapping[str, t.Any]) -> str:
    """Return why something was done, or what went wrong; issuing explains the other steps."""
    if record["failed"]:
        return str(record["msg"])
    steps = sorted(record["steps"], key=lambda step: step["action"] != "issue")
    return str(steps[0]["reason"]) if steps else ""


def _counted(counts: Counts) -> str:
    return ", ".join(f"{label} {counts[label]}" for label in _ORDER if counts[label])


def _explained(reasons: Reasons) -> list[str]:
    lines = []
    for (label, reason), names in reasons.items():
        short = textwrap.shorten(reason, LONGEST_REASON, placeholder=" ...")
        lines += _wrapped(f"  {label} {_joined(list(dict.fromkeys(names)))}: {short}", "    ")
    return lines


def _joined(names: t.Sequence[str]) -> str:
    rest = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {rest} more" if rest > 0 else "")


def _wrapped(text: str, indent: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, subsequent_indent=indent, break_on_hyphens=False)


def _nearest(not_after: str, name: str, host: str) -> str:
    end = datetime.fromisoformat(not_after)
    left = end - datetime.now(UTC)
    shown = f"in {left.days} days" if left.days > 1 else f"in {left.total_seconds() / 3600:.0f} hours"
    return f"nearest expiry: {name} on {host}, {end:%Y-%m-%d %H:%M} UTC, {'past' if left.days < 0 else shown}"
