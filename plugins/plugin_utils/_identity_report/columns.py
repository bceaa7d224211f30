# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The columns of the tables of the page."""

from __future__ import annotations

import typing as t


class Column(t.NamedTuple):
    """A column: its key among the figures, its heading, and how its cells are shown.

    `kind` is text, words, number, day, risk, health, list, or pick, which leads to the identities that have it.
    `choose` offers its values to narrow the table by; `detail` shows it only in what is unfolded below a row.
    """

    key: str
    label: str
    kind: str = "text"
    choose: bool = False
    detail: bool = False

    def as_data(self) -> dict[str, t.Any]:
        """Return it as the script reads it."""
        return self._asdict()


IDENTITY = (
    Column("risk", "Risk", "risk", choose=True),
    Column("name", "Identity"),
    Column("host", "Host"),
    Column("codes", "Reasons", "list", choose=True),
    Column("not_after", "Ends", "day"),
    Column("days_left", "Days", "number"),
    Column("service", "Service", choose=True),
    Column("contact", "Contact", choose=True),
    Column("key_type", "Key", choose=True),
    Column("signer", "Issuer", choose=True, detail=True),
    Column("within", "Ends within", "list", choose=True, detail=True),
    Column("because", "Why", "list", detail=True),
    Column("paths", "Delivered to", "list", detail=True),
    Column("dns_names", "Names", "list", detail=True),
    Column("serial_number", "Serial number", detail=True),
    Column("fingerprint_sha256", "SHA-256 of the certificate", detail=True),
    Column("spki_sha256", "SHA-256 of the key", detail=True),
    Column("custody", "Key is in", choose=True, detail=True),
    Column("signature", "Signed with", choose=True, detail=True),
    Column("kind", "Kind", detail=True),
    Column("state", "State", detail=True),
    Column("generation", "Generation", "number", detail=True),
    Column("store", "Store", detail=True),
    Column("source", "Told by", detail=True),
)


SERVICE = (
    Column("risk", "Worst risk", "risk"),
    Column("name", "Service"),
    Column("identities", "Identities", "number"),
    Column("hosts", "Hosts", "number"),
    Column("critical", "Critical", "number"),
    Column("high", "High", "number"),
    Column("next_end", "Next end", "day"),
    Column("contacts", "Contacts", "list"),
    Column("post_quantum", "Post-quantum"),
)
CONTACT = tuple(
    {"name": Column("name", "Contact"), "contacts": Column("services", "Services", "list")}.get(one.key, one)
    for one in SERVICE if one.key != "post_quantum"
)  # fmt: skip
FINDING = (
    Column("risk", "Risk", "risk"),
    Column("code", "What", "pick"),
    Column("identities", "Identities", "number"),
    Column("services", "Services", "number"),
    Column("contacts", "Contacts", "number"),
    Column("means", "What it means", "words"),
    Column("remedy", "What helps", "words"),
)
BACKEND = (
    Column("health", "Health", "health"),
    Column("name", "Backend"),
    Column("kind", "Kind", choose=True),
    Column("identities", "In use", "number"),
    Column("hosts", "Hosts", "number"),
    Column("ever", "Ever", "number"),
    Column("last", "Last issue", "day"),
    Column("codes", "Use", "list", choose=True),
    Column("moving", "What moving takes", "words"),
    Column("full", "In full", detail=True),
    Column("because", "Why this health", "list", detail=True),
    Column("remarks", "Of its use", "list", detail=True),
    Column("services", "Services", "list", detail=True),
    Column("contacts", "Contacts", "list", detail=True),
)
ALGORITHM = (
    Column("key_type", "Key"),
    Column("identities", "Identities", "number"),
    Column("percent", "Share", "words"),
    Column("bits", "Bits of strength", "number"),
    Column("against", "Against a quantum computer", "words"),
    Column("services", "Services", "number"),
    Column("last_end", "Last end", "day"),
)
SIGNATURE = (
    Column("signature", "Signature"),
    Column("identities", "Identities", "number"),
    Column("now", "Today", "words"),
    Column("against", "Against a quantum computer", "words"),
)
WITHOUT_HOST = (
    Column("name", "Identity"),
    Column("host", "Host"),
    Column("service", "Service"),
    Column("contact", "Contact"),
    Column("not_after", "Ends", "day"),
    Column("source", "Told by"),
)
ROGUE = (
    Column("serial_number", "Serial number"),
    Column("dns_names", "Names", "list"),
    Column("signer", "Issuer"),
    Column("issued_at", "Issued", "day"),
    Column("not_after", "Ends", "day"),
    Column("key_type", "Key"),
    Column("subject", "Subject", detail=True),
    Column("fingerprint_sha256", "SHA-256 of the certificate", detail=True),
    Column("spki_sha256", "SHA-256 of the key", detail=True),
)
EVENT = (
    Column("at", "When"),
    Column("host", "Host"),
    Column("identity", "Identity"),
    Column("action", "What", choose=True),
    Column("outcome", "Outcome", "health", choose=True),
    Column("reason", "Why", "words"),
    Column("message", "What was said", detail=True),
    Column("generation", "Generation", "number", detail=True),
    Column("who", "By whom", detail=True),
    Column("seq", "Event", "number", detail=True),
    Column("store", "Store", detail=True),
)
