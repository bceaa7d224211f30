# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What an issuer has to say beside its answers: each line once, however many certificates it is about."""

from __future__ import annotations


class Advice:
    """Lines that somebody hands in by calling this, and that are taken once."""

    def __init__(self) -> None:
        """Begin with nothing said."""
        self._waiting: list[str] = []
        self._said: set[str] = set()

    def __call__(self, line: str) -> None:
        """Keep a line that was not said before."""
        if line not in self._said:
            self._said.add(line)
            self._waiting.append(line)

    def take(self) -> list[str]:
        """Return what was handed in and not taken yet."""
        lines, self._waiting = self._waiting, []
        return lines
