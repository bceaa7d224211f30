# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""An emergency while the ledger is down is signed in a journal, and the next run writes that into the ledger, once."""

from __future__ import annotations

import json
import multiprocessing
import typing as t
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import KeysteadError
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.local import LocalIssuer
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.chain import verify
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_for
from ansible_collections.keystead.identity.tests.harness.in_process import World, reason, steps, web
from ansible_collections.keystead.identity.tests.harness.revoking import Office
from cryptography.hazmat.primitives.serialization import Encoding

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.tests.harness.postgres import Server

LEAVE = "format: 1\nrules:\n  - {id: incident, emergency_revocation: {allow: true}}\n"
NOW: dict[str, t.Any] = {"emergency": True, "justification": "the key is on a pastebin", "reason": "key_compromise"}


class Down:
    """A world with one identity, whose ledger can be taken away and brought back."""

    def __init__(self, directory: Path) -> None:
        (directory / "policy.yml").write_text(LEAVE)
        self.world, self.state = World(directory / "world"), directory / "state" / "keystead"
        self.world.one(web())
        self.office = Office(self.world.url, self.world.issuer())
        self.said = {**NOW, "policy": str(directory / "policy.yml")}
        self.pem = (self.world.path("web", "current", "certificate.pem")).read_text()
        self._kept = self.world.directory / "kept.sqlite"

    def take(self) -> None:
        """Put something that is no ledger in its place."""
        self.world.ledger.rename(self._kept)
        self.world.ledger.write_bytes(b"no ledger" * 1000)

    def bring(self) -> None:
        """Put it back."""
        self._kept.replace(self.world.ledger)

    @property
    def journals(self) -> list[Path]:
        """The journals that wait."""
        return [path for path in self.state.glob("journal-*.jsonl") if "merged" not in path.name]


