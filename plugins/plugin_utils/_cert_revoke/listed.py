# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What lists have to say beside certificates: keys that are compromised by now."""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import KeysteadError, Misconfigured
from ...module_utils._core.ports import Revoked
from ...module_utils._core.revoking import ListsKeys
from .._issuers.registry import SIGN_FOR_SSH
from .wanted import WHO

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from .._signers import Signers
    from .decide import Found
    from .wanted import Wanted

_OF_THE_KEY = "key_compromise"


def with_keys(found: Sequence[Found], wanted: Wanted, signers: Signers) -> list[Found]:
    """Return what was found, and of what was revoked for another reason whether its key has to be listed now.

    Only lists that name keys make a difference: for all others a certificate that is revoked is revoked.
    """
    if wanted.reason != _OF_THE_KEY:
        return [*found]
    return [_asked(one, signers) if _may_lack_its_key(one) else one for one in found]


def _may_lack_its_key(found: Found) -> bool:
    issuer_id = str(found.issuer.id if found.issuer else found.target.kept.issuer_id)
    for_another_reason = found.revoked is not None and found.revoked.reason != _OF_THE_KEY
    return for_another_reason and issuer_id.partition(":")[0] in SIGN_FOR_SSH


def _asked(found: Found, signers: Signers) -> Found:
    """Ask who signed whether it lists the key."""
    kept, called = found.target.kept, found.target.called
    issuer: t.Any = found.issuer or next((one for one in signers.all() if one.id == kept.issuer_id), None)
    lack = f"give {called} itself by path or pem" if kept.certificate is None else None
    if issuer is None:
        lack = f"add {kept.issuer_id}, which signed {called}, to issuers"
    elif not isinstance(issuer, ListsKeys):
        return found
    if lack:
        why = "it was revoked for another reason, and here nobody can tell whether its key is listed"
        return found._replace(error=Misconfigured(f"{WHO}: {why}; {lack}"))
    try:
        return _told(found, issuer, kept.certificate or b"")
    except KeysteadError as error:
        return found._replace(error=error)


def _told(found: Found, issuer: t.Any, certificate: bytes) -> Found:
    status = issuer.status(certificate)
    if issuer.lists_key(certificate) and isinstance(status, Revoked):
        return found._replace(issuer=issuer, revoked=status, recorded=False)  # the ledger has not heard of it
    return found._replace(issuer=issuer, unlisted=True)
