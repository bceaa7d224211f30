# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Types of keys, how strong they are, and how far the way to keys that no quantum computer forges is."""

from __future__ import annotations

import re
import typing as t
from collections import Counter

from .._policy.facts import FACTS
from .groups import by, end_of, is_safe, readiness
from .signatures import is_ready, is_weak

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from .groups import Identity

_BITS: t.Mapping[str, int] = {
    "ecdsa-p256": 128, "ecdsa-p384": 192, "ecdsa-p521": 256, "ed25519": 128, "ed448": 224, "ml-dsa-44": 128,
    "ml-dsa-65": 192, "ml-dsa-87": 256,
}  # fmt: skip
"""Strength against a classical attacker (NIST SP 800-57 Part 1, table 2; FIPS 204, table 1)."""
_RSA = ((15360, 256), (7680, 192), (3072, 128), (2048, 112), (1024, 80), (0, 0))
_DATED = ("nist-112-bits", "nist-quantum-safe", "cnsa-2.0")


def strength(key_type: str | None) -> int | None:
    """Return the bits of strength of a type of key; None where nobody knows."""
    found = re.fullmatch(r"(?:rsa|dsa)-(\d{1,6})", key_type or "")
    if found:
        return next(bits for size, bits in _RSA if int(found[1]) >= size)
    return _BITS.get(key_type or "")


def algorithms(identities: Sequence[Identity]) -> list[dict[str, t.Any]]:
    """Return each type of key that is in use, the most used first."""
    found = [
        {
            "key_type": key_type or None,
            "identities": len(some),
            "share": round(len(some) / len(identities), 4),
            "bits": strength(key_type),
            "post_quantum": is_safe(key_type or None),
            "services": len({one["service"] for one in some if one["service"]}),
            "last_end": max(filter(None, map(end_of, some)), default=None),
        }
        for key_type, some in by("key_type", identities).items()
    ]
    return sorted(found, key=lambda one: -one["identities"])


def signed_with(identities: Sequence[Identity]) -> list[dict[str, t.Any]]:
    """Return by what the certificates are signed of which that is known, the most used first."""
    found = [
        {"signature": name, "identities": len(some), "weak": is_weak(name), "post_quantum": is_ready(name)}
        for name, some in by("signature", identities).items() if name
    ]  # fmt: skip
    return sorted(found, key=lambda one: -one["identities"])


def post_quantum(identities: Sequence[Identity]) -> dict[str, t.Any]:
    """Return how many keys are ready, how services stand, and what still holds when a dated fact begins to."""
    kinds = Counter(is_safe(one["key_type"]) for one in identities)
    services = Counter(readiness(some) for name, some in by("service", identities).items() if name)
    return {
        "ready": kinds[True],
        "classical": kinds[False],
        "unknown": kinds[None],
        "share": round(kinds[True] / len(identities), 4) if identities else 0.0,
        "services": {name: services[name] for name in ("ready", "side by side", "classical", "unknown")},
        "dated": sorted((_dated(fact, identities) for fact in _DATED), key=lambda one: one["from"]),
    }


def _dated(fact: str, identities: Sequence[Identity]) -> dict[str, t.Any]:
    """Return from when on a fact holds, how many keys of today it would not have, and how many outlive that day."""
    ((day, permitted),) = FACTS[fact].steps.items()
    wrong = [one for one in identities if one["key_type"] and one["key_type"] not in permitted]
    return {
        "fact": fact,
        "says": FACTS[fact].says,
        "source": FACTS[fact].source,
        "from": day,
        "not_permitted": len(wrong),
        "outlive_it": sum((end_of(one) or "") >= day for one in wrong),
    }
