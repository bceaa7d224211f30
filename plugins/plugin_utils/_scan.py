# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a scan of a host found: read with care, judged, and made into proposals."""

from __future__ import annotations

import re
import typing as t
import warnings

from ..module_utils._core import pki, wire
from ..module_utils._core.model import Finding
from ._findings import finding, said, shared, weak
from ._ledger.queries import holders
from ._proposals import proposals
from ._report import certificate
from ._scanned import Scanned
from ._snake_oil import origin

if t.TYPE_CHECKING:
    from datetime import datetime

    from ._ledger.chain import Readable
    from ._ledger.port import Ledger

Record = dict[str, t.Any]
MOST = 5000
KINDS = ("certificate", "private_key", "pair", "pkcs12")
_MODE = re.compile(r"0[0-7]{3}", re.ASCII)


NOTHING: t.Mapping[str, t.Any] = {"scan": [], "proposals": [], "scan_complete": True, "notes": []}


def scanned(answer: t.Mapping[str, t.Any], host: str, ledger: Ledger | None, now: datetime) -> Record:
    """Return `scan`, `proposals` and `scan_complete`, and under `notes` what was left out."""
    with warnings.catch_warnings():  # of what other people's certificates are like
        warnings.simplefilter("ignore")
        return _scanned(answer, host, ledger, now)


def _scanned(answer: t.Mapping[str, t.Any], host: str, ledger: Ledger | None, now: datetime) -> Record:
    given = answer.get("scan")
    given = given if isinstance(given, dict) else {}
    files, refused = _files(given.get("files"))
    notes = [note for note in map(_text, _list(given.get("notes"))[:100]) if note]
    if refused:
        notes.append(f"{refused} files are left out: what the host says of them cannot be read")
    known = {one.public_id for one in files if one.public_id and one.managed}
    for one in files:
        one.matches = _matches(one, files)
        one.findings += _findings(one, now)
        if ledger is not None and one.holds_key and one.public_id:
            _look_up(one, host, t.cast("Readable", ledger), known)
    return {
        "scan": [_record(one) for one in files],
        "proposals": proposals(files, known),
        "scan_complete": not notes,
        "notes": notes,
    }


def _files(given: t.Any) -> tuple[list[Scanned], int]:
    files, refused = [], 0
    for one in _list(given)[:MOST]:
        try:
            files.append(_read(one))
        except (ValueError, TypeError, KeyError, AttributeError):
            refused += 1
    return files, refused + max(0, len(_list(given)) - MOST)


def _read(one: t.Any) -> Scanned:
    """Read an entry; raises one of several errors for anything that has not its form."""
    der = wire.binary(one["certificate"]) if "certificate" in one else b""
    credential = pki.credential(der) if der else None
    public_id = wire.text(one["public_id"]) if "public_id" in one else None
    file = Scanned(
        path=wire.text(one["path"]),
        real=wire.text(one["real"]),
        kind=wire.word(KINDS)(one["kind"]),
        owner=wire.text(one["owner"]),
        group=wire.text(one["group"]),
        mode=_mode(one["mode"]),
        managed=wire.flag(one["managed"]),
        msg=wire.text(one.get("msg", "")),
        encrypted=wire.flag(one.get("encrypted", False)),
        public_id=public_id or (credential.public_id if credential else None),
        key_type=wire.text(one["key_type"]) if public_id else (credential.facts.key_type if credential else None),
        key_fits=not (public_id and credential) or public_id == credential.public_id,
        holds_key=bool(public_id) or one["kind"] in ("private_key", "pair"),
        certificate=der,
        credential=credential,
        certificates=wire.count(one.get("certificates", 0)),
        fingerprints=wire.many(wire.text)(one.get("fingerprints", [credential.credential_id] if credential else [])),
        further=wire.many(wire.text)(one.get("further", [])),
        closed=wire.text(one.get("closed", "")),
    )
    found = [wire.unpack(Finding, entry) for entry in _list(one.get("findings"))[:20]]
    file.findings += filter(None, map(said, found))
    return file


