# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What stands in the way of a run, over a real authority, ledger and store: each with its remedy."""

from __future__ import annotations

import datetime as dt
import re
import sqlite3
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleConnectionFailure, AnsibleFilterError
from ansible_collections.keystead.identity.plugins.filter.preflight_table import FilterModule
from ansible_collections.keystead.identity.plugins.module_utils._options.common import COMMON
from ansible_collections.keystead.identity.plugins.module_utils._options.machine_identity import PREFLIGHT
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.modules import preflight as documented
from ansible_collections.keystead.identity.plugins.plugin_utils._action import Task
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.local import LocalIssuer
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.schema import MIGRATIONS
from ansible_collections.keystead.identity.plugins.plugin_utils._preflight import (
    LIBRARIES,
    failure,
    libraries,
    preflight,
)
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated
from ansible_collections.keystead.identity.tests.harness import local
from ansible_collections.keystead.identity.tests.harness import openbao as bao
from ansible_collections.keystead.identity.tests.harness.in_process import HOST, World, web
from ansible_collections.keystead.identity.tests.harness.postgres import AUDITOR, PASSWORDS

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.plugins.plugin_utils._host_half import Execute
    from ansible_collections.keystead.identity.tests.harness.openbao_server import Server
    from ansible_collections.keystead.identity.tests.harness.postgres import Server as PostgresServer

Found = dict[str, dict[str, str]]
REQUIREMENTS = Path(__file__).parents[4] / "requirements.txt"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def look(world: World, *, execute: Execute | None = None, pipelining: bool = True, **said: t.Any) -> dict[str, t.Any]:
    given = {"issuer": world.issuer(), "ledger": world.url, "store": str(world.store), **said}
    args = validated(given, spec(COMMON, PREFLIGHT), module="preflight")
    task = Task(world.host, "site.yml", False, False, execute or world.execute, world.said.append)  # noqa: FBT003
    return preflight(args, task, pipelining=pipelining)


def by_check(result: dict[str, t.Any]) -> Found:
    return {row["check"]: row for row in result["checks"]}


def failed(result: dict[str, t.Any]) -> Found:
    return {name: row for name, row in by_check(result).items() if row["state"] == "failed"}


def test_before_the_first_run_and_after_it_all_is_well_and_nothing_is_touched(world: World) -> None:
    before = world.snapshot()
    first = look(world)
    assert world.snapshot() == before
    assert (first["failed"], first["changed"], failed(first)) == (False, False, {})
    assert by_check(first)["ledger"]["found"].endswith("does not exist yet, the first run makes it")
    assert "can be made below" in by_check(first)["store"]["found"]
    world.one(web())
    before, executions = world.snapshot(), len(world.phases)
    again = look(world)
    assert (world.snapshot(), world.phases[executions:]) == (before, ["preflight"])
    assert "may be written by user" in by_check(again)["store"]["found"]
    assert by_check(again)["ledger"]["found"].endswith(f"has schema {len(MIGRATIONS)}")
    assert {row["state"] for row in again["checks"]} == {"ok"}
    assert {row["where"] for row in again["checks"]} == {"controller", HOST}
    assert not [row for row in again["checks"] if row["remedy"]]


def test_the_libraries_are_those_of_the_requirements() -> None:
    wanted = dict(re.findall(r"^([\w-]+)>=([\d.]+)$", REQUIREMENTS.read_text(encoding="utf-8"), re.MULTILINE))
    assert {name: oldest for name, oldest in LIBRARIES.items() if name != "ansible-core"} == wanted


def test_a_library_that_is_missing_or_too_old_is_named() -> None:
    found = {check.name: check for check in libraries({"cryptography": "9999", "there-is-none": "1", "idna": "3.7"})}
    assert "at least 9999 is needed" in found["cryptography"].found
    assert found["there-is-none"].found == "there-is-none is not installed"
    assert found["there-is-none"].remedy.startswith("install there-is-none>=1 ")
    assert [check.state for check in found.values()] == ["ok", "failed", "failed", "ok"]


@pytest.mark.parametrize(
    ("url", "found", "remedy"),
    [
        ("sqlite:////nowhere/x.db", "/nowhere/x.db does not exist, nor does its directory", "create the directory"),
        ("sqlite:////etc/passwd", "ledger: /etc/passwd is not a ledger", "restore it from a backup, or correct"),
        ("mysql://x", "ledger: option ledger has the unknown scheme mysql", "set option ledger to sqlite:"),
        ("postgresql://me:SESAME@x/y", "ledger: option ledger has a password inside its URL", "take it out"),
    ],
)
def test_a_ledger_that_could_not_be_written_is_said(world: World, url: str, found: str, remedy: str) -> None:
    result = look(world, ledger=url)
    assert list(failed(result)) == ["ledger"]
    row = failed(result)["ledger"]
    assert row["found"].startswith(found)
    assert row["remedy"].startswith(remedy)
    assert "SESAME" not in str(result)
    assert by_check(result)["store"]["state"] == "ok"


