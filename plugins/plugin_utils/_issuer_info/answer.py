# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The whole of issuer_info: what issuers signed that is still good, beside what the ledger knows of it."""

from __future__ import annotations

import itertools
import typing as t
from collections import defaultdict

from ...module_utils._core import credentials
from ...module_utils._core.errors import Misconfigured
from .._as_said import moment
from .._cert_revoke.recorded import EPOCH
from .._declare import checked_issuer
from .._ledger import rows as ledgers
from .._ledger.moments import stamp
from .._recall import opened
from .._rows.alike import AT_ONCE
from .._rows.selection import Selection
from .._serial import with_colons
from .._signers import Signers
from .listed import ENDED, GOOD, REVOKED, UNKNOWN, listed

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from .._cert_revoke.kept import Kept
    from .._ledger.chain import Readable
    from .._rows.row import Row
    from .listed import Listed

WHO = "issuer_info"
Record = dict[str, t.Any]


def answer(args: Mapping[str, t.Any], now: datetime) -> Record:
    """Return what the task returns. Raises KeysteadError; the ledger is opened to be read, and must be there."""
    asked = [issuer for one in (args["issuer"], *(args["issuers"] or ())) if (issuer := checked_issuer(one))]
    if not asked:
        raise Misconfigured(f"{WHO}: no issuer is named; set option issuer or issuers to whose list is to be looked at")
    said = args["issued_after"]
    since = None if said is None else moment(said, f"{WHO}: option issued_after")
    signers = Signers(asked, WHO)
    with opened(args, WHO) as ledger:
        found = [listed(issuer, since or EPOCH, now) for issuer in signers.all()]
        left = [(kept, standing) for one in found for kept, standing in one.certificates if standing in (GOOD, UNKNOWN)]
        known = _known(ledger, [kept.fingerprint for kept, _standing in left])
    return {
        "changed": False,
        "issuers": [_issuer(one, known, whole=since is None) for one in found],
        "certificates": [_certificate(kept, standing, known[kept.fingerprint]) for kept, standing in left],
        "warnings": [*signers.advice(), *(f"{WHO}: {one.issuer_id}: {one.why}" for one in found if one.why)],
        **_refusal([one for one in found if one.broken]),
    }


def _known(ledger: Readable, fingerprints: Sequence[str]) -> Mapping[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for some in _some(fingerprints):
        for row in ledgers.select(ledger, Selection(fingerprints=some)):
            found[row.fingerprint or ""].append(row)
    return found


def _some(values: Sequence[str]) -> Iterator[tuple[str, ...]]:
    left = iter(values)
    while some := tuple(itertools.islice(left, AT_ONCE)):
        yield some


def _issuer(one: Listed, known: Mapping[str, list[Row]], *, whole: bool) -> Record:
    good = one.number(GOOD, UNKNOWN)
    left = [kept for kept, standing in one.certificates if standing in (GOOD, UNKNOWN)]
    return {
        "issuer_id": one.issuer_id,
        "listed": one.why is None,
        "why": one.why,
        "signed": len(one.certificates),
        "ended": one.number(ENDED),
        "revoked": one.number(REVOKED),
        "good": good,
        "unmanaged": sum(not known[kept.fingerprint] for kept in left),
        "empty": None if one.why or not whole else not good,
        "last_end": max((_moment(kept.not_after) for kept, _standing in one.certificates), default=None),
    }


def _certificate(kept: Kept, standing: str, rows: Sequence[Row]) -> Record:
    return {
        "issuer_id": kept.issuer_id,
        "serial_number": with_colons(int(kept.serial_number, 16)),
        "fingerprint_sha256": kept.fingerprint,
        "spki_sha256": kept.public_id,
        "not_before": _moment(kept.not_before),
        "not_after": _moment(kept.not_after),
        **_names(kept.certificate or b""),
        "status": standing,
        "managed": bool(rows),
        "places": [
            {"host": row.host, "identity": row.name, "state": row.state, "in_use": row.in_use, "contact": row.contact}
            for row in rows
        ],
    }


def _names(content: bytes) -> Record:
    """Return whom a certificate is for, and whether that is an authority."""
    if credentials.is_of_ssh(content):
        from ...module_utils._core import ssh

        said = ssh.parsed(content).key_id.decode("utf-8", "replace")
        return {"subject": said, "dns_names": [], "authority": False}
    facts = credentials.credential(content).facts
    return {
        "subject": facts.subject_name, "dns_names": list(facts.subject.dns_names), "authority": facts.is_ca,
    }  # fmt: skip


def _moment(at: datetime) -> str:
    return f"{stamp(at)[:19]}Z"


def _refusal(broken: Sequence[Listed]) -> Record:
    if not broken:
        return {}
    return {"failed": True, "msg": f"{WHO}: " + "; ".join(f"{one.issuer_id}: {one.why}" for one in broken)}
