# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is to be done with the generations of one key, and why. Pure: it only decides.

Every act may be the last one of a run that is killed, and the decision over what is there then goes on where it ended.
A generation is active by one record in the ledger, so there never are two, nor none.
"""

from __future__ import annotations

import itertools
import typing as t
from datetime import timedelta

from ...module_utils._core.checks import too_old
from ...module_utils._core.errors import Denied, Misconfigured
from .model import Act, There, Version

if t.TYPE_CHECKING:
    from datetime import datetime

    from .._rotation import Limits
    from .model import Kept, Known
    from .wanted import Wanted

WHO = "key_rotate"
MOST_SHOWN = 5


class Plan(t.NamedTuple):
    """What is to be done, which generation is active before that, and which one is prepared beside it."""

    acts: tuple[Act, ...]
    active: Version
    prepared: Version | None = None


def decide(wanted: Wanted, there: There, known: Known, limits: Limits) -> Plan:
    """Return what is to be done with one key. Raises Misconfigured, and Denied for one that is not ours to rotate."""
    taken = {one.number for one in there.versions}
    there = _own(there, known)
    active, known_one = _active(there, known)
    _check_is_its_own(there, known, active)
    acts = [*_of_records(there, known, active)]
    newest = active
    led = there.at(there.leads)
    if led is not None and led.number > active.number:
        why = f"{there.called} uses generation {led.number} already: a run that began with it was cut off"
        acts += [Act("prove", why, led.number, led.uri), Act("activate", why, led.number, led.uri)]
        newest = led
    elif there.leads not in (None, active.uri):
        whose = f"generation {led.number}" if led else "none of its generations"
        why = f"{there.called} uses {whose}, and generation {active.number} is the active one"
        acts.append(Act("activate", why, active.number, active.uri))
    prepared = _prepared(there, known, newest)
    acts += _to_replace(wanted, _Look(known, limits, newest, prepared, taken))
    acts += _to_destroy(wanted, there, known, limits, active) if known_one else ()
    return Plan(tuple(acts), active, prepared)


class _Look(t.NamedTuple):
    known: Known
    limits: Limits
    active: Version
    prepared: Version | None
    taken: t.Collection[int]


def _own(there: There, known: Known) -> There:
    """Leave out keys that are called as a generation would be, and are none: others of somebody else.

    Raises Misconfigured where the ledger knows no generation, and what is there may be several.
    """
    if there.leads is not None:  # the backend itself says what is one
        return there
    own = [one for one in there.versions if one.number == 1 or known.of(one.uri) or one.number in known.staged]
    nobodys = [one for one in there.versions if one not in own and not known.users.get(one.uri)]
    if nobodys and not known.kept:
        raise Misconfigured(
            f"{WHO}: {there.called}: there is {nobodys[-1].uri} too, and the ledger knows neither, so nobody knows "
            "which one is in use; rotate that one under its own name, or destroy it"
        )
    return there._replace(versions=tuple(own))


def since(version: Version, known: Known) -> datetime | None:
    """Return since when a generation has been there, as far as the ledger, or a backend, says."""
    row, staged = known.of(version.uri), known.staged.get(version.number)
    ours = staged is not None and (row is None or row.made)  # then a backend's clock, which may be wrong, counts not
    moments = (staged if ours else version.made_at, row.at if row else None)
    return min(filter(None, moments), default=None)


def due(version: Version, known: Known, limits: Limits, ahead: int = 0) -> str | None:
    """Return why a generation is to be replaced; None where it is young enough."""
    at, before = since(version, known) or limits.now, limits.before(ahead)
    if at < before:
        return too_old(at, before)
    row = known.of(version.uri)
    told = version.made_at is not None or (row.made if row else version.number in known.staged)
    if limits.created_before is None or told:
        return None
    return (
        f"nobody knows when it was made: it was there before it was recorded, at {at:%Y-%m-%d %H:%M}, and those from "
        f"before {limits.created_before:%Y-%m-%d %H:%M} are replaced"
    )


def _active(there: There, known: Known) -> tuple[Version, bool]:
    """Return the active generation, and whether the ledger has one. Raises Misconfigured where there is none."""
    kept = [one for one in known.live if there.at(one.uri) is not None]
    if kept:
        found = there.at(kept[-1].uri)
        by_others = there.at(there.leads)
        if by_others is not None and found is not None and by_others.number > found.number:
            found = found if by_others.number in known.staged else by_others
    else:
        found = there.at(there.leads) or next((one for one in there.versions if one.number == 1), None)
    if found is None or not found.usable:
        what = "there is no such key" if found is None else f"generation {found.number} is of no use as it is"
        raise Misconfigured(f"{WHO}: {there.called}: {what}; make one first, as with hsm_key, or correct this")
    return found, bool(kept)


def _check_is_its_own(there: There, known: Known, active: Version) -> None:
    """Refuse the key of an identity, an authority or another declaration: those who have it would lose it."""
    users = known.users.get(active.uri, ())
    if users:
        raise Denied(
            f"{WHO}: {there.called} is in use by {shown(users)}, which would go on with the old one; rotate the key of "
            "an identity by identities, and leave that of an authority alone"
        )


def shown(users: t.Sequence[str]) -> str:
    """Return who uses a key, the first ones by name."""
    return ", ".join(users[:MOST_SHOWN]) + (f" and {len(users) - MOST_SHOWN} more" if len(users) > MOST_SHOWN else "")


def _of_records(there: There, known: Known, active: Version) -> t.Iterator[Act]:
    """Yield what puts the ledger right: what is gone, and what is there and was not made here."""
    for row in known.live:
        if there.at(row.uri) is None:
            why = f"{there.called}: generation {row.number} is no longer there, and the ledger still says so"
            yield Act("withdraw", why, row.number, row.uri)
    for one in there.versions:
        if one.number <= active.number and one.usable and known.of(one.uri) is None:
            why = f"{there.called} has generation {one.number}, and the ledger does not know it yet"
            yield Act("adopt", why, one.number, one.uri)


def _prepared(there: There, known: Known, active: Version) -> Version | None:
    """Return the generation that waits: the newest that a run of ours began to make, and that is not active yet."""
    newer = (one for one in reversed(there.versions) if one.number > active.number)
    return next((one for one in newer if one.number in known.staged), None)


def _gave_way(look: _Look) -> str | None:
    """Say that the active generation is one that was replaced: what is tainted is used for nothing new, whatever comes.

    The one that took its place is gone from the backend.
    """
    later = [one.number for one in look.known.kept if one.number > look.active.number]
    if not later:
        return None
    return f"generation {look.active.number} gave way to {later[-1]}, which is gone: it is not used anew"


def _free(look: _Look) -> int:
    """Return the next number that no key has."""
    newest = max(look.known.newest, look.active.number)
    return next(one for one in itertools.count(newest + 1) if one not in look.taken)


def _to_replace(wanted: Wanted, look: _Look) -> t.Iterator[Act]:
    """Yield how the next generation takes the place of the active one, if that is due."""
    reason = _gave_way(look) or due(look.active, look.known, look.limits, wanted.overlap)
    if reason is None:
        return
    prepared = look.prepared
    number = _free(look)
    if prepared is not None and (not prepared.usable or due(prepared, look.known, look.limits)):
        why = due(prepared, look.known, look.limits) or "it is of no use as it is"
        why = f"generation {prepared.number} was prepared, and is no use: {why}"
        yield Act("destroy", why, prepared.number, prepared.uri)
        number, prepared = prepared.number, None
    elif prepared is not None:
        number = prepared.number
        begun = look.known.staged[number]
        if begun + timedelta(seconds=wanted.overlap) > look.limits.now:
            return
    if prepared is None:
        yield Act("stage_key", reason, number)
    uri = prepared.uri if prepared else ""
    yield Act("prove", "a key is used when it was seen to do what it is for", number, uri)
    if prepared is not None or not wanted.overlap:
        yield Act("activate", reason, number, uri)


def tainted_at(row: Kept, known: Known) -> datetime | None:
    """Return when a generation gave way, None where it did not: one that went away as the newest does not count."""
    later = [one for one in known.kept if one.number > row.number]
    stayed = [one for one in later if one.gone is None or any(one.at < next_.at <= one.gone for next_ in later)]
    return stayed[0].at if stayed else None


def _to_destroy(wanted: Wanted, there: There, known: Known, limits: Limits, active: Version) -> t.Iterator[Act]:
    """Yield which tainted generations had their time: none without a grace, none that somebody uses."""
    if wanted.grace is None:
        return
    for row in known.live:
        at = tainted_at(row, known)
        if row.number >= active.number or at is None or there.at(row.uri) is None:
            continue
        over = at + timedelta(seconds=wanted.grace) <= limits.now
        if over and (wanted.destroy_in_use or not known.users.get(row.uri)):
            why = f"generation {row.number} gave way at {at:%Y-%m-%d %H:%M}, and its grace is over"
            yield Act("destroy", why, row.number, row.uri)
        elif not there.one_by_one:
            return  # what is older goes with it
