# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""identity_trend: runs are compared as of any moment, signed, and kept for as long as it is said."""

from __future__ import annotations

import json
import typing as t
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied, Misconfigured
from ansible_collections.keystead.identity.plugins.module_utils._options.common import COMMON
from ansible_collections.keystead.identity.plugins.module_utils._options.identity_trend import OPTIONS
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.plugin_utils._trend.converge import keep
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated
from ansible_collections.keystead.identity.tests.harness.in_process import World, web

pytestmark = pytest.mark.one_core

Fields = dict[str, t.Any]
WEAK = {"code": "weak_key", "name": "web", "host": "web1", "store": "/s", "msg": "its key is weak"}
ENDED = {"code": "ended", "rule": None, "name": "db", "host": "web1", "store": "/s", "msg": "it has ended"}


class Site:
    """A controller with a ledger, and a place for runs; it is noon, so that a moment later is the same day."""

    def __init__(self, root: Path) -> None:
        self.root, self.kept = root, root / "audits"
        self.world = World(root)
        self.world.one(web())
        self.key = {"file": {"path": str(root / "audit.key")}}
        self.now = datetime.now(UTC).replace(hour=12)

    def keep(self, *findings: Fields, days: float = 0, check: bool = False, **said: t.Any) -> Fields:
        """Keep a run, so many days later, without Ansible."""
        given = {"ledger": self.world.url, "directory": str(self.kept), "key": self.key, "findings": list(findings)}
        args = validated({**given, **said}, spec(COMMON, OPTIONS), module="identity_trend")
        return keep(args, self.now + timedelta(days=days), check=check)

    def runs(self) -> list[Path]:
        """Return the folders of all runs."""
        return sorted((self.kept / "runs").iterdir())


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_what_is_new_and_what_is_gone_is_told_against_the_last_run(site: Site) -> None:
    first = site.keep(ENDED, counts={"expired": 1, "weak": 0}, check=True)
    assert (first["public_key"], site.kept.exists(), first["changed"]) == (None, False, True)
    first = site.keep(ENDED, counts={"expired": 1, "weak": 0})
    assert first["trend"]["sentence"] == "1 finding in the first run"
    again = site.keep({**ENDED, "msg": "it has ended"}, counts={"expired": 1, "weak": 0})
    assert (again["changed"], again["path"]) == (False, first["path"])
    second = site.keep(WEAK, counts={"expired": 0, "weak": 1}, days=1)
    trend = second["trend"]
    assert ([one["code"] for one in trend["new"]], [one["code"] for one in trend["gone"]]) == (["weak_key"], ["ended"])
    assert trend["sentence"] == (
        f"1 finding, 1 of them new and 1 gone since {Path(first['path']).name}; "
        "expired fell from 1 to 0; weak rose from 0 to 1"
    )
    assert json.loads((Path(second["path"]) / "trend.json").read_text()) == trend
    third = site.keep(WEAK, counts={"expired": 0, "weak": 1}, days=2)
    assert (third["changed"], third["trend"]["new"]) == (True, []), "a day has a run of its own"


def test_old_runs_go_and_the_last_one_stays(site: Site) -> None:
    for day in (0, 10, 20):
        site.keep(WEAK, days=day)
    foreseen = site.keep(WEAK, days=50, keep="35d", check=True)
    assert len(foreseen["removed"]) == 2
    assert len(site.runs()) == 3
    assert len(site.keep(WEAK, days=50, keep="35d")["removed"]) == 2
    assert len(site.runs()) == 2


def test_a_run_that_another_key_has_signed_is_believed_only_where_that_is_named(site: Site) -> None:
    first = site.keep(WEAK)
    other = {"file": {"path": str(site.root / "other.key")}}
    with pytest.raises(Denied, match="nobody named the public key that it was signed with"):
        site.keep(WEAK, days=1, key=other)
    assert site.keep(WEAK, days=1, key=other, public_keys=[first["public_key"]])["trend"]["new"] == []
    with pytest.raises(Misconfigured, match=r"option files: /nowhere/x\.txt cannot be read"):
        site.keep(files=["/nowhere/x.txt"])
    with pytest.raises(Misconfigured, match="option keep: 'long' is not a duration"):
        site.keep(keep="long")
