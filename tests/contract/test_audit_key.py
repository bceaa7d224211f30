# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What signs a checkpoint, in every custody, over the real thing."""

from __future__ import annotations

import json
import typing as t
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import KeysteadError
from ansible_collections.keystead.identity.plugins.module_utils._options.common import COMMON
from ansible_collections.keystead.identity.plugins.module_utils._options.identity_audit import SIGNING_KEY
from ansible_collections.keystead.identity.plugins.module_utils._options.identity_policy import OPTIONS
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.plugin_utils._audit.checkpoint import opened
from ansible_collections.keystead.identity.plugins.plugin_utils._audit.vouched import public_keys
from ansible_collections.keystead.identity.plugins.plugin_utils._controls.folder import MANIFEST, PUBLIC_KEY, TYPE
from ansible_collections.keystead.identity.plugins.plugin_utils._identity_policy.answer import answer
from ansible_collections.keystead.identity.plugins.plugin_utils._inventory import Place
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated
from ansible_collections.keystead.identity.tests.harness.audit_desk import Desk
from ansible_collections.keystead.identity.tests.harness.ledgers import InFile
from ansible_collections.keystead.identity.tests.harness.postgres import SIGNER
from ansible_collections.keystead.identity.tests.harness.rotation_desk import Desk as Rotations
from ansible_collections.keystead.identity.tests.harness.rotations import BENCHES, Bench

pytestmark = pytest.mark.usefixtures("reached")


def declared(said: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return option `key` for where a key is, as key_rotate is told it."""
    ((name, options),) = said.items()
    known = SIGNING_KEY[name].options or {}
    return {name: {option: value for option, value in options.items() if option in known}}


def test_the_list_of_custodies_is_that_of_keys_by_themselves_and_a_file() -> None:
    assert {*SIGNING_KEY} == {"file", *(one.name for one in BENCHES)}


def test_a_key_signs_where_it_lives_and_after_its_rotation_what_it_signed_is_still_believed(
    bench: Bench, tmp_path: Path
) -> None:
    place = InFile(tmp_path / "ledger.db")
    desk, said = Desk(place, tmp_path), bench.first("audit")
    key, receivers = declared(said), [{"file": {"path": str(desk.shipped)}}]
    desk.happens()
    first = desk.audit(key=key, receivers=receivers)
    assert [step["action"] for step in first["steps"]] == ["issue", "publish"], first
    assert desk.audit(key=key, receivers=receivers)["vouched_until"] == 3
    rotations = Rotations(place.path, said, bench.environment)
    rotations.settled()
    rotations.settled(task={"max_age": None, "created_before": rotations.moment()})
    desk.happens()
    before = first["checkpoint"]["public_key"]
    second = desk.audit(key=key, receivers=receivers, public_keys=[before])
    assert second["whole"], second
    assert public_keys([before]).keys() != public_keys([second["checkpoint"]["public_key"]]).keys()
    third = desk.audit(key=key, receivers=receivers, public_keys=[before])
    assert third["vouched_until"] == third["last_event"] > first["last_event"]


def test_a_key_that_is_not_there_is_named(bench: Bench, tmp_path: Path) -> None:
    desk, said = Desk(InFile(tmp_path / "ledger.db"), tmp_path), bench.first("there")
    desk.happens()
    ((name, options),) = declared(said).items()
    gone = {one: value.replace("there", "gone") if one in ("label", "name", "alias") else value
            for one, value in options.items()}  # fmt: skip
    with pytest.raises(KeysteadError, match=r"gone.*(there is none that could sign; make it first|make one first)"):
        desk.audit(key={name: gone})


def test_it_signs_folders_of_evidence_as_well(bench: Bench, tmp_path: Path) -> None:
    desk, said = Desk(InFile(tmp_path / "ledger.db"), tmp_path), bench.first("evidence")
    desk.happens()
    evidence = {"directory": str(tmp_path / "evidence"), "key": declared(said)}
    given = {**desk.options(SIGNER), "frameworks": ["pci_dss"], "evidence": evidence}
    args = validated(given, spec(COMMON, OPTIONS), module="identity_policy")
    (written,) = answer(args, datetime.now(UTC), Place("localhost"))["evidence"]
    folder = Path(written["path"])
    keys = public_keys([str(folder / PUBLIC_KEY)])
    signed = json.loads(opened((folder / MANIFEST).read_text(), keys, TYPE, "test"))
    assert "control_4.2.1.1.json" in signed["files"]
    assert answer(args, datetime.now(UTC), Place("localhost"))["changed"] is False
