# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is covered, and what is not: hosts without an identity, identities without a host, certificates of nobody."""

from __future__ import annotations

import typing as t

from .groups import is_live

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from .groups import Identity
    from .listed import Asked

Coverage = dict[str, t.Any]


def coverage(
    identities: Sequence[Identity], hosts: Sequence[str], never: Sequence[t.Mapping[str, t.Any]], asked: Sequence[Asked]
) -> Coverage:
    """Compare what is in use with the inventory of the play and with the lists of issuers.

    Without an inventory, nothing is said of hosts. What names no host is on none that the inventory has.
    """
    alive = {one["host"] for one in identities if is_live(one)}
    known = set(hosts)
    return {
        "hosts": len(known),
        "hosts_without_identity": sorted(known - alive),
        "identities_without_host": [_place(one) for one in identities if hosts and one["host"] not in known],
        "never_issued": [dict(one) for one in never],
        "issuers_asked": [one.id or one.called for one in asked],
        "issuers_silent": [{"issuer": one.id or one.called, "because": one.unsaid} for one in asked if one.unsaid],
        "rogue": [found for one in asked for found in one.rogue or ()],
    }


def _place(one: Identity) -> dict[str, t.Any]:
    found = {name: one[name] for name in ("host", "store", "name", "service", "contact", "managed", "source")}
    return {**found, "not_after": (one["certificate"] or {}).get("not_after")}
