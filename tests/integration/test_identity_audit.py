# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""identity_audit proves that a record was not altered, and sees where it was, whoever altered it and how."""

from __future__ import annotations

import hashlib
import json
import typing as t
from concurrent.futures import ThreadPoolExecutor

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import KeysteadError
from ansible_collections.keystead.identity.plugins.module_utils._core.keys import generate
from ansible_collections.keystead.identity.plugins.plugin_utils._receivers.file import FileReceiver
from ansible_collections.keystead.identity.plugins.plugin_utils._receivers.registry import RECEIVERS
from ansible_collections.keystead.identity.tests.harness.audit_desk import Desk, Result
from ansible_collections.keystead.identity.tests.harness.ledgers import LEDGERS, InDatabase, InFile, Place
from ansible_collections.keystead.identity.tests.harness.postgres import AUDITOR, CONVERGER, MIGRATOR
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

if t.TYPE_CHECKING:
    from pathlib import Path



@pytest.fixture(params=LEDGERS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "sqlite":
        return InFile(tmp_path / "ledger.db")
    return InDatabase(request.getfixturevalue("postgres_server"))


KEY = {"file": {"path": "/nonexistent/audit.key"}}


@pytest.fixture
def desk(place: Place, tmp_path: Path) -> Desk:
    made = Desk(place, tmp_path)
    made.happens(3)
    return made


def done(result: Result) -> list[str]:
    assert result["whole"], result
    return [step["action"] for step in result["steps"]]


def test_check_mode_shows_what_a_run_does_and_a_second_run_does_nothing(desk: Desk) -> None:
    foreseen = desk.nightly(check=True)
    assert not desk.shipped.exists()
    first = desk.nightly()
    assert foreseen["steps"] == first["steps"]
    assert done(first) == ["issue", "publish"]
    assert (first["changed"], first["vouched_until"], first["last_event"]) == (True, 0, 9)
    again = desk.nightly()
    assert (done(again), again["changed"], again["vouched_until"]) == ([], False, 9)
    desk.happens()
    assert done(desk.nightly(check=True)) == done(desk.nightly()) == ["issue", "publish"]
    assert len(desk.shipped.read_text().splitlines()) == 2


def test_whoever_only_reads_verifies_and_needs_no_right_to_write(desk: Desk) -> None:
    found = desk.audit(role=AUDITOR)
    assert (found["whole"], found["first_event"], found["last_event"], found["changed"]) == (True, 1, 9, False)


@pytest.mark.parametrize("role", [AUDITOR, CONVERGER])
@pytest.mark.needs("postgres")
def test_who_may_not_sign_is_told_so(postgres_server: t.Any, tmp_path: Path, role: str) -> None:
    desk = Desk(InDatabase(postgres_server), tmp_path)
    desk.happens()
    result = desk.audit(role=role, key={"file": {"path": str(tmp_path / "k")}})
    assert f"does not permit role {role} to write (it lacks INSERT on checkpoints" in result["msg"]
    assert "as keystead_ledger_signers" in result["msg"]


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE events SET reason = 'other' WHERE seq = 3", "event 3 (prove of web on web1) is not what was written"),
        ("UPDATE heads SET actor = actor || ' ' WHERE batch = 2", "event 2 (issue of web on web1) is not what was"),
        ("DELETE FROM events WHERE seq = 4", "event 4 is missing"),
        ("DELETE FROM heads WHERE batch = 2", "the head of batch 2 is missing, at event 2"),
        ("UPDATE checkpoints SET signed = signed || 'A'", "the checkpoint of event 9 in the ledger is not what was"),
        ("UPDATE checkpoints SET seq = 8", "the checkpoint of event 8 in the ledger is another one's"),
    ],
)
def test_what_is_changed_in_the_ledger_is_seen(desk: Desk, statement: str, words: str) -> None:
    desk.nightly()
    desk.place.tamper(statement)
    assert words in desk.says()


