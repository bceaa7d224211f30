# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The playbook ledger_rebuild: a ledger in PostgreSQL is lost, and made again for two hosts."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.local import LocalIssuer
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger import queries
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.chain import verify
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_for
from ansible_collections.keystead.identity.tests.harness import local, playbook

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.tests.harness.postgres import Server

pytestmark = pytest.mark.needs("postgres")

PLAYBOOK = Path(__file__).parents[2] / "playbooks" / "ledger_rebuild.yml"


def test_a_lost_ledger_is_rebuilt_and_the_next_run_has_nothing_to_do(postgres_server: Server, tmp_path: Path) -> None:
    local.authority(tmp_path / "ca", "issuing")
    issuer = {"local": {"directory": str(tmp_path / "ca"), "authority": "issuing"}}
    stores = {host: str(tmp_path / host) for host in ("web1", "web2")}
    inventory = {host: {"store": store, "keystead_stores": [store]} for host, store in stores.items()}
    home = tmp_path / "home"

    def converge(options: dict[str, str]) -> list[bool]:
        said = {**options, "issuer": issuer, "store": "{{ store }}"}
        identity = {"name": "web", "dns_names": ["{{ inventory_hostname }}.example.org"]}
        task = {"keystead.identity.machine_identity": {**said, "identities": [identity]}}
        done = playbook.run([task], inventory, home=home)
        assert done.returncode == 0, done.stdout
        return [result["changed"] for host in stores for result in playbook.results(home, host)]

    lost = postgres_server.options(postgres_server.ledger())
    assert converge(lost) == [True, True]
    (stray,) = LocalIssuer(issuer["local"]).begin([local.request()])
    lost_id = json.loads((tmp_path / "web1" / ".keystead.json").read_text())["ledger"]

    options = postgres_server.options(postgres_server.ledger())
    variables = {
        "keystead_ledger": options["ledger"],
        "keystead_ledger_password": options["ledger_password"],
        "keystead_issuers": [issuer],
    }
    told = tmp_path / "variables.json"
    told.write_text("{}")
    assert playbook.run(PLAYBOOK, inventory, "-e", f"@{told}", home=home).returncode == 2
    assert "Set keystead_ledger, the URL of the new ledger, and keystead_issuers" in playbook.results(home)[0]["msg"]

    def rebuild(*arguments: str, **more: t.Any) -> dict[str, dict[str, int]]:
        told.write_text(json.dumps({**variables, **more}))
        done = playbook.run(PLAYBOOK, inventory, "-e", f"@{told}", *arguments, home=home)
        assert options["ledger_password"] not in done.stdout + done.stderr
        return playbook.recap(done)

    refused = rebuild()
    assert all(counts["failed"] for counts in refused.values())
    assert f"write lost_ledger: {lost_id}" in playbook.results(home)[-1]["results"][0]["msg"]
    elsewhere = [str(tmp_path / "elsewhere")]
    missing = rebuild(keystead_lost_ledger=lost_id, keystead_stores=elsewhere)
    assert all(counts["failed"] for counts in missing.values())
    assert "name in option store (keystead_stores of the playbook)" in playbook.results(home)[-1]["results"][0]["msg"]
    said = {"keystead_may_be_missing": True, "keystead_stores": elsewhere}
    assert rebuild("--check", keystead_lost_ledger=lost_id, **said)["web1"]["failed"] == 0
    assert any(f"No store belongs to ledger {lost_id}" in str(one.get("msg")) for one in playbook.results(home))
    assert rebuild("--check", keystead_lost_ledger=lost_id)["web1"]["failed"] == 0
    done = rebuild("-vvvv", keystead_lost_ledger=lost_id)
    assert (done["web1"]["changed"], done["web2"]["changed"]) == (3, 2)
    assert not any("No store belongs" in str(one.get("msg")) for one in playbook.results(home))

    ledger = open_for(options)
    assert verify(ledger) is None
    breaks = [event["host"] for event in queries.events(ledger, identity="*") if lost_id in event["reason"]]
    assert sorted(breaks) == ["web1", "web2"]
    assert {one["host"] for one in queries.identities(ledger, name="web")} == {"web1", "web2"}
    assert ledger.read("SELECT credential_id FROM generations WHERE state = 'orphaned'") == [(stray.credential_id,)]
    ledger.close()
    assert converge(options) == [False, False]
    assert rebuild(keystead_lost_ledger=lost_id)["web1"]["changed"] == 0
