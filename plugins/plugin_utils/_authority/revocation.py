# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""Taking certificates back: one durable record each, and a complete CRL made from all of them (RFC 5280, 5)."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import re
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

from ...module_utils._core.errors import Misconfigured
from ...module_utils._core.keys import signing_hash
from ...module_utils._core.ports import Revoked
from .files import entries, locked, read, write
from .signing import key_identifier

if t.TYPE_CHECKING:
    from pathlib import Path

    from .store import Authority

CRL_LIFETIME = dt.timedelta(days=7)
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


def revocation(authority: Authority, serial_number: int) -> Revoked | None:
    """Return the record of a certificate that was taken back."""
    path = _record(authority, serial_number)
    return _parsed(path) if path.exists() else None


def revocations(authority: Authority) -> dict[int, Revoked]:
    """Return all records, by serial number."""
    return {_serial_number(path): _parsed(path) for path in entries(authority.revoked, ".json")}


def revoke(authority: Authority, key: t.Any, serials: t.Sequence[int], reason: str, now: dt.datetime) -> list[Revoked]:
    """Take certificates back and publish the CRL. The first record of a certificate stands."""
    with locked(authority.lock):
        for serial_number in serials:
            if revocation(authority, serial_number) is None:
                content = {"reason": reason, "when": now.replace(microsecond=0).isoformat()}
                write(_record(authority, serial_number), json.dumps(content).encode() + b"\n")
        if due(authority, now):
            _publish(authority, key, now)
    return [_parsed(_record(authority, serial_number)) for serial_number in serials]


def publish(authority: Authority, key: t.Any, now: dt.datetime) -> None:
    """Make the CRL anew."""
    with locked(authority.lock):
        _publish(authority, key, now)


def due(authority: Authority, now: dt.datetime) -> str | None:
    """Say why the CRL must be made anew: it is missing, half of its life is over, or it lacks a revocation."""
    if not authority.crl_path.exists():
        return "there is no revocation list yet"
    crl = _current(authority)
    next_update = crl.next_update_utc
    if next_update is None or next_update - now < CRL_LIFETIME / 2:
        return f"the revocation list ends on {next_update:%Y-%m-%d} and is due"
    missing = revocations(authority).keys() - {entry.serial_number for entry in crl}
    return f"the revocation list lacks {len(missing)} revoked certificates" if missing else None


def _publish(authority: Authority, key: t.Any, now: dt.datetime) -> None:
    number = _number(_current(authority)) + 1 if authority.crl_path.exists() else 1
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(authority.certificate.subject)
        .last_update(now.replace(microsecond=0))
        .next_update(now.replace(microsecond=0) + CRL_LIFETIME)
        .add_extension(key_identifier(authority), critical=False)
        .add_extension(x509.CRLNumber(number), critical=False)
    )
    for serial_number, record in revocations(authority).items():
        builder = builder.add_revoked_certificate(_entry(serial_number, record))
    write(authority.crl_path, builder.sign(key, signing_hash(key)).public_bytes(Encoding.PEM))


def _entry(serial_number: int, record: Revoked) -> x509.RevokedCertificate:
    builder = x509.RevokedCertificateBuilder().serial_number(serial_number).revocation_date(record.when)
    flag = REASONS[record.reason]
    if flag is not None:
        builder = builder.add_extension(x509.CRLReason(x509.ReasonFlags(flag)), critical=False)
    return builder.build()


def _current(authority: Authority) -> x509.CertificateRevocationList:
    try:
        return x509.load_pem_x509_crl(read(authority.crl_path))
    except ValueError:
        raise Misconfigured(f"local: {authority.crl_path} is not a revocation list; restore it from a backup") from None


def _number(crl: x509.CertificateRevocationList) -> int:
    return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def _record(authority: Authority, serial_number: int) -> Path:
    return authority.revoked / f"{serial_number:x}.json"


def _serial_number(path: Path) -> int:
    if not re.fullmatch("[1-9a-f][0-9a-f]{0,39}", path.stem):  # RFC 5280, 4.1.2.2: positive, 20 octets
        raise Misconfigured(f"local: {path} is not named after a serial number; move it away")
    return int(path.stem, 16)


def _parsed(path: Path) -> Revoked:
    try:
        said = json.loads(read(path))
        if said["reason"] in REASONS:
            return Revoked(said["reason"], dt.datetime.fromisoformat(said["when"]))
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise Misconfigured(f"local: {path} is not a revocation record; restore it from a backup")
