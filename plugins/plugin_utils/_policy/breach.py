# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a rule finds, and how a value is compared with what is permitted."""

from __future__ import annotations

import re
import typing as t

if t.TYPE_CHECKING:
    from .candidate import Candidate

Says = t.Mapping[str, t.Any]
LONGEST_TRIED = 300
"""Characters of a name for which `re` may go back and forth."""
_STARS: t.Mapping[str, str] = {".*": "\n", "[^./:]*": "./:"}
"""What may be repeated in a pattern, and what it does not stand for."""
_TOKEN = re.compile(r"\[\^\./:\]\*|\.\*|\\.|.", re.DOTALL)


class Breach(t.NamedTuple):
    """What a rule found: the value that it is about, and what to write instead."""

    value: str
    remedy: str


Rule = t.Callable[["Candidate", Says], Breach | None]


def matches(text: str, patterns: t.Iterable[str]) -> bool:
    """Tell whether a text has one of the patterns, which are regular expressions by now (`patterns.py`)."""
    fits = re.fullmatch if len(text) <= LONGEST_TRIED else _walk
    return any(fits(pattern, text) for pattern in patterns)


def _walk(pattern: str, text: str) -> bool:
    """Match a pattern in one pass, all that it may stand for at once: `re` would take minutes for a name of 10 kB."""
    tokens = _TOKEN.findall(pattern)
    states = _and_skipped({0}, tokens)
    for sign in text:
        states = _and_skipped({at for one in states if one < len(tokens) for at in _after(one, tokens, sign)}, tokens)
    return len(tokens) in states


def _after(state: int, tokens: t.Sequence[str], sign: str) -> tuple[int, ...]:
    token = tokens[state]
    if token in _STARS:
        return () if sign in _STARS[token] else (state,)
    return (state + 1,) if sign == token[-1] else ()


def _and_skipped(states: set[int], tokens: t.Sequence[str]) -> set[int]:
    """Return states with those behind the stars that may stand for nothing."""
    found = set()
    for one in states:
        found.add(one)
        while one < len(tokens) and tokens[one] in _STARS:
            one += 1  # noqa: PLW2901 - it walks
            found.add(one)
    return found


def not_of(value: str, allowed: t.Collection[str] | None, option: str) -> Breach | None:
    """Return that a value is none of those that are permitted, where anything limits them."""
    if allowed is None or value in allowed:
        return None
    return Breach(f"{option} {value}", f"use {'one of ' if len(allowed) > 1 else ''}{few(allowed) or 'none'}")


def few(values: t.Iterable[str], most: int = 9) -> str:
    """Return values as a text that is not too long."""
    found = list(values)
    return ", ".join(found[:most]) + (f" and {len(found) - most} more" if len(found) > most else "")
