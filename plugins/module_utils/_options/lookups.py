# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What a template may say to the lookups."""

from __future__ import annotations

from .common import COMMON, OUTSIDE_TASKS
from .custody import TOKEN
from .option import Option

LEDGER = {name: COMMON[name] for name in OUTSIDE_TASKS}
IDENTITY = {
    "host": Option("The host that has them, as the inventory names it. The default is C(inventory_hostname)."),
    "store": Option(
        "The store on the host that holds them. Without it, an identity is found wherever the host has it; one of that "
        "name in two stores is an error."
    ),
    "part": Option(
        "What to return of each identity: V(record) is a dictionary; V(certificate), V(chain) and V(fullchain), which "
        "is both, are PEM.",
        default="record",
        choices=("record", "certificate", "chain", "fullchain"),
    ),
}
HSM_KEY = {
    "part": Option(
        "What to return of each key: V(public_key) as PEM, or its V(uri) (RFC 7512).",
        default="public_key",
        choices=("public_key", "uri"),
    ),
    "host": Option(
        "The host that has it, as the inventory names it. Of an identity, the default is C(inventory_hostname). A key "
        "by itself is found on any host without it."
    ),
    "store": Option("The store of an identity. With it, no key by itself is looked for."),
    **TOKEN,
    "module_path": Option(
        "The absolute path of a PKCS#11 module on the controller. With it, the token is asked and not the ledger."
    ),
}
