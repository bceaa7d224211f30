# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What every action of the group `identity` accepts. None of it ever reaches a host."""

from __future__ import annotations

from .option import Option

COMMON = {
    "ledger": Option(
        "Where the record of identities is kept: C(sqlite:////absolute/path), or C(postgresql://host/database) where "
        "several controllers share it. "
        "The default is an SQLite file under the state directory of the user who runs Ansible."
    ),
    "ledger_password": Option(
        "Opens a ledger in PostgreSQL. Without it and O(ledger_password_file), C(PGPASSWORD) and C(~/.pgpass) count.",
        no_log=True,
    ),
    "ledger_password_file": Option(
        "A file on the controller whose first line opens a ledger in PostgreSQL.", type="path", no_log=False
    ),
    "policy": Option(
        "The path of a YAML file on the controller with the rules that every identity must pass, in check mode too, "
        "before a host or an issuer is touched. The default is the policy that comes with the collection.",
        type="path",
    ),
}

OUTSIDE_TASKS = ("ledger", "ledger_password", "ledger_password_file")
"""What lookups and other plugins accept too, that module_defaults do not reach."""
