# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the ledger adds to what a host can see."""

from __future__ import annotations

import typing as t

from ..module_utils._core.checks import dated_ahead
from ..module_utils._core.model import Identity, Known, Rotation
from ._declare import Declaration
from ._in_doubt import doubted, spent

if t.TYPE_CHECKING:
    from datetime import datetime

    from ._ledger.port import Remembered

_REVOKE = "the identity is declared absent with revoke_on_absent"


def known_of(
    declaration: Declaration, remembered: Remembered | None, now: datetime, made_before: datetime | None = None
) -> Known:
    """Return what is known of a declared identity; keys from `made_before` a moment are to be replaced."""
    to_revoke = declaration.identity.state == "absent" and declaration.revoke_on_absent
    rotation = _rotation(made_before, remembered, now) if made_before else None
    if remembered is None:
        return Known(revoke=_REVOKE if to_revoke else None, rotation=rotation)
    return Known(
        revoked=remembered.revoked,
        links=remembered.links,
        newest=remembered.newest,
        revoke=_REVOKE if to_revoke and _may_be_used(remembered, now) else None,
        listed=remembered.state == "present",
        scheduled=remembered.credential_id if remembered.renew_at else None,
        renew_at=remembered.renew_at,
        rotation=rotation,
        doubted=doubted(remembered),
        spent=spent(remembered, declaration.identity.subject),
    )


def _rotation(before: datetime, remembered: Remembered | None, now: datetime) -> Rotation:
    if remembered is None:
        return Rotation(before)
    opened = remembered.open_intent
    if opened and not opened.asked:  # nobody was asked for it: a run that wrote down what it found was cut off
        opened = None
    known = opened and opened.since >= before and not dated_ahead(opened.since, now)
    young = opened.public_id if opened and known else None
    return Rotation(before, remembered.public_id, remembered.key_since, young)


def _may_be_used(remembered: Remembered, now: datetime) -> bool:
    """Tell whether a credential may still be of use to somebody; of what the ledger never saw the host must tell."""
    opened = remembered.open_intent
    if not remembered.newest or (opened and opened.certificate):
        return True
    is_revoked = any(credential_id == remembered.credential_id for credential_id, _reason in remembered.revoked)
    return remembered.not_after is not None and now < remembered.not_after and not is_revoked


def to_purge(
    scope: str | None, declared: t.Sequence[Declaration], remembered: t.Mapping[str, Remembered]
) -> t.Iterator[Declaration]:
    """Yield what the scope that is to be purged declared earlier, and the task does not name."""
    names = {declaration.identity.name for declaration in declared}
    for one in remembered.values():
        if scope and one.scope == scope and one.state == "present" and one.name not in names:
            gone = Identity(name=one.name, kind=one.kind, state="absent")
            yield Declaration(gone, one.contact, one.service, {}, one.scope, None, revoke_on_absent=False)
