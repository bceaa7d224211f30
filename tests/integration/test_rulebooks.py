# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The rulebooks, run by the real ansible-rulebook with its rule engine in Java."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness import rulebook
from ansible_collections.keystead.identity.tests.harness.in_process import HOST, World, web

if t.TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.one_core, pytest.mark.needs("ansible-rulebook")]


def declared(world: World, *identities: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the variables of a host that declares identities."""
    return {
        "keystead_identities": list(identities), "keystead_issuer": world.issuer(), "keystead_store": str(world.store),
        "keystead_ledger": world.url, "identity_requirements_install": False,
    }  # fmt: skip


def variables(world: World, tmp_path: Path, **said: t.Any) -> dict[str, t.Any]:
    """Return the variables of a rulebook."""
    cursor = str(tmp_path / "cursor")
    return {"keystead_ledger": world.url, "keystead_cursor": cursor, "keystead_interval": "1s", **said}


def test_an_identity_that_ends_is_renewed_by_the_rulebook(tmp_path: Path) -> None:
    world = World(tmp_path / "world")
    world.one(web(lifetime="20d"))
    before = world.certificate()
    hosts = {HOST: declared(world, web(lifetime="60d", renew_before="30d")), "other": {}}
    said = variables(world, tmp_path, keystead_thresholds=["365d"])
    printed = rulebook.run_until(
        lambda text: "PLAY RECAP" in text, "keystead.identity.renew", hosts, said, tmp_path / "home"
    )
    assert "failed=0" in printed
    assert world.current() == 2
    assert world.certificate().serial_number != before.serial_number
