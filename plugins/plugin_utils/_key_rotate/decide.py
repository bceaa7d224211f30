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

from ...module_utils._core.errors import Denied, Misconfigured
from .age import due
from .ending import Ending, ending
from .model import Act, There, Version

if t.TYPE_CHECKING:
    from .._rotation import Limits
    from .model import Known
    from .wanted import Wanted

WHO = "key_rotate"
MOST_SHOWN = 5


class Plan(t.NamedTuple):
    """What is to be done, which generation is active before that, and which one is prepared beside it.

    `waits` are destructions whose time has come by the clock of this run alone; it writes down that it `begins` some.
    """

    acts: tuple[Act, ...]
    active: Version
    prepared: Version | None = None
    waits: tuple[Act, ...] = ()
    begins: tuple[Act, ...] = ()


def decide(wanted: Wanted, there: There, known: Known, limits: Limits) -> Plan:
    """Return what is to be done with one key. Raises Misconfigured, and Denied for one that is not ours to rotate."""
    taken = {one.number for one in there.versions}
    acts = [*_exchanged(there, known)]
    there = _own(there, known)
    active, known_one = _active(there, known)
    _check_is_its_own(there, known, active)
    acts += _of_records(there, known, active)
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
    acts += _to_hold(there, newest, acts)
    if active.stopped and not any(act.action == "activate" for act in acts):
        raise Misconfigured(
            f"{WHO}: {there.called}: generation {active.number} is {active.stopped}, or let it be replaced by a "
            "created_before that is later than it"
        )
    ends = ending(wanted, there, known, limits, active) if known_one else Ending()
    return Plan((*acts, *ends.acts), active, prepared, ends.waits, ends.begins)


class _Look(t.NamedTuple):
    known: Known
    limits: Limits
    active: Version
    prepared: Version | None
    taken: t.Collection[int]


def _own(there: There, known: Known) -> There:
    """Leave out keys that are called as a generation would be, and are none: others of somebody else.

    Raises Misconfigured where one is later than all that the ledger knows, which may be older than the token.
    """
    if there.leads is not None:  # the backend itself says what is one
        return there
    own = [one for one in there.versions if one.number == 1 or known.of(one.uri) or known.awaits(one)]
    others = [one for one in there.versions if one not in own and not known.users.get(one.uri)]
    if others and known.is_behind(others[-1].number):
        raise Misconfigured(
            f"{WHO}: {there.called}: there is {others[-1].uri} too, which the ledger does not know, so it may be older "
            "than that, and nobody knows which one is in use; put the newest ledger back, or declare that one under "
            "its own name with hsm_key, or destroy it, and let created_before replace what had been replaced"
        )
    return there._replace(versions=tuple(own))


def _active(there: There, known: Known) -> tuple[Version, bool]:
    """Return the active generation, and whether the ledger has one. Raises Misconfigured where there is none."""
    kept = [one for one in known.live if there.at(one.uri) is not None]
    if kept:
        found = there.at(kept[-1].uri)
        by_others = there.at(there.leads)
        if by_others is not None and found is not None and by_others.number > found.number:
            found = found if known.awaits(by_others) else by_others
    else:
        found = there.at(there.leads) or next((one for one in there.versions if one.number == 1), None)
    if found is None or not (found.usable or found.stopped):
        what = "there is no such key" if found is None else f"generation {found.number} is of no use as it is"
        raise Misconfigured(f"{WHO}: {there.called}: {what}; make one first, {there.how}, or correct this")
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


def _exchanged(there: There, known: Known) -> t.Iterator[Act]:
    """Yield what puts the ledger right about prepared keys: who verifies has the public half of that one alone."""
    for number, (uri, public_id) in known.prepared.items():
        found = there.at(uri)
        if found is not None and (found.public_id == public_id or not found.usable):
            continue
        other = next((one for one in there.versions if one.number == number), None)
        left_alone = f", and {other.uri} has its name, which is another key and is left alone" if other else ""
        yield Act("withdraw", f"generation {number} was prepared, and is no longer there{left_alone}", number, uri)


def _prepared(there: There, known: Known, active: Version) -> Version | None:
    """Return the generation that waits: the newest that a run of ours began to make, and that is not active yet."""
    newer = (one for one in reversed(there.versions) if one.number > active.number)
    return next((one for one in newer if known.awaits(one)), None)


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
    overlap = 0 if look.active.stopped else wanted.overlap  # nothing is signed until the next one is there
    reason = _gave_way(look) or due(look.active, look.known, look.limits, overlap)
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
        if begun + timedelta(seconds=overlap) > look.limits.now:
            return
    if prepared is None:
        yield Act("stage_key", reason, number)
    uri = prepared.uri if prepared else ""
    yield Act("prove", "a key is used when it was seen to do what it is for", number, uri)
    if prepared is not None or not overlap:
        yield Act("activate", reason, number, uri)


def _to_hold(there: There, active: Version, acts: t.Sequence[Act]) -> t.Iterator[Act]:
    """Yield what keeps generations that gave way from being used anew, where that was not done, or was undone."""
    if there.least is None or there.least >= active.number or any(act.action == "activate" for act in acts):
        return
    why = f"{there.called} still uses generation {there.least} for who names it, and {active.number} is active"
    yield Act("activate", why, active.number, active.uri)
