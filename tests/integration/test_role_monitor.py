# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The role `monitor` and the playbook `drift`: what is wrong is told, written, and ends a run; all else does not."""

from __future__ import annotations

import json
import re
import subprocess
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.keystead.identity.plugins.filter.drift import drift
from ansible_collections.keystead.identity.tests.harness import openbao as bao
from ansible_collections.keystead.identity.tests.harness import playbook
from ansible_collections.keystead.identity.tests.harness.in_process import World, web
from ansible_collections.keystead.identity.tests.harness.ledgers import InFile
from ansible_collections.keystead.identity.tests.harness.openbao_server import free_ports

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.tests.harness.openbao_server import Server

pytestmark = pytest.mark.one_core

RULES = Path(__file__).resolve().parents[2] / "roles/monitor/files/keystead_rules.yml"
DRIFT = Path("keystead.identity.drift")
MONITOR = [{"hosts": "localhost", "gather_facts": False, "roles": ["keystead.identity.monitor"]}]


class Site:
    """A controller that watches, with an authority, and a host with an identity."""

    def __init__(self, root: Path) -> None:
        self.root, self.home, self.kept = root, root / "home", root / "monitor"
        self.world = World(root, host="web1")
        self.web = web(contact="shop@example.org")
        self.world.one(self.web)
        self.common = {"keystead_ledger": self.world.url, "keystead_issuer": self.world.issuer()}
        self.hosts: dict[str, dict[str, t.Any]] = {
            "web1": {"keystead_store": str(self.world.store), "keystead_identities": [self.web]}
        }

    def run(self, book: t.Any, *args: str, code: int = 0, **said: t.Any) -> str:
        """Run a playbook; return what was printed, on one line."""
        done = playbook.run(book, self.hosts, "-e", json.dumps({**self.common, **said}), *args, home=self.home)
        assert done.returncode == code, done.stdout + done.stderr
        self.recap = playbook.recap(done)
        return " ".join((done.stdout + done.stderr).split())

    def monitor(self, code: int = 0, **said: t.Any) -> str:
        """Run the role."""
        return self.run(MONITOR, code=code, monitor_directory=str(self.kept), **said)

    def alerts(self) -> list[dict[str, t.Any]]:
        """Return what the last run wrote for somebody to do."""
        found: list[dict[str, t.Any]] = json.loads((self.kept / "watch.json").read_text())["alerts"]
        return found


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.mark.needs("promtool")
def test_everything_is_written_for_prometheus_too_and_a_second_run_changes_nothing(site: Site, tmp_path: Path) -> None:
    said = {"monitor_metrics_directory": str(tmp_path / "prom"), "monitor_rules": str(tmp_path / "rules.yml")}
    site.monitor(**said)
    assert {path.name for path in site.kept.iterdir()} == {"watch.json", "identities.html", "identities.json"}
    assert {path.name for path in (tmp_path / "prom").iterdir()} == {"keystead_watch.prom", "keystead_identities.prom"}
    assert (tmp_path / "rules.yml").read_text() == RULES.read_text()
    assert site.alerts() == []
    site.monitor(**said)
    assert site.recap["localhost"]["changed"] == 0
    promtool("check", "rules", str(RULES))
    text = "".join(path.read_text() for path in (tmp_path / "prom").iterdir())
    promtool("check", "metrics", told=text)
    rules = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
    wanted = {name for rule in rules for name in re.findall(r"keystead_\w+", rule["expr"])}
    assert wanted <= set(re.findall(r"(?m)^# TYPE (\w+) gauge$", text))


@pytest.mark.needs("promtool")
def test_prometheus_alarms_for_what_is_critical_or_weak_and_where_nothing_is_said(tmp_path: Path) -> None:
    made = [f'keystead_{one}_made_timestamp_seconds{{ledger="here"}}' for one in ("watch", "report")]
    found = {'keystead_findings{code="revoked"}': 2, 'keystead_findings{code="weak_key"}': 1,
             'keystead_findings{code="no_contact"}': 9}  # fmt: skip
    old = "KeysteadReportIsOld", "KeysteadNobodyLooks"
    tests = [
        alarms(dict.fromkeys(made, 0) | found, "2h", KeysteadIdentityCritical=1, KeysteadIdentityWeak=1),
        alarms(dict.fromkeys(made, 0), "2h", KeysteadNothingIsKnown=0, KeysteadIdentityCritical=0),
        alarms(dict.fromkeys(made, 0), "49h", **dict.fromkeys(old, 1)),
        alarms({made[0]: 0}, "2h", KeysteadNothingIsKnown=1),
        alarms({}, "2h", KeysteadNothingIsKnown=1),
    ]
    (tmp_path / "tests.yml").write_text(yaml.safe_dump({"rule_files": [str(RULES)], "tests": tests}))
    promtool("test", "rules", str(tmp_path / "tests.yml"))


def alarms(series: dict[str, int], when: str, **wanted: int) -> dict[str, t.Any]:
    """Return a test for promtool: how many alerts of each name fire at a moment, hours after the epoch."""
    said = [{"series": name, "values": f"{value}x600"} for name, value in series.items()]
    counts = [
        {"expr": f'count(ALERTS{{alertname="{name}",alertstate="firing"}}) or vector(0)', "eval_time": when,
         "exp_samples": [{"labels": "{}", "value": count}]}
        for name, count in wanted.items()
    ]  # fmt: skip
    return {"interval": "10m", "input_series": said, "promql_expr_test": counts}


