# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""identity_ledger_info in playbooks: where a certificate is, page by page, beside records of other systems."""

from __future__ import annotations

import json
import typing as t
from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.keystead.identity.tests.harness import playbook
from ansible_collections.keystead.identity.tests.harness.brownfield import PEM
from ansible_collections.keystead.identity.tests.harness.in_process import HOST, World, web
from ansible_collections.keystead.identity.tests.harness.postgres import AUDITOR

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.postgres import Server

INFO = "keystead.identity.identity_ledger_info"
UNREACHABLE = {"web1": {"ansible_connection": "ssh", "ansible_host": "192.0.2.1"}}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "world")


def asked(home: Path, *tasks: dict[str, t.Any], args: t.Sequence[str] = (), **common: t.Any) -> list[dict[str, t.Any]]:
    """Run tasks of a host that cannot be reached; return what they returned."""
    said = [{INFO: {**common, **one}, "ignore_errors": True} for one in tasks]
    done = playbook.run(said, UNREACHABLE, *args, home=home)
    assert "Traceback" not in done.stdout + done.stderr
    return playbook.results(home)


def test_where_a_serial_number_is_is_answered_with_host_and_paths(world: World, tmp_path: Path) -> None:
    link = str(world.links / "web.pem")
    first = world.one(web(links={link: "fullchain"}, service="shop", contact="me@example.org"))
    second = world.one(web(links={link: "fullchain"}, service="shop", contact="me@example.org", lifetime="20d"))
    numbers = [one["certificate"]["serial_number"] for one in (first, second)]
    before = world.snapshot()
    old, new = asked(tmp_path / "home", *({"serial_number": one} for one in numbers), ledger=world.url)
    (row,) = new["rows"]
    assert (row["host"], row["paths"], row["state"], row["in_use"]) == (HOST, [link], "current", True)
    assert (row["service"], row["contact"], row["generation"], row["managed"]) == ("shop", "me@example.org", 2, True)
    assert row["certificate"].items() >= second["certificate"].items()
    assert row["deliveries"][0]["part"] == "fullchain"
    (row,) = old["rows"]
    assert (row["host"], row["paths"], row["state"], row["in_use"]) == (HOST, [], "superseded", False)
    assert [(one["path"], one["live"]) for one in row["deliveries"]] == [(link, False)]
    assert (old["total"], old["counts"], old["next"], old["changed"]) == (1, {"managed": 1, "observed": 0}, None, False)
    assert world.snapshot() == before, "it was only read"


def test_pages_are_asked_for_by_what_the_one_before_returned(world: World, tmp_path: Path) -> None:
    world.converge([web(), *({"name": f"n{n}", "dns_names": [f"n{n}.example.org"]} for n in range(4))])
    tasks = [
        {INFO: {"ledger": world.url, "limit": 2, "after": "{{ page.next | default(omit, true) }}"}, "register": "page"}
    ] * 3
    home = tmp_path / "home"
    assert playbook.run(tasks, UNREACHABLE, home=home).returncode == 0
    pages = playbook.results(home)
    assert [len(one["rows"]) for one in pages] == [2, 2, 1]
    assert len({row["name"] for one in pages for row in one["rows"]}) == 5
    assert [one["next"] is None for one in pages] == [False, False, True]
    assert {one["total"] for one in pages} == {5}


