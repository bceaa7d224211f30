# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is to be revoked, and whether it may be yet. Pure: it only decides."""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import Denied
from ...module_utils._core.model import Step
from ...module_utils._core.revoking import Revocation
from .wanted import WHO

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ...module_utils._core.errors import KeysteadError
    from ...module_utils._core.ports import Revoked
    from .kept import Target
    from .wanted import Wanted

MOST_SHOWN = 10


class Found(t.NamedTuple):
    """How a certificate stands: good, revoked, expired or unknown; `issuer` is who would revoke it.

    `recorded` tells that the ledger says so, `begun` that a run set out to revoke it and never wrote down how it ended,
    `unlisted` that it is revoked, and its key, which is compromised now, in no list yet, `unsure` that only a ledger
    which is down could tell, `lost` that the ledger says so and the list of `issuer`, which then is who signed it, does
    not any more. With `error` nobody could tell, and it is left alone.
    """

    target: Target
    issuer: t.Any
    status: str
    revoked: Revoked | None = None
    recorded: bool = False
    begun: bool = False
    unsure: bool = False
    lost: bool = False
    error: KeysteadError | None = None
    unlisted: bool = False

    @property
    def name(self) -> str:
        """What it is called in the ledger where no identity has it."""
        return f"certificate {self.target.kept.fingerprint}"

    @property
    def revocation(self) -> Revocation | None:
        """What is known of it where it was taken back."""
        kept = self.target.kept
        if self.revoked is None:
            return None
        return Revocation(int(kept.serial_number, 16), self.revoked, kept.not_after, kept.certificate)

    @property
    def to_revoke(self) -> bool:
        """Whether it is to be taken back: it may still be of use to somebody."""
        return self.error is None and (self.unlisted or self.status in ("good", "unknown"))

    @property
    def to_record(self) -> bool:
        """Whether it was taken back, and the ledger does not know."""
        return self.error is None and self.status == "revoked" and not (self.recorded or self.unlisted)


def check_expected(wanted: Wanted, matched: int) -> None:
    """Raise Denied where the entries select another number of certificates than was expected."""
    if wanted.expect is not None and wanted.expect != matched:
        raise Denied(
            f"{WHO}: option expect: {wanted.expect} certificates were expected, and the entries select {matched}; "
            "nothing is revoked: look at certificates, or correct expect"
        )


def decide(
    wanted: Wanted,
    found: Sequence[Found],
    live: Mapping[str, Sequence[str]],
    served: Mapping[str, Sequence[str]],
) -> tuple[tuple[Step, ...], list[str]]:
    """Return the steps, one a certificate, and what is to be warned of. Raises Denied while something is in use.

    `live` are the places where a certificate, by its fingerprint, is delivered and has no successor; `served` are those
    where a handshake showed it just now.
    """
    doomed = [one for one in found if one.to_revoke]
    used = [f"{one.target.called}: {place}" for one in doomed for place in live.get(one.target.kept.fingerprint, ())]
    shown = [f"{one.target.called}: {place}" for one in doomed for place in served.get(one.target.kept.fingerprint, ())]
    if wanted.waits:
        _refuse(used, "still delivered, and not replaced")
        _refuse(shown, "still served, whatever the ledger says,")
    steps = tuple(
        Step("revoke", _lost(one) if one.lost else _reason(wanted, one), one.target.kept.fingerprint)
        for one in found
        if one.to_revoke or one.lost
    )
    why = "emergency" if wanted.emergency else "replaced_first is false"
    return steps, [f"{WHO}: in use, and revoked since {why}: {few([*used, *shown])}"] if used or shown else []


def check_asked(wanted: Wanted, doomed: Sequence[Found], silent: Mapping[int, str]) -> None:
    """Refuse to sweep what may be served by somebody whom nobody could ask: nothing is urgent there. Raises Denied.

    `silent` says so of identities by their rows in the ledger. An orphan never was on a host, and what is absent there
    is not missed.
    """
    swept = [holder for one in doomed if one.target.kept.why for holder in one.target.holders]
    rows = [holder.identity_row for holder in swept if holder.number is not None and not holder.ended]
    unasked = [silent[row] for row in dict.fromkeys(rows) if row in silent]
    if wanted.waits and unasked:
        raise Denied(
            f"{WHO}: nothing is revoked, since no service of these could be asked whether it still serves what is "
            f"swept: {few(unasked)}; let the controller reach it, or sweep its host alone with replaced_first: false"
        )


def _refuse(places: Sequence[str], what: str) -> None:
    if places:
        raise Denied(
            f"{WHO}: nothing is revoked, since this is {what}: {few(places)}; replace it there first, or set "
            "replaced_first: false"
        )


def few(places: Sequence[str]) -> str:
    """Return some of many places in one line."""
    more = f"; and {len(places) - MOST_SHOWN} more" if len(places) > MOST_SHOWN else ""
    return "; ".join(places[:MOST_SHOWN]) + more


def _reason(wanted: Wanted, found: Found) -> str:
    because = f"; emergency: {wanted.justification}" if wanted.emergency else ""
    if found.unlisted and found.revoked:
        before = f"{found.target.called} was revoked ({found.revoked.reason})"
        return f"{before}; its key is to be listed as well ({wanted.reason}){because}"
    return f"{found.target.called} is to be revoked ({wanted.reason}){because}"


def _lost(found: Found) -> str:
    revoked = found.revoked
    since = f" on {revoked.when:%Y-%m-%d} ({revoked.reason})" if revoked else ""
    return f"{found.target.called} was revoked{since}, and the list of {found.issuer.id} does not say so any more"
