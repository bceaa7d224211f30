# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""An event as an alert of Alertmanager: its labels stay the same as long as the matter does, so it is one alert."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta

Event = t.Mapping[str, t.Any]
Alert = dict[str, t.Any]

_LABELS = ("type", "severity", "host", "store", "identity", "service", "contact")
_BY_CODE = ("finding", "duplicate_key", "drifted")
"""Of these, two with another code are two matters at one time."""
_BY_CERTIFICATE = ("revoked", "not_in_inventory")
"""These may be about several certificates of one place, or of none."""
_ANNOTATIONS = ("message", "code", "id", "serial_number", "fingerprint_sha256", "spki_sha256", "not_after", "issuer_id")


def alert(event: Event, lasts: int) -> Alert:
    """Return the alert for an event; it ends by itself after `lasts` seconds, unless it is told again before."""
    begins = _moment(event.get("at"))
    names = [*_LABELS, *(("code",) if event["type"] in _BY_CODE else ())]
    if event["type"] in _BY_CERTIFICATE:
        names += ["issuer_id", "serial_number"]
    if event["type"] == "ledger_tampered":
        names += ["ledger_id"]
    return {
        "labels": {"alertname": _name(event["type"]), **_texts(event, names)},
        "annotations": {"summary": str(event["message"]), **_texts(event, _ANNOTATIONS[1:])},
        "startsAt": begins.isoformat(),
        "endsAt": (begins + timedelta(seconds=lasts)).isoformat(),
    }


def _name(kind: str) -> str:
    return "MachineIdentity" + "".join(one.capitalize() for one in kind.split("_"))


def _texts(event: Event, names: t.Iterable[str]) -> dict[str, str]:
    """Return what is known; an empty label is none (Alertmanager drops it)."""
    return {name: str(event[name]) for name in names if event.get(name) not in (None, "")}


def _moment(said: t.Any) -> datetime:
    try:
        found = datetime.fromisoformat(str(said))
    except ValueError:
        found = datetime.now(UTC)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
