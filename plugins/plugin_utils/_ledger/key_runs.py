# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the ledger knows of keys by themselves while they are replaced: who is at work, and which one is prepared."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from .chain import Readable

_AT_WORK = "SELECT holder FROM key_runs WHERE place = ? AND label = ?"
_LATEST = "SELECT max(at) FROM heads WHERE at <= ?"
_PREPARED = "SELECT number, uri, public_id FROM prepared_keys WHERE place = ? AND label = ?"


def at_work(ledger: Readable, place: str, label: str) -> str | None:
    """Return the run that is at work on a key, as it named itself; one that was cut off is among those."""
    rows = ledger.read(_AT_WORK, (place, label))
    return rows[0][0] if rows else None


def prepared(ledger: Readable, place: str, label: str) -> dict[int, tuple[str, str | None]]:
    """Return URI and public id of the generations of a key that were made and are not active yet, by number."""
    return {number: (uri, public_id) for number, uri, public_id in ledger.read(_PREPARED, (place, label))}


def latest(ledger: Readable, until: str) -> str | None:
    """Return the latest moment of any run that wrote something, as far as it is not after another moment."""
    ((found,),) = ledger.read(_LATEST, (until,))
    return None if found is None else str(found)
