# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A signed folder of what is known of an incident: its times, the events of what it touches, and their certificates."""

from __future__ import annotations

import json
import typing as t
from datetime import datetime
from pathlib import Path

from ...module_utils._core.errors import Denied, Misconfigured
from ...module_utils._core.keys import public_pem, spki, spki_sha256
from .._actor import VERSION
from .._blast_radius.affected import find
from .._blast_radius.answer import asked
from .._controls import evidence as controls
from .._controls import folder
from .._recall import opened
from .._records.files import read
from .._rows.alike import each_of
from .._rows.said import said
from .._rows.selection import Selection
from .incident import WHO, incidents

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from .._ledger.chain import Readable
    from .._rows.row import Row
    from .incident import Fields, Incident

FRAMEWORK = "incident"
_SECRET = b"PRIVATE KEY-----"
_MOST = 64 << 20
_EVENTS = """
SELECT e.seq, h.at, h.host, h.store, h.actor, e.identity, e.generation, e.action, e.reason, e.outcome, e.message, e.hash
FROM events e JOIN heads h ON h.batch = e.batch WHERE h.at >= ? AND e.seq <= ? ORDER BY e.seq
"""
_FIELDS = ("seq", "at", "host", "store", "actor", "identity", "generation", "action", "reason", "outcome", "message",
           "hash")  # fmt: skip
Options = t.Mapping[str, t.Any]


def write(args: Options, name: str, result: Fields, *, check: bool) -> Fields:
    """Write the folder, where it is not there; return what the task returns of it. Raises KeysteadError."""
    to = args["evidence"]
    directory = Path(to["directory"])
    folder.check_can_be_written(directory, WHO)
    further = _further(to["files"] or ())
    with opened(args, WHO) as ledger:
        incident = incidents(ledger).get(name)
        if incident is None:  # in check mode, before it is opened
            return {"path": None, "changed": True, "public_key": None}
        key, warnings = controls.key_of(directory, to["key"], ledger, make=not check, who=WHO)
        about, files = _files(args, ledger, incident)
    files = {**further, **files, "incident.json": folder.rendered({k: v for k, v in result.items() if k != "changed"})}
    wanted = folder.manifest(about, files)
    path = directory / FRAMEWORK / folder.name_of(wanted, WHO)
    changed = not _is_there(path, wanted, key)
    if changed and not check:
        changed = folder.write(path, wanted, files, key, WHO)
    public_key = None if key is None else public_pem(spki(key.public_key()))
    told = {"path": str(path), "changed": changed, "public_key": public_key}
    return {**told, "warnings": warnings} if warnings else told


def _is_there(path: Path, wanted: folder.Manifest, key: t.Any) -> bool:
    keys = {} if key is None else {spki_sha256(key.public_key()): key.public_key()}
    try:
        return folder.is_there(path, wanted, keys, WHO)
    except folder.Altered as how:
        raise Denied(
            f"{WHO}: evidence {path} is not what was signed: {how}; find out by whom, move it away, and run again"
        ) from None


def _further(paths: Sequence[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for path in map(Path, paths):
        where = f"{WHO}: option evidence.files: {path}"
        try:
            content = path.read_bytes() if path.stat().st_size <= _MOST else None
        except OSError as error:
            raise Misconfigured(f"{where} cannot be read on the controller ({error.strerror}); correct it") from None
        if content is None or _SECRET in content:
            wrong = "is larger than 64 MiB" if content is None else "has a private key, and evidence has no secret"
            raise Misconfigured(f"{where} {wrong}; leave it out")
        if found.setdefault(path.name, content) is not content:
            raise Misconfigured(f"{where}: another file has that name already; rename one of them")
    return found


def _files(args: Options, ledger: Readable, incident: Incident) -> tuple[Fields, dict[str, bytes]]:
    """Return what is signed beside the digests of the files, and those that the ledger tells."""
    last = incident.told[-1]
    detected = incident.times["detected"]
    about = asked({**args["about"], "reason": args["reason"]}, datetime.fromisoformat(detected), WHO)
    touched = [one.row for one in find(ledger, read(args["records"] or ()), about)]
    rows = {row.key: row for row in (*touched, *_successors(ledger, touched))}
    events = _events(ledger, incident, rows.values(), last.seq)
    signed = {
        "framework": FRAMEWORK, "incident": incident.name, "day": last.said["at"][:10], "collection_version": VERSION,
        "ledger": str(ledger.id), "event": last.seq, "hash": last.hash,
    }  # fmt: skip
    ordered = sorted(rows.values(), key=lambda row: row.key)
    identities = [{**said(row, ()), "pem": row.certificate} for row in ordered]
    pem = "".join(f"{row.certificate.strip()}\n" for row in ordered if row.certificate)
    return signed, {
        "events.json": folder.rendered(events),
        "identities.json": folder.rendered(identities),
        "certificates.pem": pem.encode(),
    }


def _successors(ledger: Readable, touched: Iterable[Row]) -> list[Row]:
    """Return what is there now, or was, of the same identities."""
    places = {(row.host, row.store, row.name) for row in touched if row.managed}
    hosts = {host for host, _store, _name in places if host}
    found = each_of(ledger, hosts, lambda some: Selection(hosts=some))
    return [row for row in found if (row.host, row.store, row.name) in places]


def _events(ledger: Readable, incident: Incident, rows: Iterable[Row], last: int) -> list[Fields]:
    """Return the events since it was detected of all that it touches, and its own, up to its last one."""
    places = {(row.host, row.store, row.name) for row in rows}
    prints = {f"certificate {row.fingerprint}" for row in rows if row.fingerprint}
    own = {one.seq for one in incident.told}
    found = []
    for row in ledger.read(_EVENTS, (incident.times["detected"], last)):
        event = dict(zip(_FIELDS, row, strict=True))
        place = (event["host"], event["store"], event["identity"])
        if event["seq"] in own or place in places or event["identity"] in prints:
            found.append({**event, "actor": json.loads(event["actor"])})
    return found
