# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is not told of a candidate: a rule that asks for it cannot tell, and that is neither consent nor a breach.

So a rule says one of three things of a candidate: it holds, it is broken, or NotTold (Kleene's logic: what is not told
counts only where it decides).
"""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ...module_utils._core.model import Subject
    from .candidate import Candidate

T = t.TypeVar("T")
X = t.TypeVar("X")


class NotTold(Exception):
    """A rule asks for what is not told; the only argument is what that is."""


class Partly(dict[str, t.Any]):
    """Options of an issuer, of which all others are not told."""

    def get(self, name: str, default: t.Any = None) -> t.Any:
        """Return what is told. Raises NotTold."""
        if name not in self:
            raise NotTold(f"issuer {name}")
        return super().get(name, default)


class _Told:
    """What is told of a candidate, or of its subject."""

    def __init__(self, of: Candidate | Subject, untold: t.Collection[str]) -> None:
        known: dict[str, t.Any] = {n: value for n, value in zip(of._fields, of, strict=True) if n not in untold}
        if "subject" in known:
            known["subject"] = _Told(known["subject"], untold)
        self.__dict__.update(known)

    def __getattr__(self, name: str) -> t.NoReturn:
        """Refuse what is not there."""
        raise NotTold(name)


def told(candidate: Candidate) -> Candidate:
    """Return a candidate that raises NotTold where it is asked for what is not told of it."""
    return t.cast("Candidate", _Told(candidate, candidate.untold)) if candidate.untold else candidate


def first(ask: Callable[[X], T], over: Iterable[X]) -> T | None:
    """Return the first answer that says something (is true), whatever others do not tell.

    Raises NotTold where none does, and one cannot tell.
    """
    unknown: NotTold | None = None
    for one in over:
        try:
            if found := ask(one):
                return found
        except NotTold as error:
            unknown = unknown or error
    if unknown is not None:
        raise unknown
    return None
