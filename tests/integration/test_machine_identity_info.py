# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""machine_identity_info through ansible-playbook, over a store that machine_identity made."""

from __future__ import annotations

import functools
import hashlib
import typing as t

import pytest
import yaml
from ansible_collections.keystead.identity.plugins.modules import machine_identity, machine_identity_info
from ansible_collections.keystead.identity.tests.harness import local, playbook

if t.TYPE_CHECKING:
    from pathlib import Path

MODULE, INFO = "keystead.identity.machine_identity", "keystead.identity.machine_identity_info"
Result = dict[str, t.Any]


class Fleet:
    """One host with the identities web (with a link and an earlier generation) and api."""

    def __init__(self, root: Path) -> None:
        self.root, self.store, self.link = root, root / "store", root / "web.pem"
        self.common = {"store": str(self.store), "ledger": f"sqlite:///{root}/ledger.db"}
        issuer = {"local": local.two_tiers(root / "ca")}
        web = {
            "name": "web",
            "dns_names": ["web.example.org"],
            "keep_generations": 1,
            "contact": "team-web@example.org",
            "service": "shop",
            "links": {str(self.link): "fullchain"},
        }
        api = {"name": "api", "dns_names": ["api.example.org"]}
        first = {**self.common, "issuer": issuer, "scope": "front", "identities": [web, api]}
        again = {**first, "identities": [{**web, "lifetime": "20d"}]}
        self.run({MODULE: first}, {MODULE: again})

    def run(self, *tasks: Result, **env: str) -> list[Result]:
        """Run tasks; return their results."""
        done = playbook.run(list(tasks), home=self.root / "home", env=env)
        assert done.returncode == 0, done.stdout + done.stderr
        return playbook.results(self.root / "home")

    def look(self, *said: Result) -> list[Result]:
        """Look once for each."""
        return self.run(*({INFO: {**self.common, **one}} for one in said))

    def state(self) -> dict[str, tuple[int, str]]:
        """Return digest and time of every file outside the home directory."""
        return {
            str(path): (path.lstat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest())
            for path in sorted(self.root.rglob("*"))
            if path.is_file() and (self.root / "home") not in path.parents
        }


