# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""From the options of a task to a selection of rows."""

from __future__ import annotations

import typing as t
from datetime import timedelta

from ...module_utils._core.errors import Misconfigured
from .._as_said import digest, moment, serial_number
from .._durations import seconds
from .._ledger.moments import stamp
from .selection import IN_USE, Selection

if t.TYPE_CHECKING:
    from datetime import datetime

MOST_VALUES = 1000
_LISTS = {
    "services": "service", "contacts": "contact", "issuers": "issuer", "key_types": "key_type",
    "custodies": "custody", "hosts": "host", "identities": "identity",
}  # fmt: skip
_DIGESTS = {"spki": "spki_sha256", "fingerprints": "fingerprint_sha256"}
_MOMENT = timedelta(milliseconds=1)

Options = t.Mapping[str, t.Any]


def selection(said: Options, now: datetime, who: str) -> Selection:
    """Return what validated options select; absent ones are None. `who` begins what is said of a wrong one."""
    for name, values in said.items():
        if isinstance(values, list) and not 0 < len(values) <= MOST_VALUES:
            wrong = f"has {len(values)} values, more than {MOST_VALUES}" if values else "is empty; leave it out"
            raise Misconfigured(f"{who}: option {name} {wrong}")
    fields: dict[str, t.Any] = {field: tuple(said.get(name) or ()) for field, name in _LISTS.items()}
    for field, name in _DIGESTS.items():
        fields[field] = tuple(digest(one, f"{who}: option {name}") for one in said.get(name) or ())
    numbers = said.get("serial_number")
    several = numbers if isinstance(numbers, list) else [] if numbers is None else [numbers]
    fields["serial_numbers"] = tuple(serial_number(one, f"{who}: option serial_number") for one in several)
    begins, ends = _window(said, now, who)
    issued = _issued(said, who)
    found = Selection(
        **fields, ends_from=begins, ends_until=ends, issued_from=issued[0], issued_until=issued[1],
        managed=said.get("managed"),
    )  # fmt: skip
    states = said.get("state") or (() if found.names_certificates else (IN_USE,))
    return found._replace(states=tuple(states))


def _window(said: Options, now: datetime, who: str) -> tuple[str | None, str | None]:
    """Return from when to when, both inclusive, what is selected ends. Of several that are said, all must hold."""
    begins, ends = [], []
    if (within := said.get("expires_within")) is not None:
        begins.append(stamp(now))
        ends.append(stamp(now + timedelta(seconds=_seconds(within, who))))
    if (after := said.get("expires_after")) is not None:
        begins.append(stamp(moment(after, f"{who}: option expires_after")))
    if (before := said.get("expires_before")) is not None:
        ends.append(stamp(moment(before, f"{who}: option expires_before")))
    if said.get("expired") is not None:
        (ends if said["expired"] else begins).append(stamp(now - _MOMENT if said["expired"] else now))
    if begins and ends and max(begins) > min(ends):
        raise Misconfigured(f"{who}: the options about the end leave no time between {max(begins)} and {min(ends)}")
    return max(begins, default=None), min(ends, default=None)


def _issued(said: Options, who: str) -> tuple[str | None, str | None]:
    """Return from when to when, both inclusive, what is selected was issued."""
    after, before = (said.get(f"issued_{name}") for name in ("after", "before"))
    begin = None if after is None else stamp(moment(after, f"{who}: option issued_after"))
    end = None if before is None else stamp(moment(before, f"{who}: option issued_before") - _MOMENT)
    if begin is not None and end is not None and begin > end:
        raise Misconfigured(f"{who}: option issued_after: it is not before issued_before; swap them, or leave one out")
    return begin, end


def _seconds(said: str, who: str) -> int:
    try:
        found = seconds(said)
    except Misconfigured as error:
        raise Misconfigured(f"{who}: option expires_within: {error}") from None
    if found > 36500 * 86400:
        raise Misconfigured(f"{who}: option expires_within: {said} is more than 36500d; write a shorter time")
    return found
