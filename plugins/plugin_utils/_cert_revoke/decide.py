# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is to be revoked, and whether it may be yet. Pure: it only decides."""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import Denied
from ...module_utils._core.model import Step
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

    `recorded` tells that the ledger says so, `begun` that a run set out to revoke it and never wrote down how it ended.
    With `error` nobody could tell, and it is left alone.
    """

    target: Target
    issuer: t.Any
    status: str
    revoked: Revoked | None = None
    recorded: bool = False
    begun: bool = False
    error: KeysteadError | None = None

    @property
    def name(self) -> str:
        """What it is called in the ledger where no identity has it."""
        return f"certificate {self.target.kept.fingerprint}"

    @property
    def to_revoke(self) -> bool:
        """Whether it is to be taken back: it may still be of use to somebody."""
        return self.error is None and self.status in ("good", "unknown")

    @property
    def to_record(self) -> bool:
        """Whether it was taken back, and the ledger does not know."""
        return self.error is None and self.status == "revoked" and not self.recorded


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
    steps = tuple(Step("revoke", _reason(wanted, one), one.target.kept.fingerprint) for one in doomed)
    why = "emergency" if wanted.emergency else "replaced_first is false"
    return steps, [f"{WHO}: in use, and revoked since {why}: {_few([*used, *shown])}"] if used or shown else []


def _refuse(places: Sequence[str], what: str) -> None:
    if places:
        raise Denied(
            f"{WHO}: nothing is revoked, since this is {what}: {_few(places)}; replace it there first, or set "
            "replaced_first: false"
        )


def _few(places: Sequence[str]) -> str:
    more = f"; and {len(places) - MOST_SHOWN} more" if len(places) > MOST_SHOWN else ""
    return "; ".join(places[:MOST_SHOWN]) + more


def _reason(wanted: Wanted, found: Found) -> str:
    because = f"; emergency: {wanted.justification}" if wanted.emergency else ""
    return f"{found.target.called} is to be revoked ({wanted.reason}){because}"
