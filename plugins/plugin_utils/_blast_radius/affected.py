# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What an incident touches: what is named, and where a key leaked, all that has it or was signed with it."""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import printable
from ...module_utils._core.keys import spki_sha256
from .._ledger import rows as ledgers
from .._rows.alike import each_of
from .._rows.selection import Selection, fits
from .signers import below
from .steps import place

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cryptography import x509

    from .._ledger.chain import Readable
    from .._rows.row import Key, Row
    from .signers import Below

NAMED = "it is what was asked for"


class Asked(t.NamedTuple):
    """What the incident is about: rows, authorities by their certificates, and whether keys leaked."""

    rows: Selection
    authorities: tuple[x509.Certificate, ...]
    by_key: bool


class Affected(t.NamedTuple):
    """A credential, and why it is touched, as a clause."""

    row: Row
    why: str


def find(ledger: Readable, records: Sequence[Row], asked: Asked) -> list[Affected]:
    """Return everything that ever was and is touched.

    Where keys leaked, that is whatever else has one of them, and whatever was signed below an authority that has.
    """
    if asked.authorities:
        return _below(ledger, asked)
    named = [*ledgers.select(ledger, asked.rows), *(one for one in records if fits(one, asked.rows))]
    found: dict[Key, Affected] = {row.key: Affected(row, NAMED) for row in named}
    holders = {row.spki: row for row in reversed(named) if row.spki} if asked.by_key else {}
    for row in _with_keys(ledger, records, holders):
        found.setdefault(row.key, Affected(row, f"it has the key of {place(holders[row.spki or ''])}"))
    for one in below(ledger, {*holders, *asked.rows.spki} if asked.by_key else (), ()):
        for row in _of(ledger, one, Selection()):
            found.setdefault(row.key, Affected(row, _above(one)))
    return list(found.values())


def _below(ledger: Readable, asked: Asked) -> list[Affected]:
    """Return what was signed below the authorities that are named, as far as everything else that is asked holds.

    Where the keys of these leaked, other authorities with the same keys count as well.
    """
    keys = {spki_sha256(one.public_key()) for one in asked.authorities} if asked.by_key else set[str]()
    found: dict[Key, Affected] = {}
    for one in below(ledger, keys, asked.authorities):
        for row in _of(ledger, one, asked.rows):
            if fits(row, asked.rows):
                found.setdefault(row.key, Affected(row, _above(one)))
    return list(found.values())


def _of(ledger: Readable, one: Below, asked: Selection) -> t.Iterator[Row]:
    """Yield what is below an authority, and what its issuer was asked for and never answered: that may be, too."""
    for row in ledgers.select(ledger, asked._replace(issuers=(one.issuer_id,))):
        if row.fingerprint is None or row.fingerprint in one.fingerprints:
            yield row


def _above(one: Below) -> str:
    return f"{printable(one.above)} is above it"


def _with_keys(ledger: Readable, records: Sequence[Row], keys: Iterable[str]) -> t.Iterator[Row]:
    wanted = set(keys)
    yield from each_of(ledger, wanted, lambda some: Selection(spki=some))
    yield from (one for one in records if one.spki in wanted)
