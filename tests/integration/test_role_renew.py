# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The role `renew` and its playbook: what is due is renewed when it may be, by the unit that the role writes."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import sqlite3
import subprocess
import typing as t
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from ansible_collections.keystead.identity.tests.harness import local, playbook
from ansible_collections.keystead.identity.tests.integration.test_docsite import marked

pytestmark = pytest.mark.one_core

ROLE = "keystead.identity.renew"
HOSTS = {"web1": "30d", "web2": "14d", "web3": "13d"}  # how long each one's first certificate lives
DUE = {"lifetime": "31d", "renew_before": "30d"}  # by which all of them are due, and nothing that is made now
ALWAYS = "daily 00:00-24:00"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def in_days(number: int) -> datetime:
    """Return a moment some days from now."""
    return datetime.now(UTC) + timedelta(days=number)


def other_day() -> str:
    """Return a window that is not open today, nor tomorrow."""
    return f"{DAYS[in_days(3).weekday()]} 00:00-24:00"


class Lab:
    """Three hosts whose certificates are due, and their controller."""

    def __init__(self, root: Path) -> None:
        self.root, self.home = root, root / "home"
        issuer = {"local": local.two_tiers(root / "ca")}
        self.common = {"keystead_ledger": f"sqlite:///{root}/ledger.db", "keystead_issuer": issuer}
        self.hosts: dict[str, dict[str, t.Any]] = {}
        for name, lifetime in HOSTS.items():
            web = {"name": "web", "dns_names": [f"{name}.example.org"], "lifetime": lifetime}
            self.hosts[name] = {"keystead_store": str(root / name), "keystead_identities": [web]}
        told = {"identity_scope": "site", "identity_preflight": False}
        identity = {"role": "keystead.identity.identity", "vars": told}
        self.play([{"hosts": "all", "gather_facts": False, "roles": [identity]}])
        for said in self.hosts.values():
            said["keystead_identities"][0].update(DUE)

    def play(self, book: t.Any, *args: str, code: int = 0, **said: t.Any) -> str:
        """Run a playbook; return what was printed, on one line."""
        done = playbook.run(book, self.hosts, "-e", json.dumps({**self.common, **said}), *args, home=self.home)
        assert done.returncode == code, done.stdout + done.stderr
        self.recap = playbook.recap(done)
        return " ".join((done.stdout + done.stderr).split())

    def renew(self, *args: str, code: int = 0, **said: t.Any) -> str:
        """Run the playbook of the role."""
        return self.play(Path(ROLE), *args, code=code, **said)

    def schedule(self, *args: str, code: int = 0, **said: t.Any) -> str:
        """Run the role on the control node."""
        units = self.root / "units"
        units.mkdir(exist_ok=True)
        role = {"role": ROLE, "vars": {"renew_directory": str(units), **said}}
        return self.play([{"hosts": "localhost", "gather_facts": False, "roles": [role]}], *args, code=code)

    def renewed(self) -> list[str]:
        """Return the hosts that have another generation than the first."""
        return [name for name in HOSTS if (self.root / name / "web/current").resolve().name != "1"]


@pytest.fixture
def lab(tmp_path: Path) -> Lab:
    return Lab(tmp_path)


def test_what_is_due_waits_for_a_window_and_for_the_end_of_a_freeze_unless_it_is_below_the_floor(lab: Lab) -> None:
    said = lab.renew(renew_windows=[other_day()])
    assert "waits: web on web1, which ends" in said
    assert "it is due; no window is open, until" in said
    freeze = {"from": f"{in_days(-1):%Y-%m-%d}", "to": f"{in_days(2):%Y-%m-%d}", "reason": "the year ends"}
    held = {"renew_windows": [ALWAYS], "renew_freezes": [freeze]}
    assert "it is due; there is a freeze (the year ends), until" in lab.renew(**held)
    assert lab.renewed() == []
    assert {*lab.recap} == {"localhost"}, "no host was asked anything"

    foreseen = lab.renew("--check", **held, renew_floor="29d")
    assert "renewed: web on web2, which ends" in foreseen
    assert lab.recap["web2"]["changed"] == 1
    assert lab.renewed() == []
    said = lab.renew(**held, renew_floor="29d")
    assert "it is below the floor" in said
    assert lab.renewed() == ["web2", "web3"]
    assert "web1" not in lab.recap
    lab.renew(renew_windows=[ALWAYS])
    assert lab.renewed() == [*HOSTS]
    assert "nothing is due" in lab.renew()


@pytest.mark.parametrize(
    ("limit", "refused"),
    [
        ("web1", "renew: nobody has looked what is due, since that is done on localhost, and this run leaves it out"),
        ("localhost,web1", "renew: this run has --limit localhost,web1, which may leave out what is due"),
    ],
)
def test_a_run_with_a_limit_fails_and_names_what_chooses_hosts(bare: Lab, limit: str, refused: str) -> None:
    said = bare.renew("--limit", limit, code=2)
    assert refused in said
    assert "away, and choose hosts by renew_hosts, a pattern" in said


