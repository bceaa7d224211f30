# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the ledger knows of a key in a token, and what it is told: the intent before the act, and how it ended (A1)."""

from __future__ import annotations

import contextlib
import hashlib
import time
import typing as t

from ...module_utils._core.errors import KeysteadError
from ...module_utils._core.keys import public_pem
from ...module_utils._pkcs11.uri import Uri, parse, text
from .._edge import unexpected
from .._ledger import queries
from .._ledger.moments import stamp
from .._ledger.port import Event, KeyGone, KeyKept, Outcome
from .decide import Known
from .wanted import WHO

if t.TYPE_CHECKING:
    from ...module_utils._core.held import Held, Seen
    from ...module_utils._core.model import Step
    from .._ledger.chain import Readable
    from .._ledger.port import Batch, KeyChange, Ledger
    from .wanted import Wanted


def place_of(seen: Seen) -> str:
    """Return the URI of a token, by which the ledger knows where a key is."""
    return text(Uri(seen.label, seen.serial, type=""))


def known_of(ledger: Ledger, wanted: Wanted, key: Held | None, seen: Seen, batch: Batch) -> Known:
    """Return what the ledger knows of the key that is meant."""
    book = t.cast("Readable", ledger)
    there = {one.uri for one in seen.keys}
    rows = queries.backend_keys(book, place=batch.store)
    stale = tuple(row["uri"] for row in rows if _is_meant(wanted, row) and row["uri"] not in there)
    if key is None:
        return Known(stale=stale)
    users = users_of(book, key.uri, id_of(key), stamp(batch.at))
    recorded = bool(users) or key.uri in {row["uri"] for row in rows}
    return Known(recorded, users, stale, "" if recorded else _intent(book, wanted.name, batch))


def with_users(ledger: Ledger, known: Known, others: t.Sequence[Held], batch: Batch) -> Known:
    """Return what is known of a key, with who uses other generations of it."""
    book = t.cast("Readable", ledger)
    users = (name for one in others for name in users_of(book, one.uri, id_of(one), stamp(batch.at)))
    return known._replace(users=tuple(dict.fromkeys((*known.users, *users))))


def _intent(book: Readable, name: str, batch: Batch) -> str:
    """Return how the last making of a key ended that the ledger knows of: `pending` where nobody said."""
    known = queries.events(book, host=batch.host, store=batch.store, identity=name)
    return next((str(event["outcome"]) for event in reversed(known) if event["action"] == "stage_key"), "")


def _is_meant(wanted: Wanted, row: queries.Record) -> bool:
    return wanted.label in (None, row["label"]) and wanted.id in (None, parse(row["uri"]).id.hex())


def users_of(book: Readable, uri: str, public_id: str | None, at: str) -> tuple[str, ...]:
    """Return who has a key, by its URI or by its public half: identities, and authorities whose certificates live."""
    rows = [*queries.key_holders(book, uri), *(queries.holders(book, public_id) if public_id else ())]
    users = [f"identity {row['name']} of {row['host'] or 'an unknown host'}" for row in rows]
    owners = queries.key_owners(book, uri)
    users += [_authority(one["place"]) for one in owners if one["place"].startswith(queries.AUTHORITIES)]
    issuers = queries.signers(book, public_id, at) if public_id else []
    users += [f"authority {issuer.split(':')[1]}" for issuer in issuers]
    return tuple(dict.fromkeys(users))


def _authority(place: str) -> str:
    """Return what an authority is called that stands in a directory."""
    directory, _slash, name = place[len(queries.AUTHORITIES) :].rpartition("/")
    return f"authority {name} in {directory or '/'}"


def id_of(key: Held) -> str | None:
    """Return the SHA-256 of the public key; a secret key has none."""
    return None if key.public_key is None else hashlib.sha256(key.public_key).hexdigest()


def pem_of(key: Held) -> str | None:
    """Return the public key as PEM (RFC 7468)."""
    return None if key.public_key is None else public_pem(key.public_key)


class Journal:
    """Writes what is done to one key."""

    def __init__(self, ledger: Ledger, batch: Batch, name: str, who: str = WHO) -> None:
        """Take what the key is called, and who speaks; the batch's store is the place of the key."""
        self._ledger, self._batch, self._name, self._who = ledger, batch, name, who

    def _tell(self, told: Event, number: int | None, changes: t.Sequence[KeyChange] = ()) -> None:
        self._ledger.record(self._batch, [Outcome(self._name, number, (told,), tuple(changes))])

    def note(self, step: Step, changes: t.Sequence[KeyChange], number: int | None = None) -> None:
        """Write down what needed no act."""
        self._tell(Event(step.action, step.reason), number, changes)

    def begin(self, step: Step, number: int | None = None) -> None:
        """Write down what a later run does."""
        self._tell(Event(step.action, step.reason, "pending"), number)

    @contextlib.contextmanager
    def around(
        self, step: Step, number: int | None = None, before: t.Sequence[KeyChange] = ()
    ) -> t.Iterator[list[KeyChange]]:
        """Surround an act, which says what came of it; `number` is the generation of the key that it is about.

        What is told `before` is written with the intent, or neither is.
        """
        event = Event(step.action, step.reason, "pending")
        self._tell(event, number, before)
        started, changes = time.monotonic(), t.cast("list[KeyChange]", [])
        try:
            yield changes
        except Exception as error:
            message = str(error) if isinstance(error, KeysteadError) else unexpected(self._who, error)
            self._tell(event._replace(outcome="failed", message=message, seconds=time.monotonic() - started), number)
            raise
        self._tell(event._replace(outcome="ok", seconds=time.monotonic() - started), number, changes)


def kept(key: Held, seen: Seen, *, made: bool) -> KeyKept:
    """Return what is written of a key that is there."""
    return KeyKept(key.uri, place_of(seen), key.label, key.type, made, id_of(key), pem_of(key))


def gone(uris: t.Iterable[str]) -> tuple[KeyGone, ...]:
    """Return what is written of keys that are no longer there."""
    return tuple(KeyGone(uri) for uri in uris)
