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
    "policy": Option("Rules that every identity must pass. Not built yet in 0.1.0, and refused.", type="path"),
}