def test_one_host_that_fails_holds_no_other_back_and_what_nobody_declares_is_said(lab: Lab) -> None:
    lab.hosts["web1"]["keystead_identities"][0]["activate"] = {"command": ["false"]}
    del lab.hosts["web2"]["keystead_identities"]
    said = lab.renew(code=2, renew_floor="29d")
    assert "rolled back to generation 1" in said
    assert "not declared: web on web2, which ends" in said
    assert lab.renewed() == ["web3"]


@pytest.mark.needs("systemd-analyze")
def test_the_units_are_those_of_systemd_and_their_command_renews_what_ends_soonest(lab: Lab) -> None:
    given = lab.root / "it's 100%" / "site.yml"
    given.parent.mkdir()
    given.write_text(json.dumps({"keystead_issuer": lab.common["keystead_issuer"]}), encoding="utf-8")
    here = playbook.environment(lab.home)
    told: dict[str, t.Any] = {
        "renew_inventory": [str(lab.home / "inventory.json")], "renew_variables": [str(given)], "renew_at_most": 2,
        "renew_environment": {name: here[name] for name in here if name.startswith("ANSIBLE_")},
        "renew_working_directory": str(lab.root), "renew_windows": [ALWAYS], "renew_timezone": "Europe/Berlin",
        "renew_freezes": [{"from": "2020-12-20", "to": "2021-01-06"}], "renew_ledger": lab.common["keystead_ledger"],
        "renew_floor": "1d",
        "renew_arguments": ["--skip-tags", 'a "$b" \\'], "renew_every": "30m", "renew_spread": "20m",
    }  # fmt: skip
    units = lab.root / "units"
    lab.schedule("--check", **told)
    assert lab.recap["localhost"]["changed"] == 1
    assert not [*units.iterdir()]
    said = lab.schedule(**told)
    assert "renew_directory is none that systemd reads, so the timer is written and not enabled" in said
    assert "systemctl enable --now keystead-renew.timer" in said
    lab.schedule(**told)
    assert lab.recap["localhost"]["changed"] == 0

    names = [units / f"keystead-renew.{kind}" for kind in ("service", "timer")]
    verify = ["systemd-analyze", "verify", *names]
    done = subprocess.run(verify, check=False, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    argv, environment = unit(names[0])
    assert {f"@{given}", 'a "$b" \\'} <= {*argv}
    run = subprocess.run(
        argv, env={"HOME": str(lab.home), "PATH": os.defpath, **environment}, cwd=lab.root, check=False,
        capture_output=True, text=True, timeout=180, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    assert "a run renews 2 at most, and it is the turn of others" in run.stdout
    assert lab.renewed() == ["web2", "web3"]
    with contextlib.closing(sqlite3.connect(lab.root / "ledger.db")) as ledger:
        assert ledger.execute("SELECT DISTINCT scope FROM identities").fetchall() == [("site",)]


def unit(service: Path) -> tuple[list[str], dict[str, str]]:
    """Return command and environment of a service, read as systemd.syntax(7) says."""
    text = service.read_text(encoding="utf-8")
    (command,) = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
    argv = [one.replace("%%", "%").replace("$$", "$") for one in shlex.split(command)]
    said = [shlex.split(one)[0].replace("%%", "%") for one in re.findall(r"^Environment=(.*)$", text, re.MULTILINE)]
    return argv, dict(one.split("=", 1) for one in said)


@pytest.fixture
def bare(tmp_path: Path) -> Lab:
    """Return a controller whose hosts have nothing yet."""
    lab = Lab.__new__(Lab)
    lab.root, lab.home, lab.common = tmp_path, tmp_path / "home", {}
    lab.hosts = {name: {"keystead_identities": [{"name": "web", **DUE}]} for name in HOSTS}
    return lab


def test_the_play_of_the_guide_writes_the_timer_that_it_shows(bare: Lab) -> None:
    ((play,),) = [one for one in marked("renewing", "fragment") if "roles" in one[0]]
    units = bare.root / "units"
    units.mkdir()
    play["roles"][0]["vars"]["renew_directory"] = str(units)
    bare.play(yaml.safe_dump([{**play, "become": False}]))  # its days are days of YAML
    settings = json.loads((units / "keystead-renew.json").read_text(encoding="utf-8"))
    assert settings["renew_freezes"] == [{"from": "2026-12-20", "reason": "the year ends", "to": "2026-12-24"}]
    assert "\nUser=keystead\n" in (units / "keystead-renew.service").read_text(encoding="utf-8")
    assert "\nOnCalendar=*-*-* *:00:00 UTC\n" in (units / "keystead-renew.timer").read_text(encoding="utf-8")


def test_awx_gets_the_same_as_data_and_nothing_is_installed(bare: Lab) -> None:
    from dateutil import rrule

    told = {"renew_as": "awx", "renew_windows": ["sun 02:00-06:00"], "renew_every": "2h", "renew_spread": "1h"}
    bare.schedule(**told)
    facts = [one.get("ansible_facts", {}) for one in playbook.results(bare.home, "localhost")]
    (schedule,) = [one["renew_awx"] for one in facts if "renew_awx" in one]
    assert not [*(bare.root / "units").iterdir()]
    first, second = rrule.rrulestr(f"{schedule['rrule']};COUNT=2")
    assert second - first == timedelta(hours=2)
    assert timedelta(0) <= first - datetime(2026, 1, 1, tzinfo=UTC) < timedelta(hours=1)
    assert schedule["extra_data"]["renew_windows"] == ["sun 02:00-06:00"]


SECRETS = (
    "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "OPENAPI_API_KEY", "apikey", "PGPASSWORD", "DB_PASSWD",
    "MY_CREDENTIALS", "VAULT_TOKEN_1", "HSM_PIN", "USERPIN", "SSH_PASS",
)  # fmt: skip
OPEN = (
    "ANSIBLE_HOST_KEY_CHECKING", "ANSIBLE_PARAMIKO_LOOK_FOR_KEYS", "ANSIBLE_VAULT_PASSWORD_FILE", "ANSIBLE_PIPELINING",
    "AWS_SHARED_CREDENTIALS_FILE", "GALAXY_TOKEN_PATH", "SECRETS_DIR", "KEYSTEAD_LEDGER", "PINGS", "MONKEY",
)  # fmt: skip


@pytest.mark.parametrize(
    ("told", "refused"),
    [
        (
            {"renew_freezes": [{"from": "2036-01-01", "to": "2036-03-01"}]},
            "renew: renew_freezes: from Tue 2036-01-01 00:00 UTC to Sun 2036-03-02 00:00 UTC nothing is renewed, so",
        ),
        (
            {"renew_environment": {"VAULT_TOKEN": "s.1"}, "renew_arguments": ["-e", "pin=1234", "--become"]},
            "renew: VAULT_TOKEN, -e would stand in a unit that everybody can read; write variables into a file",
        ),
        (
            {"renew_environment": {**dict.fromkeys(SECRETS, "s.1"), **dict.fromkeys(OPEN, "s.1")}},
            f"renew: {', '.join(SECRETS)} would stand in a unit that everybody can read",
        ),
        (
            {"renew_issuer": {"local": {}}, "renew_issuers": [{"name": "other"}]},
            "renew: renew_issuer, renew_issuers would not reach the runs, whose settings everybody may read; write",
        ),
        (
            {"renew_arguments": ["--become", "--limit", "prod", "--limit=prod", "-l", "-bl"]},
            "renew: renew_arguments: --limit, --limit=prod, -l, -bl would leave out localhost, which looks what is due",
        ),
        ({"renew_program": "/nowhere/ansible-playbook"}, "renew_program: /nowhere/ansible-playbook is no program"),
    ],
    ids=["a freeze that is too long", "secrets", "names of secrets", "issuers", "a limit", "no program"],
)  # fmt: skip
def test_what_could_never_be_kept_is_refused_and_nothing_is_written(
    bare: Lab, told: dict[str, t.Any], refused: str
) -> None:
    assert refused in bare.schedule(code=2, **told)
    assert not [*(bare.root / "units").iterdir()]


# A fake, since no systemd runs here: a timer that is enabled and active, and whether its file was read as it is.
SYSTEMCTL = """#!/bin/sh
case "$*" in
  *NeedDaemonReload*) cat "{root}/stale" ;;
  show*) printf 'LoadState=loaded\\nActiveState=active\\nUnitFileState=enabled\\n' ;;
  is-enabled*) echo enabled ;;
  *) echo "$*" >>"{root}/log" ;;
esac
"""


def test_a_timer_that_an_earlier_run_wrote_and_systemd_did_not_read_is_started_anew(
    bare: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare.schedule()
    (bare.root / "bin").mkdir()
    fake = bare.root / "bin/systemctl"
    fake.write_text(SYSTEMCTL.format(root=bare.root), encoding="utf-8")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}:{os.environ['PATH']}")
    for stale, changed, told in (("yes", 1, ["restart keystead-renew.timer"]), ("no", 0, [])):
        (bare.root / "stale").write_text(stale, encoding="utf-8")
        (bare.root / "log").write_text("", encoding="utf-8")
        bare.schedule("-e", json.dumps({"__renew_is_started": True}))
        assert bare.recap["localhost"]["changed"] == changed
        assert (bare.root / "log").read_text(encoding="utf-8").splitlines()[-2:] == ["daemon-reload", *told]
