# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is judged, whoever told of it: a candidate, as far as it is known, and who it is."""

from __future__ import annotations

import typing as t

from .._policy.signer import of_id
from .._rows.judged import judgeable
from .._rows.selection import Selection, fits

if t.TYPE_CHECKING:
    from .._policy.candidate import Candidate
    from .._rows.row import Row

WHO = "identity_policy"
Fields = dict[str, t.Any]


class Subject(t.NamedTuple):
    """One thing to be judged; `row` is None for what is only declared."""

    candidate: Candidate
    row: Row | None = None

    @property
    def called(self) -> str:
        """What it is called, and on which host."""
        who = self.candidate
        return f"{who.name} on {who.host}" if who.host else who.name

    @property
    def end(self) -> str | None:
        """When it ends, as the ledger has moments; None where that is not known."""
        return None if self.row is None else self.row.not_after

    @property
    def who(self) -> Fields:
        """What says which one it is; None for what is not known."""
        if self.row is not None:
            return who_is(self.row)
        one = self.candidate
        place = {"name": one.name, "host": one.host or None, "store": None, "managed": False}
        return {**place, "service": one.service, "contact": one.contact, "not_after": None, "source": None}


def who_is(row: Row) -> Fields:
    """Return what says which one a row is."""
    names = ("name", "host", "store", "managed", "service", "contact", "source")
    return {**{name: getattr(row, name) for name in names}, "not_after": row.not_after and f"{row.not_after[:19]}Z"}


def of_rows(rows: t.Iterable[Row], public: t.Sequence[str] = ()) -> list[Subject]:
    """Return rows as what is to be judged; each certificate is parsed here, once.

    `public` are ids and names of issuers: what bears one of these names, and was recorded by no id, counts as signed by
    the first one that has an id there.
    """
    asked = Selection(issuers=tuple(public))
    known = next(filter(None, map(of_id, public)), None)
    found = [Subject(judgeable(row), row) for row in rows]
    return [_signed_by(known, one) if known and fits(t.cast("Row", one.row), asked) else one for one in found]


def _signed_by(issuer: t.Any, subject: Subject) -> Subject:
    candidate = subject.candidate
    if "issuer" not in candidate.untold:
        return subject
    return subject._replace(candidate=candidate._replace(issuer=issuer, untold=candidate.untold - {"issuer"}))