def _matches(one: Scanned, files: t.Sequence[Scanned]) -> list[str]:
    """Return where the other half of a pair is: certificates for a key, keys for a certificate."""
    if one.public_id is None or one.kind in ("pair", "pkcs12"):
        return []
    wanted = "certificate" if one.kind == "private_key" else "private_key"
    return [other.path for other in files if other.public_id == one.public_id and other.kind in (wanted, "pair")]


def _findings(one: Scanned, now: datetime) -> t.Iterator[dict[str, str]]:
    credential = one.credential
    if one.encrypted:
        remedy = "a password is needed" if one.kind == "pkcs12" else "a passphrase is needed"
        yield finding("encrypted", f"it is encrypted; {remedy} to say more of it")
    if not one.key_fits:
        yield finding("pair_mismatched", "its private key does not fit its first certificate")
    if credential and now >= credential.not_after:
        yield finding("expired", f"it ended on {credential.not_after:%Y-%m-%d %H:%M} UTC")
    yield from weak(one.key_type)
    if credential and _is_weakly_signed(one.certificate):
        yield finding("weak_signature", "its signature uses a broken hash")
    if one.holds_key and int(one.mode, 8) & 0o007:
        yield finding("key_readable", f"its key has mode {one.mode}: every user of the host can read or change it")
    source = origin(one.real, one.public_id, credential.facts if credential else None)
    source = source or origin(one.path, None, None)
    if source:
        yield finding("snake_oil", source)
    yield from _in_the_way(one)
    if one.kind == "private_key" and not one.matches and not one.encrypted and not one.msg:
        yield finding("no_certificate", "no certificate for this key was found")


def _in_the_way(one: Scanned) -> t.Iterator[dict[str, str]]:
    """Say why a file cannot be adopted, or no link can take its place."""
    if one.closed and one.public_id and (one.holds_key or one.matches):
        yield finding("foreign_directory", f"it cannot be adopted where it is: {one.closed.partition('host: ')[2]}")
    if one.further:
        more = ", ".join(one.further)
        yield finding("further_blocks", f"it also holds {more}, which a link would lose; no link is proposed for it")


def _is_weakly_signed(der: bytes) -> bool:
    from cryptography import x509

    try:
        algorithm = x509.load_der_x509_certificate(der).signature_hash_algorithm
    except pki.UNREADABLE:
        return False
    return algorithm is not None and algorithm.name in ("md5", "sha1")


def _look_up(one: Scanned, host: str, ledger: Readable, known: set[str]) -> None:
    """Say whom the ledger knows to have this key."""
    users = holders(ledger, one.public_id or "")
    if any(user["host"] == host for user in users) and one.public_id:
        known.add(one.public_id)
    others = shared([f"{user['name']} of {user['host']}" for user in users if user["host"] != host])
    if others:
        one.findings.append(others)


def _record(one: Scanned) -> Record:
    return {
        "path": one.path,
        "kind": one.kind,
        "mode": one.mode,
        "managed": one.managed,
        "failed": bool(one.msg),
        "msg": one.msg,
        "encrypted": one.encrypted,
        "key_type": one.key_type,
        "spki_sha256": one.public_id,
        "certificate": certificate(one.credential) if one.credential else None,
        "certificates": one.certificates,
        "matches": one.matches,
        "findings": one.findings,
    }


def _mode(value: t.Any) -> str:
    """Read a mode as four octal digits."""
    if not isinstance(value, str) or not _MODE.fullmatch(value):
        raise ValueError("not a mode")
    return value


def _list(value: t.Any) -> list[t.Any]:
    return value if isinstance(value, list) else []


def _text(value: t.Any) -> str | None:
    try:
        return wire.text(value)
    except ValueError:
        return None
