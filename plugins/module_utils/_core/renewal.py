# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""When a credential is due. Durations are seconds; `renew_before` is `N%` of the actual life, or seconds as digits."""

from __future__ import annotations

import hashlib
import typing as t
from datetime import timedelta

if t.TYPE_CHECKING:
    from datetime import datetime

    from .model import Credential

LARGEST_JITTER = 10  # the margin is divided by it


def margin(renew_before: str, life: timedelta) -> timedelta:
    """Return how long before its end a credential of this life is due."""
    if renew_before.endswith("%"):
        return life * int(renew_before[:-1]) / 100
    return timedelta(seconds=int(renew_before))


def is_due(credential: Credential, renew_before: str, now: datetime) -> bool:
    """Tell whether renewal is due; most are so far from it that their jitter does not matter."""
    before = margin(renew_before, credential.not_after - credential.not_before)
    if credential.not_after - now > before + before / LARGEST_JITTER:
        return False
    return now >= renew_at(credential, renew_before)


def renew_at(credential: Credential, renew_before: str) -> datetime:
    """Return when renewal is due: the margin before the end, and earlier by up to a tenth of the margin.

    The jitter comes from the credential's own id, so host and controller agree, and a fleet that was issued in one
    minute does not come back in one minute. It never takes more than half of the time that the margin leaves.
    """
    life = credential.not_after - credential.not_before
    before = margin(renew_before, life)
    fraction = int(hashlib.sha256(credential.credential_id.encode()).hexdigest()[:8], 16) / 0xFFFFFFFF
    jitter = max(timedelta(0), min(before / LARGEST_JITTER, (life - before) / 2)) * fraction
    try:
        return credential.not_after - before - jitter
    except OverflowError:  # it ended in the year 1
        return credential.not_after
