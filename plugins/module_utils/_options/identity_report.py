# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What a task may say to identity_report."""

from __future__ import annotations

from .issuers import ISSUERS
from .ledger_info import RECORDS
from .option import Option

OPTIONS = {
    "html": Option("The path of a page on the controller: one file that needs no other and no network.", type="path"),
    "json": Option("The path of a file on the controller with all figures.", type="path"),
    "csv": Option("A directory on the controller for the tables, one file each.", type="path"),
    "cbom": Option(
        "The path of a file on the controller with certificates, keys and algorithms as a cryptography bill of "
        "materials, CycloneDX 1.6 in JSON.",
        type="path",
    ),
    "metrics": Option(
        "The path of a file on the controller for the textfile collector of Prometheus's node_exporter. It ends in "
        "V(.prom).",
        type="path",
    ),
    "title": Option("What the report is called.", default="Machine identities"),
    "issuers": Option(
        "Who may have signed, each exactly one of these. Each is asked whether it would sign now, and for what it has "
        "signed, where it can say: what lives and is neither in the ledger nor in O(records) is named.",
        type="list",
        elements="dict",
        options=ISSUERS,
        one_of=True,
    ),
    **RECORDS,
}
