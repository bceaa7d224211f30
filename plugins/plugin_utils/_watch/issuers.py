# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How issuers stand: whether each would sign now, and when what it depends on ends. Nothing is signed or changed."""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import KeysteadError, Unavailable
from ...module_utils._core.ports import Chained, Preflight
from .._chain_endings import of_chain
from .._declare import checked_issuer
from .._endings import Ending, Ends
from .._signers import Signers
from .judged import WHO, worded

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ...module_utils._core.ports import Issuer

_WATCHED = ("authority", "token")
"""Checks whose warnings are endings of their own here, with the limits of the task."""


def endings(issuers: Sequence[t.Mapping[str, t.Any]]) -> Iterator[Ending]:
    """Yield what is found of each issuer. Raises Misconfigured where an option of one is wrong."""
    for said in issuers:
        checked = checked_issuer(said)
        if checked is None:
            continue
        ((backend, options),) = checked.items()
        called = f"{backend}:{(options or {}).get('url') or (options or {}).get('authority') or ''}".rstrip(":")
        try:
            (issuer,) = Signers([checked], WHO).all()
        except KeysteadError as error:
            yield _failed(called, error)
            continue
        yield from _of(issuer)


def _of(issuer: Issuer) -> Iterator[Ending]:
    try:
        yield from _fit(issuer)
        if isinstance(issuer, Chained):
            yield from of_chain(issuer.chain())
    except KeysteadError as error:
        yield _failed(issuer.id, error)
        if isinstance(error, Unavailable):
            return
    try:
        if isinstance(issuer, Ends):
            yield from issuer.endings()
    except KeysteadError as error:
        yield _failed(issuer.id, error)


def _fit(issuer: Issuer) -> Iterator[Ending]:
    """Yield whether it would sign; what ends it is raised."""
    if not isinstance(issuer, Preflight):
        if isinstance(issuer, Ends):  # then its login says more
            return
        yield Ending("issuer", issuer.id, "it cannot look at itself", "the next run shows it", state="unknown")
        return
    passed_over = _WATCHED if isinstance(issuer, Ends) else ()
    state = "ok"
    for check in issuer.preflight():
        if check.state == "failed" or (check.state == "warning" and check.name not in passed_over):
            state = "critical" if check.state == "failed" else "warning"
            yield Ending("issuer", issuer.id, f"{check.name}: {check.found}", check.remedy, state=state)
    if state == "ok":
        yield Ending("issuer", issuer.id, "it would sign now")


def _failed(name: str, error: KeysteadError) -> Ending:
    return Ending("issuer", name, *worded(error), state="critical")
