# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is live of a candidate, as the ledger remembers it: a rule that is not enforced yet may be broken there."""

from __future__ import annotations

import typing as t

from ...module_utils._core.model import PROFILE_USAGES
from .candidate import OTHER

if t.TYPE_CHECKING:
    from datetime import datetime

    from ...module_utils._core.model import Credential
    from .._ledger.port import Remembered
    from .candidate import Candidate

DAY = 86400
ROUNDED = 3700  # seconds by which an authority may lengthen what was asked: it begins earlier, and ends a second later


class Live:
    """What the ledger remembers of a host's identities, at a moment."""

    def __init__(self, remembered: t.Mapping[str, Remembered], now: datetime) -> None:
        """Take what is remembered, by name."""
        self._remembered, self._now = remembered, now

    def as_it_is(self, candidate: Candidate) -> Candidate | None:
        """Return a candidate with what is live of it in the place of what is declared; None when nothing is.

        What the ledger does not know, such as how it is activated, counts as unchanged.
        """
        known = self._remembered.get(candidate.name)
        if known is None or not _is_live(known):
            return None
        live = candidate._replace(contact=known.contact, service=known.service)
        if known.issuer_id and not _may_have_signed(candidate, known.issuer_id):
            live = live._replace(issuer=None)
        return _of_certificate(live, known.certificate) if known.certificate else live

    def age_of_key(self, candidate: Candidate) -> int | None:
        """Return for how long the live key of a candidate has been in use, in seconds; None when there is none."""
        known = self._remembered.get(candidate.name)
        if known is None or known.key_since is None or not _is_live(known):
            return None
        return int((self._now - known.key_since).total_seconds())


def _may_have_signed(candidate: Candidate, issuer_id: str) -> bool:
    """Tell whether an id may be that of the declared issuer; in doubt it may: a rule to come causes no outage."""
    backend, _colon, rest = issuer_id.partition(":")
    declared, options = candidate.issuer or ("", {})
    return declared == backend and (backend != "local" or rest.partition(":")[0] == options.get("authority"))


def _is_live(known: Remembered) -> bool:
    return known.state == "present" and known.generation is not None


def _of_certificate(live: Candidate, pem: str) -> Candidate:
    from ...module_utils._core import credentials

    try:
        return of_credential(live, credentials.credential(credentials.encoded(pem.encode())))
    except (ValueError, IndexError):
        return live


def as_found(bare: Candidate, credential: Credential) -> Candidate:
    """Return a candidate as a credential that is there has it, whoever declared it."""
    profile = OTHER if credential.kind == "x509" else bare.profile
    return of_credential(bare._replace(kind=credential.kind, profile=profile), credential)


def of_credential(candidate: Candidate, credential: Credential) -> Candidate:
    """Return a candidate with what a credential says of it, its life without what the authority added."""
    facts, life = credential.facts, int((credential.not_after - credential.not_before).total_seconds())
    profiles = {usages: name for name, usages in PROFILE_USAGES.items()}
    if candidate.lifetime <= life <= candidate.lifetime + ROUNDED:
        life = candidate.lifetime
    elif life > DAY and life % DAY <= ROUNDED:
        life -= life % DAY
    return candidate._replace(
        subject=facts.subject,
        key_type=facts.key_type,
        profile=profiles.get(facts.usages, candidate.profile),
        lifetime=life,
    )
