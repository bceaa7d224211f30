# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What a task may say to identity_ledger_info, and an inventory of the ledger to narrow what it is made of."""

from __future__ import annotations

from .machine_identity import DURATION
from .option import Option

STATES = (
    "in_use", "current", "superseded", "issued", "intended", "rolled_back", "withdrawn", "released", "revoked",
    "refused", "orphaned", "observed",
)  # fmt: skip


def _any(text: str) -> Option:
    return Option(text, type="list", elements="str")


SELECT = {
    "service": _any("Only what belongs to one of these services."),
    "contact": _any("Only what one of these contacts answers for."),
    "issuer": _any(
        "Only what one of these signed: the id of an issuer as the ledger has it, the beginning of one up to a colon, "
        "as V(local:issuing), or the name that the certificates have for their issuer."
    ),
    "key_type": _any("Only what has a key of one of these types, as V(rsa-2048)."),
    "custody": _any("Only what has its key in one of these custodies, as V(pkcs11)."),
    "host": _any("Only what one of these hosts has, by its name in the inventory."),
    "identity": _any("Only identities with one of these names."),
}
WINDOW = {
    "expires_within": Option(
        f"Only what ends within this time from now on: {DURATION}. What has ended before is not among it."
    ),
    "expires_after": Option("Only what ends at this moment or later, in ISO 8601 with a time zone."),
    "expires_before": Option(
        "Only what ends at this moment or earlier, in ISO 8601 with a time zone, as V('2027-03-15T00:00:00Z')."
    ),
    "expired": Option("V(true) is only what has ended, V(false) only what has not.", type="bool"),
}
CERTIFICATES = {
    "serial_number": Option(
        "Only certificates with this serial number, in hexadecimal, with or without colons, in quotes: V('4a:0b:9c'), "
        "or with one of a list of such.",
        type="raw",
    ),
    "spki_sha256": _any("Only what has one of these public keys, by the SHA-256 of its SPKI in hexadecimal."),
    "fingerprint_sha256": _any("Only certificates with one of these SHA-256 fingerprints, in hexadecimal."),
}
RECORDS = {
    "records": Option(
        "Files on the controller, in CSV or JSON, with what other systems know of certificates. They are observed and "
        "not managed; what is found of ours is found of them, too.",
        type="list",
        elements="path",
    ),
}
STATE = Option(
    "Only generations in one of these states. V(in_use) is what is current on a host, or delivered there without a "
    "successor, and every record; V(observed) are records alone. The default is V(in_use), and where certificates are "
    "named by their numbers or digests, every state.",
    type="list",
    elements="str",
    choices=STATES,
)
OPTIONS = {
    **SELECT,
    **CERTIFICATES,
    **WINDOW,
    "state": STATE,
    "managed": Option("V(true) is only what the ledger has, V(false) only what RV(rows[].source) names.", type="bool"),
    **RECORDS,
    "limit": Option("How many rows to return at most, from 1 to 10000.", type="int", default=1000),
    "after": Option(
        "Where the page begins: RV(next) of the one before. Say everything else as for the first page; a page of its "
        "own may be asked for at any time."
    ),
}
INVENTORY = {
    "select": Option(
        "Makes the inventory of a part of the ledger only. All that is said must hold.",
        type="dict",
        options={**SELECT, "expires_within": WINDOW["expires_within"], "expired": WINDOW["expired"]},
    ),
    "expiry_groups": Option(
        f"Times from now on, each {DURATION}: hosts with something that ends within one are in the group "
        "C(expires_within_TIME), and so in those of all longer ones. What has ended is in C(expired) alone.",
        type="list",
        elements="str",
        default=["7d", "30d", "90d"],
    ),
}
