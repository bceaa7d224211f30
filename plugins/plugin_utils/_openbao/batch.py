# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Requests of a batch, one after the other: what would end all of them is met once."""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import KeysteadError, Misconfigured, Pending, Unavailable, Unreached
from .._edge import unexpected
from .errors import WHO, LoggedOut, Silent, plain

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ...module_utils._core.model import Generation
    from ...module_utils._core.ports import Order, Request

_OVER = (Silent, Misconfigured, Pending, LoggedOut)  # what the next request would meet as well


def one_by_one(
    requests: Sequence[Request], sign: Callable[[Request], Generation]
) -> list[Generation | Order | KeysteadError]:
    """Ask for one after the other. What ends all of them is asked for once, a broken server twice in a row."""
    answers: list[Generation | Order | KeysteadError] = []
    over: KeysteadError | None = None
    for request in requests:
        last, answer = answers[-1] if answers else None, _not_asked(over) or _answer(request, sign)
        answers.append(plain(answer) if isinstance(answer, KeysteadError) else answer)
        if isinstance(answer, _OVER) or (isinstance(answer, Unavailable) and isinstance(last, Unavailable)):
            over = answer
    return answers


def _answer(request: Request, sign: Callable[[Request], Generation]) -> Generation | KeysteadError:
    try:
        return sign(request)
    except KeysteadError as error:
        return error
    except Exception as error:  # noqa: BLE001 - what was signed before must not get lost with it
        return Unavailable(unexpected(WHO, error))


def _not_asked(over: KeysteadError | None) -> KeysteadError | None:
    """Return the error of a request that nobody is asked any more, since another one was answered like this."""
    return Unreached(str(over)) if isinstance(over, Unavailable) else over
