# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which rows are asked for. What the ledger answers by SQL (`_ledger/rows.py`) and what `fits` says is the same."""

from __future__ import annotations

import typing as t

from .row import LAST

if t.TYPE_CHECKING:
    from .row import Row

IN_USE = "in_use"
STATES = ("intended", "issued", "current", "superseded", "rolled_back", "withdrawn", "released", "revoked", "refused",
          "orphaned")  # fmt: skip
"""Of generations, as the ledger has them."""


class Selection(t.NamedTuple):
    """All that is given must hold; of the values of one field, any. Nothing given selects every row.

    An issuer is the id of who signed, the beginning of one up to a colon, or the name that a certificate has for its
    issuer. `ends_from`, `ends_until`, `issued_from` and `issued_until` are moments as the ledger has them, all
    inclusive. A record counts as issued when it begins to be valid, and at any time where that is not known.
    """

    services: tuple[str, ...] = ()
    contacts: tuple[str, ...] = ()
    issuers: tuple[str, ...] = ()
    key_types: tuple[str, ...] = ()
    custodies: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    identities: tuple[str, ...] = ()
    spki: tuple[str, ...] = ()
    fingerprints: tuple[str, ...] = ()
    serial_numbers: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    ends_from: str | None = None
    ends_until: str | None = None
    issued_from: str | None = None
    issued_until: str | None = None
    managed: bool | None = None

    @property
    def names_certificates(self) -> bool:
        """Whether it selects by what only certificates have, wherever they are, or were."""
        return bool(self.spki or self.fingerprints or self.serial_numbers)


_PLAIN: tuple[tuple[str, str], ...] = (
    ("services", "service"), ("contacts", "contact"), ("key_types", "key_type"), ("custodies", "custody"),
    ("hosts", "host"), ("identities", "name"), ("spki", "spki"), ("fingerprints", "fingerprint"),
    ("serial_numbers", "serial_number"),
)  # fmt: skip


def fits(row: Row, asked: Selection) -> bool:
    """Tell whether a row is selected."""
    if asked.managed is not None and row.managed != asked.managed:
        return False
    if any((said := getattr(asked, field)) and getattr(row, of) not in said for field, of in _PLAIN):
        return False
    if asked.states and not (row.state in asked.states or (row.in_use and IN_USE in asked.states)):
        return False
    if asked.issuers and not any(_is_of(row, one) for one in asked.issuers):
        return False
    issued = row.issued_at is None or _is_between(row.issued_at, asked.issued_from, asked.issued_until)
    return issued and _is_between(row.not_after, asked.ends_from, asked.ends_until)


def _is_between(at: str | None, begin: str | None, end: str | None) -> bool:
    if begin is None and end is None:
        return True
    return at is not None and (begin or "") <= at <= (end or LAST)


def _is_of(row: Row, issuer: str) -> bool:
    known = row.issuer_id or ""
    return issuer in (row.issuer_id, row.issuer) or known.startswith(f"{issuer}:")
