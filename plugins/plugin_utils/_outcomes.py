# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is written down when a host has done its part."""

from __future__ import annotations

import ipaddress
import typing as t

from ._inventory import HERE
from ._ledger.nouns import PeersNamed, Proved, ProvedAt
from ._ledger.port import Delivered, Event, Outcome, Refused, RolledBack, Withdrawn
from ._work import skipped

if t.TYPE_CHECKING:
    from ..module_utils._core.model import Done, Identity
    from ._ledger.port import Change, Issued, RevokedChange
    from ._work import Work

UNKNOWN = "the host has it, and the ledger, lost or replaced since, did not know it"


def outcome(work: Work, address: str = "") -> Outcome:
    """Return the events of one identity, and what they mean for its generations and deliveries.

    `address` is where the controller reaches services of the host.
    """
    events = tuple(map(_event, work.done))
    if work.error and not any(done.error for done in work.done):
        events += (Event("publish", "the host did not finish its part", "failed", str(work.error)),)
    return Outcome(work.name, _number(work), events, tuple(_changes(work, address)))


def found_done(work: Work) -> Outcome:
    """Return what a host completed before, as it was found; whether its consumer was told and proved, nobody saw."""
    return _found(work, "it was done by a run that was cut off before it could be recorded")


def found_unknown(work: Work, issued: Issued, revoked: RevokedChange | None) -> Outcome:
    """Return what a host has and this ledger never heard of; whether it was revoked, its issuer says."""
    found = _found(work, UNKNOWN)
    return found._replace(changes=(issued, *found.changes, *([revoked] if revoked else [])))


def named_peers(work: Work) -> Outcome:
    """Return what an identity says anew of whom it trusts."""
    trusts = work.declaration.trusts
    told = Event("intend", f"its peers are {trusts}" if trusts else "it no longer says who its peers are")
    return Outcome(work.name, None, (told,), (PeersNamed(trusts),))


def seen_proved(work: Work, address: str) -> Outcome:
    """Return that a service has the current generation; until then, it might have had one that was replaced."""
    told = Event("prove", "its service was asked, and uses what is current")
    number = work.found.generation if work.found else None
    return Outcome(work.name, number, (told,), (Proved(proved_at(work.identity, address)),))


def _found(work: Work, reason: str) -> Outcome:
    work.after = work.found
    return Outcome(work.name, _number(work), (Event("publish", reason),), tuple(_changes(work)))


def _number(work: Work) -> int | None:
    """Return the generation that the outcome is about: the new one, else the one that is there."""
    if work.number is not None:
        return work.number
    if work.did("roll_back") and work.found:
        return work.found.pending  # None after `generation: previous`: nothing that the ledger knows was given up
    return work.after.generation if work.after else None


def _changes(work: Work, address: str = "") -> t.Iterator[Change]:
    after, state = work.after, work.identity.state
    if after is None or (work.remembered is None and work.number is None):
        return  # nothing is known of it: a ledger that was lost or replaced learns of it once nothing is left to do
    if work.needs("adopt"):
        yield _adopted(work)
    if state != "present":
        if not work.error:
            yield Withdrawn(state)
    elif work.did("roll_back"):
        known = work.remembered and work.remembered.generation is not None
        if known and after.generation is not None and _number(work) not in (None, after.generation):
            yield RolledBack(after.generation)
    elif after.generation is not None and after.generation == _number(work):
        links = [(link.path, link.part) for link in after.links if link.state == "ok"]
        links += [(copy.where, copy.publisher) for copy in after.copies if copy.state == "ok"]
        proved = work.did("prove")
        where = proved_at(work.identity, address) if proved else None
        yield Delivered(tuple(links), _activated(work), proved, after.pending is not None, where)


def _adopted(work: Work) -> Change:
    """Return what the ledger is told of a pair that was there before."""
    from ..module_utils._core import pki
    from ._signed import issued

    original = work.found and work.found.original
    if original is None or not work.did("adopt"):
        return Refused()
    return issued(pki.pem_certificate(original.certificate), b"".join(map(pki.pem_certificate, original.chain)))


def proved_at(identity: Identity, address: str) -> ProvedAt | None:
    """Return where a handshake shows what is served, as the controller reaches it; None where none of ours does.

    Who proves by `client_auth` is a client there, and the server shows a certificate of its own.
    """
    proof = identity.prove
    if proof is None or proof.port is None or proof.client_auth:
        return None
    from ..module_utils._host.endpoint import endpoint_of

    endpoint = endpoint_of(proof, identity.subject)
    host = address if is_loopback(proof.host) and address != HERE else proof.host
    return ProvedAt(host, proof.port, endpoint.name if endpoint.must_bear_name else None, proof.starttls)


def is_loopback(host: str) -> bool:
    """Tell whether a host means itself by this name or address (RFC 6761, 6.3; RFC 1122, 3.2.1.3; RFC 4291, 2.5.3)."""
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _activated(work: Work) -> bool:
    return any(done.action == "activate" and not done.error and not skipped(done) for done in work.done)


def _event(done: Done) -> Event:
    return Event(done.action, done.reason, "failed" if done.error else "ok", done.error or "", done.seconds)