def test_a_tail_that_was_cut_off_is_seen_by_what_was_shipped(desk: Desk) -> None:
    desk.nightly()
    desk.place.tamper("DELETE FROM events WHERE seq > 6", "DELETE FROM heads WHERE seq > 6", "DELETE FROM checkpoints")
    assert desk.audit()["whole"]  # nothing in the ledger knows of it any more
    assert desk.says().startswith("event 7 is missing, and all after it: the checkpoint of 20")


def test_a_record_that_was_written_anew_is_seen_by_what_was_shipped(desk: Desk) -> None:
    desk.nightly()
    desk.rewrite(2, reason="another reason")
    desk.place.tamper("DELETE FROM checkpoints")
    assert desk.audit()["whole"]
    assert "event 9 (prove of web on web1), or one before it, was written anew: the checkpoint of 20" in desk.says()


def test_a_ledger_in_the_place_of_another_is_seen(desk: Desk) -> None:
    desk.nightly()
    ledger = desk.place.open(read_only=True)
    before = str(ledger.id)
    ledger.close()
    other = "0f5e1c0a-0000-4000-8000-000000000000"
    desk.place.tamper(f"UPDATE meta SET value = '{other}' WHERE key = 'id'", "DELETE FROM checkpoints")
    desk.rewrite(1)
    assert desk.says() == f"the checkpoints are of ledger {before}, and this is ledger {other}"


def test_nothing_is_signed_shipped_or_exported_of_a_record_that_was_altered(desk: Desk) -> None:
    desk.place.tamper("UPDATE events SET reason = 'other' WHERE seq = 3")
    result = desk.nightly(export=str(desk.directory / "record.jsonl"))
    assert (result["failed"], result["changed"], result["steps"], result["checkpoint"]) == (True, False, [], None)
    assert not desk.shipped.exists()
    assert not (desk.directory / "record.jsonl").exists()


def test_the_file_that_was_shipped_to_may_not_vanish(desk: Desk) -> None:
    desk.nightly()
    desk.shipped.unlink()
    with pytest.raises(KeysteadError, match="has not got the checkpoint of event 9 any more, which was shipped to it"):
        desk.nightly()


def test_a_receiver_that_was_down_gets_the_last_checkpoint_later(desk: Desk) -> None:
    there, gone = {"file": {"path": str(desk.shipped)}}, {"file": {"path": str(desk.directory / "later" / "x.jws")}}
    key = {"file": {"path": str(desk.directory / "audit.key")}}
    failed = desk.audit(key=key, receivers=[gone, there])
    assert "x.jws could not be written (No such file or directory)" in failed["msg"]
    assert done(failed) == ["issue", "publish"]
    (desk.directory / "later").mkdir()
    assert done(desk.audit(key=key, receivers=[gone, there])) == ["publish"]
    assert (desk.directory / "later" / "x.jws").read_text() == desk.shipped.read_text()


def test_a_copy_is_compared_with_what_was_shipped_and_by_other_keys_it_is_not_believed(desk: Desk) -> None:
    path, key = desk.directory / "record.jsonl.gz", desk.directory / "key.pem"
    result = desk.nightly(export=str(path))
    assert done(result) == ["issue", "publish", "publish"]
    assert done(desk.nightly(export=str(path))) == []
    key.write_text(result["checkpoint"]["public_key"])
    said = {"copy": str(path), "checkpoints": [str(desk.shipped)]}
    found = desk.audit(**said, public_keys=[str(key)])
    assert (found["whole"], found["vouched_until"], found["last_event"]) == (True, 9, 9)
    desk.happens()
    desk.nightly()
    cut = desk.audit(**said, public_keys=[str(key)])
    assert "event 10 is missing, and all after it" in cut["broken"]
    other = generate("ed25519").public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    with pytest.raises(KeysteadError, match="holds no checkpoint that can be believed; name the file"):
        desk.audit(**said, public_keys=[other])


