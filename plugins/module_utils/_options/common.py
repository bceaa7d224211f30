# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What every action of the group `identity` accepts. None of it ever reaches a host."""

from __future__ import annotations

from .option import Option

COMMON = {
    "ledger": Option(
        "Where the record of identities is kept, as C(sqlite:////absolute/path). "
        "The default is an SQLite file under the state directory of the user who runs Ansible."
    ),
    "ledger_password": Option("Opens the ledger. Not built yet in 0.1.0, and refused: SQLite has none.", no_log=True),
    "policy": Option("Rules that every identity must pass. Not built yet in 0.1.0, and refused.", type="path"),
}

OUTSIDE_TASKS = ("ledger",)
"""What lookups and other plugins accept too, that module_defaults do not reach."""
