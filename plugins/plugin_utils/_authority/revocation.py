# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""Taking certificates back: first the records, then the list that has them."""

from __future__ import annotations

import typing as t

from . import crl, records
from .files import locked

if t.TYPE_CHECKING:
    import datetime as dt

    from ...module_utils._core.ports import Revoked
    from .store import Authority


def revoke(authority: Authority, key: t.Any, serials: t.Sequence[int], reason: str, now: dt.datetime) -> list[Revoked]:
    """Take certificates back and publish the list. The first record of a certificate stands."""
    with locked(authority.lock):
        new = [one for one in dict.fromkeys(serials) if records.find(authority, one) is None]
        if new:
            records.write(authority, new, reason, now)
        if crl.due(authority, now):
            crl.make(authority, key, now)
        return [record for one in serials if (record := records.find(authority, one))]
