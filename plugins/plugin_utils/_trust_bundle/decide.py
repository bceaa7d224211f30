# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which anchors are added, kept for who needs them, and dropped. Pure: it only decides."""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import Denied, Misconfigured
from ...module_utils._core.model import Step
from .words import ACTIVATE, MOST_SHOWN, OR_DROP, PROVE, UNTOLD, WHO

if t.TYPE_CHECKING:
    from datetime import datetime

    from ...module_utils._core.trust import TrustSeen
    from .anchors import Anchor
    from .peers import Needed, Peer
    from .wanted import Wanted


class Plan(t.NamedTuple):
    """What the bundle will hold, in the order of fingerprints, and the steps that lead there.

    `kept` has, by fingerprint, who needs what is no longer declared; `held` is why it stays whoever needs it.
    """

    anchors: tuple[Anchor, ...]
    steps: tuple[Step, ...]
    kept: t.Mapping[str, tuple[Peer, ...]]
    why_all: str = ""
    held: str = ""

    def why(self, one: Anchor) -> str | None:
        """Say why an anchor is kept that is not declared."""
        peers = self.kept.get(one.fingerprint)
        if peers is None:
            return None
        count = [f"everybody counts, since {self.why_all}"] if self.why_all and peers else []
        said = [*_why_kept(peers), *count, *([f"{self.held}, {OR_DROP}"] if self.held else [])]
        return "; ".join(said)


def going(wanted: Wanted, there: t.Sequence[Anchor]) -> tuple[Anchor, ...]:
    """Return what the host has and the task does not name."""
    named = {one.fingerprint for one in wanted.anchors}
    return tuple(one for one in there if one.fingerprint not in named)


def check(wanted: Wanted, seen: TrustSeen, there: t.Sequence[Anchor], now: datetime) -> list[str]:
    """Return what is to be said of what is declared. Raises Misconfigured for what nobody would want to happen."""
    if seen.state == "others":
        _check_file(wanted, seen, there)
    known, warnings = {one.fingerprint for one in there}, []
    if seen.pending and not wanted.activate:
        warnings.append(f"{WHO}: {wanted.where} changed, and {UNTOLD}; declare activate, so that the next one does")
    for one in wanted.anchors:
        if one.not_after > now:
            continue
        ended = f"{WHO}: option anchors: {one.called} ended on {one.not_after:%Y-%m-%d}"
        if one.fingerprint not in known:
            raise Misconfigured(f"{ended}, and would be added; name its successor")
        warnings.append(f"{ended}, and nobody can be verified by it any more; leave it out")
    return warnings


def _check_file(wanted: Wanted, seen: TrustSeen, there: t.Sequence[Anchor]) -> None:
    """Take a file that somebody else made only where nothing of it is lost (W6)."""
    what = seen.detail or _listed([one.called for one in going(wanted, there)])
    if what or not wanted.present:
        holds = f" and holds {what}" if what else ""
        raise Misconfigured(
            f"{WHO}: option path: {seen.where} was made by somebody else{holds}; write another path, move it away, or "
            "declare first all that is in it, and drop that later"
        )


def decide(wanted: Wanted, seen: TrustSeen, there: t.Sequence[Anchor], needs: Needed) -> Plan:
    """Return what is to be done. Raises Denied where a bundle shall go that somebody needs."""
    kept = {} if wanted.drops else needs.by
    leaving = going(wanted, there)
    if not wanted.present and kept:
        peers = tuple(dict.fromkeys(peer for found in kept.values() for peer in found))
        raise Denied(f"{WHO}: option state: {wanted.where} cannot go, since {_why_not(peers, needs.held)}")
    known = {one.fingerprint for one in there}
    lacking = [one for one in wanted.anchors if one.fingerprint not in known]
    steps = [Step("publish", f"{wanted.where} lacks {one.called}") for one in lacking]
    steps += [Step("withdraw", _why_dropped(one, wanted, needs)) for one in leaving if one.fingerprint not in kept]
    if seen.state == "others":
        steps.append(Step("adopt", f"{wanted.where} was made by somebody else, and nothing of it is lost"))
    if seen.state == "drift":
        steps.append(Step("publish", f"{wanted.where} is not as it was written: {seen.detail}"))
    if wanted.activate and (steps or seen.pending):
        steps.append(Step(ACTIVATE, f"{wanted.where} changed" if steps else f"{wanted.where} changed, and {UNTOLD}"))
    anchors = (*wanted.anchors, *(one for one in leaving if one.fingerprint in kept))
    return Plan(tuple(sorted(anchors, key=lambda one: one.fingerprint)), tuple(steps), kept, needs.why_all, needs.held)


def _why_dropped(one: Anchor, wanted: Wanted, needs: Needed) -> str:
    peers = needs.by.get(one.fingerprint)
    if peers:
        return f"{one.called} is dropped although {_named(peers)} still need it (drop_in_use)"
    if peers is not None:
        return f"{one.called} is dropped although it is not known who needs it (drop_in_use)"
    why = "is not declared any more" if wanted.present else "goes with the bundle"
    return f"{one.called} {why}, and nobody in the ledger needs it"


def _why_kept(peers: t.Sequence[Peer]) -> t.Iterator[str]:
    """Say who needs an anchor, and of what was replaced, what there is to do."""
    current, replaced = ([one for one in peers if one.replaced is flag] for flag in (False, True))
    if current:
        yield f"{_named(current)} still {'needs' if len(current) == 1 else 'need'} it"
    if replaced:
        yield (
            f"{_named(replaced)} may still show a certificate that needs it: it was replaced, and nothing proved that "
            f"the service uses another; {PROVE}, {OR_DROP}"
        )
    reasons = [f"for {one.called}: {one.because}" for one in peers if one.because]
    yield from reasons[:1]


def _why_not(peers: t.Sequence[Peer], held: str) -> str:
    said = [held] if held else []
    if peers:
        unproved = f", and where that was done, {PROVE}" if any(one.replaced for one in peers) else ""
        said.append(f"{_named(peers)} would not be trusted any more; replace their certificates first{unproved}")
    return f"{'; '.join(said)}, {OR_DROP}"


def _named(peers: t.Sequence[Peer]) -> str:
    return _listed([peer.called for peer in peers])


def _listed(names: t.Sequence[str]) -> str:
    """Return the first of some names, and how many more there are; nothing where there are none."""
    more = [f"{len(names) - MOST_SHOWN} more"] if len(names) > MOST_SHOWN else []
    *first, last = [*names[:MOST_SHOWN], *more] or [""]
    return f"{', '.join(first)} and {last}" if first else last
