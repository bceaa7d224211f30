# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""identity_report in playbooks: files of what the ledger and records say, written whole, and for nothing else."""

from __future__ import annotations

import json
import os
import re
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.credentials import credential, encoded
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.local import LocalIssuer
from ansible_collections.keystead.identity.tests.harness import local, playbook
from ansible_collections.keystead.identity.tests.harness.brownfield import pair
from ansible_collections.keystead.identity.tests.harness.in_process import HOST, World, web
from ansible_collections.keystead.identity.tests.harness.postgres import AUDITOR

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.postgres import Server

REPORT = "keystead.identity.identity_report"
UNREACHABLE = {"web1": {"ansible_connection": "ssh", "ansible_host": "192.0.2.1"}}


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "world")


def reported(
    home: Path, *tasks: dict[str, t.Any], args: t.Sequence[str] = (), **common: t.Any
) -> list[dict[str, t.Any]]:
    """Run tasks of a host that cannot be reached; return what they returned."""
    said = [{REPORT: {**common, **one}, "ignore_errors": True} for one in tasks]
    done = playbook.run(said, UNREACHABLE, *args, home=home)
    assert "Traceback" not in done.stdout + done.stderr
    return playbook.results(home)


def test_a_report_has_what_the_ledger_and_records_say(world: World, tmp_path: Path) -> None:
    record = world.one(web(links={str(world.links / "web.pem"): "fullchain"}, service="shop", contact="me"))
    (tmp_path / "records.csv").write_text("name,host,not_after\nold,lb1,2020-01-01T00:00:00Z\n")
    out, before = tmp_path / "out", world.snapshot()
    said = {"html": f"{out}/all.html", "json": f"{out}/all.json", "csv": f"{out}/tables"}
    (result,) = reported(tmp_path / "home", said, ledger=world.url, records=[str(tmp_path / "records.csv")])
    assert result["changed"] is True
    assert {one["path"]: one["changed"] for one in result["files"]}[said["html"]] is True
    assert (result["totals"]["managed"], result["totals"]["observed"], result["totals"]["expired"]) == (1, 1, 1)
    figures = json.loads((out / "all.json").read_text())
    assert figures["totals"] == result["totals"]
    found = {one["name"]: one for one in figures["identities"]}
    assert found["web"]["certificate"].items() >= {"serial_number": record["certificate"]["serial_number"]}.items()
    assert (found["web"]["host"], found["web"]["service"], found["web"]["risk"]) == (HOST, "shop", "none")
    assert found["old"]["risk"] == "critical"
    assert 'data-column="codes" data-value="expired"' in (out / "all.html").read_text()
    assert "lb1,old,x509,false,,,critical," in (out / "tables/identities.csv").read_text()
    assert world.snapshot() == before, "it was only read"


def test_it_has_changed_where_more_than_its_moment_is_new(world: World, tmp_path: Path) -> None:
    world.one(web(contact="me"))
    out, home = tmp_path / "out", tmp_path / "home"
    names = {"html": "all.html", "json": "all.json", "csv": "tables", "cbom": "all.cdx.json", "metrics": "all.prom"}
    said = {"ledger": world.url, **{name: f"{out}/{file}" for name, file in names.items()}}
    (foreseen,) = reported(home, said, args=["--check"])
    assert foreseen["changed"] is True
    assert not out.exists()
    first, again = reported(home, said, said)
    assert [one["path"] for one in first["files"]] == [one["path"] for one in foreseen["files"]]
    assert (first["changed"], again["changed"]) == (True, False)
    inode, (checked,) = (out / "all.html").stat().st_ino, reported(home, said, args=["--check"])
    assert checked["changed"] is False
    assert (out / "all.html").stat().st_ino == inode
    (third,) = reported(home, said)
    assert third["changed"] is False
    assert (out / "all.html").stat().st_ino != inode, "when it was made is a part of it"
    world.one(web(contact="me", service="shop", lifetime="20d"))
    (renamed,) = reported(home, said)
    changed = {one["path"].rpartition("/")[2] for one in renamed["files"] if one["changed"]}
    assert changed >= {"all.html", "all.json", "identities.csv", "totals.csv", "all.cdx.json", "all.prom"}
    assert sorted(one.name for one in out.iterdir()) == sorted(names.values()), "nothing is left over"


