# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The playbook ledger_migrate: from an empty database to a ledger that runs can use."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_for
from ansible_collections.keystead.identity.tests.harness import playbook
from ansible_collections.keystead.identity.tests.harness.postgres import AUDITOR, CONVERGER, MIGRATOR, PASSWORDS

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.tests.harness.postgres import Server

pytestmark = pytest.mark.needs("postgres")

PLAYBOOK = Path(__file__).parents[2] / "playbooks" / "ledger_migrate.yml"


def run(home: Path, *arguments: str, **variables: t.Any) -> dict[str, t.Any]:
    """Run the playbook; return what its task returned."""
    home.mkdir(exist_ok=True)
    (home / "variables.json").write_text(json.dumps(variables))
    done = playbook.run(PLAYBOOK, {}, "-e", f"@{home}/variables.json", *arguments, home=home)
    assert not any(password in done.stdout + done.stderr for password in PASSWORDS.values())
    return playbook.results(home, "localhost")[-1]


def test_it_makes_the_schema_gives_rights_and_has_nothing_to_do_then(postgres_server: Server, tmp_path: Path) -> None:
    name = postgres_server.database()
    (tmp_path / "password").write_text(PASSWORDS[MIGRATOR])
    said = {
        "keystead_ledger": postgres_server.url(name, MIGRATOR),
        "keystead_ledger_password_file": str(tmp_path / "password"),
        "keystead_ledger_convergers": [CONVERGER],
        "keystead_ledger_auditors": [AUDITOR],
    }
    home = tmp_path / "home"
    foreseen = run(home, "--check", "--diff", **said)
    assert (foreseen["changed"], foreseen["schema"]["before"]) == (True, 0)
    assert f"GRANT INSERT, SELECT ON events TO {CONVERGER}" in foreseen["diff"]["after"]
    assert postgres_server.admin("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'", database=name) == [(0,)]
    done = run(home, **said)
    assert (done["changed"], done["schema"], done["grants"]) == (True, foreseen["schema"], foreseen["grants"])
    again = run(home, "-vvvv", **said)
    assert (again["changed"], again["grants"]) == (False, [])
    open_for(postgres_server.options(name)).close()
    open_for(postgres_server.options(name, AUDITOR), read_only=True).close()


def test_a_variable_that_is_not_set_is_named_with_what_it_is(tmp_path: Path) -> None:
    result = run(tmp_path / "home")
    assert result["msg"].startswith("Set keystead_ledger, the URL of the ledger with the role that owns it")


def test_what_goes_wrong_is_one_sentence(postgres_server: Server, tmp_path: Path) -> None:
    said = {"keystead_ledger": postgres_server.url("nowhere", MIGRATOR), "keystead_ledger_password": "c4nary"}
    result = run(tmp_path / "home", "-vvvv", **said)
    assert "does not let this role in; look at its name in option ledger, and at ledger_password" in result["msg"]
    assert "c4nary" not in json.dumps(result)
