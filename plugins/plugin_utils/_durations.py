# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Durations as a user writes them: a number and a unit."""

from __future__ import annotations

import re

from ..module_utils._core.errors import Misconfigured

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d{1,9})([smhd])", re.ASCII)
_PER_CENT = re.compile(r"[1-9]\d?%", re.ASCII)
SHORTEST_LIFE = 60
LONGEST_LIFE = 100 * 365 * 86400


def seconds(text: str) -> int:
    """Return a duration of the form `30s`, `5m`, `12h` or `30d` in seconds. Raises Misconfigured."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise Misconfigured(f"{text!r:.60} is not a duration; write a number and s, m, h or d, for example 30d")
    return int(match[1]) * _SECONDS[match[2]]


def timeout(text: str) -> int:
    """Return how long a call may take, in seconds. Raises Misconfigured."""
    found = seconds(text)
    if not found:
        raise Misconfigured(f"{text!r} is no time at all; write for example 30s")
    return found


def lifetime(text: str) -> int:
    """Return how long a credential shall be valid, in seconds. Raises Misconfigured."""
    life = seconds(text)
    if not SHORTEST_LIFE <= life <= LONGEST_LIFE:
        raise Misconfigured(f"{text!r} is no possible lifetime; write one from 60s to 36500d, for example 30d")
    return life


def renew_before(text: str, life: int) -> str:
    """Return `N%`, or seconds as digits, for a credential that lives `life` seconds. Raises Misconfigured."""
    if _PER_CENT.fullmatch(text):
        return text
    if text.endswith("%"):
        raise Misconfigured(f"{text!r:.60} is not a share of the life; write 1% to 99%, for example 33%")
    before = seconds(text)
    if not 0 < before < life:
        raise Misconfigured(
            f"{text!r} leaves no time in a lifetime of {shown(life)}; write a shorter one, more than 0s, or 33%"
        )
    return str(before)


def shown(duration: int) -> str:
    """Return seconds as a user writes them, in the largest unit that says all: `30d`."""
    unit = next(unit for unit in reversed(_SECONDS) if duration % _SECONDS[unit] == 0)
    return f"{duration // _SECONDS[unit]}{unit}"
