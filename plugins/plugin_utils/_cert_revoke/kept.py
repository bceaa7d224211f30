# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is known of a certificate, and which entries select it. Pure: it only compares."""

from __future__ import annotations

import datetime as dt
import typing as t

from .._revocation_list import SKEW
from .._serial import with_colons

if t.TYPE_CHECKING:
    from ...module_utils._core.ports import Revoked
    from .wanted import Entry

ANTEDATED = dt.timedelta(hours=1)
"""The most that authorities antedate: what the ledger learned of later than that was not issued when it did."""


class Holder(t.NamedTuple):
    """An identity that has, or had, a certificate; `row` and `identity_row` are its places in the ledger.

    `current` is the state of the identity (present, absent, released) where this is the generation it has, or had last;
    `state` is that of the generation. `ended` tells that its identity is absent.
    """

    host: str
    store: str
    identity: str
    generation: int
    current: str | None = None
    service: str | None = None
    key_type: str = ""
    custody: str = "file"
    row: int = 0
    identity_row: int = 0
    state: str = "current"
    ended: bool = False

    @property
    def number(self) -> int | None:
        """The generation that the ledger is told of: the number of an orphan may be another one's by now."""
        return None if self.state == "orphaned" else self.generation


class Kept(t.NamedTuple):
    """A certificate as the ledger, an issuer or the task has it; `holder` is None where no identity is known.

    `issuer_id` is None where only the task knows it. `certificate` is DER, None where it is not needed any more.
    `revoked` is what the ledger says. `why` is why a sweep selected it.
    """

    fingerprint: str
    public_id: str
    serial_number: str
    not_before: dt.datetime
    not_after: dt.datetime
    certificate: bytes | None = None
    issuer_id: str | None = None
    issued_at: dt.datetime | None = None
    revoked: Revoked | None = None
    holder: Holder | None = None
    why: str | None = None

    @property
    def issued(self) -> dt.datetime:
        """When it was issued: as the ledger saw it, unless it learned of it later; else when it begins."""
        if self.issued_at is None or self.issued_at > self.not_before + ANTEDATED:
            return self.not_before
        return self.issued_at


class Target(t.NamedTuple):
    """A certificate that is meant, with everybody who holds it, and the entry that selected it first."""

    kept: Kept
    holders: tuple[Holder, ...]
    at: str

    @property
    def called(self) -> str:
        """What it is called in sentences."""
        shown = with_colons(int(self.kept.serial_number, 16))
        if not self.holders:
            return f"certificate {shown}"
        one = self.holders[0]
        more = f" and {len(self.holders) - 1} more" if len(self.holders) > 1 else ""
        where = f"{one.identity} on {one.host or 'no known host'}, generation {one.generation}"
        return f"certificate {shown} of {where}{more}"


def fits(entry: Entry, kept: Kept, now: dt.datetime) -> bool:
    """Tell whether everything that an entry says is true of a certificate.

    What was issued in the future was so by a clock that was wrong, so nobody knows when: it may be before any moment.
    """
    holder = kept.holder
    return all((
        entry.serial_number in (None, kept.serial_number),
        entry.fingerprint in (None, kept.fingerprint),
        entry.spki in (None, kept.public_id),
        entry.certificate in (None, kept.certificate),
        kept.issuer_id is None or entry.issuer in (None, kept.issuer_id),
        entry.identity is None or (holder is not None and holder.identity == entry.identity),
        entry.host is None or (holder is not None and holder.host == entry.host),
        entry.issued_before is None or kept.issued < entry.issued_before or kept.issued > now + SKEW,
    ))  # fmt: skip


def targets(selected: t.Iterable[tuple[str, Kept]]) -> list[Target]:
    """Return each certificate once, in the order in which the entries, by what they are called, selected them."""
    found: dict[str, Target] = {}
    for at, kept in selected:
        before = found.get(kept.fingerprint)
        if before is None:
            found[kept.fingerprint] = Target(kept, (kept.holder,) if kept.holder else (), at)
        elif kept.holder and kept.holder not in before.holders:
            found[kept.fingerprint] = _joined(before, kept, kept.holder)
    return list(found.values())


def _joined(target: Target, kept: Kept, holder: Holder) -> Target:
    """Return a target with one more holder: it is revoked where the ledger says so for all of them."""
    known = target.kept
    known = known._replace(
        issuer_id=known.issuer_id or kept.issuer_id,
        revoked=known.revoked if known.revoked and kept.revoked else None,
    )
    return target._replace(kept=known, holders=(*target.holders, holder))
