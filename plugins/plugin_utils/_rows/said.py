# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How a row is returned: the certificate as everywhere else, where it is delivered, and what is to be said of it."""

from __future__ import annotations

import typing as t

from .._serial import with_colons

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from .row import Delivery, Row

Record = dict[str, t.Any]
_OF_RECORD = ("managed", "name", "host", "store", "kind", "state", "in_use", "generation", "service", "contact",
              "scope", "issuer_id", "key_type", "custody", "key_uri", "source")  # fmt: skip


def said(row: Row, found: Sequence[dict[str, str]]) -> Record:
    """Return a row with its findings; moments in RFC 3339, the serial number in hexadecimal with colons."""
    return {
        **{name: getattr(row, name) for name in _OF_RECORD},
        "labels": dict(row.labels),
        "certificate": _certificate(row),
        "revoked": row.revocation_reason,
        "revoked_at": _moment(row.revoked_at),
        "paths": sorted(dict.fromkeys(row.live_paths)),
        "deliveries": [_delivery(one) for one in row.deliveries],
        "findings": list(found),
    }


def _certificate(row: Row) -> Record | None:
    if row.not_after is None and row.fingerprint is None:
        return None
    return {
        "serial_number": None if row.serial_number is None else with_colons(int(row.serial_number, 16)),
        "fingerprint_sha256": row.fingerprint,
        "spki_sha256": row.spki,
        "not_before": _moment(row.not_before),
        "not_after": _moment(row.not_after),
        "issuer": row.issuer,
        "subject": row.subject,
        "dns_names": list(row.names.get("dns", ())),
    }


def _delivery(one: Delivery) -> Record:
    moments = {name: _moment(getattr(one, name)) for name in ("delivered_at", "proved_at", "ended_at")}
    return {"path": one.path, "part": one.part, "live": one.live, **moments}


def _moment(at: str | None) -> str | None:
    return None if at is None else f"{at[:19]}Z"
