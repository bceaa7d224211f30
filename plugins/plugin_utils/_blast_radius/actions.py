# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What has to be done about one credential, in which order, and by which module; or that nothing has to be."""

from __future__ import annotations

import typing as t

from ...module_utils._core.model import ADOPTED, OBSERVED
from .._serial import with_colons

if t.TYPE_CHECKING:
    from .._rows.row import Row

TELL, REPLACE, REVOKE = "tell", "replace", "revoke"
_MAYBE_SIGNED = ("intended", "orphaned")
MODULES = {REPLACE: "keystead.identity.key_rotate", REVOKE: "keystead.identity.cert_revoke"}

Record = dict[str, t.Any]


class Verdict(t.NamedTuple):
    """What helps, as a sentence, and the actions for that in their order; none where it is settled."""

    solution: str
    actions: tuple[str, ...]


def verdict(row: Row, now: str, *, revocable: bool = True) -> Verdict:
    """Say what is to be done; `now` is a moment of the ledger, `revocable` tells that somebody here can revoke it."""
    ended, revoked = row.not_after is not None and row.not_after < now, row.revoked_at is not None
    if not row.managed:
        return _of_record(row, ended=ended)
    if row.fingerprint is None and row.not_after is None:
        return _unanswered(row, revocable=revocable)
    if row.in_use:
        return _in_use(row, ended=ended, revoked=revoked, revocable=revocable)
    if ended or revoked:
        return Verdict("Nothing: it is " + ("revoked." if revoked else "over."), ())
    why = f"nothing uses it, and it is good until {_day(row)}"
    if not revocable:
        return Verdict(f"Nobody here can revoke it: {_have_revoked(row)}; {why}.", (TELL,))
    return Verdict(f"Revoke {_called(row)}: {why}.", (REVOKE,))


def _unanswered(row: Row, *, revocable: bool) -> Verdict:
    """Who was asked may have signed, and the answer was lost."""
    if row.state not in _MAYBE_SIGNED or row.spki is None or row.revoked_at is not None:
        return Verdict("Nothing: no certificate was ever issued.", ())
    what = "find it there, and revoke it" if revocable else "ask there, and have it revoked, since nobody here can"
    said = f"Nobody knows whether {row.issuer_id} has signed it: {what}."
    return Verdict(said, (REVOKE,) if revocable else (TELL,))


def _in_use(row: Row, *, ended: bool, revoked: bool, revocable: bool) -> Verdict:
    replace = f"Replace it by one with a new key on {row.host}, and prove that"
    if revoked:
        return Verdict(f"{replace}: it is revoked, and still in use.", (REPLACE,))
    if ended:
        return Verdict(f"{replace}: it has ended, and is still in use.", (REPLACE,))
    if not revocable:
        return Verdict(f"{replace}; then {_have_revoked(row)}: nobody here can revoke it.", (REPLACE, TELL))
    return Verdict(f"{replace}; then revoke {_called(row)}.", (REPLACE, REVOKE))


def _of_record(row: Row, *, ended: bool) -> Verdict:
    if ended:
        return Verdict("Nothing: it is over.", ())
    where = row.live_paths[0] if row.live_paths else row.host or "where it is"
    return Verdict(f"Nobody here manages it: have it replaced at {where}, and revoked by who issued it.", (TELL,))


def said(row: Row, action: str) -> Record:
    """Return one action as it is returned: what, by which module, about which host or certificate, whom to ask."""
    shown: Record = {"action": action, "module": MODULES.get(action), "contact": row.contact}
    if action == REVOKE:
        return {**shown, "certificate": selector(row)}
    if action == TELL and row.managed:
        shown["issuer"] = signer(row)
    return {**shown, "host": row.host, "identity": row.name}


def selector(row: Row) -> Record:
    """Return what cert_revoke is told of a certificate."""
    if row.fingerprint is None and row.serial_number is None:
        return {"spki_sha256": row.spki, "orphaned": True}
    if row.fingerprint is not None:
        return {"fingerprint_sha256": row.fingerprint}
    return {"serial_number": with_colons(int(row.serial_number or "0", 16)), "issuer": row.issuer_id}


def signer(row: Row) -> str:
    """Return who signed, as somebody who has to be told: the issuer's id, or of what we adopted, the name of it."""
    known = row.issuer_id or ""
    return known.partition(":")[2] if known.startswith((ADOPTED, OBSERVED)) else known


def _have_revoked(row: Row) -> str:
    if row.kind == "x509":
        return f"have {_called(row)} revoked by {signer(row)}"
    return f"have clients refuse it by RevokedHostKeys, and tell {signer(row)}"


def _called(row: Row) -> str:
    return "it" if row.serial_number is None else f"serial number {with_colons(int(row.serial_number, 16))}"


def _day(row: Row) -> str:
    return (row.not_after or "")[:10]
