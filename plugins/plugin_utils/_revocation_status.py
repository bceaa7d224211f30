# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What revocation lists say of one certificate, all together (RFC 5280, 6.3.3): never more than they may.

It is good where lists that do not have it speak of it for every reason, and revoked where one of them has it.
"""

from __future__ import annotations

import typing as t

from ..module_utils._core.ports import Good, Revoked, Unknown
from ._distribution_points import EVERY, NONE, reasons
from ._list_signers import ListSigners
from ._revocation_list import REMOVED, read, reason

if t.TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from cryptography import x509

    from ._revocation_list import RevocationList


def status(
    certificate: x509.Certificate,
    issuer: x509.Certificate,
    complete: bytes,
    delta: bytes | None,
    now: dt.datetime,
) -> Good | Revoked | Unknown:
    """Return what a complete list (DER), and a delta list beside it, of an issuer say of a certificate of it."""
    found = (read(der, ListSigners(issuer), now) for der in (complete, delta) if der)
    return said(certificate, [one for one in found if one])


def said(certificate: x509.Certificate, lists: Sequence[RevocationList]) -> Good | Revoked | Unknown:
    """Return what lists that may speak of certificates of its issuer say of a certificate: complete and delta lists."""
    covered = NONE
    deltas = [one for one in lists if one.base is not None and reasons(one, certificate)]
    for base in lists:
        told = reasons(base, certificate) if base.base is None else NONE
        if not told:
            continue
        newer = [one for one in deltas if one.signer == base.signer and one.scope == base.scope]
        found = _entry(base, newer, certificate)
        if isinstance(found, Revoked):
            return found
        covered |= told if isinstance(found, Good) else NONE
    return Good() if covered >= EVERY else Unknown()


def _entry(
    base: RevocationList, deltas: Sequence[RevocationList], certificate: x509.Certificate
) -> Good | Revoked | Unknown:
    """Return what a complete list says with its latest delta list.

    One that is too old for a delta list which has the certificate says nothing.
    """
    found = base.entry(certificate)
    fitting = [one for one in deltas if _completes(one, base)]
    if fitting:
        later = max(fitting, key=lambda one: one.number or 0).entry(certificate)
        found = found if later is None else None if reason(later) == REMOVED else later
    elif found is None and any(_is_later(one, base) and one.entry(certificate) for one in deltas):
        return Unknown()
    return Revoked(reason(found), found.revocation_date_utc) if found is not None else Good()


def _completes(delta: RevocationList, base: RevocationList) -> bool:
    """Tell whether a delta list belongs to a complete one, and is not older (RFC 5280, 5.2.4)."""
    if delta.base is None or base.number is None or delta.number is None:
        return False
    return delta.base <= base.number <= delta.number


def _is_later(delta: RevocationList, base: RevocationList) -> bool:
    """Tell whether a complete list is too old for a delta list."""
    return delta.number is not None and (base.number is None or delta.number > base.number)
