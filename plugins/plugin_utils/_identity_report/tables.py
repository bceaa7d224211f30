# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The figures as JSON, and as tables in CSV, one file a table."""

from __future__ import annotations

import csv
import io
import json
import re
import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from .figures import Figures

_FORMULA = re.compile(r"^(?=[\t\r])|(?:^|(?<=[;\t\r\n])) *(?=[-=+@])")
"""Before what a spreadsheet takes for a formula, in a cell or in a part of one: some split at other than commas."""
_IDENTITY = ("host", "name", "kind", "managed", "service", "contact", "risk", "score", "days_left", "not_after",
             "not_before", "serial_number", "fingerprint_sha256", "spki_sha256", "issuer", "issuer_id", "key_type",
             "signature", "custody", "state", "generation", "store", "dns_names", "paths", "reasons",
             "source")  # fmt: skip
_GROUP = ("identities", "hosts", "risk", "critical", "high", "expired", "next_end")
_PLAIN: Mapping[str, tuple[str, ...]] = {
    "findings": ("code", "risk", "identities", "services", "contacts", "means", "remedy"),
    "services": ("name", *_GROUP, "contacts", "post_quantum"),
    "contacts": ("name", *_GROUP, "services", "post_quantum"),
    "backends": ("kind", "name", *_GROUP, "services", "contacts", "ever", "last", "health", "because", "remarks",
                 "moving"),
    "algorithms": ("key_type", "identities", "share", "bits", "post_quantum", "services", "last_end"),
    "signatures": ("signature", "identities", "weak", "post_quantum"),
    "events": ("seq", "at", "host", "store", "identity", "generation", "action", "reason", "outcome", "message",
               "actor"),
}  # fmt: skip
_DATED = ("fact", "says", "source", "from", "not_permitted", "outlive_it")
_OF_COVERAGE: Mapping[str, tuple[str, ...]] = {
    "identities_without_host": ("host", "name", "store", "service", "contact", "managed", "source", "not_after"),
    "never_issued": ("host", "store", "name", "service", "contact"),
    "issuers_silent": ("issuer", "because"),
    "rogue": ("issuer_id", "serial_number", "subject", "dns_names", "key_type", "fingerprint_sha256", "spki_sha256",
              "issued_at", "not_after"),
}  # fmt: skip


def as_json(figures: Figures) -> bytes:
    """Return everything, in ASCII, so that no reader can get it wrong."""
    return json.dumps(figures, indent=1, sort_keys=True).encode() + b"\n"


def as_csv(figures: Figures) -> dict[str, bytes]:
    """Return a table by the name of its file (RFC 4180, in UTF-8)."""
    found = {"identities": _written(_IDENTITY, map(_identity, figures["identities"]))}
    totals = [{"name": name, "count": count} for name, count in figures["totals"].items()]
    found["totals"] = _written(("name", "count"), totals)
    for name, columns in _PLAIN.items():
        found[name] = _written(columns, figures[name])
    for name, columns in _OF_COVERAGE.items():
        found[name] = _written(columns, figures["coverage"][name])
    hosts = [{"host": one} for one in figures["coverage"]["hosts_without_identity"]]
    found["hosts_without_identity"] = _written(("host",), hosts)
    found["post_quantum"] = _written(_DATED, figures["post_quantum"]["dated"])
    for name in ("days", "months"):
        found[f"ends_by_{name[:-1]}"] = _written((name[:-1], "count"), figures["timeline"][name])
    return {f"{name}.csv": content for name, content in found.items()}


def _identity(one: Mapping[str, t.Any]) -> dict[str, t.Any]:
    certificate = one["certificate"] or {}
    texts = [f"{found['code']}: {found['msg']}" for found in one["findings"]]
    return {**one, **certificate, "reasons": texts}


def _written(columns: tuple[str, ...], rows: t.Iterable[Mapping[str, t.Any]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_cell(row.get(column)) for column in columns] for row in rows)
    return text.getvalue().encode("utf-8", "backslashreplace")


def _cell(value: t.Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (bool, int, float)):
        return str(value).lower()
    if isinstance(value, dict):
        value = [f"{name}: {one}" for name, one in value.items()]
    text = "; ".join(value) if isinstance(value, (list, tuple)) else str(value)
    return _FORMULA.sub(r"\g<0>'", text)
