# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the ledger knows of one host: every credential that it ever had, its keys, its files, and whose peer it is."""

from __future__ import annotations

import json
import typing as t

from ...module_utils._core.errors import Misconfigured
from ...module_utils._core.model import ADOPTED, OBSERVED
from ...module_utils._pkcs11.uri import parse
from .._issuers.facts import facts_of
from .._ledger.moments import stamp
from .._serial import with_colons

if t.TYPE_CHECKING:
    from datetime import datetime

    from .._ledger.chain import Readable

WHO = "host_decommission"
GONE = "its host is gone: nobody saw what it had destroyed"
Record = dict[str, t.Any]

_IDENTITIES = "SELECT store, name, kind, state, service FROM identities WHERE host = ? ORDER BY store, name"
_CREDENTIALS = """
SELECT g.id, i.store, i.name, i.kind, i.state, g.number, g.state, g.issuer_id, g.custody, g.key_type, g.key_uri,
       g.public_id, g.credential_id, g.not_after, g.revocation_reason, g.revoked_at, x.serial_number, x.certificate,
       x.chain
FROM generations g JOIN identities i ON i.id = g.identity LEFT JOIN x509 x ON x.generation = g.id
WHERE i.host = ? AND g.state <> 'refused' ORDER BY i.store, i.name, g.number, g.id
"""
_FIELDS = (
    "row", "store", "identity", "kind", "identity_state", "generation", "state", "issuer_id", "custody", "key_type",
    "key_uri", "spki_sha256", "fingerprint_sha256", "not_after", "revoked", "revoked_at", "serial_number", "pem",
    "chain",
)  # fmt: skip
_DELIVERIES = """
SELECT DISTINCT d.generation, d.path FROM deliveries d JOIN identities i ON i.id = d.identity WHERE i.host = ?
ORDER BY d.path
"""
_ELSEWHERE = """
SELECT DISTINCT g.credential_id, g.public_id, i.host, i.name FROM generations g JOIN identities i ON i.id = g.identity
WHERE i.host <> ? AND i.host <> '' AND i.state IN ('present', 'released') AND i.current = g.number
AND g.state NOT IN ('refused', 'orphaned') AND g.public_id IN (
    SELECT o.public_id FROM generations o JOIN identities h ON h.id = o.identity WHERE h.host = ?)
ORDER BY i.host, i.name
"""
_EVENTS = """
SELECT h.store, e.identity, e.generation, e.action, h.at FROM events e JOIN heads h ON h.batch = e.batch
WHERE h.host = ? AND e.outcome = 'ok' AND e.action IN ('publish', 'adopt', 'destroy') ORDER BY e.seq
"""
_KEYS = """
SELECT backend, uri, place, label, key_type, public_id, origin, destroyed_at FROM backend_keys
WHERE host = ? ORDER BY id
"""
_KEY_FIELDS = ("backend", "uri", "place", "label", "key_type", "spki_sha256", "origin", "destroyed_at")
_TRUSTS = """
SELECT host, name, trusts FROM identities
WHERE host <> ? AND trusts IS NOT NULL AND state IN ('present', 'released') ORDER BY host, name
"""


class Held(t.NamedTuple):
    """What a host holds, or held, by the ledger: identities, credentials, keys of no identity, and who trusts it."""

    identities: list[Record]
    credentials: list[Record]
    keys: list[Record]
    trusted_by: list[Record]

    @property
    def to_revoke(self) -> list[dict[str, str]]:
        """What may still be of use to somebody, and is for us to take back, as cert_revoke is told it."""
        return self._where("to_revoke")

    @property
    def revoked(self) -> list[dict[str, str]]:
        """What is revoked and has not ended: an issuer that was restored from a backup may have to hear it again."""
        return self._where("is_revoked")

    def _where(self, what: str) -> list[dict[str, str]]:
        found = dict.fromkeys(one["fingerprint_sha256"] for one in self.credentials if one[what])
        return [{"fingerprint_sha256": one} for one in found]


