# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The event source as a rule engine runs it: every event once, also when it is killed at the worst moments."""

from __future__ import annotations

import asyncio
import contextlib
import json
import runpy
import signal
import sqlite3
import subprocess
import sys
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_ledger
from ansible_collections.keystead.identity.tests.harness import event_source
from ansible_collections.keystead.identity.tests.harness.in_process import HOST, World, until, web
from ansible_collections.keystead.identity.tests.unit.plugins.plugin_utils._ledger.telling import (
    batch,
    intent,
    outcome,
)

if t.TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.one_core

PATIENCE = 60.0
Event = dict[str, t.Any]


class Ear:
    """A ledger, and what was heard of it so far, over all processes."""

    def __init__(self, directory: Path) -> None:
        self.world = World(directory / "world")
        self.heard, self.errors = directory / "heard.jsonl", directory / "errors"
        self.said: dict[str, t.Any] = {
            "ledger": self.world.url, "cursor": str(directory / "cursor"), "interval": "1s", "expiring": ["365d"]
        }  # fmt: skip

    def command(self, *end: str, **said: t.Any) -> list[str]:
        """Return what runs the source in a process of its own."""
        arguments = json.dumps({**self.said, **said})
        return [sys.executable, event_source.__file__, str(event_source.SOURCE), arguments, str(self.heard), *end]

    @contextlib.contextmanager
    def listening(self, **said: t.Any) -> t.Iterator[subprocess.Popen[bytes]]:
        """Run the source; end it as a user does."""
        with self.errors.open("ab") as errors, subprocess.Popen(self.command(**said), stderr=errors) as process:
            try:
                yield process
            finally:
                process.send_signal(signal.SIGINT)

    def until(self, number: int, **said: t.Any) -> list[Event]:
        """Run the source until so many events were heard, over all processes; return them."""
        with self.listening(**said) as process:
            until(lambda: len(self.events()) >= number or process.poll() is not None, PATIENCE)
            assert process.poll() is None, self.errors.read_text()
        return self.events()

    def killed(self, end: str) -> None:
        """Run the source until it kills itself."""
        done = subprocess.run(self.command(end), check=False, capture_output=True, timeout=PATIENCE, text=True)
        assert done.returncode == -signal.SIGKILL, done.stderr

    def refused(self, **said: t.Any) -> str:
        """Run the source here, which does not begin; return why."""
        main = runpy.run_path(str(event_source.SOURCE))["main"]
        with pytest.raises(Exception, match="identity_events: ") as refused:
            asyncio.run(asyncio.wait_for(main(asyncio.Queue(), {**self.said, **said}), PATIENCE))
        return str(refused.value)

    def events(self) -> list[Event]:
        """Return what was heard."""
        lines = self.heard.read_text(encoding="utf-8") if self.heard.exists() else ""
        return [json.loads(line) for line in lines.splitlines(keepends=True) if line.endswith("\n")]


@pytest.fixture
def ear(tmp_path: Path) -> Ear:
    return Ear(tmp_path)


def types(events: t.Iterable[Event]) -> list[str]:
    return [one["type"] for one in events]


def test_what_is_told_is_not_told_again_by_the_next_process_and_what_is_new_is(ear: Ear) -> None:
    done = ear.world.one(web(contact="me@example.org", service="shop"))
    (first,) = ear.until(1)
    certificate = done["certificate"]
    assert first.items() >= {
        "type": "expiring", "code": "365d", "host": HOST, "identity": "web", "contact": "me@example.org",
        "service": "shop", "severity": "warning", "generation": 1, "redelivered": False, "reminder": 0,
        "serial_number": certificate["serial_number"], "not_after": certificate["not_after"],
        "fingerprint_sha256": certificate["fingerprint_sha256"], "spki_sha256": certificate["spki_sha256"],
    }.items()  # fmt: skip
    ear.world.one({"name": "api", "dns_names": ["api.example.org"]})
    assert [one["identity"] for one in ear.until(2)] == ["web", "api"]
    ear.world.one({"name": "db", "dns_names": ["db.example.org"]})
    assert [one["identity"] for one in ear.until(3)] == ["web", "api", "db"]
    assert (ear.world.directory.parent / "cursor").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(("end", "heard", "again"), [("offer", 0, False), ("taken", 1, True), ("heard", 1, True)])
def test_a_source_that_is_killed_loses_nothing_and_says_so_where_it_may_repeat_itself(
    ear: Ear, end: str, heard: int, *, again: bool
) -> None:
    ear.world.converge([web(), {"name": "api", "dns_names": ["api.example.org"]}])
    ear.killed(end)
    assert len(ear.events()) == heard
    after = ear.until(heard + 2)[heard:]
    assert [one["redelivered"] for one in after] == [again, False]
    assert len({one["id"] for one in ear.events()}) == 2
    ear.world.one({"name": "db", "dns_names": ["db.example.org"]})
    last = ear.until(heard + 3)[heard + 2 :]
    assert [(one["identity"], one["redelivered"]) for one in last] == [("db", False)]


