# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which certificates the entries of a task select: of the ledger, of the task itself, and of what issuers list."""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import Misconfigured, first_line
from ...module_utils._core.ports import Lister
from .._ledger import revocations
from .kept import Kept, fits, targets
from .recorded import EPOCH, asked_by, of_issuer, of_ledger, parsed, stranger
from .sweep import sweep
from .wanted import WHO

if t.TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterator, Sequence

    from ...module_utils._core.ports import Issuer
    from .._ledger.chain import Readable
    from .kept import Target
    from .wanted import Entry, Wanted


def find(
    ledger: Readable, wanted: Wanted, issuers: Callable[[], Sequence[Issuer]], now: dt.datetime
) -> tuple[list[Target], list[str]]:
    """Return what is meant, each certificate once, and what is to be said of entries that select nothing.

    `issuers` are asked for what they issued only where the ledger does not know what an entry names. Raises
    Misconfigured where nobody knows it.
    """
    selected: list[tuple[str, Kept]] = []
    warnings = []
    for entry in wanted.entries:
        if entry.sweeps:
            idle, told = sweep(ledger, entry, issuers, now, waits=wanted.waits)
            warnings += told
            selected += [(entry.at, kept) for kept in idle]
            continue
        found = _known(ledger, entry, now) or _said(entry, now)
        if not found and entry.names_one:
            found = _listed(entry, issuers(), now)
        if not found:
            warnings.append(f"{WHO}: {entry.at} selects no certificate that the ledger knows; look at what it says")
        selected += [(entry.at, kept) for kept in found]
    return targets(_with_holders(ledger, selected)), warnings


def _with_holders(ledger: Readable, selected: Sequence[tuple[str, Kept]]) -> Iterator[tuple[str, Kept]]:
    """Yield everything, and with it whoever else holds the same: it is revoked for all of them."""
    shared = revocations.shared(ledger, (kept.fingerprint for _at, kept in selected if kept.holder))
    for at, kept in selected:
        yield at, kept
        if kept.fingerprint in shared:
            yield from ((at, other) for other in of_ledger(ledger, {"credential_id": kept.fingerprint}))


def _known(ledger: Readable, entry: Entry, now: dt.datetime) -> list[Kept]:
    by = asked_by(entry)
    if len(by) > 1:
        by.pop("issuer_id", None)  # the ledger does not always know it
    kept = [*of_ledger(ledger, by), *map(stranger, revocations.strangers(ledger, by))]
    found = [one for one in kept if fits(entry._replace(certificate=None), one, now)]
    _check_is_one(entry, found)
    return [
        one._replace(issuer_id=one.issuer_id or entry.issuer, certificate=one.certificate or entry.certificate)
        for one in found
    ]


def _check_is_one(entry: Entry, found: Sequence[Kept]) -> None:
    """Refuse a serial number that several issuers gave: only beside its issuer it names a certificate (RFC 5280)."""
    if entry.serial_number and len({one.fingerprint for one in found}) > 1:
        known = ", ".join(sorted({one.issuer_id or "an unknown one" for one in found}))
        raise Misconfigured(
            f"{WHO}: option {entry.at}.serial_number: several certificates have it, of {known}; write issuer beside it"
        )


def _said(entry: Entry, now: dt.datetime) -> list[Kept]:
    """Return the certificate that the task holds itself, where nothing is asked of it that only a ledger knows."""
    if entry.certificate is None:
        return []
    try:
        kept = parsed(entry.certificate)._replace(issuer_id=entry.issuer)
    except ValueError as error:
        why = first_line(error)
        raise Misconfigured(
            f"{WHO}: option {entry.at}: its certificate cannot be understood ({why}); give another"
        ) from None
    return [kept] if fits(entry, kept, now) else []


def _listed(entry: Entry, issuers: Sequence[Issuer], now: dt.datetime) -> list[Kept]:
    """Return what the issuers say that they issued. Raises Misconfigured where they cannot say, or do not know it."""
    if entry.certificate is not None or entry.identity or entry.host:
        return []
    asked = [one for one in issuers if isinstance(one, Lister) and entry.issuer in (None, one.id)]
    found = [kept for issuer in asked for kept in of_issuer(issuer, EPOCH) if fits(entry, kept, now)]
    _check_is_one(entry, found)
    if found:
        return found
    told = f", and neither does {', '.join(one.id for one in asked)}" if asked else ""
    raise Misconfigured(
        f"{WHO}: option {entry.at}: the ledger knows no such certificate{told}; name in issuers who signed it, if "
        "that can list what it issued, or give the certificate itself by pem or path"
    )