def promtool(*args: str, told: str = "") -> None:
    done = subprocess.run(["promtool", *args], check=False, input=told, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_ledger_that_was_altered_or_is_gone_ends_the_run_and_is_written_down(site: Site, tmp_path: Path) -> None:
    InFile(site.world.ledger).tamper("UPDATE events SET reason = 'other' WHERE seq = 2")
    assert "monitor: critical: ledger sqlite:///" in site.monitor(code=2)
    assert [one["what"] for one in site.alerts()] == ["ledger"]
    assert (site.kept / "identities.html").exists(), "what can be read is reported all the same"
    site.monitor(monitor_fails_on="never", keystead_ledger=f"sqlite:///{tmp_path}/nowhere.db")
    assert "there is no ledger at" in site.alerts()[0]["found"]


@pytest.mark.needs("openbao")
def test_a_server_that_is_sealed_and_a_login_that_ends_are_alerts(site: Site, openbao: Server) -> None:
    pki = bao.pki(openbao)
    issuers = [{"openbao": pki.options({"token": {"token": bao.token(pki, ttl=ttl)}})} for ttl in ("480h", "240h")]
    issuers.append({"openbao": {**issuers[0]["openbao"], "url": closed()}})
    said = site.monitor(code=2, keystead_issuers=issuers, monitor_warning="30d", monitor_fails_on="warning")
    assert "accepts no connection" in said
    assert {(one["what"], one["state"]) for one in site.alerts()} == {("issuer", "critical")}
    openbao.seal()
    try:
        assert "it is sealed; unseal it" in site.monitor(code=2, keystead_issuers=issuers[:1])
    finally:
        openbao.unseal()
    assert [(one["what"], one["remedy"]) for one in site.alerts()] == [("issuer", "unseal it and run again")]


def closed() -> str:
    """Return the URL of a server that is not there."""
    (port,) = free_ports(1)
    return f"https://127.0.0.1:{port}"


def test_drift_ends_with_an_error_and_nothing_else_does(site: Site) -> None:
    (port,) = free_ports(1)
    gone = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": port}
    site.hosts["gone"] = {**site.hosts["web1"], **gone}
    site.hosts["wrong"] = {**site.hosts["web1"], "keystead_identities": [{"name": "web"}]}
    site.hosts["bare"] = {}
    said = site.run(DRIFT)
    assert '"msg": "declared: everything is as it is declared"' in said
    assert '"msg": "unreachable: it cannot be reached: ' in said
    assert '"msg": "error: ' in said
    assert "skipping: [bare]" in said
    site.run(DRIFT, code=2, keystead_drift_strict=True)
    assert sorted(name for name, count in site.recap.items() if count["failed"]) == ["gone", "wrong"]
    site.hosts["web1"]["keystead_identities"] = [{**site.web, "dns_names": ["web.example.org", "shop.example.org"]}]
    assert "drift: web would change (" in site.run(DRIFT, code=2)
    assert [name for name, count in site.recap.items() if count["failed"]] == ["web1"]
    assert site.world.generations() == [1]


def test_drift_reads_what_the_role_identity_reads_and_leaves_out_nobody_who_declares_something(site: Site) -> None:
    (declared,) = site.hosts.values()
    named = {name.replace("keystead_", "identity_"): said for name, said in {**declared, **site.common}.items()}
    wrong = {"keystead_issuer": {"local": {}}, "keystead_ledger": "sqlite:////nowhere/at/all.db"}
    astray = {**declared, "keystead_identities": [{**site.web, "dns_names": ["{{ nowhere_said }}"]}]}
    site.hosts = {"web1": {**named, **wrong}, "astray": {**astray, **site.common}}
    site.common = {}
    said = site.run(DRIFT)
    assert '"msg": "declared: everything is as it is declared"' in said
    assert '"msg": "error: ' in said
    assert "'nowhere_said' is undefined" in said
    site.run(DRIFT, code=2, keystead_drift_strict=True)
    assert [name for name, count in site.recap.items() if count["failed"]] == ["astray"]


def test_drift_fails_where_it_looks_at_nobody(site: Site) -> None:
    site.hosts = {"web1": {}, "web2": {}}
    assert "none of these hosts has identity_identities or keystead_identities" in site.run(DRIFT, code=2)
    assert "no host of the inventory is in nobody" in site.run(DRIFT, code=2, keystead_hosts="nobody")


def test_what_would_change_is_said_whatever_else_failed() -> None:
    step = {"action": "issue", "reason": "it is due"}
    changing = {"name": "web", "changed": True, "failed": False, "msg": "", "steps": [step]}
    failing = {"name": "db", "changed": False, "failed": True, "msg": "db: it is refused", "steps": []}
    more = [{**changing, "name": f"w{n}"} for n in range(4)]
    told = drift({"failed": True, "identities": [changing, failing, *more]})
    assert told["state"] == "drift"
    assert "web would change (issue: it is due)" in told["sentence"]
    assert "and 2 more" in told["sentence"]
    assert told["sentence"].endswith("db: it is refused")
