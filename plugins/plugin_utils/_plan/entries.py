# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""From what a run found and decided to the entries of a plan.

What a decision rests on is what the host shows, what its custodies and copies say, and what the ledger knows; the time
of day is not among it, since it counts only where it changes the steps.
"""

from __future__ import annotations

import typing as t

from ...module_utils._core.checks import sentence
from ...module_utils._core.model import Observed
from .document import Entry, plain

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ...module_utils._core.model import Known, Step
    from .._cert_revoke.decide import Found
    from .._work import Work

Facts = dict[str, t.Any]
_SAID_ELSEWHERE = ("name", "certificate", "unfinished", "beside")
"""Certificates are there by id or number; what a run that was cut off left staged is a step, where it counts."""
_TOLD: Mapping[str, Callable[[t.Any], t.Any]] = {
    **dict.fromkeys(("credential", "other"), lambda found: found.credential_id),
    **dict.fromkeys(("damage", "drift"), lambda found: [sentence(one) for one in found]),
    "links": lambda found: [f"{one.path}: {one.state}" for one in found],
    "copies": lambda found: [f"{one.where}: {one.state} {one.detail}".rstrip() for one in found],
    "original": lambda found: found.credential.credential_id,
}


def of_works(works: Sequence[Work]) -> tuple[Entry, ...]:
    """Return the entries of the identities of a host."""
    return tuple(Entry(work.name, plain(_observed(work)), work.steps) for work in works)


def _observed(work: Work) -> Facts:
    found = work.found or Observed(work.name)
    facts: Facts = {}
    for name in Observed._fields:
        value = getattr(found, name)
        if name not in _SAID_ELSEWHERE and value != Observed._field_defaults.get(name):
            facts[name] = _TOLD[name](value) if name in _TOLD else value
    known = {name: value for name, value in _known(work, found).items() if value not in (None, (), [], False, 0)}
    return {**facts, **({"ledger": known} if known else {})}


def _known(work: Work, found: Observed) -> Facts:
    known, remembered = work.known, work.remembered
    there = [one.credential_id for one in (found.credential, found.other) if one]
    facts: Facts = {
        "newest": known.newest,
        "links": known.links,
        "revoked": [f"{one}: {why}" for one, why in known.revoked if one in there],
        "key_gone": known.key_gone,
        "key_elsewhere": known.elsewhere,
        "left": known.left,
        "renew_at": _moment(known.renew_at) if known.scheduled in there else None,
        "key_since": _since(known),
    }
    if remembered is not None:
        opened = remembered.open_intent
        facts.update(state=remembered.state, generation=remembered.generation, scope=remembered.scope)
        facts["intended"] = f"generation {opened.number} of {opened.issuer_id}" if opened else None
    return facts


def _since(known: Known) -> str | None:
    """Return how old the key is, where that counts."""
    return _moment(known.rotation.since) if known.rotation else None


def _moment(at: t.Any) -> str | None:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}" if at else None


def of_certificates(found: Sequence[Found], steps: Sequence[Step]) -> tuple[Entry, ...]:
    """Return the entries of the certificates that a task selects, in the order of their fingerprints, and of lists."""
    entries = []
    for one in sorted(found, key=lambda one: one.target.kept.fingerprint):
        name = one.target.kept.fingerprint
        mine = tuple(step for step in steps if step.about == name)
        entries.append(Entry(name, plain(_standing(one)), mine))
    of_lists = [step for step in steps if step.about not in {entry.name for entry in entries}]
    return (*entries, *(Entry(str(step.about), {"list": step.reason}, (step,)) for step in of_lists))


def _standing(found: Found) -> Facts:
    kept, holders = found.target.kept, found.target.holders
    facts: Facts = {
        "serial_number": kept.serial_number,
        "issuer_id": kept.issuer_id or (found.issuer.id if found.issuer else None),
        "status": found.status,
        "reason": found.revoked.reason if found.revoked else None,
        "recorded": found.recorded,
        "held_by": sorted(
            f"{one.identity} of {one.host}, {one.store}, generation {one.generation}, {one.state}" for one in holders
        ),
    }
    return {name: value for name, value in facts.items() if value not in (None, [], False)}