def test_what_is_wrong_is_one_sentence_and_what_was_there_stays(world: World, tmp_path: Path) -> None:
    world.one(web())
    (tmp_path / "file").write_text("")
    (tmp_path / "link").symlink_to("file")
    os.mkfifo(tmp_path / "pipe")
    page = str(tmp_path / "page.html")
    mistakes: list[tuple[dict[str, t.Any], str]] = [
        ({}, "identity_report: none of html, json, csv, cbom, metrics says where to write"),
        ({"html": f"{tmp_path}/file/page.html"}, f"{tmp_path}/file/page.html cannot be written ("),
        ({"html": str(tmp_path)}, f"identity_report: {tmp_path} is no regular file"),
        ({"html": page, "cbom": page}, f"options html and cbom both write {page}"),
        ({"html": page, "json": f"{tmp_path}/nowhere/../page.html"}, "options html and json both write"),
        ({"csv": str(tmp_path), "json": f"{tmp_path}/totals.csv"}, f"json and csv both write {tmp_path}/totals.csv"),
        ({"csv": f"{tmp_path}/file"}, f"{tmp_path}/file/"),
        ({"html": page, "json": "/proc/nowhere/all.json"}, "/proc/nowhere/all.json cannot be written (No such file"),
        ({"html": f"{tmp_path}/{'n' * 256}"}, "cannot be written (File name too long)"),
        ({"html": page, "json": f"{tmp_path}/pipe"}, f"{tmp_path}/pipe is no regular file"),
        ({"html": page, "json": f"{tmp_path}/link"}, f"{tmp_path}/link is no regular file"),
        ({"html": page, "title": " "}, "option title is empty; leave it out"),
        ({"metrics": page}, f"option metrics: {page} does not end in .prom"),
        ({"html": page, "records": ["/nowhere.csv"]}, "records: /nowhere.csv cannot be read on the controller"),
        ({"html": page, "ledger": "sqlite:////nowhere/ledger.db"}, "there is no ledger at sqlite:////nowhere/ledger.db"),
    ]
    tasks, before = [{"ledger": world.url, **said} for said, _text in mistakes], set(tmp_path.iterdir())
    foreseen = reported(tmp_path / "home", *tasks, args=["--check"])
    results = reported(tmp_path / "home", *tasks, args=["-vvv"])
    for (said, expected), check, result in zip(mistakes, foreseen, results, strict=True):
        assert expected in result["msg"], said
        assert "\n" not in result["msg"]
        assert check["msg"] == result["msg"], "check mode foresees it"
    assert set(tmp_path.iterdir()) == {*before, tmp_path / "home"}, "not one file of several"


def test_what_only_an_issuer_knows_is_rogue_until_it_is_revoked_or_recorded(world: World, tmp_path: Path) -> None:
    world.one(web(service="shop", contact="me"))
    issuer = LocalIssuer(world.issuer()["local"])
    stolen, revoked, recorded, numbered = issuer.begin([local.request() for _number in range(4)])
    issuer.revoke([encoded(revoked.parts["certificate"].content)], "key_compromise")
    pem = recorded.parts["certificate"].content.decode()
    told = credential(encoded(numbered.parts["certificate"].content))
    bare = {"serial_number": f"{told.facts.serial_number:x}", "issuer": told.facts.issuer}
    records = [{"name": "lb", "host": "lb1", "pem": pem}, {"name": "a", "not_after": "2027-01-01T00:00:00Z", **bare}]
    (tmp_path / "records.json").write_text(json.dumps(records))
    said = {"json": f"{tmp_path}/all.json", "csv": f"{tmp_path}/tables", "records": [str(tmp_path / "records.json")]}
    wrong = {"local": {"directory": str(world.authorities), "authority": "nobody"}}
    result, mistaken = reported(
        tmp_path / "home", {**said, "issuers": [world.issuer()]}, {**said, "issuers": [wrong]}, ledger=world.url
    )
    figures = json.loads((tmp_path / "all.json").read_text())
    (rogue,) = figures["coverage"]["rogue"]
    assert rogue["fingerprint_sha256"] == stolen.credential_id
    assert result["totals"]["rogue"] == 1
    assert figures["coverage"]["issuers_asked"] == [issuer.id] == [rogue["issuer_id"]]
    found = next(one for one in figures["backends"] if one["name"] == issuer.id)
    assert (found["health"], found["identities"], found["ever"]) == ("ok", 1, 1)
    assert figures["coverage"]["hosts_without_identity"] == ["web1"]
    assert {one["host"] for one in figures["coverage"]["identities_without_host"]} == {HOST, "lb1", None}
    assert figures["events"][0]["outcome"] == "ok"
    assert figures["events"][0]["host"] == HOST
    assert "nobody" in mistaken["msg"]


