# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One event: what happened to which identity. Its id follows from what it is about, so that nobody hears it twice."""

from __future__ import annotations

import hashlib
import json
import re
import typing as t
import uuid

from ...module_utils._core.errors import printable
from .._serial import with_colons

if t.TYPE_CHECKING:
    from .._rows.row import Row

EXPIRING, EXPIRED, REVOKED, DRIFTED = "expiring", "expired", "revoked", "drifted"
DUPLICATE_KEY, FINDING = "duplicate_key", "finding"
NOT_IN_INVENTORY, LEDGER_TAMPERED = "not_in_inventory", "ledger_tampered"
TYPES = (
    EXPIRING, EXPIRED, REVOKED, DRIFTED, DUPLICATE_KEY, FINDING, NOT_IN_INVENTORY, LEDGER_TAMPERED,
)  # fmt: skip
CRITICAL, WARNING, NOTICE = "critical", "warning", "notice"
LONGEST = 1000
_TEMPLATE = re.compile(r"\{(?=[{%#])|#(?=jinja2:)")
"""What begins a template for Ansible; after the second, which is a header, anything may be one."""
_OF_ROW = ("host", "store", "generation", "kind", "contact", "service", "issuer_id")

Body = dict[str, t.Any]


class Event(t.NamedTuple):
    """What is told. `key` names, with the type, what it is about, and never changes; `code` says more to programs."""

    type: str
    key: tuple[str | int | None, ...]
    severity: str
    message: str
    code: str | None = None
    row: Row | None = None
    host: str | None = None
    identity: str | None = None


def base_of(event: Event, ledger: str) -> str:
    """Return what names the event in every run, as SHA-256."""
    return _digest([ledger, event.type, *event.key])


def id_of(base: str, reminder: int) -> str:
    """Return the id of the event, or of the so many-th reminder of it."""
    return _digest([base, reminder]) if reminder else base


def _digest(of: t.Sequence[t.Any]) -> str:
    return hashlib.sha256(json.dumps(of, ensure_ascii=True).encode("ascii")).hexdigest()


def body(event: Event, ledger: str, at: str, reminder: int = 0, *, redelivered: bool = False) -> Body:
    """Return the event as rulebooks get it. No text in it is a template, wherever it goes from there."""
    name = id_of(base_of(event, ledger), reminder)
    said = {
        "type": event.type,
        "id": name,
        "at": f"{at[:19]}Z",
        "severity": event.severity,
        "message": event.message,
        "code": event.code,
        "reminder": reminder,
        "redelivered": redelivered,
        "ledger_id": ledger,
        **_about(event),
        "meta": {"uuid": str(uuid.UUID(name[:32]))},
    }
    return t.cast("Body", _plain(said))


def _about(event: Event) -> Body:
    row = event.row
    said: Body = {name: getattr(row, name, None) for name in _OF_ROW}
    said["identity"] = event.identity if row is None else row.name
    said["host"] = event.host if row is None else row.host or None
    return {
        **said,
        "serial_number": with_colons(int(row.serial_number, 16)) if row and row.serial_number else None,
        "fingerprint_sha256": row.fingerprint if row else None,
        "spki_sha256": row.spki if row else None,
        "not_before": _moment(row.not_before) if row else None,
        "not_after": _moment(row.not_after) if row else None,
    }


def _moment(at: str | None) -> str | None:
    return None if at is None else f"{at[:19]}Z"


def _plain(value: t.Any) -> t.Any:
    if isinstance(value, dict):
        return {_plain(name): _plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return plain(value) if isinstance(value, str) else value


def plain(text: str) -> str:
    """Return a text on one line in which nothing begins a template: what a rulebook hands on would be rendered."""
    return _TEMPLATE.sub(r"\g<0> ", printable(text[:LONGEST]))