def test_old_events_leave_the_ledger_and_stay_proved(desk: Desk) -> None:
    directory = desk.directory / "archive"
    directory.mkdir()
    said = {"archive": {"directory": str(directory), "keep": "90d"}}
    desk.nightly()
    assert done(desk.nightly(role=MIGRATOR, **said)) == [], "what comes next follows the last event, so that stays"
    desk.happens(days=36500)
    foreseen = desk.nightly(role=MIGRATOR, check=True, **said)
    first = desk.nightly(role=MIGRATOR, **said)
    assert foreseen["steps"] == first["steps"]
    assert done(first) == ["issue", "withdraw", "publish"]
    assert first["steps"][1]["reason"] == "events 1 to 9 are old enough to leave the ledger"
    (archive,) = directory.iterdir()
    ledger = desk.place.open(read_only=True)
    assert ledger.read("SELECT min(seq), max(seq) FROM events") == [(10, 13)]
    told = ledger.read("SELECT action, reason, message FROM events WHERE seq = 13")
    ledger.close()
    assert told[0][:2] == ("withdraw", "events 1 to 9 are old enough to leave the ledger")
    assert archive.name in told[0][2]
    after = desk.nightly()
    assert (done(after), after["first_event"], after["vouched_until"]) == ([], 10, 13)
    assert desk.audit()["whole"]
    whole = desk.nightly(archives=[str(archive)])
    assert (done(whole), whole["first_event"], whole["last_event"]) == ([], 1, 13)
    assert done(desk.nightly(role=MIGRATOR, **said)) == []
    desk.happens()  # the chain goes on
    assert desk.nightly(archives=[str(archive)])["whole"]
    content = archive.read_bytes()
    archive.write_bytes(content[:-30])
    assert f"archive {archive}: what is packed in it is damaged" in desk.says(archives=[str(archive)])
    archive.write_bytes(content + b"\0")
    assert "is another file than the one that was written" in desk.says(archives=[str(archive)])
    desk.place.tamper("DELETE FROM archives")
    assert "it begins behind event 0, and by the last checkpoint it follows event 9" in desk.says()


def test_a_moment_long_ago_takes_no_fresh_event_away(desk: Desk) -> None:
    desk.happens(days=36500)
    desk.happens(days=-3650)
    desk.nightly()
    desk.happens(days=36500)
    said = {"archive": {"directory": str(desk.directory), "keep": "90d"}}
    assert done(desk.nightly(role=MIGRATOR, **said)) == ["issue", "publish"]


