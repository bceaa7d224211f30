# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The edge of the filters about renewal: what they are given, and one sentence for what is wrong with it."""

from __future__ import annotations

import datetime as dt
import typing as t

from ansible.errors import AnsibleFilterError
from jinja2 import Undefined

from ...module_utils._core.errors import KeysteadError, Misconfigured
from .._as_said import moment
from .._durations import seconds
from .._edge import unexpected

T = t.TypeVar("T")


def filtered(who: str, value: t.Any, work: t.Callable[[], T]) -> T:
    """Do the work; what is wrong is an AnsibleFilterError of one sentence."""
    if isinstance(value, Undefined):
        str(value)  # raises what an undefined variable raises everywhere
    try:
        return work()
    except KeysteadError as error:
        message = f"{who}: {error}"
    except Exception as error:  # noqa: BLE001 - an unforeseen error is a sentence, too
        message = unexpected(who, error)
    raise AnsibleFilterError(message)


def clock(now: str | None) -> dt.datetime:
    """Return the moment that is asked for, or now. Raises Misconfigured."""
    return dt.datetime.now(dt.UTC) if now is None else moment(str(now), "now")


def duration(said: t.Any, option: str, least: int) -> dt.timedelta:
    """Return a duration of at least some seconds. Raises Misconfigured."""
    try:
        found = seconds(str(said))
    except Misconfigured as error:
        raise Misconfigured(f"{option}: {error}") from None
    if found < least:
        raise Misconfigured(f"{option}: {said} is too short; write at least {least}s")
    return dt.timedelta(seconds=found)


def count(said: t.Any) -> int:
    """Return how many a run renews at most. Raises Misconfigured."""
    if not str(said).isdecimal() or int(said) < 1:
        raise Misconfigured(f"at_most: {str(said)!r:.40} is no number from 1 on; write how many a run may renew")
    return int(said)
