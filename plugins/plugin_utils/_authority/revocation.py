# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""Taking certificates back: first the records, then the list that has them."""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import NotConverged
from . import crl, lists, records
from .files import locked
from .known import NOTHING, Elsewhere

if t.TYPE_CHECKING:
    import datetime as dt

    from ...module_utils._core.ports import Revoked
    from ...module_utils._core.revoking import Revocation
    from .store import Authority


def revoke(  # noqa: PLR0913 - by name, and each is one thing
    authority: Authority,
    key: t.Any,
    serials: t.Sequence[int],
    reason: str,
    now: dt.datetime,
    *,
    elsewhere: Elsewhere = NOTHING,
) -> list[Revoked]:
    """Take certificates back and publish the list, with what others know. The first record of a certificate stands."""
    with locked(authority.lock):
        new = [one for one in dict.fromkeys(serials) if records.find(authority, one) is None]
        if new:
            records.write(authority, new, reason, now)
        if crl.reasons(authority, now, elsewhere):
            crl.make(authority, key, now, elsewhere)
            _check_told(authority, now)
        return [record for one in serials if (record := records.find(authority, one))]


def lacking(authority: Authority, known: t.Sequence[Revocation]) -> set[int]:
    """Return the serial numbers of what is known to be revoked, and lives, that the published list does not have."""
    crls = [lists.found(path) for path in (authority.crl_path, authority.crl_der_path)]
    missing: set[int] = set()
    for one in crls:
        told = one.serial_numbers if one and one.is_of(authority) else frozenset()
        missing |= {one.serial_number for one in known} - told
    return missing


def restore(authority: Authority, key: t.Any, known: t.Sequence[Revocation], now: dt.datetime) -> None:
    """Take back again what is known to be revoked, with its reason and moment, and publish the list."""
    with locked(authority.lock):
        crl.make(authority, key, now, Elsewhere(tuple(known)))
        _check_told(authority, now)
        if missing := lacking(authority, known):
            raise NotConverged(f"{_who(authority)} lacks {len(missing)} certificates that are revoked; run again")


def _check_told(authority: Authority, now: dt.datetime) -> None:
    """Look again: what was made must be whole, and have everything. Raises NotConverged."""
    if crl.reasons(authority, now):
        raise NotConverged(f"{_who(authority)} is not what was made of it just now; run again")


def _who(authority: Authority) -> str:
    return f"local: the revocation list of authority {authority.name} in {authority.path.parent}"