@pytest.mark.needs("postgres")
def test_only_who_owns_the_ledger_takes_events_out_of_it(postgres_server: t.Any, tmp_path: Path) -> None:
    desk = Desk(InDatabase(postgres_server), tmp_path)
    desk.happens()
    desk.nightly()
    desk.happens(days=36500)
    result = desk.nightly(archive={"directory": str(tmp_path), "keep": "90d"})
    assert "does not permit role signer to write (it lacks DELETE on events" in result["msg"]
    assert "name the role that owns the ledger" in result["msg"]
    assert desk.nightly()["whole"]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"archive": {"directory": "/srv", "keep": "90d"}}, "option archive needs key: a checkpoint has to say from"),
        ({"key": KEY, "archive": {"directory": "/srv", "keep": "30d"}}, "option archive.keep: 30d is too short"),
        ({"ledger_id": "another"}, "and option ledger_id says another; find out who put another one in its place"),
        ({"export": "/etc/hostname"}, "/etc/hostname is there, and is no copy of this ledger; write another path"),
        ({"key": KEY, "archive": {"directory": "/srv", "keep": "ever"}}, "option archive.keep: 'ever' is not a"),
        ({"checkpoints": ["/nonexistent"]}, "option checkpoints: /nonexistent is no file that is there; correct it"),
        ({"checkpoints": ["/etc/hostname"]}, "/etc/hostname holds no checkpoint that can be believed; name the file"),
        ({"public_keys": ["/nonexistent"]}, "option public_keys: /nonexistent is no file that is there"),
        ({"public_keys": ["-----BEGIN x"]}, "option public_keys: the PEM given is no public key in PEM; correct it"),
        ({"copy": "/nonexistent"}, "/nonexistent is no file that is there; correct it"),
        ({"copy": "/x", "export": "/y"}, "option export is for a ledger, and copy verifies a copy; leave one out"),
        ({"archives": ["/nonexistent"]}, "/nonexistent is no file that is there; correct it"),
        ({"export": "/nonexistent/x"}, "/nonexistent/x cannot be written (No such file or directory); create its"),
        ({"key": {"file": {"path": "/etc/hostname"}}}, "/etc/hostname is not this user's alone; find out why"),
        ({"receivers": [{"file": {"path": "/x"}, "https": {"url": "https://a"}}]}, "exactly one of"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(tmp_path: Path, said: dict[str, t.Any], words: str) -> None:
    desk = Desk(InFile(tmp_path / "ledger.db"), tmp_path)
    desk.happens()
    try:
        message = desk.audit(**said)["msg"]
    except KeysteadError as error:
        message = str(error)
    assert words in message
    assert message.startswith("identity_audit: ")


HIDDEN = [
    ("DELETE FROM shipments", "DELETE FROM checkpoints"),
    ("DELETE FROM checkpoints",),
    ("DELETE FROM shipments", "UPDATE checkpoints SET seq = seq + 100"),
]


@pytest.mark.parametrize("statements", HIDDEN)
def test_whatever_the_ledger_says_of_what_was_shipped_the_file_is_compared_with(
    desk: Desk, statements: tuple[str, ...]
) -> None:
    desk.nightly()
    desk.rewrite(2, reason="another reason")
    desk.place.tamper(*statements)
    assert desk.nightly()["failed"]
    assert len(desk.shipped.read_text().splitlines()) == 1


def test_what_somebody_says_was_shipped_is_shipped_all_the_same(desk: Desk) -> None:
    for seq in range(1, 40):
        desk.place.tamper(f"INSERT INTO shipments VALUES ({seq}, 'file {desk.shipped}', '2026')")
    assert done(desk.nightly()) == ["issue", "publish"]
    desk.happens()
    assert done(desk.nightly()) == ["issue", "publish"]


def test_old_events_cannot_be_dropped_by_saying_that_they_were_archived(desk: Desk) -> None:
    desk.nightly()
    desk.happens()
    desk.nightly()
    ledger = desk.place.open(read_only=True)
    ((digest,),) = ledger.read("SELECT hash FROM events WHERE seq = 9")
    ledger.close()
    desk.place.tamper(
        "DELETE FROM events WHERE seq <= 9", "DELETE FROM heads WHERE seq <= 9",
        f"INSERT INTO archives VALUES (9, 1, '{digest}', '00', 'x.gz', '2026')",
    )  # fmt: skip
    assert desk.says() == "it begins behind event 9, and by the last checkpoint it follows nothing"
    assert "it begins behind event 9" in desk.audit()["broken"]


def test_a_checkpoint_by_somebody_elses_key_counts_for_nothing(desk: Desk) -> None:
    desk.nightly()
    desk.happens()
    forged = desk.audit(key={"file": {"path": str(desk.directory / "other.key")}})
    assert done(forged) == ["issue"]
    result = desk.nightly()
    assert (done(result), result["checkpoint"]["event"]) == (["issue", "publish"], 12)
    assert forged["checkpoint"]["signed"] not in desk.shipped.read_text()
    assert "nobody named the public key that it was signed with" in result["warnings"][0]
    assert desk.nightly()["vouched_until"] == 12


@pytest.mark.parametrize("seq", [0, -7])
def test_an_event_before_the_first_one_is_seen(desk: Desk, seq: int) -> None:
    desk.place.tamper(
        f"INSERT INTO heads VALUES (-1, '2026', 'web1', '/s', '{{}}', {seq}, 'ff')",
        f"INSERT INTO events VALUES ({seq}, -1, 'web', 1, 'issue', '', 'ok', '', 0, 1, 'ff')",
    )
    assert desk.says() == f"event {seq} stands before the first one, 1"
    desk.place.tamper(f"DELETE FROM events WHERE seq = {seq}")
    assert desk.says() == "the head of batch -1 is of no event that is there"


def test_a_copy_that_lacks_its_beginning_is_seen(desk: Desk) -> None:
    path, key = desk.directory / "record.jsonl", desk.directory / "key.pem"
    key.write_text(desk.nightly(export=str(path))["checkpoint"]["public_key"])
    lines = path.read_text().splitlines()
    first, last = json.loads(lines[0]), json.loads(lines[-1])
    for after in (5, 9):
        link = json.loads(lines[after + 1]).get("prev", last["end"]["hash"])
        kept = [json.dumps({**first, "seq": after, "hash": link}, sort_keys=True, separators=(",", ":"))]
        kept += lines[after + 1 : -1]
        content = "".join(f"{line}\n" for line in kept)
        end = {"end": {**last["end"], "sha256": hashlib.sha256(content.encode()).hexdigest()}}
        path.write_text(content + json.dumps(end, sort_keys=True, separators=(",", ":")) + "\n")
        result = desk.audit(copy=str(path), checkpoints=[str(desk.shipped)], public_keys=[str(key)])
        assert f"it begins behind event {after}, and by the last checkpoint it follows nothing" in result["broken"]


def test_a_line_that_was_cut_off_hides_none_that_follows(desk: Desk) -> None:
    desk.shipped.write_text("eyJhbGciOiJFUzI1Ni")
    assert done(desk.nightly()) == ["issue", "publish"]
    assert desk.nightly()["vouched_until"] == 9


def test_what_another_audit_ships_meanwhile_is_not_lost(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one begins and ends when this one has just read its receiver."""

    class Overtaken(FileReceiver):
        def kept(self) -> str | None:
            text = super().kept()
            if RECEIVERS["file"] is Overtaken:
                monkeypatch.undo()
                assert done(desk.nightly()) == ["issue", "publish"]
            return text

    desk.nightly()
    desk.happens()
    monkeypatch.setitem(RECEIVERS, "file", Overtaken)
    assert desk.nightly().get("msg") is None
    assert done(desk.nightly()) == []


def test_two_audits_at_once_are_both_done(desk: Desk) -> None:
    desk.nightly()
    desk.happens()
    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(lambda _number: desk.nightly(), range(4)))
    assert [one.get("msg") for one in results] == [None] * 4
    assert done(desk.nightly()) == []


@pytest.mark.parametrize("path", ["audit.key", "checkpoints.jws", "ledger.db"])
def test_an_export_replaces_nothing_but_a_copy(tmp_path: Path, path: str) -> None:
    desk = Desk(InFile(tmp_path / "ledger.db"), tmp_path)
    desk.happens()
    desk.nightly()
    before = (tmp_path / path).read_bytes()
    assert "is there, and is no copy of this ledger" in desk.nightly(export=str(tmp_path / path))["msg"]
    assert (tmp_path / path).read_bytes() == before


def test_a_ledger_that_is_not_there_is_not_called_whole(tmp_path: Path) -> None:
    with pytest.raises(KeysteadError, match="there is no ledger at the place of option ledger"):
        Desk(InFile(tmp_path / "ledger.db"), tmp_path).audit()


def test_a_key_of_ones_own_in_a_file_signs_with_its_passphrase(tmp_path: Path) -> None:
    desk, path = Desk(InFile(tmp_path / "ledger.db"), tmp_path), tmp_path / "own.pem"
    desk.happens()
    path.write_bytes(generate("rsa-2048").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    path.chmod(0o600)
    assert done(desk.audit(key={"file": {"path": str(path)}})) == ["issue"]
    closed = {"file": {"path": str(tmp_path / "closed.pem"), "passphrase": "open sesame"}}
    desk.happens()
    assert done(desk.audit(key=closed)) == ["issue"]
    assert "ENCRYPTED" in (tmp_path / "closed.pem").read_text()
    desk.happens()
    with pytest.raises(KeysteadError, match=r"cannot be used \(it is no key that can be opened so\)"):
        desk.audit(key={"file": {"path": str(tmp_path / "closed.pem"), "passphrase": "wr0ng"}})
