# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whether those who rely on certificates see that they were revoked: where these say that it is published, it is read.

An issuer may have taken them back, and its responder be off, or its list be made later or copied by hand. That is no
error: revoked they are. It is a warning, since nobody out there knows yet.
"""

from __future__ import annotations

import time
import typing as t

from ...module_utils._core.errors import KeysteadError
from ...module_utils._core.ports import Good, Revoked
from .._published import Published
from .decide import few
from .wanted import WHO

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .act import Answer
    from .decide import Found

SECONDS = 10.0  # for all of them
PATIENCE = 3.0  # for one answer
_DER = b"\x30"  # of SSH nothing is published in this way
FEW = 5
"""Certificates of one issuer that are looked at: a list is one for all of them."""


def unseen(found: Sequence[Found], answers: Mapping[str, Answer]) -> list[str]:
    """Return a warning for each issuer, where what is published does not say so of what it was asked to revoke."""
    by_issuer: dict[str, list[Found]] = {}
    for one in found:
        if one.to_revoke and isinstance(answers.get(one.target.kept.fingerprint), Revoked):
            by_issuer.setdefault(str(one.issuer.id), []).append(one)
    published, until = Published(), time.monotonic() + SECONDS
    warnings = []
    for issuer_id, mine in by_issuer.items():
        told = [*_untold(mine[-FEW:], published, until)]
        if told:
            warnings.append(
                f"{WHO}: {issuer_id} has revoked them, and what clients ask does not say so yet: {few(told)}; see that "
                "its list is published there, and its responder answers"
            )
    return warnings


def _untold(found: Sequence[Found], published: Published, until: float) -> Iterator[str]:
    above = _above(found[0].issuer)
    for one in found:
        left = until - time.monotonic()
        der = one.target.kept.certificate
        if not above or not der or not der.startswith(_DER) or left <= 0:
            return
        told = published.status(der, above, min(PATIENCE, left))
        if isinstance(told.status, Good):
            since = f" of {told.this_update:%Y-%m-%d %H:%M} UTC" if told.this_update else ""
            yield f"{one.target.called} is good by {told.source}{since}"
        elif not isinstance(told.status, Revoked) and _says_nothing(told.why):
            yield f"{one.target.called}: {told.why}"


def _says_nothing(why: str) -> bool:
    """Tell whether it names places that say nothing; whose TLS the controller trusts is another matter."""
    return "http://" in why.lower() and "https://" not in why.lower()


def _above(issuer: t.Any) -> Sequence[bytes]:
    """Return the authority that signs, and those above it, as far as it says."""
    try:
        return [one for name in ("chain", "roots") if hasattr(issuer, name) for one in getattr(issuer, name)()]
    except KeysteadError:
        return ()
