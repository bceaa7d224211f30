# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What an outcome does to the tables. Runs inside the transaction of its caller."""

from __future__ import annotations

import json
import typing as t

from ...module_utils._core.errors import Misconfigured, Pending
from . import backend_keys, revocations
from .intents import generation_of, identity_of
from .moments import stamp
from .nouns import Cleared, CredentialRevoked, Ordered, PeersNamed, Proved
from .port import (
    Delivered,
    Issued,
    KeyChange,
    Orphaned,
    Refused,
    RevokedChange,
    RolledBack,
    Scheduled,
    Withdrawn,
)

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .nouns import ProvedAt
    from .port import Batch, Outcome
    from .sql import Connection

_X509 = """
INSERT INTO x509 (generation, serial_number, subject, issuer_dn, names, certificate, chain) VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (generation) DO UPDATE SET
    serial_number = excluded.serial_number, subject = excluded.subject, issuer_dn = excluded.issuer_dn,
    names = excluded.names, certificate = excluded.certificate, chain = excluded.chain
"""
_DELIVERY = """
INSERT INTO deliveries (identity, generation, path, part, delivered_at, activated_at, proved_at)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (generation, path) DO UPDATE SET
    part = excluded.part, activated_at = coalesce(excluded.activated_at, deliveries.activated_at),
    proved_at = coalesce(excluded.proved_at, deliveries.proved_at), withdrawn_at = NULL, succeeded_at = NULL
"""
_ENDPOINT = """
INSERT INTO endpoints (generation, host, port, server_name, starttls, proved_at) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (generation) DO UPDATE SET
    host = excluded.host, port = excluded.port, server_name = excluded.server_name, starttls = excluded.starttls,
    proved_at = excluded.proved_at
"""


class Place(t.NamedTuple):
    """What a change is about: the rows of an identity and of a generation (None when there is none), and when."""

    connection: Connection
    identity: int
    generation: int | None
    outcome: Outcome
    at: str

    def run(self, statement: str, *parameters: t.Any) -> None:
        """Execute one statement."""
        self.connection.execute(statement, parameters)


def record(connection: Connection, batch: Batch, outcomes: Sequence[Outcome]) -> None:
    """Apply the changes of a batch; an outcome without changes may be about an identity that was never intended."""
    for told in outcomes:
        outcome = _of_identity(connection, batch, told)
        place = _place(connection, batch, outcome)
        if place:
            for change in outcome.changes:
                _APPLY[type(change)](place, change)
            if not any(isinstance(change, Ordered) for change in told.changes):
                place.run("UPDATE generations SET holder = NULL WHERE id = ? AND state = 'intended'", place.generation)


def _of_identity(connection: Connection, batch: Batch, outcome: Outcome) -> Outcome:
    """Apply what is about no identity, keys and credentials by themselves, and return the rest."""
    rest = []
    for change in outcome.changes:
        if isinstance(change, KeyChange):
            backend_keys.apply(connection, batch, change)
        elif isinstance(change, CredentialRevoked):
            revocations.apply(connection, batch, change)
        else:
            rest.append(change)
    return outcome._replace(changes=tuple(rest))


def _place(connection: Connection, batch: Batch, outcome: Outcome) -> Place | None:
    identity = identity_of(connection, batch, outcome.name)
    if identity is None:
        if outcome.changes:
            message = f"ledger: identity {outcome.name} of {batch.host} is not in this ledger; look at option ledger"
            raise Misconfigured(message)
        return None
    generation = generation_of(connection, identity, outcome.number) if outcome.number is not None else None
    return Place(connection, identity, generation, outcome, stamp(batch.at))


def _known(place: Place) -> int:
    if place.generation is None:
        message = (
            f"ledger: generation {place.outcome.number} of {place.outcome.name} is not in this ledger; "
            "look at option ledger"
        )
        raise Misconfigured(message)
    return place.generation


def _issued(place: Place, change: Issued) -> None:
    if not _described(place, change):
        message = f"ledger: another run took over generation {place.outcome.number} of {place.outcome.name}; run again"
        raise Pending(message)
    revocations.known_as_revoked(place.connection, _known(place), change.credential_id)
    place.run(
        "UPDATE identities SET newest = CASE WHEN newest < ? THEN ? ELSE newest END WHERE id = ?",
        place.outcome.number, place.outcome.number, place.identity,
    )


def _described(place: Place, change: Issued) -> bool:
    """Write down what was signed. Returns False where the generation is about another key by now."""
    generation = _known(place)
    changed = place.connection.execute(
        "UPDATE generations SET state = CASE state WHEN 'intended' THEN 'issued' ELSE state END, holder = NULL,"
        " key_type = ?, credential_id = ?, not_before = ?, not_after = ?, issued_at = ? WHERE id = ? AND public_id = ?",
        (change.key_type, change.credential_id, stamp(change.not_before), stamp(change.not_after), place.at, generation,
         change.public_id),
    ).rowcount
    if not changed:
        return False
    place.run(
        _X509, generation, f"{change.serial_number:x}", change.subject, change.issuer_dn,
        json.dumps({kind: list(names) for kind, names in change.names.items()}, sort_keys=True),
        change.certificate, change.chain,
    )
    return True


def _ordered(place: Place, change: Ordered) -> None:
    statement = "UPDATE generations SET reference = ? WHERE id = ? AND state = 'intended'"
    place.run(statement, change.reference, _known(place))


def _cleared(place: Place, change: Cleared) -> None:
    statement = "UPDATE generations SET reference = ? WHERE identity = ? AND reference = ?"
    place.run(statement, change.left, place.identity, change.reference)


