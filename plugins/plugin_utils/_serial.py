# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How a serial number is shown and asked for. Kept apart: a run that has nothing to do parses no certificate."""

from __future__ import annotations


def with_colons(number: int) -> str:
    """Return a serial number as most tools write it: in hexadecimal, two digits between colons."""
    digits = f"{abs(number):x}"
    octets = bytes.fromhex(digits.zfill(len(digits) + len(digits) % 2))
    return ("-" if number < 0 else "") + octets.hex(":")
