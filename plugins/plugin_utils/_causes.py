# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What an error was made of: libraries wrap what happened in errors of their own."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Iterator


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it was made of: libraries wrap them in their arguments, or as reason or cause."""
    todo, seen = [error], set[int]()
    while todo:
        one = todo.pop(0)
        if id(one) not in seen:
            seen.add(id(one))
            yield one
            further = (*one.args, getattr(one, "reason", None), one.__cause__, one.__context__)
            todo += [each for each in further if isinstance(each, BaseException)]
