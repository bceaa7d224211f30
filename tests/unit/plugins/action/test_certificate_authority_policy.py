# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Authorities and the policy: only rules that name them, before anything is made, and what stands may stay."""

from __future__ import annotations

import json
import typing as t
from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.keystead.identity.tests.unit.plugins.action.test_certificate_authority import actions, run

if t.TYPE_CHECKING:
    from pathlib import Path

KEYS = {"id": "keys", "only": {"kinds": ["authority"]}, "key_type": {"allow": ["ecdsa-p384"]}}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the ledger and compiled policies out of the home of whoever runs the tests."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def args(root: Path, *rules: dict[str, t.Any], **said: t.Any) -> dict[str, t.Any]:
    """Return the options of an authority with a policy of these rules."""
    policy = root / "policy.yml"
    policy.write_text(json.dumps({"format": 1, "rules": rules}), encoding="utf-8")
    return {"name": "root", "directory": str(root / "ca"), "policy": str(policy), **said}


@pytest.mark.parametrize("check", [False, True])
def test_a_rule_that_names_authorities_refuses_one_before_anything_is_made(tmp_path: Path, *, check: bool) -> None:
    result = run(args(tmp_path, KEYS), check=check)
    assert "refuses this task: (1) rule keys, root: key.type ecdsa-p256; use ecdsa-p384" in result["msg"]
    assert not (tmp_path / "ca").exists()
    assert not (tmp_path / "state").exists()
    assert actions(run(args(tmp_path, KEYS, key={"type": "ecdsa-p384"}), check=check))


def test_a_rule_that_does_not_name_authorities_is_not_about_them(tmp_path: Path) -> None:
    rules = [{**KEYS, "only": {}}, {"id": "life", "lifetime": {"longest": "30d"}}, {"id": "who", "contact": {}}]
    assert actions(run(args(tmp_path, *rules)))


def test_an_authority_that_stands_may_stay_until_the_rule_is_enforced_and_go_at_any_time(tmp_path: Path) -> None:
    assert actions(run(args(tmp_path)))
    later = {**KEYS, "enforce_from": f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}"}
    stands = run(args(tmp_path, later))
    assert (actions(stands), len(stands["warnings"])) == ([], 1)
    assert "and this is new" in run(args(tmp_path, later, name="second"))["msg"]
    assert run(args(tmp_path, KEYS))["failed"]
    assert actions(run(args(tmp_path, KEYS, state="absent")))
