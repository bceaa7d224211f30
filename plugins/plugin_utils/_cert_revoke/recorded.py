# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the ledger has of certificates, in the words of this task."""

from __future__ import annotations

import datetime as dt
import typing as t

from ...module_utils._core import credentials, pki
from ...module_utils._core.errors import Misconfigured
from ...module_utils._core.model import ADOPTED, OBSERVED
from ...module_utils._core.ports import Revoked
from .._ledger import revocations
from .._ledger.moments import moment
from .kept import Holder, Kept

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .._ledger.chain import Readable
    from .wanted import Entry

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_ASKED = {
    "serial_number": "serial_number", "fingerprint": "credential_id", "spki": "public_id", "issuer": "issuer_id",
    "identity": "identity", "host": "host",
}  # fmt: skip


def asked_by(entry: Entry) -> dict[str, str]:
    """Return what the ledger is asked by for an entry."""
    by = {_ASKED[name]: said for name, said in entry._asdict().items() if name in _ASKED and said is not None}
    if entry.certificate is not None:
        by["credential_id"] = pki.fingerprint(entry.certificate)
    return by


def of_ledger(ledger: Readable, by: Mapping[str, str]) -> list[Kept]:
    """Return what identities have, or had, with these values. Raises Misconfigured."""
    return [kept_of(row) for row in revocations.credentials(ledger, by)]


def kept_of(row: revocations.Record) -> Kept:
    """Return the certificate of a generation. Raises Misconfigured for one that cannot be read."""
    try:
        der = credentials.encoded(row["certificate"].encode())
    except ValueError:
        raise Misconfigured("ledger: it holds a certificate that cannot be read; put a backup in its place") from None
    holder = Holder(
        row["host"], row["store"], row["identity"], row["generation"], row["current"], row["service"],
        row["key_type"], row["custody"], row["row"], row["identity_row"], row["state"],
        row["identity_state"] == "absent",
    )  # fmt: skip
    return Kept(
        fingerprint=row["credential_id"],
        public_id=row["public_id"],
        serial_number=row["serial_number"],
        not_before=moment(row["not_before"]),
        not_after=moment(row["not_after"]),
        certificate=der,
        issuer_id=None if row["issuer_id"].startswith((ADOPTED, OBSERVED)) else row["issuer_id"],
        issued_at=moment(row["issued_at"]) if row["issued_at"] else None,
        revoked=Revoked(row["reason"], moment(row["revoked_at"])) if row["revoked_at"] else None,
        holder=holder,
    )


def stranger(row: revocations.Record) -> Kept:
    """Return what the ledger has of a certificate of no identity, which was revoked earlier."""
    return Kept(
        fingerprint=row["credential_id"],
        public_id=row["public_id"],
        serial_number=row["serial_number"],
        not_before=EPOCH,
        not_after=moment(row["not_after"]),
        issuer_id=row["issuer_id"],
        revoked=Revoked(row["reason"], moment(row["revoked_at"])),
    )


def of_issuer(issuer: t.Any, since: dt.datetime) -> Iterator[Kept]:
    """Yield what an issuer lists as signed since then. Raises KeysteadError, and ValueError for what cannot be read."""
    for record in issuer.issued(since):
        kept = parsed(credentials.encoded(record.generation.parts["certificate"].content))
        yield kept._replace(issuer_id=issuer.id, issued_at=record.issued_at)


def parsed(content: bytes) -> Kept:
    """Return what an encoded certificate says of itself. Raises ValueError."""
    if credentials.is_of_ssh(content):
        return _of_ssh(content)
    found = credentials.credential(content)
    number = f"{found.facts.serial_number:x}"
    return Kept(found.credential_id, found.public_id, number, found.not_before, found.not_after, content)


def _of_ssh(content: bytes) -> Kept:
    """Return what a certificate of SSH says, whatever else is in it: users have keys that no host has."""
    from ...module_utils._core import ssh

    said = ssh.parsed(content)
    begin, end = ssh.moment(said.valid_after), ssh.moment(said.valid_before)
    return Kept(pki.fingerprint(content), ssh.public_id(said.key), f"{said.serial_number:x}", begin, end, content)
