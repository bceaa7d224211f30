# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What travels to a host. Identities stay opaque here: _core/wire checks them, a spec would cost each run."""

from __future__ import annotations

from .option import Option

WIRE = {
    "phase": Option(
        "What to do.", required=True,
        choices=("prepare", "enrol", "respond", "install", "read", "preflight", "token", "trust"),
    ),
    "format": Option("The version of the wire; any other is refused.", type="int", required=True),
    "now": Option("The clock of the controller, in seconds since 1970.", type="float", required=True),
    "host": Option("The host as the inventory names it.", required=True),
    "store": Option("The absolute path of the directory that holds the identities.", required=True),
    "ledger_id": Option("The ledger that the store belongs to. Without it, nothing is claimed."),
    "deadline": Option("For how many seconds a lease holds.", type="float", default=600.0),
    "holder": Option("Who asks, for another controller that finds the lease.", type="dict"),
    "broken": Option("Leases that the ledger knows to be dead, by identity.", type="dict"),
    "identities": Option(
        "What is wanted and known of each identity, and what is to be done.",
        type="list",
        elements="dict",
        required=True,
    ),
    "secrets": Option(
        "What opens keys and files, and keys that the controller made, by identity. It goes down a pipe only; but for "
        "these keys, which a host keeps, it never touches a disk there.",
        type="dict",
        no_log=False,
    ),
    "errand": Option("With V(token), V(preflight) and V(trust), what is to be done there.", type="dict"),
    "refused": Option(
        "PINs that tokens of this host refused earlier in this run: the token, and where the PIN comes from.",
        type="list",
        elements="str",
    ),
    "look": Option(
        "With V(prepare), only look, as in check mode: no lease is taken and nothing is staged.",
        type="bool",
        default=False,
    ),
    "others": Option("With V(read), look at everything else in the store as well.", type="bool", default=False),
    "paths": Option("With V(read), read the certificates at these paths.", type="list", elements="str"),
    "scan": Option("With V(read), look for keys and certificates in these directories.", type="list", elements="str"),
}