@pytest.fixture(name="fleet", scope="module")
def _fleet(tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    return Fleet(tmp_path_factory.mktemp("fleet"))


def codes(record: Result) -> list[str]:
    """Return the codes of what is wrong."""
    return [finding["code"] for finding in record["findings"]]


def test_everything_of_a_store_is_told_with_what_the_ledger_knows_and_nothing_changes(fleet: Fleet) -> None:
    before = fleet.state()
    everything, only, checked = fleet.run(
        {INFO: fleet.common}, {INFO: {**fleet.common, "names": ["web"]}}, {INFO: fleet.common, "check_mode": True}
    )
    assert fleet.state() == before
    assert everything == checked
    assert not everything["changed"]
    api, web = everything["identities"]
    assert only["identities"] == [web]
    assert [api["name"], web["name"]] == ["api", "web"]
    assert web["certificate"]["dns_names"] == ["web.example.org"]
    assert (web["generation"], web["kept_generations"], web["pending"]) == (2, [1], None)
    assert (web["contact"], web["service"], web["scope"]) == ("team-web@example.org", "shop", "front")
    assert (web["state"], web["links"], web["findings"]) == ("present", [str(fleet.link)], [])
    assert web["issuer_id"].startswith("local:issuing:")
    assert everything["store"]["host"] == "web1"


def test_without_a_ledger_the_host_still_tells_what_it_has(fleet: Fleet) -> None:
    nowhere = {"ledger": f"sqlite:///{fleet.root}/none.db"}
    with_none, = fleet.look(nowhere)
    default, = fleet.run({INFO: {"store": str(fleet.store)}}, AWX_PRIVATE_DATA_DIR="/runner")
    for answer in (with_none, default):
        assert [(one["name"], one["generation"], one["contact"]) for one in answer["identities"]] == [
            ("api", 1, None), ("web", 2, None),
        ]
    assert "nothing is said from a ledger: ledger: option ledger is not set" in str(default["warnings"])
    assert not (fleet.root / "none.db").exists()


def test_certificates_at_paths_are_read_and_each_trouble_is_told_apart(fleet: Fleet) -> None:
    junk, fifo = fleet.root / "junk.pem", fleet.root / "home"
    junk.write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", encoding="ascii")
    key = fleet.store / "web" / "current" / "private_key.pem"
    answer, = fleet.look({"names": [], "paths": [str(fleet.link), str(key), str(junk), str(fifo), "/none/such.pem"]})
    link, *bad = answer["paths"]
    web = next(one for one in answer["identities"] if one["name"] == "web")
    assert link["certificate"] == web["certificate"]
    assert (link["identity"], link["part"], link["certificates"]) == ("web", "fullchain", 2)
    assert [one["failed"] for one in answer["paths"]] == [False, True, True, True, True]
    assert [one["certificate"] for one in bad] == [None] * 4
    troubles = ("no certificate", "no certificate", "not a regular file", "does not exist")
    for one, said in zip(bad, troubles, strict=True):
        assert one["msg"].startswith("host: ")
        assert one["path"] in one["msg"]
        assert said in one["msg"]
    assert "PRIVATE KEY" not in str(answer)


def test_what_is_missing_is_a_finding_and_no_failure(fleet: Fleet) -> None:
    unknown, elsewhere = fleet.look({"names": ["nope"]}, {"store": str(fleet.root / "no-store"), "names": ["web"]})
    assert codes(unknown["identities"][0]) == ["missing"]
    assert unknown["identities"][0]["findings"][0]["msg"] == f"store {fleet.store} has no generation of nope"
    assert codes(elsewhere["identities"][0]) == ["missing"]
    assert elsewhere["store"]["msg"] == f"store {fleet.root}/no-store does not exist"
    assert not elsewhere["store"]["exists"]


def test_damage_on_the_host_is_told_by_its_findings(tmp_path: Path) -> None:
    fleet = Fleet(tmp_path)
    current = fleet.store / "web" / "current"
    (current / "chain.pem").write_text("gone", encoding="ascii")
    (current / "private_key.pem").write_bytes((fleet.store / "api" / "current" / "private_key.pem").read_bytes())
    fleet.link.unlink()
    (fleet.store / "api" / "current").unlink()
    (fleet.store / "stranger").mkdir()
    answer, = fleet.look({})
    api, web, stranger = answer["identities"]
    assert {"part_changed", "pair_mismatched", "link_missing"} <= set(codes(web))
    assert "chain.pem was changed on the host" in str(web["findings"])
    assert codes(api)[0] == "missing"
    assert api["findings"][0]["msg"].endswith("and the ledger knows generation 1")
    assert (stranger["name"], codes(stranger)) == ("stranger", ["missing"])


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"names": ["../web"]}, "option names: '../web' cannot be a directory of the store"),
        ({"paths": ["etc/x.pem"]}, "option paths: 'etc/x.pem' is not an absolute path"),
        ({"store": "store"}, "option store: 'store' is not an absolute path"),
        ({"scan": "etc"}, "option scan: 'etc' is not an absolute path"),
        ({"issuer": {}}, "option issuer is unknown"),
    ],
)
def test_a_wrong_option_is_refused_by_name(fleet: Fleet, said: Result, message: str) -> None:
    done = playbook.run([{INFO: {**fleet.common, **said}}], home=fleet.root / "home")
    assert done.returncode == 2
    assert f"machine_identity_info: {message}" in playbook.results(fleet.root / "home")[0]["msg"]


def test_everything_that_is_returned_is_documented(fleet: Fleet) -> None:
    ours, theirs = (yaml.safe_load(page.RETURN) for page in (machine_identity_info, machine_identity))
    answer, = fleet.look({"paths": [str(fleet.link)]})
    contains: t.Callable[[str], set[str]] = functools.partial(lambda name: set(ours[name]["contains"]))
    assert answer.keys() - {"changed", "warnings", "_ansible_no_log"} == ours.keys()
    assert answer["store"].keys() == contains("store")
    assert answer["paths"][0].keys() == contains("paths")
    (fleet.root / "old").mkdir()
    (fleet.root / "old" / "web.pem").write_bytes(fleet.link.read_bytes())
    scanned, = fleet.look({"scan": [str(fleet.root / "old")]})
    assert scanned["scan"][0].keys() == contains("scan")
    assert answer["identities"][0].keys() == contains("identities") | set(theirs["identities"]["contains"])