def test_what_is_still_so_is_told_again_where_one_wants_to_be_reminded(ear: Ear) -> None:
    ear.world.one(web())
    heard = ear.until(3, remind="1s")
    assert [one["reminder"] for one in heard[:3]] == [0, 1, 2]
    assert len({one["id"] for one in heard}) == len(heard)
    assert len({one["message"] for one in heard}) == 1


def test_a_record_that_was_altered_is_told_and_one_that_was_cut_short_as_well(ear: Ear) -> None:
    ear.world.one(web())
    ear.until(1)
    with contextlib.closing(sqlite3.connect(ear.world.ledger)) as database, database:
        (last,) = database.execute("SELECT max(batch) FROM heads").fetchone()
        for statement in ("DELETE FROM events WHERE batch = ?", "DELETE FROM heads WHERE batch = ?"):
            database.execute(statement, (last,))
    (told,) = ear.until(2)[1:]
    assert (told["type"], told["severity"], told["host"]) == ("ledger_tampered", "critical", None)
    assert "identity_events, which has seen it before, knows of" in told["message"]


def test_a_host_that_was_not_as_declared_is_told_once_a_run_has_put_it_right(ear: Ear) -> None:
    ear.world.one(web())
    ear.until(1)
    ear.world.path("web", "current", "private_key.pem").chmod(0o644)
    ear.world.one(web())
    (told,) = ear.until(2)[1:]
    assert (told["type"], told["code"], told["host"], told["identity"]) == ("drifted", "mode", HOST, "web")
    assert "was not as declared and was put right: the mode of private_key.pem is 0644, not 0600" in told["message"]


def test_a_cursor_is_of_one_ledger_and_of_one_source_at_a_time(ear: Ear, tmp_path: Path) -> None:
    ear.world.one(web())
    ear.until(1)
    other = World(tmp_path / "other")
    other.one(web())
    refused = ear.refused(ledger=other.url)
    assert "is of ledger " in refused
    assert "give each ledger a cursor of its own" in refused
    with ear.listening():
        ear.world.one({"name": "api", "dns_names": ["api.example.org"]})
        until(lambda: len(ear.events()) == 2, PATIENCE)
        assert "another event source has" in ear.refused()


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ({"cursor": "events"}, "option cursor: 'events' is no absolute path"),
        ({"cursor": "/nowhere/at/all"}, "option cursor: /nowhere/at/all cannot be written (No such file"),
        ({"expiring": ["soon"]}, "option expiring: 'soon' is no threshold"),
        ({"events": ["expirng"]}, "option events[0]: 'expirng' is none of expiring, expired"),
        ({"interval": "0s"}, "option interval: 0s is no time at all"),
        ({"curser": 1}, "option curser is unknown; did you mean cursor?"),
        ({"ledger": "sqlite:////nowhere/ledger.db"}, "there is no ledger at"),
    ],
)
def test_what_cannot_be_is_refused_by_name(ear: Ear, said: dict[str, t.Any], refused: str) -> None:
    assert refused in ear.refused(**said)


def test_no_text_of_an_event_is_a_template_and_the_environment_says_which_ledger(
    ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    header = "#jinja2:variable_start_string:'[[',variable_end_string:']]'"
    hostile = header + "{{ lookup('pipe', 'id') }}{% if x %}\u202e"
    ledger = open_ledger(ear.world.url)
    key = "aa" * 32
    ledger.intend(batch(hostile), [intent(key=key)._replace(service=hostile, contact=hostile)])
    ledger.record(batch(hostile), [outcome(key=key)])
    ledger.close()
    del ear.said["ledger"]
    monkeypatch.setenv("KEYSTEAD_LEDGER", ear.world.url)
    text = json.dumps(ear.until(1, expiring=["36500d"]))
    assert not [one for one in ("{{", "{%", "#jinja2:", "\\u202e") if one in text]


def test_with_feedback_an_event_counts_as_told_when_the_rule_engine_says_that_it_has_it(ear: Ear) -> None:
    ear.world.converge([web(), {"name": "api", "dns_names": ["api.example.org"]}])
    main = runpy.run_path(str(event_source.SOURCE))["main"]

    async def engine(*fates: str) -> list[Event]:
        """Take as many events, and say of some that they are kept; then end."""
        queue: asyncio.Queue[Event] = asyncio.Queue(1)
        feedback: asyncio.Queue[Event] = asyncio.Queue(1)
        source = asyncio.create_task(main(queue, {**ear.said, "feedback": True, "eda_feedback_queue": feedback}))
        taken = []
        for fate in fates:
            taken.append(await asyncio.wait_for(queue.get(), PATIENCE))
            if fate == "kept":
                await feedback.put(taken[-1])
        source.cancel()
        await asyncio.gather(source, return_exceptions=True)
        return taken

    (lost,) = asyncio.run(engine("lost"))
    again, other = asyncio.run(engine("kept", "lost"))
    assert (again["id"], again["redelivered"], other["redelivered"]) == (lost["id"], True, False)
    (last,) = asyncio.run(engine("lost"))
    assert (last["id"], last["redelivered"]) == (other["id"], True)
