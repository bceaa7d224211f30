# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the ledger is told of what an issuer signed: that it was accepted, refused too late, or perhaps got lost."""

from __future__ import annotations

import json
import typing as t
from datetime import UTC, datetime

from ..module_utils._core import credentials, pki
from ..module_utils._core.ports import Remedy, Revoker
from ..module_utils._core.ssh import KIND
from ._ledger.port import Event, Issued, Orphaned
from ._serial import with_colons

if t.TYPE_CHECKING:
    from ..module_utils._core.errors import KeysteadError
    from ..module_utils._core.model import Credential, Generation
    from ..module_utils._core.ports import Request
    from ._work import Work

REVOKE_IT = ": revoke it there"
"""How a message ends that tells of a certificate which nobody can use, where it can be taken back."""
_UNREADABLE: tuple[type[Exception], ...] = (*pki.UNREADABLE, LookupError, AttributeError)


def issued(certificate: bytes, chain: bytes) -> Issued:
    """Return what the ledger is told of a credential, as text."""
    credential: Credential = credentials.credential(credentials.encoded(certificate))
    facts = credential.facts
    return Issued(
        certificate=certificate.decode("ascii"),
        credential_id=credential.credential_id,
        public_id=credential.public_id,
        serial_number=facts.serial_number,
        issuer_dn=facts.issuer,
        subject=facts.subject_name,
        names={
            "dns": facts.subject.dns_names,
            "ip": facts.subject.ip_addresses,
            "uri": facts.subject.uris,
            "email": facts.subject.email_addresses,
        },
        key_type=facts.key_type,
        not_before=credential.not_before,
        not_after=credential.not_after,
        chain=chain.decode("ascii"),
    )


def orphan(
    work: Work, request: Request, answer: Generation, error: KeysteadError
) -> tuple[KeysteadError, Orphaned]:
    """Return why an answer was refused, what helps and what is to be revoked, and what the ledger keeps of it."""
    try:
        content = credentials.encoded(answer.parts["certificate"].content)
        found = issued(credentials.as_text(content), b"")
        facts = credentials.credential(content).facts
    except _UNREADABLE:
        return error, Orphaned()
    told, number = str(error), with_colons(found.serial_number)
    if found.public_id != work.public_id:  # it may be anything, the authority itself included: nobody is told to revoke
        return type(error)(f"{told}; what came has serial number {number}: find out whose it is"), Orphaned()
    if isinstance(work.issuer, Remedy) and (remedy := work.issuer.remedy(facts, request)):
        told += f"{', or' if '; ' in told else ';'} {remedy}"
    told += f"; what it signed has serial number {number} and ends on "
    told += f"{found.not_after:%Y-%m-%d %H:%M} UTC{_way_out(work, request)}"
    return type(error)(told), Orphaned(found)


def _way_out(work: Work, request: Request) -> str:
    """Say what to do about something that was signed and is not wanted."""
    if isinstance(work.issuer, Revoker):
        return REVOKE_IT
    if request.kind == KIND:
        return ": nobody can take it back there; keep it from clients by RevokedHostKeys, or let it end"
    return ": it cannot be revoked from here; ask who runs that to do it, or let it end"


def lost(work: Work) -> tuple[Event, ...]:
    """Tell of an orphan that nobody can look for: who may have signed it, for which key and names, and when (R1)."""
    if work.lost_since is None:
        return ()
    window = f"between {work.lost_since:%Y-%m-%d %H:%M:%S} and {datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"
    said = f"{lost_by(work)} may have signed key {work.public_id} for {names_before(work)} {window}"
    return (Event("issue", "an earlier answer got lost", "orphaned", f"{said}; its answer got lost"),)


def names_before(work: Work) -> str:
    """Return the names that an earlier run asked for."""
    opened = work.remembered.open_intent if work.remembered else None
    return ", ".join(json.loads(opened.asked)["names"]) if opened and opened.asked else "names that are not recorded"


def lost_by(work: Work) -> str:
    """Return the id of who was asked when an answer got lost: a task may name another one by now."""
    opened = work.remembered.open_intent if work.remembered else None
    return opened.issuer_id if opened else str(work.identity.issuer_id)
