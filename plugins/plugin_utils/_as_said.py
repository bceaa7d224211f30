# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Serial numbers, digests and moments as people write them; `where` begins what is said of a wrong one."""

from __future__ import annotations

import datetime as dt
import re
import typing as t

from ..module_utils._core.errors import Misconfigured


def serial_number(said: t.Any, where: str) -> str:
    """Return a serial number in lower-case hex without leading zeros (RFC 5280, 4.1.2.2). Raises Misconfigured."""
    if not isinstance(said, str):
        raise Misconfigured(
            f"{where}: {said!r:.60} was read by YAML as something else than text; quote it: '4a:0b:9c'"
        )
    digits = said.replace(":", "").strip().lower()
    if not re.fullmatch(r"[0-9a-f]{1,40}", digits) or not digits.strip("0"):
        raise Misconfigured(
            f"{where}: {said[:80]!r} is no serial number; write up to 20 bytes in hexadecimal, as "
            "'4a:0b:9c' or '4A0B9C'"
        )
    return digits.lstrip("0")


def digest(said: str, where: str) -> str:
    """Return a SHA-256 in lower-case hex. Raises Misconfigured."""
    digits = said.replace(":", "").strip().lower()
    if not re.fullmatch(r"[0-9a-f]{64}", digits):
        raise Misconfigured(f"{where}: {said[:80]!r} is no SHA-256; write its 64 hexadecimal digits")
    return digits


def moment(said: str, where: str) -> dt.datetime:
    """Return a moment of ISO 8601 in UTC; one without a time zone is none. Raises Misconfigured."""
    try:
        found = dt.datetime.fromisoformat(said)
        at = found.astimezone(dt.UTC)
    except ValueError:
        raise Misconfigured(f"{where}: {said[:60]!r} is no moment; write it as 2026-03-01T10:40:00Z") from None
    except OverflowError:
        raise Misconfigured(
            f"{where}: {said[:60]!r} is in no year from 1 to 9999 by UTC; write it as 2026-03-01T10:40:00Z"
        ) from None
    if found.tzinfo is None:
        raise Misconfigured(f"{where}: {said[:60]!r} has no time zone; write it as 2026-03-01T10:40:00Z")
    return at
