# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Reasons to replace a credential that hold for every kind. Each check is a sentence and returns one."""

from __future__ import annotations

import typing as t
from datetime import timedelta

from .model import ADOPTED
from .renewal import is_due

if t.TYPE_CHECKING:
    from datetime import datetime

    from .model import Credential, Finding, Identity, Known, Observed

LARGEST_SKEW = timedelta(minutes=5)  # clocks that differ by more are wrong
TOLERANCE = timedelta(hours=1)  # a CA may round what it grants
FINDINGS = {
    "part_missing": "{about} is missing from the current generation",
    "part_changed": "{about} was changed on the host",
    "pair_mismatched": "the private key does not fit the certificate",
    "unreadable": "{about} cannot be read: {detail}",
    "key_gone": "the private key is gone from {about}",
    "key_elsewhere": "the private key is in {detail}, declared is {about}",
    "mode": "the mode of {about} is {detail}",
    "owner": "the owner of {about} is {detail}",
    "selinux": "the SELinux type of {about} is {detail}",
}


class Look(t.NamedTuple):
    """All that a check may look at.

    `credential` is the certificate that was found, parsed; None where it cannot be. `other` is that of the generation
    that is to be current and is not.
    """

    wanted: Identity
    found: Observed
    credential: Credential | None
    known: Known
    now: datetime
    other: Credential | None = None


Check = t.Callable[[Look], t.Optional[str]]


def sentence(finding: Finding) -> str:
    """Say what a finding means."""
    text = FINDINGS.get(finding.code, "{about} is not as it should be")
    return text.format(about=finding.about, detail=finding.detail)


def credential_is_missing(look: Look) -> str | None:
    """Tell that there is nothing yet, or that a run was cut off before there was."""
    if look.found.generation is not None:
        return None
    unfinished = look.found.unfinished
    return "an earlier run ended before there was a credential" if unfinished else "there is no credential yet"


def credential_is_damaged(look: Look) -> str | None:
    """Tell that a part is gone, changed, unreadable, or does not fit."""
    if look.found.damage:
        return sentence(look.found.damage[0])
    return None if look.credential else "the certificate cannot be read"


def key_is_gone(look: Look) -> str | None:
    """Tell that a custody that only the controller reaches no longer has the key, or that a copy lacks it."""
    return look.known.key_gone if look.found.generation is not None else None


def custody_differs(look: Look) -> str | None:
    """Tell that the key lives elsewhere than declared."""
    there, declared = look.found.custody, look.wanted.key.custody
    return None if there in (None, declared) else f"the key is in custody {there}, declared is {declared}"


def origin_differs(look: Look) -> str | None:
    """Tell that the key was made elsewhere than declared, and may be known there."""
    there, declared = look.found.origin, look.wanted.key.origin
    return None if there in (None, declared) else f"the key was made on the {there}, declared is {declared}"


def credential_is_revoked(look: Look) -> str | None:
    """Tell that the ledger knows it as revoked."""
    reason = dict(look.known.revoked).get(look.credential.credential_id) if look.credential else None
    return f"it was revoked ({reason})" if reason else None


def key_is_old(look: Look) -> str | None:
    """Tell that the key is from before the moment from which keys are wanted; who has no record goes by the date."""
    rotation, credential = look.known.rotation, look.credential
    if rotation is None or credential is None or credential.public_id == rotation.young:
        return None
    known = rotation.since if credential.public_id == rotation.public_id else None
    since = known or credential.not_before
    return too_old(since, rotation.before) if since < rotation.before else dated_ahead(since, look.now)


def dated_ahead(since: datetime, now: datetime) -> str | None:
    """Say of a key that is dated in the future that nobody knows its age: some clock was ahead."""
    if since <= now + LARGEST_SKEW:
        return None
    return f"nobody knows when its key was made: it is dated {since:%Y-%m-%d %H:%M}, which is to come"


def too_old(since: datetime, before: datetime) -> str:
    """Say why a key that has been in use `since` is replaced."""
    return f"its key is from {since:%Y-%m-%d %H:%M}, and those from before {before:%Y-%m-%d %H:%M} are replaced"


def issuer_changed(look: Look) -> str | None:
    """Tell that another issuer is declared, or that the issuer has another key."""
    if look.wanted.issuer_id in (None, look.found.issuer_id):
        return None
    return f"the issuer changed from {look.found.issuer_id} to {look.wanted.issuer_id}"


def is_adopted(look: Look) -> bool:
    """Tell whether somebody else had the current credential issued."""
    return (look.found.issuer_id or "").startswith(ADOPTED)


def adoption_is_to_end(look: Look) -> str | None:
    """Tell that an adopted credential is to be replaced at once."""
    adopt = look.wanted.adopt
    return "it was adopted, and adopt.replace is now" if adopt and adopt.replace == "now" else None


def credential_lives_too_long(look: Look) -> str | None:
    """Tell that the declared lifetime is shorter than what is left of the present one."""
    longest = look.now + timedelta(seconds=look.wanted.lifetime) + TOLERANCE
    if look.credential is None or look.credential.not_after <= longest:
        return None
    return f"it lives until {look.credential.not_after:%Y-%m-%d %H:%M}, longer than the declared lifetime"


def credential_is_due(look: Look) -> str | None:
    """Tell that it has ended, or that it ends within the margin."""
    if look.credential is None or not is_due(look.credential, look.wanted.renew_before, look.now):
        return None
    end = f"{look.credential.not_after:%Y-%m-%d %H:%M}"
    return f"it ended on {end}" if look.now >= look.credential.not_after else f"it ends on {end} and is due for renewal"


def issuer_wants_it_renewed(look: Look) -> str | None:
    """Tell that its issuer wants it renewed by now (RFC 9773), for example since it is going to revoke it."""
    at = look.known.renew_at
    if look.credential is None or at is None or look.known.scheduled != look.credential.credential_id or look.now < at:
        return None
    return f"its issuer wants it renewed since {at:%Y-%m-%d %H:%M}"


def renewal_is_in_doubt(look: Look) -> str | None:
    """Tell that its issuer was asked for another one, which never got here, and may have taken this one back."""
    if look.credential is None or look.known.doubted != look.credential.credential_id:
        return None
    return "its issuer was asked to renew it, and may have revoked it"


COMMON_CHECKS: tuple[Check, ...] = (
    credential_is_missing,
    credential_is_damaged,
    key_is_gone,
    custody_differs,
    origin_differs,
    credential_is_revoked,
    key_is_old,
    issuer_changed,
    credential_is_due,
    issuer_wants_it_renewed,
    credential_lives_too_long,
)
LAST_CHECKS: tuple[Check, ...] = (renewal_is_in_doubt,)
"""Reasons that are given where no check of the kind has one."""
ADOPTED_CHECKS: tuple[Check, ...] = (
    credential_is_missing,
    credential_is_damaged,
    credential_is_revoked,
    key_is_old,
    origin_differs,
    adoption_is_to_end,
    credential_is_due,
)
"""Reasons to replace what was adopted; the others wait until one of these holds."""
