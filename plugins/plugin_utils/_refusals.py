# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What was signed and did not fit what is declared: who signed it is not asked for the same again at once (ADR 28).

An answer to the same question will not fit either, and costs a limit at its authority, or a certificate that somebody
has to revoke. So each refusal doubles the time until the next question, from an hour to a day.
"""

from __future__ import annotations

import hashlib
import json
import typing as t
from datetime import UTC, datetime, timedelta

from ..module_utils._core.checks import Look, key_is_old
from ..module_utils._core.errors import Denied
from ._accepting import asked, backend
from ._ledger.moments import moment
from ._ledger.queries import unfit
from ._signed import REVOKE_IT

if t.TYPE_CHECKING:
    from ._ledger.chain import Readable
    from ._ledger.port import Batch
    from ._signers import Signers
    from ._work import Work

FIRST, LONGEST = timedelta(hours=1), timedelta(days=1)
_OLD_KEY = "old key: "


class Refusals:
    """What was refused since an identity got its last credential, of all identities of one store."""

    def __init__(self, ledger: Readable, batch: Batch, signers: Signers) -> None:
        """Read them, oldest first."""
        self._signers = signers
        self._found: dict[str, list[tuple[str, datetime, str]]] = {}
        for row in unfit(ledger, batch.host, batch.store) if ledger.id is not None else ():
            if row["message"] is None:  # it did fit, and became an orphan since: its key went with a run
                continue
            question = json.loads(row["asked"] or "{}").get("question")
            said = row["message"].removesuffix(REVOKE_IT) if row["revoked_at"] else row["message"]
            self._found.setdefault(row["name"], []).append((question, moment(row["at"]), said))

    def check(self, work: Work) -> None:
        """Raise Denied where the answer would be the one that was refused a short time ago.

        In place of a key that is too old (ADR 21) one is always asked for; how often that was refused prolongs nothing.
        """
        if work.issuer is None or work.name not in self._found or _is_too_old(work):
            return
        wanted = _of(work, self._signers)
        same = self._same(work.name, wanted) or self._same(work.name, _OLD_KEY + wanted)[:1]
        if not same:
            return
        at, said = same[-1]
        until = at + min(FIRST * 2 ** min(len(same) - 1, 10), LONGEST)
        if datetime.now(UTC) < until:
            who = backend(work.issuer.id)
            raise Denied(
                f"{who}: it is not asked for {work.name} again before {until:%Y-%m-%d %H:%M} UTC, since what it signed "
                f"on {at:%Y-%m-%d %H:%M} UTC for the same declaration was refused ({said.removeprefix(f'{who}: ')}); "
                "change what is declared, or the options of the issuer; where it was put right there, run with "
                "retry_refused: true"
            )

    def _same(self, name: str, wanted: str) -> list[tuple[datetime, str]]:
        return [(at, said) for question, at, said in self._found[name] if question == wanted]


def question(work: Work, signers: Signers) -> str:
    """Return what is asked as a digest, which says so where it is asked for since a key is too old."""
    return (_OLD_KEY if _is_too_old(work) else "") + _of(work, signers)


def _is_too_old(work: Work) -> bool:
    """Tell whether the key that is in use is too old, and not only that keys are being rotated."""
    found = work.found
    if found is None:
        return False
    return key_is_old(Look(work.identity, found, found.credential, work.known, datetime.now(UTC))) is not None


def _of(work: Work, signers: Signers) -> str:
    """Return a digest (SHA-256, hex) of all that decides whether an answer fits; no secret is in it."""
    issuer = signers.settings(work.issuer) if work.issuer else None
    openssl = work.found.openssl if work.found else None
    told = [asked(work.identity), work.identity.renew_before, work.identity.key.type, issuer, openssl]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def asked_for(work: Work, signers: Signers) -> str:
    """Return what is asked for, as JSON: names, profile and lifetime, and the digest of the whole question."""
    return json.dumps({**json.loads(asked(work.identity)), "question": question(work, signers)}, sort_keys=True)
