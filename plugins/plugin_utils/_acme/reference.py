# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the ledger keeps of an order: where it is, how far, and what was put into a zone for it. Nothing is secret."""

from __future__ import annotations

import typing as t

_TOLD = "told"


class Reference(t.NamedTuple):
    """The URL of an order; whether its server was `told` to look; names and values of the TXT records placed for it.

    As text, the URL and the rest are put together by `#`, which is in none of them.
    """

    url: str
    told: bool = False
    records: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, text: str) -> Reference:
        """Read what the ledger kept."""
        url, *rest = text.split("#")
        pairs = [one.partition("=") for part in rest for one in part.split(",") if "=" in one]
        return cls(url, _TOLD in rest, tuple((name, value) for name, _sign, value in pairs))

    def __str__(self) -> str:
        """Return what the ledger keeps."""
        records = ",".join(f"{name}={value}" for name, value in self.records)
        return "#".join(filter(None, [self.url, _TOLD if self.told else "", records]))