def test_a_ledger_of_a_newer_release_is_said(world: World) -> None:
    world.one(web())
    with sqlite3.connect(world.ledger) as connection:
        connection.execute("PRAGMA user_version = 99")
        connection.execute("UPDATE meta SET value = '99' WHERE key = 'usable_from'")
    connection.close()
    row = failed(look(world))["ledger"]
    assert "has schema 99" in row["found"]
    assert "upgrade the collection" in row["remedy"]


def test_the_default_ledger_is_looked_at_and_not_made(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert by_check(look(world, ledger=None))["ledger"]["found"].startswith(f"{tmp_path}/state/keystead/ledger.sqlite")
    assert not (tmp_path / "state").exists()
    monkeypatch.setenv("AWX_PRIVATE_DATA_DIR", "/runner")
    assert "would vanish with this AWX job" in failed(look(world, ledger=None))["ledger"]["found"]


def test_an_authority_that_is_not_there_or_does_not_open_is_said(world: World) -> None:
    local.authority(world.authorities, "closed", passphrase="right")
    for said, found, remedy in (
        ({"name": "none"}, "authority none does not exist", "create it with certificate_authority"),
        ({"name": "closed"}, "has a passphrase", "set passphrase"),
        ({"name": "closed", "passphrase": "wrong"}, "the passphrase does not open it", "set its own"),
        ({"name": "closed", "passphrase_file": "/none"}, "passphrase_file /none of authority closed", "write the path"),
    ):
        row = failed(look(world, issuer=world.issuer(**said)))["local: issuer"]
        assert found in row["found"]
        assert row["remedy"].startswith(remedy)
    opened = by_check(look(world, issuer=world.issuer("closed", passphrase="right")))
    assert opened["local: key"]["found"] == "the private key opens with its passphrase"


def test_an_authority_that_ends_is_a_warning_and_then_a_failure(world: World, tmp_path: Path) -> None:
    local.authority(tmp_path, "old", lifetime="10d")
    said = {"directory": str(tmp_path), "authority": "old"}
    soon = {check.name: check.state for check in LocalIssuer(said).preflight()}
    assert soon == {"authority": "warning", "key": "ok", "record": "ok"}
    long_ago = local.now() - dt.timedelta(days=400)
    local.authority(tmp_path, "ended", lifetime="30d", at=long_ago)
    issuer = {"local": {"directory": str(tmp_path), "authority": "ended"}}
    row = failed(look(world, issuer=issuer))["local: issuer"]
    assert "cannot sign any more" in row["found"]
    assert "create another authority" in row["remedy"]


@pytest.mark.needs("openbao")
def test_an_openbao_looks_at_itself_beside_a_local_authority(world: World, openbao: Server) -> None:
    pki = bao.pki(openbao)
    result = look(world, issuers=[{"openbao": pki.options(bao.approle(pki))}])
    assert not failed(result)
    assert {"local: key", "openbao: role", "openbao: roots"} <= by_check(result).keys()
    secret = "s.opensnothing"
    result = look(world, issuer={"openbao": pki.options({"token": {"token": secret}})})
    assert list(failed(result)) == ["openbao: issuer"]
    assert secret not in str(result)


@pytest.mark.needs("postgres")
def test_a_ledger_in_postgresql_is_looked_at_as_its_role(world: World, postgres_server: PostgresServer) -> None:
    name, empty = postgres_server.ledger(), postgres_server.database()
    fit = look(world, **postgres_server.options(name))
    assert by_check(fit)["ledger"]["found"].endswith(f"answers, and has schema {len(MIGRATIONS)}")
    assert (fit["failed"], failed(fit)) == (False, {})
    for options, found, remedy in (
        (postgres_server.options(empty), "has no ledger in it", "run the playbook keystead.identity.ledger_migrate"),
        (postgres_server.options(name, AUDITOR), "does not permit role auditor to write", "let its owner grant"),
        ({**postgres_server.options(name), "ledger_password": "SESAME"}, "does not let this role in", "look at"),
        ({**postgres_server.options(name), "ledger_password_file": "/x"}, "both ledger_password and", "keep one"),
        ({"ledger": "postgresql://nobody@127.0.0.1:1/x"}, "cannot be reached", "nothing was touched"),
    ):
        result = look(world, **options)
        assert list(failed(result)) == ["ledger"]
        row = failed(result)["ledger"]
        assert found in row["found"]
        assert row["remedy"].startswith(remedy)
        assert not [secret for secret in (*PASSWORDS.values(), "SESAME") if secret in str(result)]


@pytest.mark.parametrize(
    ("text", "found", "remedy"),
    [
        (None, "cannot be read (No such file or directory)", "correct the path, or leave policy out"),
        ("rules: [{id: a, kind: nothing}]", "policy.yml", ""),
        ("\u0000", "policy.yml", ""),
    ],
)
def test_a_policy_that_does_not_hold_is_said(
    world: World, tmp_path: Path, text: str | None, found: str, remedy: str
) -> None:
    path = tmp_path / "policy.yml"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    result = look(world, policy=str(path))
    assert list(failed(result)) == ["policy"]
    row = failed(result)["policy"]
    assert found in row["found"]
    assert row["remedy"].startswith(remedy)
    assert row["remedy"]


def test_the_policy_that_holds_is_named(world: World, tmp_path: Path) -> None:
    assert by_check(look(world))["policy"]["found"].startswith("the shipped policy holds, with ")
    path = tmp_path / "policy.yml"
    path.write_text("format: 1\nrules: []\n", encoding="utf-8")
    assert by_check(look(world, policy=str(path)))["policy"]["found"] == f"{path} holds, with 0 rules"


def test_every_issuer_is_looked_at_and_none_is_a_warning(world: World, tmp_path: Path) -> None:
    local.authority(tmp_path, "other")
    result = look(world, issuers=[{"local": {"directory": str(tmp_path), "authority": "other"}}])
    assert len([row for row in result["checks"] if row["check"] == "local: key"]) == 2
    without = look(world, issuer=None)
    assert (without["failed"], by_check(without)["issuer"]["state"]) == (False, "warning")


def test_a_host_that_shall_enrol_by_a_program_is_looked_at_for_it(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "scepclient"
    program.parent.mkdir()
    monkeypatch.setenv("PATH", str(program.parent))
    certificate = world.authorities / "issuing" / "certificate.pem"
    said = {"url": "https://scep.example.org", "fingerprint_sha256": "0" * 64, "roots": [str(certificate)]}
    scep = {"scep": {**said, "challenge": "SESAME"}}
    missing = by_check(look(world, issuer=scep))
    assert missing["scep"]["state"] == "failed"
    assert re.search("scepclient is not on this host", missing["scep"]["found"])
    assert "package scep of Debian" in missing["scep"]["remedy"]
    assert missing["scep: trust"]["found"] == "1 trusted root, and one fingerprint; only hosts ask it"
    assert missing["scep: challenge"]["state"] == "ok"
    program.write_text("#!/bin/sh\n", encoding="ascii")
    program.chmod(0o755)
    found = by_check(look(world, issuer=world.issuer(), issuers=[scep]))
    assert (found["scep"]["state"], found["scep"]["found"]) == ("ok", f"{program} is there")
    assert "scep" not in by_check(look(world, issuer=world.issuer()))
    assert "SESAME" not in str([missing, found])


def test_a_root_that_changed_since_it_was_pinned_is_said(world: World) -> None:
    world.one(web())
    with sqlite3.connect(world.ledger) as connection:
        connection.execute("UPDATE pins SET fingerprint = 'aa'")
    connection.close()
    row = failed(look(world))["local: issuer"]
    assert "its root changed from aa" in row["found"]
    assert "accept_new_root" in row["remedy"]


def test_a_store_of_another_host_or_under_others_is_said(world: World, tmp_path: Path) -> None:
    world.one(web())
    other = World(tmp_path, host="db.example.org")
    assert f"belongs to host {HOST}, not to db.example.org" in failed(look(other))["store"]["found"]
    foreign = look(world, ledger=f"sqlite:///{tmp_path}/other.sqlite")
    assert not foreign["failed"], "a ledger that does not exist yet has no id to compare"
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    row = failed(look(world, store=str(shared / "store")))["store"]
    assert "may be written by others" in row["found"]
    assert row["remedy"].startswith("chmod go-w")


def test_a_clock_that_is_off_is_said(world: World) -> None:
    def late(arguments: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        answer = world.execute(arguments)
        return {**answer, "now": answer["now"] - 3600}

    row = failed(look(world, execute=late))["clock"]
    assert re.fullmatch(r"the clock is 36\d\d s off the controller's", row["found"])
    assert row["remedy"] == "synchronise both, by NTP"


def test_a_host_without_python_or_out_of_reach_is_a_finding_and_no_end(world: World) -> None:
    silent = look(world, execute=lambda _arguments: {"failed": True, "msg": "no such file", "rc": 127})
    assert "rc 127" in failed(silent)["host"]["found"]
    assert "ansible_python_interpreter" in failed(silent)["host"]["remedy"]
    no_library = "host: /usr/bin/python3 has no cryptography; install the package python3-cryptography"
    told = failed(look(world, execute=lambda _arguments: {"failed": True, "msg": no_library}))["host"]
    assert f"{told['found']}; {told['remedy']}" == no_library

    def unreachable(_arguments: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        raise AnsibleConnectionFailure("Connection\nrefused")

    lost = look(world, execute=unreachable)
    assert failed(lost)["host"]["found"] == "Connection refused"
    assert "mend the connection" in failed(lost)["host"]["remedy"]
    assert by_check(lost)["ledger"]["state"] == "ok"


@pytest.mark.parametrize(
    "checks",
    [None, "x", [None], [{}], [{"name": "a", "state": "fine", "found": "b"}], [{"name": ["a"], "state": "ok"}],
     [{"name": "a", "state": "ok", "found": "\x1b[31m"}], [{"name": "a", "state": "ok", "found": "x" * 9999}]],
)  # fmt: skip
def test_an_answer_of_another_form_is_refused(world: World, checks: t.Any) -> None:
    result = look(world, execute=lambda arguments: {**world.execute(arguments), "checks": checks})
    row = failed(result)["host"]
    assert row["found"] == "host: its answer has another form"
    assert "\x1b" not in str(result)


def test_a_challenge_that_the_policy_keeps_from_hosts_is_told(world: World, tmp_path: Path) -> None:
    silent, permits = tmp_path / "silent.yml", tmp_path / "permits.yml"
    silent.write_text("format: 1\nrules: []\n", encoding="ascii")
    rule = "  - id: a\n    issuer: {allow: [{scep: {challenge: true}}]}\n"
    permits.write_text(f"format: 1\nrules:\n{rule}", encoding="ascii")
    said = {"url": "https://scep.example.org/scep", "fingerprint_sha256": "0" * 64, "roots": ["/none.pem"]}
    issuer = {"scep": {**said, "challenge_file": "/none"}}
    for policy, told in ((None, "rule scep-challenge refuses"), (silent, "has no rule that permits"), (permits, "")):
        rows = look(world, issuer=issuer, policy=policy and str(policy))["checks"]
        found = [(row["state"], row["found"]) for row in rows if row["check"] == "policy" and row["state"] != "ok"]
        assert [(state, told in text) for state, text in found] == ([("warning", True)] if told else [])


def test_no_pipelining_keeps_a_secret_of_the_issuer_from_hosts(world: World) -> None:
    said = {"url": "https://scep.example.org/scep", "fingerprint_sha256": "0" * 64, "roots": ["/none.pem"]}
    for more, state in (({"challenge_file": "/none"}, "failed"), ({}, "warning")):
        row = by_check(look(world, pipelining=False, issuer={"scep": {**said, **more}}))["pipelining"]
        assert (row["state"], "cannot go there" in row["found"]) == (state, state == "failed")


def test_no_pipelining_is_a_warning(world: World) -> None:
    result = look(world, pipelining=False)
    row = by_check(result)["pipelining"]
    assert (result["failed"], row["state"], row["where"]) == (False, "warning", HOST)
    assert "pipelining = true" in row["remedy"]


def test_everything_that_is_returned_is_documented(world: World) -> None:
    result, page = look(world), yaml.safe_load(documented.RETURN)
    assert result.keys() - {"changed", "failed"} == page.keys()
    assert {frozenset(row) for row in result["checks"]} == {frozenset(page["checks"]["contains"])}


def test_an_error_that_nobody_foresaw_is_named_without_its_text() -> None:
    assert "SESAME" not in str(failure("x", RuntimeError("SESAME")))
    assert failure("x", RuntimeError("SESAME")).remedy == "please report it"


def test_the_table_has_what_must_be_mended_first_and_each_line_once(world: World) -> None:
    table = FilterModule().filters()["preflight_table"]
    bad = look(world, ledger="sqlite:////etc/passwd", pipelining=False)
    lines = table([bad, bad])
    assert len(lines) == len(set(lines)) == len(bad["checks"])
    states = [line.split()[0] for line in lines]
    assert states == sorted(states, key=["FAILED", "warning", "ok"].index)
    assert "/etc/passwd is not a ledger; restore it" in lines[0]
    assert table([]) == []
    for wrong in ([{}], [None], 7, [{"checks": [{}]}]):
        with pytest.raises(AnsibleFilterError, match="preflight_table: the input is no list"):
            table(wrong)
