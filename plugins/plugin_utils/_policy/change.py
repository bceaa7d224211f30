# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whether a declaration breaks a rule further than what is live does: a rule to come spares only what is live."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from .breach import Rule, Says
    from .candidate import Candidate

_LISTS = ("dns_names", "uris", "email_addresses", "ip_addresses")


def adds(kind: str, judge: Rule, says: Says, candidate: Candidate, live: Candidate) -> bool:
    """Tell whether a candidate adds a breach to those of what is live.

    Of names and services, those that are live count for nothing; a duration may not be further from its limit; of
    everything else, the value that breaks the rule is the same.
    """
    if kind in ("names", "holders"):
        return judge(_new_of(candidate, live), says) is not None
    if kind in ("lifetime", "key_age"):
        return _is_further(says, candidate.lifetime, live.lifetime)
    now, before = judge(candidate, says), judge(live, says)
    return now is not None and (before is None or before.value != now.value)


def _new_of(candidate: Candidate, live: Candidate) -> Candidate:
    """Return a candidate with only the names and the service that the live one lacks."""
    lists = {
        name: tuple(one for one in getattr(candidate.subject, name) if one not in getattr(live.subject, name))
        for name in _LISTS
    }
    common = candidate.subject.common_name
    subject = candidate.subject._replace(common_name=None if common == live.subject.common_name else common, **lists)
    return candidate._replace(subject=subject, service=None if candidate.service == live.service else candidate.service)


def _is_further(says: Says, lifetime: int, live: int) -> bool:
    longest, shortest = says.get("longest"), says.get("shortest")
    too_long = longest is not None and lifetime > max(longest, live)
    return too_long or (shortest is not None and lifetime < min(shortest, live))