@pytest.fixture
def down(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Down:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return Down(tmp_path)


def test_it_is_revoked_signed_and_in_the_ledger_after_the_next_run_of_whoever_comes(down: Down) -> None:
    certificate = down.world.certificate()
    down.take()
    shown = down.office.run({"pem": down.pem}, check=True, **down.said)
    assert down.journals == []
    done = down.office.run({"pem": down.pem}, **down.said)
    assert (shown["changed"], shown["steps"]) == (done["changed"], done["steps"])
    assert done["changed"]
    assert down.world.is_revoked(certificate)
    assert "the ledger is down (ledger: " in done["warnings"][0]
    (journal,) = down.journals
    assert str(journal) in done["warnings"][0]
    assert (journal.stat().st_mode & 0o777, (down.state / "journal.key").stat().st_mode & 0o777) == (0o600, 0o600)
    assert len(journal.read_text().splitlines()) == 2
    again = down.office.run({"pem": down.pem}, **down.said)
    assert (again["changed"], again["certificates"][0]["status"]) == (False, "revoked")

    down.bring()
    replaced = down.world.one(web())
    assert down.journals == []
    assert "issue" in steps(replaced)
    assert "revoked" in reason(replaced)
    events = down.office.events()
    assert [one["outcome"] for one in events] == ["pending", "ok"], "the second time there was nothing to tell"
    assert all("emergency: the key is on a pastebin" in one["reason"] for one in events)
    assert all(one["actor"]["operating_system_user"] and "journal " in one["message"] for one in events)
    rows = down.office.rows()
    assert down.office.run({"pem": down.pem}, **down.said)["changed"] is False
    assert down.office.rows() == rows


def test_without_an_emergency_or_without_leave_nothing_is_revoked_while_it_is_down(down: Down) -> None:
    certificate = down.world.certificate()
    down.take()
    with pytest.raises(KeysteadError, match="ledger: "):
        down.office.run({"pem": down.pem}, policy=down.said["policy"])
    with pytest.raises(KeysteadError, match="rule emergency-revocation, certificate "):
        down.office.run({"pem": down.pem}, **NOW)
    assert not down.world.is_revoked_at_all(certificate)
    assert down.journals == []


@pytest.mark.parametrize("entry", [{"identity": "web"}, {"pem": "", "host": "web1"}, {"host": "web1"}])
def test_what_only_the_ledger_knows_cannot_be_asked_for(down: Down, entry: dict[str, str]) -> None:
    down.take()
    with pytest.raises(KeysteadError, match=r"only the ledger knows; in an emergency without it, give path, pem"):
        down.office.run({name: said or down.pem for name, said in entry.items()}, **down.said)


def test_a_ledger_that_is_misspelt_is_none_that_is_down(down: Down) -> None:
    with pytest.raises(KeysteadError, match="option ledger is not a URL"):
        down.office.run({"pem": down.pem}, **{**down.said, "ledger": "web"})
    assert down.journals == []


def test_where_nothing_outlives_the_job_it_is_refused(down: Down, monkeypatch: pytest.MonkeyPatch) -> None:
    down.take()
    monkeypatch.setenv("AWX_PRIVATE_DATA_DIR", "/runner")
    with pytest.raises(KeysteadError, match="would vanish with this AWX job"):
        down.office.run({"pem": down.pem}, **down.said)


CHANGES: dict[str, t.Callable[[list[str]], list[str]]] = {
    "a word": lambda lines: [lines[0].replace("pastebin", "postcard"), *lines[1:]],
    "a signature": lambda lines: [json.dumps({**json.loads(lines[0]), "signature": "00" * 64}), *lines[1:]],
    "the first line is missing": lambda lines: lines[1:],
    "their order": lambda lines: lines[::-1],
    "rubbish": lambda lines: ["rubbish", *lines],
    "one twice": lambda lines: [lines[0], *lines],
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_journal_that_was_changed_is_written_nowhere_and_named(down: Down, change: str) -> None:
    down.take()
    down.office.run({"pem": down.pem}, **down.said)
    (journal,) = down.journals
    journal.write_text("\n".join([*CHANGES[change](journal.read_text().splitlines()), ""]))
    down.bring()
    before = down.office.rows()
    with pytest.raises(KeysteadError, match=r"journal-[0-9a-f]*\.jsonl line [12] is not what was written there"):
        down.world.converge([web()])
    assert down.office.rows() == before


def test_a_line_that_was_cut_off_tells_of_nothing_that_was_done(down: Down) -> None:
    down.take()
    down.office.run({"pem": down.pem}, **down.said)
    (journal,) = down.journals
    with journal.open("a") as file:
        file.write('{"said": "{')
    down.office.run({"pem": down.pem}, **down.said)
    down.bring()
    down.world.one(web())
    assert [one["outcome"] for one in down.office.events()] == ["pending", "ok"]


def test_what_the_journal_knows_of_a_run_that_was_cut_off_is_said_of_that_alone(down: Down) -> None:
    (issuer,) = down.world.issuer().values()
    LocalIssuer(issuer).revoke([down.world.certificate().public_bytes(Encoding.DER)], "key_compromise")
    down.take()
    down.office.run({"pem": down.pem}, **down.said)
    (journal,) = down.journals
    assert "it was revoked before, by whom only the ledger can tell" in journal.read_text()
    assert "cut off" not in journal.read_text()


def test_a_run_that_was_cut_off_while_the_ledger_was_down_is_gone_on_with(down: Down) -> None:
    down.take()
    down.office.run({"pem": down.pem}, **down.said)
    (journal,) = down.journals
    begun = journal.read_text().splitlines()[:1]
    journal.write_text("\n".join([*begun, ""]))  # killed before it could say what it did
    down.office.run({"pem": down.pem}, **down.said)
    down.bring()
    down.world.one(web())
    first, second = down.office.events()
    assert (first["outcome"], second["outcome"]) == ("pending", "ok")
    assert second["reason"] == "a run that was cut off revoked it, and could not write that down"


def test_without_the_ledger_a_rule_for_identities_gives_no_leave_and_says_which_one_would(down: Down) -> None:
    down.take()
    policy = Path(down.said["policy"])
    rule = "  - {id: incident, only: {identities: [web]}, emergency_revocation: {allow: true}}\n"
    policy.write_text(f"format: 1\nrules:\n{rule}")
    with pytest.raises(KeysteadError) as refused:
        down.office.run({"pem": down.pem}, **down.said)
    assert "nobody can say here whose it is, so a rule for identities by their names is not" in str(refused.value)
    assert "or only: {identities: ['certificate **']}" in str(refused.value)
    policy.write_text(policy.read_text().replace("[web]", "[web, 'certificate **']"))
    assert down.office.run({"pem": down.pem}, **down.said)["changed"]


def test_a_merge_that_was_cut_off_is_gone_on_with_and_writes_nothing_twice(down: Down) -> None:
    down.take()
    down.office.run({"pem": down.pem}, **down.said)
    (journal,) = down.journals
    written = journal.read_bytes()
    down.bring()
    down.world.one(web())
    journal.write_bytes(written)  # as if it had not been put aside
    before = down.office.rows()
    down.world.converge([web()])
    assert down.office.rows() == before
    assert down.journals == []


def test_many_runs_at_once_write_it_into_the_ledger_once(down: Down) -> None:
    down.take()
    down.office.run({"pem": down.pem}, **down.said)
    down.bring()
    workers = [multiprocessing.Process(target=_open, args=(down.world.url,)) for _number in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert {worker.exitcode for worker in workers} == {0}
    assert [one["outcome"] for one in down.office.events()] == ["pending", "ok"]
    assert down.journals == []


def _open(url: str) -> None:
    open_for({"ledger": url}).close()


@pytest.mark.needs("postgres")
def test_a_database_that_does_not_answer_gets_it_when_it_does(
    down: Down, postgres_server: Server, tmp_path: Path
) -> None:
    world, name = World(tmp_path / "shared"), postgres_server.ledger()
    options = postgres_server.options(name)
    world.one(web(), **options)
    office = Office(options["ledger"], world.issuer())
    said = {**down.said, "ledger_password": options["ledger_password"]}
    pem = world.path("web", "current", "certificate.pem").read_text()
    postgres_server.stop()
    try:
        done = office.run({"pem": pem}, **said)
        assert done["changed"]
        assert len(down.journals) == 1
    finally:
        postgres_server.start()
    assert "issue" in steps(world.one(web(), **options))
    assert down.journals == []
    ledger = open_for(options, read_only=True)
    assert verify(ledger) is None
    ledger.close()
