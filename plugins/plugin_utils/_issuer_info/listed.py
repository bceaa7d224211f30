# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What an issuer has signed, by its own list: what of it is still good."""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import KeysteadError
from ...module_utils._core.ports import Good, Lister, Revoked, Revoker, Unknown
from .._cert_revoke.recorded import of_issuer

if t.TYPE_CHECKING:
    from datetime import datetime

    from ...module_utils._core.ports import Issuer
    from .._cert_revoke.kept import Kept

CANNOT_LIST = "it cannot list what it has signed"
GOOD, UNKNOWN, REVOKED, ENDED = "good", "unknown", "revoked", "ended"


class Listed(t.NamedTuple):
    """What an issuer listed. `standing` has one of the words above for each certificate.

    `why` says why nothing was listed, None where it was; `broken` whether that was an error.
    """

    issuer_id: str
    certificates: tuple[tuple[Kept, str], ...] = ()
    why: str | None = None
    broken: bool = False

    def number(self, *standings: str) -> int:
        """Return how many certificates stand like that."""
        return sum(standing in standings for _kept, standing in self.certificates)


def listed(issuer: Issuer, since: datetime, now: datetime) -> Listed:
    """Ask an issuer for all that it signed since then, and how each certificate stands today."""
    if not isinstance(issuer, Lister):
        return Listed(issuer.id, why=CANNOT_LIST)
    try:
        return Listed(issuer.id, tuple(_each(issuer, since, now)))
    except KeysteadError as error:
        return Listed(issuer.id, why=str(error), broken=True)
    except ValueError:
        return Listed(issuer.id, why="it lists a certificate that cannot be read; look there", broken=True)


def _each(issuer: t.Any, since: datetime, now: datetime) -> t.Iterator[tuple[Kept, str]]:
    for kept in of_issuer(issuer, since):
        yield kept, ENDED if kept.not_after <= now else _standing(issuer, kept)


def _standing(issuer: Issuer, kept: Kept) -> str:
    asks = isinstance(issuer, Revoker) and kept.certificate is not None
    found = t.cast("Revoker", issuer).status(t.cast("bytes", kept.certificate)) if asks else Unknown()
    if isinstance(found, Revoked):
        return REVOKED
    return GOOD if isinstance(found, Good) else UNKNOWN
