# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How old a generation of a key is, and whether that is too old. Pure."""

from __future__ import annotations

import typing as t

from ...module_utils._core.checks import dated_ahead, too_old

if t.TYPE_CHECKING:
    from datetime import datetime

    from .._rotation import Limits
    from .model import Known, Version


def _is_ours(version: Version, known: Known) -> bool:
    """Tell whether a run of ours made a generation."""
    row = known.of(version.uri)
    return row.made if row else known.awaits(version)


def since(version: Version, known: Known) -> datetime | None:
    """Return since when a generation has been there, as far as the ledger, or a backend, says."""
    row, staged = known.of(version.uri), known.staged.get(version.number)
    ours = staged is not None and _is_ours(version, known)  # then a backend's clock, which may be wrong, counts not
    moments = (staged if ours else version.made_at, row.at if row else None)
    return min(filter(None, moments), default=None)


def due(version: Version, known: Known, limits: Limits, ahead: int = 0) -> str | None:
    """Return why a generation is to be replaced; None where it is young enough."""
    at, before = since(version, known) or limits.now, limits.before(ahead)
    if at < before:
        return too_old(at, before)
    if ahead_of := dated_ahead(at, limits.now):
        return ahead_of
    told = version.made_at is not None or _is_ours(version, known)
    if limits.created_before is None or told:
        return None
    return (
        f"nobody knows when it was made: it was there before it was recorded, at {at:%Y-%m-%d %H:%M}, and those from "
        f"before {limits.created_before:%Y-%m-%d %H:%M} are replaced"
    )
