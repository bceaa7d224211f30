# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Issuers, custodies and other places: whether each works, who uses it, what is double, and what moving takes.

What moves by itself is what a renewal replaces; what was adopted, nobody here renews.
"""

from __future__ import annotations

import typing as t

from ...module_utils._core.model import ADOPTED
from ...module_utils._core.publication import FILE_PUBLISHERS, REMOTE_PUBLISHERS
from .groups import by, called, end_of, named, summed

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .._ledger.reported import Signed
    from .groups import Identity
    from .listed import Asked

IDLE_DAYS = 90
MOST_SHOWN = 3
_PUBLISHERS = (*FILE_PUBLISHERS, *REMOTE_PUBLISHERS)

Backend = dict[str, t.Any]


class Told(t.NamedTuple):
    """What is known of backends beside who uses them: the ledger's counts, its answers of 30 days, and their own."""

    signed: Sequence[Signed] = ()
    kept: Sequence[Signed] = ()
    answers: Mapping[str, Mapping[str, int]] = {}
    asked: Sequence[Asked] = ()


def backends(identities: Sequence[Identity], told: Told, idle_before: str) -> list[Backend]:
    """Return every backend; `idle_before` is a moment of the ledger before which a last issue is long ago."""
    ours = [one for one in identities if one["managed"]]
    return [*_issuers(ours, told, idle_before), *_custodies(ours, told), *_publishers(ours)]


def _issuers(ours: Sequence[Identity], told: Told, idle_before: str) -> Iterable[Backend]:
    used, asked = by("issuer_id", ours), {one.id: one for one in told.asked if one.id}
    ever = {one.name: one for one in told.signed}
    for name in sorted({*used, *ever, *asked}):
        some, last = used.get(name, []), ever[name].last if name in ever else None
        health, because = _health(asked.get(name), told.answers.get(name, {}))
        remarks = [*_use(some, last, idle_before), *_outdated(name, some, told.signed), *_overlap(name, used)]
        yield {**_backend("issuer", name, some, ever.get(name), remarks), "health": health, "because": because}
    for one in told.asked:
        if one.id is None:
            silent = {"health": "failed", "because": [str(one.silent)]}
            yield {**_backend("issuer", one.called, [], None), **silent}


def _health(asked: Asked | None, answers: Mapping[str, int]) -> tuple[str, list[str]]:
    """Return ok, warning, failed or unknown, and why: by what it says now, else by what it answered for 30 days."""
    if asked is not None:
        bad = [one for one in asked.checks if one["state"] != "ok"]
        because = [f"{one['check']}: {one['found']}" + (f"; {one['remedy']}" if one["remedy"] else "") for one in bad]
        if asked.silent is not None:
            return "failed", [*because, asked.silent]
        worst = "failed" if any(one["state"] == "failed" for one in bad) else "warning"
        return (worst, because) if bad else ("ok", ["it was asked now, and would sign"] if asked.checks else [])
    good, failed = answers.get("ok", 0), answers.get("failed", 0)
    if not good and not failed:
        return "unknown", ["it was not asked for 30 days"]
    state = "ok" if not failed else "warning" if good else "failed"
    return state, [f"of {good + failed} requests in 30 days, {failed} failed"]


def _use(some: Sequence[Identity], last: str | None, idle_before: str) -> Iterable[str]:
    if not some:
        yield "unused: nothing of it is in use"
    elif last is not None and last < idle_before:
        yield f"idle: it signed nothing for {IDLE_DAYS} days, and {len(some)} identities are still of it"


def _outdated(name: str, some: Sequence[Identity], signed: Sequence[Signed]) -> Iterable[str]:
    """Say that the same place signs with a later key: an id is backend, place and the digest of the key."""
    place, _colon, _digest = name.rpartition(":")
    mine = next((one.last for one in signed if one.name == name), "")
    later = [one for one in signed if one.name != name and one.name.rpartition(":")[0] == place and one.last > mine]
    if place.count(":") and later and some:
        newest = max(later, key=lambda one: one.last).name
        yield f"outdated: {called(newest)} signs there since, and {len(some)} identities are still of this one"


def _overlap(name: str, used: Mapping[str, Sequence[Identity]]) -> Iterable[str]:
    """Say who else signs for the same services."""
    mine = {one["service"] for one in used.get(name, ()) if one["service"]}
    others = {other: mine & {one["service"] for one in some} for other, some in used.items() if other != name}
    who = [called(other) for other, both in others.items() if both]
    if who:
        both = sorted(set().union(*others.values()))
        shown = ", ".join(both[:MOST_SHOWN]) + (f" and {len(both) - MOST_SHOWN} more" if len(both) > MOST_SHOWN else "")
        yield f"overlap: {' and '.join(who)} {'signs' if len(who) == 1 else 'sign'} for {shown} too"


def _custodies(ours: Sequence[Identity], told: Told) -> Iterable[Backend]:
    used, ever = by("custody", ours), {one.name: one for one in told.kept}
    for name in sorted({*used, *ever}):
        some = used.get(name, [])
        yield _backend("custody", name, some, ever.get(name), _use(some, None, ""))


def _publishers(ours: Sequence[Identity]) -> Iterable[Backend]:
    for name in _PUBLISHERS:
        copies = [(one, copy) for one in ours for copy in one["deliveries"] if copy["live"] and copy["part"] == name]
        some = list({id(one): one for one, _copy in copies}.values())
        last = max((copy["delivered_at"] for _one, copy in copies if copy["delivered_at"]), default=None)
        if some:
            yield {**_backend("publisher", name, some, None), "last": last}


def _backend(
    kind: str, name: str, some: Sequence[Identity], ever: Signed | None, remarks: Iterable[str] = ()
) -> Backend:
    return {
        "kind": kind,
        "name": name,
        "health": None,  # only issuers can be asked, and say what they did
        "because": [],
        **summed(some),
        "services": named("service", some),
        "contacts": named("contact", some),
        "ever": ever.number if ever else None,
        "last": f"{ever.last[:19]}Z" if ever else None,
        "remarks": list(remarks),
        "moving": _moving(some),
    }


def _moving(some: Sequence[Identity]) -> dict[str, t.Any]:
    """Return what it would take to move its identities elsewhere."""
    renewed = [one for one in some if not str(one["issuer_id"]).startswith(ADOPTED)]
    return {
        "by_renewal": len(renewed),
        "by_hand": len(some) - len(renewed),
        "until": max(filter(None, map(end_of, renewed)), default=None),
    }
