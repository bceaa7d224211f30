# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What issuers say themselves: whether they would sign now, and what of that which they have signed nobody knows here.

One that cannot be asked, or does not tell all, is said to be so, and the report goes on without it.
"""

from __future__ import annotations

import typing as t

from ...module_utils._core.credentials import credential, encoded
from ...module_utils._core.errors import Denied, KeysteadError, Unavailable
from ...module_utils._core.ports import Lister, Preflight, Revoked, Revoker
from .._declare import checked_issuer
from .._ledger.moments import stamp
from .._rows.row import OBSERVED, Row
from .._serial import with_colons
from .._signers import Signers
from .._unplaced import EVER
from .files import WHO

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from ...module_utils._core.model import Credential
    from ...module_utils._core.ports import IssuedRecord, Issuer
    from .._rows.alike import Alike

CANNOT = "it cannot list what it signed, so what others got of it is not known"

Options = t.Mapping[str, t.Any]


class Seen(t.NamedTuple):
    """What is known here: the fingerprints of all that the ledger ever heard of, and records of other systems."""

    fingerprints: frozenset[str]
    records: Alike


class Asked(t.NamedTuple):
    """What one issuer said. `id` is None where it did not even say that; `rogue` where it did not list is None.

    `silent` is why it did not answer, and `advice` what it said while it listed: then that is not all.
    """

    called: str
    id: str | None
    checks: tuple[dict[str, str], ...] = ()
    rogue: tuple[dict[str, t.Any], ...] | None = None
    silent: str | None = None
    advice: tuple[str, ...] = ()

    @property
    def unsaid(self) -> str | None:
        """Why it is not known what nobody here knows of it; None where it has said all."""
        if self.rogue is None:
            return self.silent or CANNOT
        return "; ".join(self.advice) or None


def ask(issuers: Sequence[Options], seen: Seen, now: datetime) -> list[Asked]:
    """Ask each of the issuers of a task, each said once. Raises Misconfigured where an option of one is wrong."""
    found: dict[str, Asked] = {}
    for said in issuers:
        one = _asked(said, seen, now)
        name = one.id or one.called
        found[name] = _both(found[name], one) if name in found else one
    return list(found.values())


def _both(first: Asked, then: Asked) -> Asked:
    """Return what one issuer said that is named twice, as two roles of one mount are: it has one list."""
    listed = first if first.rogue is not None else then
    checks = (*first.checks, *(one for one in then.checks if one not in first.checks))
    return listed._replace(checks=checks, silent=first.silent or then.silent)


def _asked(said: Options, seen: Seen, now: datetime) -> Asked:
    ((backend, options),) = said.items()
    checked = checked_issuer(said)
    signers, checks = Signers([checked] if checked else [], WHO), list[dict[str, str]]()
    one = Asked(f"{backend}:{options['url']}" if options.get("url") else backend, None)
    try:
        (issuer,) = signers.all()
        one = one._replace(id=issuer.id)
        checks += _checks(issuer)
        rogue = tuple(_rogue(issuer, seen, now)) if isinstance(issuer, Lister) else None
    except (Denied, Unavailable) as error:
        return one._replace(checks=tuple(checks), silent=str(error))
    return one._replace(checks=tuple(checks), rogue=rogue, advice=tuple(signers.advice()))


def _checks(issuer: Issuer) -> Iterator[dict[str, str]]:
    if not isinstance(issuer, Preflight):
        return
    try:
        for one in issuer.preflight():
            yield {"check": one.name, "state": one.state, "found": one.found, "remedy": one.remedy}
    except KeysteadError as error:
        found, _semicolon, remedy = str(error).partition("; ")
        yield {"check": "answer", "state": "failed", "found": found, "remedy": remedy}


def _rogue(issuer: t.Any, seen: Seen, now: datetime) -> Iterator[dict[str, t.Any]]:
    """Yield what lives, is no authority, and is neither in the ledger nor in a record."""
    for record in issuer.issued(EVER):
        one = record.generation
        if one.not_after <= now or one.credential_id in seen.fingerprints:
            continue
        content = encoded(one.parts["certificate"].content)
        found = credential(content)
        if found.facts.is_ca or seen.records.same_certificate(_row(record, found)).number:
            continue
        if not (isinstance(issuer, Revoker) and isinstance(issuer.status(content), Revoked)):
            yield _told(issuer.id, record, found)


def _row(record: IssuedRecord, found: Credential) -> Row:
    """Return it in the shape in which certificates are compared; it is in no place."""
    return Row(
        key=("", 2, 0), managed=False, name="", host=None, state=OBSERVED, in_use=True, kind=found.kind,
        fingerprint=found.credential_id, serial_number=f"{record.serial_number:x}", spki=record.public_id,
        issuer=found.facts.issuer,
    )  # fmt: skip


def _told(issuer_id: str, record: IssuedRecord, found: Credential) -> dict[str, t.Any]:
    return {
        "issuer_id": issuer_id,
        "serial_number": with_colons(record.serial_number),
        "subject": found.facts.subject_name,
        "dns_names": list(found.facts.subject.dns_names),
        "key_type": found.facts.key_type,
        "fingerprint_sha256": found.credential_id,
        "spki_sha256": record.public_id,
        "issued_at": f"{stamp(record.issued_at)[:19]}Z",
        "not_after": f"{stamp(found.not_after)[:19]}Z",
    }