def _scheduled(place: Place, change: Scheduled) -> None:
    at = stamp(change.renew_at) if change.renew_at else None
    statement = "UPDATE generations SET renew_at = ?, ask_again = ? WHERE id = ?"
    place.run(statement, at, stamp(change.ask_again), _known(place))


def _delivered(place: Place, change: Delivered) -> None:
    generation = _known(place)
    _publish(place, generation, place.outcome.number)
    place.run(
        "UPDATE deliveries SET withdrawn_at = ? WHERE identity = ? AND withdrawn_at IS NULL AND succeeded_at IS NULL"
        " AND path NOT IN (SELECT value FROM json_each(?))",
        place.at, place.identity, json.dumps([link[0] for link in change.links]),
    )
    activated, proved = (place.at if flag else None for flag in (change.activated, change.proved))
    for path, part in change.links:
        place.run(_DELIVERY, place.identity, generation, path, part, place.at, activated, proved)
    if change.proved:
        _shown_alone(place, generation, change.endpoint)
    if not change.pending:
        place.run(
            "UPDATE deliveries SET succeeded_at = ? WHERE identity = ? AND generation <> ?"
            " AND withdrawn_at IS NULL AND succeeded_at IS NULL", place.at, place.identity, generation,
        )


def _shown_alone(place: Place, generation: int, endpoint: ProvedAt | None) -> None:
    """Write down that a proof showed which generation is used: from now on it is no other."""
    if endpoint:
        place.run(_ENDPOINT, generation, *endpoint, place.at)
    place.run("UPDATE generations SET shown = 0 WHERE identity = ? AND id <> ?", place.identity, generation)


def _proved(place: Place, change: Proved) -> None:
    generation = _known(place)
    place.run("UPDATE deliveries SET proved_at = coalesce(proved_at, ?) WHERE generation = ? AND withdrawn_at IS NULL",
              place.at, generation)
    _shown_alone(place, generation, change.endpoint)


def _publish(place: Place, generation: int, number: int | None) -> None:
    """Make a generation the current one; what was current, or issued and never published, is superseded."""
    place.run(
        "UPDATE generations SET state = 'superseded' WHERE identity = ? AND id <> ? AND state IN ('current', 'issued')",
        place.identity, generation,
    )
    place.run("UPDATE generations SET state = 'current' WHERE id = ? AND state <> 'revoked'", generation)
    place.run("UPDATE generations SET shown = 1 WHERE id = ?", generation)
    place.run(
        "UPDATE identities SET current = ?, state = 'present', newest = CASE WHEN newest < ? THEN ? ELSE newest END"
        " WHERE id = ?", number, number, number, place.identity,
    )


def _withdrawn(place: Place, change: Withdrawn) -> None:
    state = "withdrawn" if change.state == "absent" else "released"
    place.run("UPDATE identities SET state = ? WHERE id = ?", change.state, place.identity)
    place.run(
        "UPDATE generations SET state = ? WHERE identity = ? AND state IN ('current', 'superseded', 'issued')",
        state, place.identity,
    )
    place.run("UPDATE generations SET state = 'orphaned', holder = NULL WHERE identity = ? AND state = 'intended'",
              place.identity)
    if change.state == "absent":
        place.run("UPDATE generations SET shown = 0 WHERE identity = ?", place.identity)
    place.run(
        "UPDATE deliveries SET withdrawn_at = ? WHERE identity = ? AND withdrawn_at IS NULL AND succeeded_at IS NULL",
        place.at, place.identity,
    )


def _revoked(place: Place, change: RevokedChange) -> None:
    place.run(
        "UPDATE generations SET state = 'revoked', revocation_reason = ?, revoked_at = ? WHERE id = ?",
        change.reason, stamp(change.when), _known(place),
    )


def _peers_named(place: Place, change: PeersNamed) -> None:
    place.run("UPDATE identities SET trusts = ? WHERE id = ?", change.trusts, place.identity)


def _refused(place: Place, change: Refused) -> None:
    place.run(
        "UPDATE generations SET state = 'refused', holder = NULL, asked = CASE WHEN ? THEN asked END"
        " WHERE id = ? AND state = 'intended'", change.asked, _known(place),
    )


def _orphaned(place: Place, change: Orphaned) -> None:
    if change.answer is not None and not _described(place, change.answer):
        return  # who took it over kept the orphan
    place.run(
        "UPDATE generations SET state = 'orphaned', holder = NULL WHERE id = ? AND state IN ('intended', 'issued')",
        _known(place),
    )


def _rolled_back(place: Place, change: RolledBack) -> None:
    left = _known(place)
    back = generation_of(place.connection, place.identity, change.to)
    if back is None:
        message = f"ledger: generation {change.to} of {place.outcome.name} is not in this ledger; look at option ledger"
        raise Misconfigured(message)
    place.run(
        "UPDATE deliveries SET succeeded_at = NULL WHERE generation = ? AND withdrawn_at IS NULL"
        " AND path IN (SELECT path FROM deliveries WHERE generation = ? AND withdrawn_at IS NULL)", back, left,
    )
    place.run("UPDATE deliveries SET withdrawn_at = ? WHERE generation = ? AND withdrawn_at IS NULL", place.at, left)
    _publish(place, back, change.to)
    place.run("UPDATE generations SET state = 'rolled_back' WHERE id = ? AND state <> 'revoked'", left)


_APPLY: dict[type, Callable[[Place, t.Any], None]] = {
    Issued: _issued, Ordered: _ordered, Cleared: _cleared, Scheduled: _scheduled, Delivered: _delivered,
    PeersNamed: _peers_named, Withdrawn: _withdrawn, RevokedChange: _revoked, Refused: _refused, Orphaned: _orphaned,
    RolledBack: _rolled_back, Proved: _proved,
}
