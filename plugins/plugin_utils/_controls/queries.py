# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The queries of controls: each looks at what there is evidence of, and says what of it is a breach."""

from __future__ import annotations

import itertools
import typing as t

from .._audit import verify
from .._durations import seconds
from .._ledger.moments import moment, stamp
from .._policy.facts import FACTS
from .._policy.live import DAY
from .._policy.policy import ENFORCE
from .._policy.policy import at as value_at

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from .._audit.vouched import Vouched
    from .._ledger.chain import Readable
    from .._rows.row import Row

_WEAK, _WIDE = ("weak_key", "shared_factor", "weak_signature"), ("wide_names", "wide_usages")
_SHARED = ("shared_key", "same_certificate")


class Known(t.NamedTuple):
    """What controls are judged by: rows in use, what was found of each (code and sentence, by its key), the ledger.

    `vouched` has the checkpoints that are believed.
    """

    rows: t.Sequence[Row]
    found: t.Mapping[t.Any, t.Sequence[tuple[str, str]]]
    ledger: Readable
    vouched: Vouched
    at: datetime


class Breach(t.NamedTuple):
    """One breach: of which row, None for one of the ledger itself, what it is, as a sentence, and how severe."""

    row: Row | None
    text: str
    severity: str = ENFORCE


class Answer(t.NamedTuple):
    """How many pieces of evidence there are, 0 for none, and which of them are breaches."""

    evidence: int
    breaches: list[Breach]


Query = t.Callable[[Known], Answer]


def complete(known: Known) -> Answer:
    """Look whether each entry of the inventory has who issued it, its end and its algorithm."""
    return _of(known.rows, _lacks)


def answered_for(known: Known) -> Answer:
    """Look whether somebody answers for each."""
    return _of(known.rows, lambda row: None if row.contact else "nobody answers for it")


def in_time(known: Known) -> Answer:
    """Look whether anything in use has ended, of what has an end.

    Of what we manage also whether it has begun: a record does not say whether it is used yet.
    """
    now = stamp(known.at)

    def judge(row: Row) -> str | None:
        if (row.not_after or "") < now:
            return f"it ended on {(row.not_after or '')[:10]}"
        begins = (row.managed and row.not_before) or now
        return f"it is not valid before {begins[:10]}" if begins > now else None

    return _of([row for row in known.rows if row.not_after is not None], judge)


def not_revoked(known: Known) -> Answer:
    """Look whether anything in use is revoked: of what we manage, since of nothing else we would know."""
    managed = [row for row in known.rows if row.managed]
    return _of(managed, lambda row: f"it is revoked ({row.revocation_reason}), and in use" if row.revoked_at else None)


def strong_keys(known: Known) -> Answer:
    """Look at each key of which the type is known."""
    return _found(known, [row for row in known.rows if row.key_type], _WEAK)


def one_place(known: Known) -> Answer:
    """Look whether each key that is known is in one place."""
    return _found(known, [row for row in known.rows if row.spki or row.fingerprint], _SHARED)


def narrow(known: Known) -> Answer:
    """Look at names and usages of each certificate."""
    return _found(known, [row for row in known.rows if row.certificate or row.names], _WIDE)


def public_life(known: Known) -> Answer:
    """Look whether each certificate lives as long as was permitted on the day when it began, where that is known.

    A life is from the first second to the last, both counted, and a second more is another day (Baseline Requirements,
    6.3.2; RFC 5280, 4.1.2.5). What others typed into a record is taken as it stands.
    """
    steps = {"steps": sorted((day, seconds(life)) for day, life in FACTS["public-tls-validity"].steps.items())}

    def permitted(row: Row) -> int | None:
        return t.cast("int | None", value_at(steps, (row.not_before or "")[:10]))

    def judge(row: Row) -> str | None:
        longest = permitted(row) or 0
        life = int((moment(row.not_after or "") - moment(row.not_before or "")).total_seconds())
        life += row.certificate is not None
        if life <= longest:
            return None
        days = -(-life // DAY)
        return f"it lives {days} days, and {longest // DAY} were permitted on {(row.not_before or '')[:10]}"

    return _of([row for row in known.rows if row.not_after and permitted(row)], judge)


def cnsa_signatures(known: Known) -> Answer:
    """Look at the key of what began after the day from which CNSA 2.0 holds."""
    ((day, permitted),) = FACTS["cnsa-2.0"].steps.items()
    new = [row for row in known.rows if row.key_type and (row.not_before or "") >= day]
    return _of(new, lambda row: None if row.key_type in permitted else f"its key is {row.key_type}")


def recorded(known: Known) -> Answer:
    """Walk along the record of events: evidence up to the last checkpoint that is of somebody who is believed."""
    found = verify.of_ledger(known.ledger, (), known.vouched)
    broken = [] if found.broken is None else [Breach(None, f"the record was altered: {found.broken}")]
    return Answer(max(known.vouched.expected, default=0) if known.vouched.keys else 0, broken)


QUERIES: t.Mapping[str, Query] = {
    "complete": complete,
    "answered_for": answered_for,
    "in_time": in_time,
    "not_revoked": not_revoked,
    "strong_keys": strong_keys,
    "one_place": one_place,
    "narrow": narrow,
    "public_life": public_life,
    "cnsa_signatures": cnsa_signatures,
    "recorded": recorded,
}


def _of(rows: t.Sequence[Row], judge: t.Callable[[Row], str | None]) -> Answer:
    return Answer(len(rows), [Breach(row, text) for row in rows if (text := judge(row)) is not None])


def _found(known: Known, rows: t.Sequence[Row], codes: t.Collection[str]) -> Answer:
    return Answer(len(rows), list(itertools.chain.from_iterable(_said(row, known, codes) for row in rows)))


def _said(row: Row, known: Known, codes: t.Collection[str]) -> Iterator[Breach]:
    yield from (Breach(row, text) for code, text in known.found.get(row.key, ()) if code in codes)


def _lacks(row: Row) -> str | None:
    facts = {"who issued it": row.issuer or row.issuer_id, "its end": row.not_after, "its key type": row.key_type}
    missing = [name for name, fact in facts.items() if not fact]
    return f"it is not known {' and '.join(missing)}" if missing else None
