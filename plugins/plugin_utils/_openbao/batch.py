# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The calls of a batch: what would end all of them is met once, whether they are made one by one or side by side."""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import KeysteadError, Misconfigured, Pending, Unavailable, Unreached
from .._edge import unexpected
from .errors import WHO, LoggedOut, Silent, plain

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ...module_utils._core.model import Generation
    from ...module_utils._core.ports import Order, Request

AT_ONCE = 4  # the server works on the next ones while it waits for its disk, and Python for it
_OVER = (Silent, Misconfigured, Pending, LoggedOut)  # what the next request would meet as well
_ENDS = (Silent, Misconfigured, LoggedOut)
Item = t.TypeVar("Item")
Answer = t.TypeVar("Answer")


def one_by_one(
    requests: Sequence[Request], sign: Callable[[Request], Generation]
) -> list[Generation | Order | KeysteadError]:
    """Ask for one after the other. What ends all of them is asked for once, a broken server twice in a row."""
    answers: list[Generation | Order | KeysteadError] = []
    over: KeysteadError | None = None
    for request in requests:
        last = answers[-1] if answers else None
        ended = _not_asked(over)
        answer = _answer(request, sign) if ended is None else ended
        answers.append(plain(answer) if isinstance(answer, KeysteadError) else answer)
        if isinstance(answer, _OVER) or (isinstance(answer, Unavailable) and isinstance(last, Unavailable)):
            over = answer
    return answers


def side_by_side(items: Sequence[Item], call: Callable[[Item], Answer]) -> list[Answer | KeysteadError]:
    """Make a call for each, some at once; return the answers in their order. What ends all of them begins no more."""
    over: list[KeysteadError] = []

    def made(item: Item) -> Answer | KeysteadError:
        answer = over[0] if over else _answer(item, call)
        if isinstance(answer, _ENDS):
            over.append(answer)
        return plain(answer) if isinstance(answer, KeysteadError) else answer

    if len(items) < 2:
        return [made(item) for item in items]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(min(AT_ONCE, len(items))) as pool:
        return list(pool.map(made, items))


def _answer(item: Item, call: Callable[[Item], Answer]) -> Answer | KeysteadError:
    try:
        return call(item)
    except KeysteadError as error:
        return error
    except Exception as error:  # noqa: BLE001 - what was signed before must not get lost with it
        return Unavailable(unexpected(WHO, error))


def _not_asked(over: KeysteadError | None) -> KeysteadError | None:
    """Return the error of a request that nobody is asked any more, since another one was answered like this."""
    return Unreached(str(over)) if isinstance(over, Unavailable) else over
