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
    users = _users(book, key, batch)
    recorded = bool(users) or key.uri in {row["uri"] for row in rows}
    return Known(recorded, users, stale, "" if recorded else _intent(book, wanted.name, batch))


def _intent(book: Readable, name: str, batch: Batch) -> str:
    """Return how the last making of a key ended that the ledger knows of: `pending` where nobody said."""
    known = queries.events(book, host=batch.host, store=batch.store, identity=name)
    return next((str(event["outcome"]) for event in reversed(known) if event["action"] == "stage_key"), "")


def _is_meant(wanted: Wanted, row: queries.Record) -> bool:
    return wanted.label in (None, row["label"]) and wanted.id in (None, parse(row["uri"]).id.hex())


def _users(book: Readable, key: Held, batch: Batch) -> tuple[str, ...]:
    """Return who has the key, by its URI or by its public half: identities, and authorities whose certificates live."""
    public_id = id_of(key)
    rows = [*queries.key_holders(book, key.uri), *(queries.holders(book, public_id) if public_id else ())]
    users = [f"identity {row['name']} of {row['host'] or 'an unknown host'}" for row in rows]
    owners = queries.key_owners(book, key.uri)
    users += [_authority(one["place"]) for one in owners if one["place"].startswith(queries.AUTHORITIES)]
    issuers = queries.signers(book, public_id, stamp(batch.at)) if public_id else []
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

    def __init__(self, ledger: Ledger, batch: Batch, name: str) -> None:
        """Take what the key is called; the batch's store is its token."""
        self._ledger, self._batch, self._name = ledger, batch, name

    def _tell(
        self, step: Step, outcome: str, message: str = "", seconds: float = 0.0, changes: tuple[KeyChange, ...] = ()
    ) -> None:
        event = Event(step.action, step.reason, outcome, message, seconds)
        self._ledger.record(self._batch, [Outcome(self._name, None, (event,), changes)])

    def note(self, step: Step, changes: tuple[KeyChange, ...]) -> None:
        """Write down what needed no act."""
        self._tell(step, "ok", changes=changes)

    @contextlib.contextmanager
    def around(self, step: Step) -> t.Iterator[list[KeyChange]]:
        """Surround an act, which says what came of it."""
        self._tell(step, "pending")
        started, changes = time.monotonic(), t.cast("list[KeyChange]", [])
        try:
            yield changes
        except Exception as error:
            message = str(error) if isinstance(error, KeysteadError) else unexpected(WHO, error)
            self._tell(step, "failed", message, time.monotonic() - started)
            raise
        self._tell(step, "ok", "", time.monotonic() - started, tuple(changes))


def kept(key: Held, seen: Seen, *, made: bool) -> KeyKept:
    """Return what is written of a key that is there."""
    return KeyKept(key.uri, place_of(seen), key.label, key.type, made, id_of(key), pem_of(key))


def gone(uris: t.Iterable[str]) -> tuple[KeyGone, ...]:
    """Return what is written of keys that are no longer there."""
    return tuple(KeyGone(uri) for uri in uris)
