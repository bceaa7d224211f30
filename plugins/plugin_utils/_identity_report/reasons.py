# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is wrong, by its kind: how often, how bad, what it means, and what helps."""

from __future__ import annotations

import typing as t

from .risk import WEIGHTS, level

if t.TYPE_CHECKING:
    from collections.abc import Iterable

    from .groups import Identity

_MEANS: t.Mapping[str, tuple[str, str]] = {
    "expired": ("It has ended, and whoever checks it refuses it.", "Run the play that declares it, or withdraw it."),
    "revoked": ("It is revoked, and still in use.", "Issue anew: key_rotate where the key is known to others."),
    "not_valid_yet": ("Its time has not come: whoever checks it refuses it.", "Put back what it replaced, or issue."),
    "ends_this_week": ("It ends within a week, and no renewal came.", "Look at the last events of its host."),
    "shared_key": ("Several credentials have one key, so whoever has one has all.", "key_rotate gives each its own."),
    "weak_key": ("Its key can be computed by others.", "Declare a stronger key.type, or have its owner replace it."),
    "shared_factor": ("Anybody can compute its key, from that of another.", "key_rotate, and look at what made both."),
    "weak_signature": ("Its signature can be forged by others.", "Issue anew, by an issuer that signs with SHA-256."),
    "expires_soon": ("It ends later than its renewal should have come.", "See that its play runs on a timer."),
    "same_certificate": ("One certificate is in several places.", "Declare an identity for each place."),
    "policy": ("The policy would not let it be issued today.", "Change the declaration; the reason names the value."),
    "no_contact": ("Nobody is named who answers for it.", "Declare contact."),
    "delivered_nowhere": ("Nothing that is recorded uses it.", "Declare links, or withdraw it with state absent."),
}


def kinds(identities: Iterable[Identity]) -> list[dict[str, t.Any]]:
    """Return each kind of finding that there is, the heaviest first."""
    found: dict[str, dict[str, t.Any]] = {}
    for one in identities:
        for code in dict.fromkeys(each["code"] for each in one["findings"]):
            kind = found.setdefault(code, {"identities": 0, "services": set(), "contacts": set()})
            kind["identities"] += 1
            kind["services"] |= {one["service"]} - {None}
            kind["contacts"] |= {one["contact"]} - {None}
    rows = [
        {"code": code, "risk": level({"code": code}), "identities": kind["identities"],
         "services": len(kind["services"]), "contacts": len(kind["contacts"]), "means": means, "remedy": remedy}
        for code, kind in found.items() for means, remedy in [_MEANS[code]]
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (-WEIGHTS[row["risk"]], -row["identities"]))
