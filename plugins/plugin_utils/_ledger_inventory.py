# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What an inventory of the ledger has: hosts with what is in use there, and the groups that follow from it.

What is kept in a cache has no group, since groups depend on the time.
"""

from __future__ import annotations

import hashlib
import re
import typing as t
from datetime import timedelta

from ..module_utils._core.errors import Misconfigured
from ._durations import seconds
from ._ledger.moments import stamp
from ._ledger.rows import select
from ._recall import opened
from ._rows.asked import selection
from ._rows.said import said
from ._rows.selection import IN_USE

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

WHO = "ledger"
LONGEST = 100
_FACTS = ("name", "store", "kind", "state", "generation", "service", "contact", "scope", "labels", "issuer_id",
          "key_type", "custody", "certificate", "revoked", "paths")  # fmt: skip
_HOST = re.compile(r"[^\s{}\[\],:!&]([^\s{}\[\],!&]{0,253}[^\s{}\[\],!&])?")
_SEPARATORS, _OTHER = re.compile(r"[-.:/@+ =,]+"), re.compile(r"[^A-Za-z0-9_]+")
_KEY_OF_ISSUER = re.compile(r":[0-9a-f]{16,}$")

Facts = dict[str, t.Any]
Hosts = dict[str, list[Facts]]


def hosts(options: t.Mapping[str, t.Any], now: datetime) -> Hosts:
    """Return what is in use on each host, soonest end first. Raises KeysteadError."""
    asked = selection(options.get("select") or {}, now, f"{WHO}: select")._replace(states=(IN_USE,))
    found: Hosts = {}
    with opened(options, WHO) as ledger:
        for row in select(ledger, asked):
            if row.host:  # what only its issuer knows of is on none
                one = said(row, ())
                found.setdefault(row.host, []).append({name: one[name] for name in _FACTS})
    return found


def is_a_name(host: str) -> bool:
    """Tell whether something may be the name of a host in an inventory: no pattern, no template, nothing invisible."""
    return host.isprintable() and _HOST.fullmatch(host) is not None


def variables(identities: t.Sequence[Facts]) -> Facts:
    """Return the variables of a host."""
    ends = [one["certificate"]["not_after"] for one in identities if one["certificate"]]
    return {
        "keystead_identities": list(identities),
        "keystead_expires_at": min(ends, default=None),
        "keystead_services": sorted({one["service"] for one in identities if one["service"]}),
        "keystead_contacts": sorted({one["contact"] for one in identities if one["contact"]}),
    }


def windows(said: t.Sequence[str]) -> dict[str, int]:
    """Return the times of `expiry_groups` in seconds. Raises Misconfigured."""
    found = {}
    for one in said:
        try:
            found[one] = seconds(one)
        except Misconfigured as error:
            raise Misconfigured(f"{WHO}: option expiry_groups: {error}") from None
    return found


def groups(identities: Iterable[Facts], within: t.Mapping[str, int], now: datetime) -> list[str]:
    """Return the groups that a host with these identities is in, sorted."""
    return sorted({group for one in identities for group in _groups(one, within, now)})


def _groups(one: Facts, within: t.Mapping[str, int], now: datetime) -> Iterator[str]:
    if one["revoked"] is not None:
        yield "revoked"
    for prefix, field in (("algorithm", "key_type"), ("custody", "custody"), ("service", "service")):
        if one[field]:
            yield safe(f"{prefix}_{one[field]}")
    yield safe(f"issuer_{_KEY_OF_ISSUER.sub('', one['issuer_id'])}")
    ends = one["certificate"] and one["certificate"]["not_after"]
    if ends and ends < _second(now):
        yield "expired"
    elif ends:
        yield from (f"expires_within_{name}" for name, time in within.items() if ends <= _second(now, time))


def _second(now: datetime, later: int = 0) -> str:
    return f"{stamp(now + timedelta(seconds=later))[:19]}Z"


def safe(name: str) -> str:
    """Return a name as that of a group: letters, digits and underscores of ASCII.

    Two names of which more than separators is lost do not become one: such a name ends with a part of its digest.
    """
    separated = _SEPARATORS.sub("_", name)
    found = _OTHER.sub("_", separated)
    if found[:1].isdigit():
        found = f"_{found}"
    if _OTHER.search(separated) or len(found) > LONGEST:
        digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
        return f"{found[: LONGEST - 9]}_{digest}"
    return found