def test_records_are_rows_that_are_not_managed_and_are_judged_as_ours_are(world: World, tmp_path: Path) -> None:
    world.one(web())
    ours = world.certificate().public_bytes(PEM).decode()
    soon = f"{datetime.now(UTC) + timedelta(days=3):%Y-%m-%dT%H:%M:%SZ}"
    records = [
        {"name": "copy", "host": "lb1", "path": "/etc/lb.pem", "pem": ours},
        {"name": "old", "host": "lb2", "not_after": soon, "key_type": "rsa-1024", "service": "mail", "contact": "me"},
    ]
    (tmp_path / "records.json").write_text(json.dumps(records, indent=1))
    whole, mail, managed = asked(
        tmp_path / "home", {}, {"service": "mail"}, {"managed": True},
        ledger=world.url, records=[str(tmp_path / "records.json")],
    )  # fmt: skip
    assert whole["counts"] == {"managed": 1, "observed": 2}
    found = {row["name"]: row for row in whole["rows"]}
    codes = {name: {one["code"] for one in row["findings"]} for name, row in found.items()}
    assert codes["web"] == {"same_certificate"}
    assert {"expires_soon", "weak_key", "policy"} <= codes["old"]
    assert "copy on lb1 (/etc/lb.pem), which is not managed" in found["web"]["findings"][0]["msg"]
    assert f"web on {HOST}" in str(found["copy"]["findings"])
    assert (found["old"]["managed"], found["old"]["state"], found["old"]["paths"]) == (False, "observed", [])
    assert found["old"]["source"] == f"{tmp_path}/records.json:8"
    assert [row["name"] for row in mail["rows"]] == ["old"]
    assert [row["name"] for row in managed["rows"]] == ["web"]
    assert codes["web"] == {one["code"] for one in managed["rows"][0]["findings"]}, "records count though not shown"


MISTAKES: list[tuple[dict[str, t.Any], str]] = [
    ({"serial_number": 12345678}, "option serial_number: 12345678 was read by YAML as something else than text"),
    ({"serial_number": ["4a:0b", "zz"]}, "option serial_number: 'zz' is no serial number"),
    ({"spki_sha256": "ab"}, "option spki_sha256: 'ab' is no SHA-256"),
    ({"expires_within": "a week"}, "option expires_within: 'a week' is not a duration"),
    ({"expires_within": "99999999d"}, "option expires_within: 99999999d is more than 36500d"),
    ({"expires_before": "2027-03-15"}, "option expires_before: '2027-03-15' has no time zone"),
    ({"expires_within": "7d", "expired": True}, "the options about the end leave no time between"),
    ({"state": ["gone"]}, "option state[0]: 'gone' is none of in_use, current"),
    ({"service": []}, "option service is empty; leave it out"),
    ({"host": ["h"] * 1001}, "option host has 1001 values, more than 1000"),
    ({"limit": 0}, "option limit: 0 is not from 1 to 10000"),
    ({"after": "2"}, "option after: '2' was not returned as `next` by a page before"),
    ({"records": ["/nowhere.csv"]}, "records: /nowhere.csv cannot be read on the controller"),
    ({"ledger": "sqlite:////nowhere/ledger.db"}, "there is no ledger at sqlite:////nowhere/ledger.db"),
]


def test_what_is_wrong_is_one_sentence(world: World, tmp_path: Path) -> None:
    world.one(web())
    results = asked(tmp_path / "home", *({"ledger": world.url, **said} for said, _text in MISTAKES), args=["-vvv"])
    for (said, expected), result in zip(MISTAKES, results, strict=True):
        assert expected in result["msg"], said
        assert "\n" not in result["msg"]
        assert "rows" not in result


def test_no_ledger_is_made_where_there_is_none(tmp_path: Path) -> None:
    home = tmp_path / "home"
    results = asked(home, {}, {"ledger": f"sqlite:///{tmp_path}/ledger.db"})
    assert ["there is no ledger at" in one["msg"] for one in results] == [True, True]
    assert not (tmp_path / "ledger.db").exists()
    assert not list(home.rglob("ledger*"))


@pytest.mark.needs("postgres")
def test_an_auditor_of_a_ledger_in_postgresql_may_ask(
    postgres_server: Server, world: World, tmp_path: Path
) -> None:
    name = postgres_server.ledger()
    done = world.one(web(service="shop"), **postgres_server.options(name))
    (result,) = asked(
        tmp_path / "home", {"service": "shop"}, args=["--check", "--diff"], **postgres_server.options(name, AUDITOR)
    )
    assert [row["certificate"]["serial_number"] for row in result["rows"]] == [done["certificate"]["serial_number"]]