def test_what_is_only_observed_is_nobodys_here(world: World, tmp_path: Path) -> None:
    old = pair("old.example.org")
    (tmp_path / "old.pem").write_bytes(old.certificate)
    world.one({"name": "old", "state": "observed", "adopt": {"certificate": str(tmp_path / "old.pem")}})
    said = {"json": f"{tmp_path}/all.json", "metrics": f"{tmp_path}/all.prom"}
    (result,) = reported(tmp_path / "home", said, ledger=world.url)
    assert [result["totals"][name] for name in ("identities", "managed", "observed")] == [1, 0, 1]
    figures = json.loads((tmp_path / "all.json").read_text())
    (one,) = figures["identities"]
    assert (one["managed"], one["custody"], one["state"]) == (False, None, "observed")
    assert [each["code"] for each in one["findings"]] == ["no_contact"]
    assert figures["backends"] == []
    assert 'managed="false"' in (tmp_path / "all.prom").read_text()


def test_what_a_scanner_found_of_our_own_is_counted_once(world: World, tmp_path: Path) -> None:
    path = str(world.links / "web.pem")
    world.one(web(links={path: "fullchain"}, contact="me"))
    ours = {"pem": world.path("web", "current", "certificate.pem").read_text()}
    places = [{"host": HOST, "path": path}, {"host": HOST}, {"host": HOST, "path": "/etc/copy.pem"}, {"host": "web2"}]
    (tmp_path / "scan.json").write_text(json.dumps([{"name": "x", **ours, **place} for place in places]))
    said = {"json": f"{tmp_path}/all.json", "records": [str(tmp_path / "scan.json")]}
    (result,) = reported(tmp_path / "home", said, ledger=world.url)
    assert [result["totals"][name] for name in ("identities", "managed", "observed")] == [3, 1, 2]
    figures = json.loads((tmp_path / "all.json").read_text())
    assert {(one["host"], *one["paths"]) for one in figures["identities"]} == {
        (HOST, path), (HOST, "/etc/copy.pem"), ("web2",),
    }  # fmt: skip
    assert next(one["findings"] for one in figures["identities"] if one["managed"]) == [
        {"code": "same_certificate", "msg": f"the same certificate is also x on {HOST} (/etc/copy.pem), which is not "
         "managed, x on web2, which is not managed"},
    ]  # fmt: skip


def test_issuers_that_do_not_say_what_they_signed_are_said_and_nothing_is_called_none(
    world: World, tmp_path: Path
) -> None:
    world.one(web(contact="me"))
    token = {"token": {"token": "s.notoken"}}
    down = {"openbao": {"url": "https://127.0.0.1:9", "role": "web", "auth": token, "timeout": "2s"}}
    key, challenge = str(tmp_path / "account.pem"), {"http_01": {"webroot": "/srv/www"}}
    acme = {"acme": {"directory_url": "https://127.0.0.1:9/acme", "account_key": key, "challenge": challenge}}
    said = {name: f"{tmp_path}/all.{end}" for name, end in (("json", "json"), ("metrics", "prom"), ("html", "html"))}
    unasked, result, complete = reported(
        tmp_path / "home", said, {**said, "issuers": [down, acme, world.issuer()], "csv": f"{tmp_path}/tables"},
        {"json": f"{tmp_path}/other.json", "issuers": [world.issuer()]}, ledger=world.url,
    )  # fmt: skip
    assert [(one["totals"]["rogue"], one["totals"]["issuers_silent"]) for one in (unasked, result, complete)] == [
        (None, 0), (None, 2), (0, 0),
    ]  # fmt: skip
    assert [len(one.get("warnings", ())) for one in (unasked, result, complete)] == [0, 2, 0]
    first, second = result["warnings"]
    assert "not known whether others got certificates of openbao:https://127.0.0.1:9" in first
    assert "acme:https://127.0.0.1:9" in second
    metrics = (tmp_path / "all.prom").read_text()
    assert 'what="rogue"' not in metrics
    assert re.search(r'keystead_uncovered\{.*what="issuers_silent"} 2', metrics)
    figures = json.loads((tmp_path / "all.json").read_text())
    assert "openbao: " in figures["coverage"]["issuers_silent"][0]["because"]
    assert (tmp_path / "tables/issuers_silent.csv").read_text().count("\n") == 3
    assert "s.notoken" not in json.dumps(figures) + json.dumps(result)


@pytest.mark.needs("postgres")
def test_an_auditor_of_a_ledger_in_postgresql_may_report(postgres_server: Server, world: World, tmp_path: Path) -> None:
    name = postgres_server.ledger()
    world.one(web(service="shop"), **postgres_server.options(name))
    (result,) = reported(
        tmp_path / "home", {"json": f"{tmp_path}/all.json"}, **postgres_server.options(name, AUDITOR)
    )
    assert (result["totals"]["identities"], result["totals"]["services"]) == (1, 1)
