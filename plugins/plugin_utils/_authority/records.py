# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One durable record for each certificate that was taken back, named after its serial number.

It stands in `revoked/` as long as the list must have it, and in `revoked/expired/` from then on.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import re
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509

from ...module_utils._core.errors import Misconfigured
from ...module_utils._core.pki import MALFORMED
from ...module_utils._core.ports import Revoked
from .files import entries, put_all, read, read_if_there, speaking, sync

if t.TYPE_CHECKING:
    from pathlib import Path

    from ...module_utils._core.revoking import Revocation
    from .store import Authority

REASONS = {
    "unspecified": None,  # RFC 5280, 5.3.1: the extension is left out
    "key_compromise": "keyCompromise",
    "ca_compromise": "cACompromise",
    "affiliation_changed": "affiliationChanged",
    "superseded": "superseded",
    "cessation_of_operation": "cessationOfOperation",
    "certificate_hold": "certificateHold",
    "privilege_withdrawn": "privilegeWithdrawn",
    "aa_compromise": "aACompromise",
}
_SUFFIX = ".json"
_NUMBER = re.compile("[1-9a-f][0-9a-f]{0,39}")  # RFC 5280, 4.1.2.2: positive, 20 octets
_AT_ONCE = 200  # files that are open together
_EARLIEST = 1950  # a year; UTCTime knows none before (RFC 5280, 5.1.2.6)


class Record(t.NamedTuple):
    """Why and when a certificate was taken back, and when it ends; None where nobody wrote that down."""

    revoked: Revoked
    not_after: dt.datetime | None


def find(authority: Authority, serial_number: int) -> Revoked | None:
    """Return the record of a certificate that was taken back."""
    path = _path(authority, serial_number)
    for place in (path, _expired(authority) / path.name):
        content = read_if_there(place)
        if content is not None:
            return _parsed(place, content).revoked
    return None


def write(authority: Authority, serial_numbers: t.Iterable[int], reason: str, now: dt.datetime) -> None:
    """Write down that certificates are taken back, all together."""
    said = Revoked(reason, now)
    put_all({_path(authority, one): _written(said, _end(authority, one)) for one in serial_numbers})
    sync(authority.revoked)


def _written(revoked: Revoked, end: dt.datetime | None) -> bytes:
    when = revoked.when.replace(microsecond=0).isoformat()
    said = {"reason": revoked.reason, "when": when, **({"not_after": end.isoformat()} if end else {})}
    return json.dumps(said).encode() + b"\n"


def lacks(authority: Authority, one: Revocation) -> bool:
    """Say whether no record tells of a revocation, or one that was put away although the certificate lives.

    Who knows when a certificate ends says so of those alone that live.
    """
    path = _path(authority, one.serial_number)
    return not path.exists() and (one.not_after is not None or not (_expired(authority) / path.name).exists())


def restore(authority: Authority, revocations: t.Iterable[Revocation]) -> None:
    """Write down what others know to be taken back, with its reason and moment, where there is no record."""
    missing = [one for one in {one.serial_number: one for one in revocations}.values() if lacks(authority, one)]
    for start in range(0, len(missing), _AT_ONCE):
        contents = {}
        for one in missing[start : start + _AT_ONCE]:
            path, end = _path(authority, one.serial_number), one.not_after or _end(authority, one.serial_number)
            put_away = read_if_there(_expired(authority) / path.name)
            known = one.revoked if one.revoked.reason in REASONS else one.revoked._replace(reason="unspecified")
            contents[path] = put_away or _written(known, end)
        put_all(contents)
    if missing:
        sync(authority.revoked)


def serial_numbers(authority: Authority) -> frozenset[int]:
    """Return what the list must have. No record is read, however many there are."""
    with speaking("list", authority.revoked):
        names = os.listdir(authority.revoked)  # noqa: PTH208 - a hundred thousand paths would take half a second
    kept = (name for name in names if name.endswith(_SUFFIX) and not name.startswith("."))
    return frozenset(_serial_number(authority, name) for name in kept)


def entry(authority: Authority, serial_number: int, now: dt.datetime) -> x509.RevokedCertificate:
    """Return what a list that is made now has of a record: no moment that a clock wrote which was ahead."""
    path = _path(authority, serial_number)
    reason, when = _parsed(path, read(path)).revoked
    when = min(when, now)
    builder = x509.RevokedCertificateBuilder().serial_number(serial_number).revocation_date(when)
    flag = REASONS[reason]
    if flag is not None:
        builder = builder.add_extension(x509.CRLReason(x509.ReasonFlags(flag)), critical=False)
    return builder.build()


def retire(authority: Authority, listed: t.Container[int], made: dt.datetime) -> None:
    """Put away the records of certificates that a list, made then, still had after their end (RFC 5280, 3.3)."""
    place = _expired(authority)
    for one in serial_numbers(authority):
        path = _path(authority, one)
        end = _parsed(path, read(path)).not_after or _end(authority, one)
        if one in listed and end is not None and end < made:
            with speaking("put away", path):
                place.mkdir(mode=0o755, exist_ok=True)
                path.rename(place / path.name)
    _synced(place, authority.revoked)


def take_back(authority: Authority, now: dt.datetime) -> None:
    """Let the records of certificates count again that were put away, and have not ended."""
    place = _expired(authority)
    for path in entries(place, _SUFFIX) if place.is_dir() else ():
        end = _parsed(path, read(path)).not_after or _end(authority, _serial_number(authority, path.name))
        if end is not None and end > now:
            with speaking("take back", path):
                path.rename(authority.revoked / path.name)
    _synced(place, authority.revoked)


def _synced(*changed: Path) -> None:
    for one in changed:
        if one.exists():
            sync(one)


def _end(authority: Authority, serial_number: int) -> dt.datetime | None:
    """Return when a certificate that this authority wrote down ends."""
    path = authority.issued / f"{serial_number:x}.pem"
    with contextlib.suppress(*MALFORMED):
        content = read_if_there(path)
        return x509.load_pem_x509_certificate(content).not_valid_after_utc if content is not None else None
    return None


def _path(authority: Authority, serial_number: int) -> Path:
    return authority.revoked / f"{serial_number:x}{_SUFFIX}"


def _expired(authority: Authority) -> Path:
    return authority.revoked / "expired"


def _serial_number(authority: Authority, name: str) -> int:
    stem = name.removesuffix(_SUFFIX)
    if not _NUMBER.fullmatch(stem):
        raise Misconfigured(f"local: {authority.revoked / name} is not named after a serial number; move it away")
    return int(stem, 16)


def _parsed(path: Path, content: bytes) -> Record:
    try:
        said = json.loads(content)
        when, end = (_moment(said[name]) if name in said else None for name in ("when", "not_after"))
        if said["reason"] in REASONS and when is not None and when.year >= _EARLIEST:
            return Record(Revoked(said["reason"], when), end)
    except (ValueError, KeyError, TypeError, RecursionError, OverflowError):
        pass
    raise Misconfigured(f"local: {path} is not a revocation record; restore it from a backup")


def _moment(text: str) -> dt.datetime:
    """Return a moment in UTC; raises ValueError where its zone is not said."""
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("no zone")
    return moment.astimezone(dt.UTC)
