# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The chain of events shows every later change of what was written."""

from __future__ import annotations

import hashlib
import typing as t

import pytest
import rfc8785
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.chain import verify

from .telling import ACTOR, batch, intent, outcome

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.tests.harness.ledgers import Place


@pytest.fixture
def written(place: Place) -> Place:
    ledger = place.open()
    for number in (1, 2):
        ledger.intend(batch(), [intent(number=number)])
        ledger.record(batch(), [outcome(number=number)])
    ledger.close()
    return place


def tampered(written: Place, *statements: str) -> str | None:
    written.tamper(*statements)
    ledger = written.open()
    found = verify(ledger)
    ledger.close()
    return found


def test_what_nobody_touched_is_whole(written: Place) -> None:
    assert tampered(written) is None


def test_an_empty_ledger_is_whole(place: Place) -> None:
    ledger = place.open()
    assert verify(ledger) is None
    ledger.close()


def test_the_first_hash_is_what_anybody_can_compute_by_rfc_8785(written: Place) -> None:
    ledger = written.open()
    record = {
        "prev": ledger.id,
        "seq": 1,
        "batch": 1,
        "at": "2026-01-31T09:00:00.000Z",
        "host": "web1",
        "store": "/srv/store",
        "actor": ACTOR,
        "identity": "web",
        "generation": 1,
        "action": "intend",
        "reason": "missing",
        "outcome": "pending",
        "message": "",
        "milliseconds": 0,
        "attempts": 1,
    }
    expected = hashlib.sha256(rfc8785.dumps(record)).hexdigest()
    assert ledger.read("SELECT hash FROM events WHERE seq = 1") == [(expected,)]
    ledger.close()


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE events SET reason = 'other' WHERE seq = 3", "event 3 (prove of web on web1) is not what was written"),
        ("UPDATE events SET attempts = 1 WHERE seq = 6", "event 6 (prove of web on web1) is not what was written"),
        ("UPDATE events SET hash = 'ff' WHERE seq = 2", "event 2 (issue of web on web1) is not what was written"),
        ("DELETE FROM events WHERE seq = 1", "event 1 is missing"),
        ("DELETE FROM events WHERE seq = 4", "event 4 is missing"),
        ("DELETE FROM events WHERE seq = 6", "event 6 is missing"),
        ("DELETE FROM events WHERE seq > 4", "the events of batch 4 are missing"),
        ("DELETE FROM events", "the events of batch 1 are missing"),
        ("DELETE FROM heads WHERE batch = 2", "the head of batch 2 is missing, at event 2"),
        ("UPDATE heads SET host = 'web9' WHERE batch = 2", "event 2 (issue of web on web9) is not what was written"),
        ("UPDATE heads SET actor = '{}' WHERE batch = 3", "event 4 (intend of web on web1) is not what was written"),
        ("UPDATE heads SET at = '2026' WHERE batch = 1", "event 1 (intend of web on web1) is not what was written"),
        ("UPDATE heads SET hash = 'ff' WHERE batch = 2", "the head of batch 2 is not its last event, 3"),
        ("UPDATE heads SET hash = 'ff' WHERE batch = 4", "the head of batch 4 is not its last event, 6"),
        ("INSERT INTO heads VALUES (9, '', '', '', '{}', 1, '')", "the events of batch 9 are missing"),
        (
            "UPDATE meta SET value = 'another' WHERE key = 'id'",
            "event 1 (intend of web on web1) is not what was written",
        ),
    ],
)
def test_the_first_broken_record_is_named(written: Place, statement: str, words: str) -> None:
    assert tampered(written, statement) == words


def test_an_event_that_was_put_in_is_named(written: Place) -> None:
    assert (
        tampered(
            written,
            "INSERT INTO events SELECT 7, batch, identity, generation, action, reason, outcome, message, milliseconds,"
            " attempts, hash FROM events WHERE seq = 6",
        )
        == "event 7 (prove of web on web1) is not what was written"
    )


def test_two_events_that_changed_places_are_named(written: Place) -> None:
    assert (
        tampered(
            written,
            "UPDATE events SET seq = 99 WHERE seq = 2",
            "UPDATE events SET seq = 2 WHERE seq = 3",
            "UPDATE events SET seq = 3 WHERE seq = 99",
        )
        == "event 2 (prove of web on web1) is not what was written"
    )
