# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What has to be done about all that is touched, in order.

People are told who act by themselves; what nobody uses is revoked at once; then, host by host, keys are replaced; and
only then what was in use is revoked. Who signed is told of what nobody here can revoke.
"""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import printable
from . import actions

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .._rows.row import Row
    from .actions import Record, Verdict


class Found(t.NamedTuple):
    """A credential that is touched, why, and what helps."""

    row: Row
    why: str
    verdict: Verdict


def place(row: Row) -> str:
    """Return where a credential is, for people."""
    return printable(f"{row.name} on {row.host or 'a host that is not named'}")


def steps(found: Sequence[Found], reason: str) -> list[Record]:
    """Return the steps; `reason` is that of RFC 5280, 5.3.1. Hosts come in the order in which they are found."""

    def those(*wanted: str) -> list[Row]:
        return [one.row for one in found if one.verdict.actions == wanted]

    told = those(actions.TELL)
    said = [
        *_telling([row for row in told if not row.managed]),
        *_told_to_revoke([row for row in told if row.managed]),
        *_revoking(those(actions.REVOKE), reason),
        *_replacing([one.row for one in found if actions.REPLACE in one.verdict.actions]),
        *_revoking(those(actions.REPLACE, actions.REVOKE), reason),
        *_told_to_revoke(those(actions.REPLACE, actions.TELL)),
    ]
    return [{"order": number, **step} for number, step in enumerate(said, 1)]


def _telling(rows: Sequence[Row]) -> Iterator[Record]:
    if rows:
        yield {**_step(actions.TELL, rows), "identities": [place(row) for row in rows]}


def _told_to_revoke(rows: Sequence[Row]) -> Iterator[Record]:
    for step in _telling(rows):
        yield {**step, "issuers": sorted({printable(actions.signer(row)) for row in rows})}


def _replacing(rows: Iterable[Row]) -> Iterator[Record]:
    by_host: dict[str | None, list[Row]] = {}
    for row in rows:
        by_host.setdefault(row.host, []).append(row)
    for host, there in by_host.items():
        yield {**_step(actions.REPLACE, there), "host": host, "identities": [row.name for row in there]}


def _revoking(rows: Sequence[Row], reason: str) -> Iterator[Record]:
    if rows:
        certificates = {str(one): one for one in map(actions.selector, rows)}  # a copy is on several hosts
        yield {**_step(actions.REVOKE, rows), "reason": reason, "certificates": list(certificates.values())}


def _step(action: str, rows: Sequence[Row]) -> Record:
    contacts = sorted({row.contact for row in rows if row.contact})
    return {"action": action, "module": actions.MODULES.get(action), "contacts": contacts}
