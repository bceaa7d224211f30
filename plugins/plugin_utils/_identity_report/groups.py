# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The identities of one service, of one contact, of one backend: how many, how bad, and what ends next."""

from __future__ import annotations

import typing as t

from .risk import LEVELS

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Identity = t.Mapping[str, t.Any]
Group = dict[str, t.Any]

SHORT_DIGEST = 8
_REFUSED = frozenset({"expired", "revoked", "not_valid_yet"})
NOBODY = ""
"""The name of the group of what has none."""


def by(field: str, identities: Iterable[Identity]) -> dict[str, list[Identity]]:
    """Return the identities by what a field says, those without it last, under NOBODY."""
    found: dict[str, list[Identity]] = {}
    for one in identities:
        found.setdefault(one[field] or NOBODY, []).append(one)
    return {name: found[name] for name in sorted(found, key=lambda name: (name == NOBODY, name))}


def groups(field: str, others: str, identities: Iterable[Identity]) -> list[Group]:
    """Return the figures of each service (or contact) beside the contacts (or services) that it has, worst first."""
    found = [
        {"name": name or None, **summed(some), others + "s": named(others, some), "post_quantum": readiness(some)}
        for name, some in by(field, identities).items()
    ]
    return sorted(found, key=lambda one: (LEVELS.index(one["risk"]), -one["critical"], -one["high"]))


def summed(some: Sequence[Identity]) -> Group:
    """Return what is counted of any group."""
    ends = sorted(end for one in some if (end := end_of(one)) and not has_ended(one))
    return {
        "identities": len(some),
        "hosts": len({one["host"] for one in some if one["host"]}),
        "risk": min((one["risk"] for one in some), key=LEVELS.index, default="none"),
        "critical": sum(one["risk"] == "critical" for one in some),
        "high": sum(one["risk"] == "high" for one in some),
        "expired": sum(map(has_ended, some)),
        "next_end": ends[0] if ends else None,
    }


def named(field: str, some: Iterable[Identity]) -> list[str]:
    """Return the values of a field, sorted."""
    return sorted({one[field] for one in some if one[field]})


def called(issuer_id: str) -> str:
    """Return the id of an issuer with as much of its key's digest as tells it from another key of the same place."""
    place, _colon, digest = issuer_id.rpartition(":")
    is_digest = place and len(digest) >= SHORT_DIGEST * 2 and set(digest) <= set("0123456789abcdef")
    return f"{place}:{digest[:SHORT_DIGEST]}" if is_digest else issuer_id


def end_of(one: Identity) -> str | None:
    """Return when an identity ends."""
    return (one["certificate"] or {}).get("not_after")


def has_ended(one: Identity) -> bool:
    """Tell whether an identity has ended: to the second, which its days are not."""
    return any(found["code"] == "expired" for found in one["findings"])


def is_live(one: Identity) -> bool:
    """Tell whether those who check an identity take it now: its time has come and not ended, and it is not revoked."""
    return _REFUSED.isdisjoint(found["code"] for found in one["findings"])


def is_safe(key_type: str | None) -> bool | None:
    """Tell whether no quantum computer is known to forge with a key of this type; None where nobody said the type."""
    return None if key_type is None else key_type.startswith("ml-dsa-")


def readiness(some: Iterable[Identity]) -> str:
    """Return `ready` (ML-DSA alone), `side by side` (both kinds), `classical`, or `unknown`."""
    kinds = {is_safe(one["key_type"]) for one in some}
    if True in kinds:
        return "side by side" if len(kinds) > 1 else "ready"
    return "classical" if False in kinds else "unknown"
