# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A life that an authority made shorter than it was asked to: worth a word, where it is much."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from cryptography import x509

    from ..module_utils._core.ports import Request

_SHORTER = 0.9  # of the lifetime that is asked for: less is worth a word


def shortened(who: str, request: Request, leaf: x509.Certificate) -> str | None:
    """Return that word; None where there is nothing to say."""
    granted = (leaf.not_valid_after_utc - leaf.not_valid_before_utc).total_seconds()
    if granted >= _SHORTER * request.lifetime:
        return None
    end = f"{leaf.not_valid_after_utc:%Y-%m-%d %H:%M}"
    return f"{who}: {request.name}: it grants a life until {end} UTC, shorter than lifetime says"