def held(ledger: Readable, host: str, now: datetime) -> Held:
    """Return it. Raises Misconfigured where the ledger knows nothing of the host: its name may be misspelt."""
    identities = [
        dict(zip(("store", "name", "kind", "state", "service"), row, strict=True))
        for row in ledger.read(_IDENTITIES, (host,))
    ]
    keys = [_with_token(dict(zip(_KEY_FIELDS, row, strict=True))) for row in ledger.read(_KEYS, (host,))]
    if not identities and not keys:
        raise Misconfigured(
            f"{WHO}: option host: the ledger knows nothing of {host}; write its name as the inventory did, or look at "
            "option ledger"
        )
    credentials = _credentials(ledger, host, now)
    custody = {(one["store"], one["identity"]): one["custody"] for one in credentials}  # the last one counts
    for one in identities:
        one["custody"] = custody.get((one["store"], one["name"]), "file")
    return Held(identities, credentials, keys, _trusted_by(ledger, host, identities, credentials))


def is_foreign(issuer_id: str) -> bool:
    """Tell whether somebody signed whom we cannot ask to take it back."""
    return issuer_id.startswith((ADOPTED, OBSERVED))


def can_revoke(issuer_id: str) -> bool:
    """Tell whether who signed can take it back at all, as far as we may ask: some backends cannot."""
    return not is_foreign(issuer_id) and facts_of(issuer_id).revokes


def _with_token(key: Record) -> Record:
    """Return a key of no identity with the label and the serial number of its token."""
    try:
        token = parse(key["place"])
    except ValueError:  # another backend's
        return {**key, "token_label": None, "token_serial": None}
    return {**key, "token_label": token.token, "token_serial": token.serial}


def _credentials(ledger: Readable, host: str, now: datetime) -> list[Record]:
    rows = [dict(zip(_FIELDS, row, strict=True)) for row in ledger.read(_CREDENTIALS, (host,))]
    paths: dict[int, list[str]] = {}
    for generation, path in ledger.read(_DELIVERIES, (host,)):
        paths.setdefault(generation, []).append(path)
    elsewhere = ledger.read(_ELSEWHERE, (host, host))
    destroyed, adopted = _seen(ledger, host)
    for one in rows:
        there = paths.get(one.pop("row"), [])
        same = [row for row in elsewhere if row[1] == one["spki_sha256"]]
        shared = [f"{name} of {where}" for print_, _key, where, name in same if print_ == one["fingerprint_sha256"]]
        one |= {
            "paths": [path for path in there if path.startswith("/")],
            "copies": [path for path in there if not path.startswith("/")],
            "shared_with": shared,
            "key_shared_with": [f"{name} of {where}" for _print, _key, where, name in same],
            "destroyed_at": destroyed.get((one["store"], one["identity"])),
            "adopted": (one["store"], one["identity"], one["generation"]) in adopted,
            "ended": one["not_after"] is not None and one["not_after"] <= stamp(now),
            "serial_number": one["serial_number"] and with_colons(int(one["serial_number"], 16)),
        }
        known = one["fingerprint_sha256"] is not None and one["revoked_at"] is None and not one["ended"]
        one["to_revoke"] = known and not shared and can_revoke(one["issuer_id"])
        one["is_revoked"] = bool(one["revoked_at"]) and not one["ended"]
        one["cannot_revoke"] = known and not is_foreign(one["issuer_id"]) and not can_revoke(one["issuer_id"])
    return rows


def _seen(ledger: Readable, host: str) -> tuple[dict[tuple[str, str], str], set[tuple[str, str, int]]]:
    """Return when the host was last seen to destroy all of an identity, and got nothing of it since; what was adopted.

    Adopted are generations, each by its store, its identity and its number.
    """
    found: dict[tuple[str, str], str] = {}
    adopted: set[tuple[str, str, int]] = set()
    for store, name, generation, action, at in ledger.read(_EVENTS, (host,)):
        if action == "destroy":
            found[store, name] = at
        else:
            found.pop((store, name), None)
        if action == "adopt":
            adopted.add((store, name, generation))
    return found, adopted


def _trusted_by(
    ledger: Readable, host: str, identities: t.Sequence[Record], credentials: t.Sequence[Record]
) -> list[Record]:
    """Return who named a service or an issuer of this host as a peer."""
    ours = {("service", one["service"]) for one in identities} | {("issuer", one["issuer_id"]) for one in credentials}
    return [
        {"host": where, "identity": name, kind: value}
        for where, name, trusts in ledger.read(_TRUSTS, (host,))
        for kind, value in json.loads(trusts)
        if (kind, value) in ours
    ]
