# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The issuer `local`: an authority in a directory on the controller."""

from __future__ import annotations

import datetime as dt
import functools
import typing as t

from .._authority.about import about
from .._authority.opening import opening

if t.TYPE_CHECKING:
    from ...module_utils._core.errors import KeysteadError
    from ...module_utils._core.model import Generation
    from ...module_utils._core.ports import Check, Good, IssuedRecord, Order, Request, Revoked, Unknown
    from ...module_utils._core.revoking import Revocation
    from .._authority.signer import Signer
    from .._endings import Ending


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class LocalIssuer:
    """Issuer, Revoker, RestoresLists, Lister and Preflight over `{directory, authority, passphrase | ... | custody}`.

    Making one reads who signs, and no certificate: a run that has nothing to issue needs no cryptography here.
    """

    def __init__(self, options: t.Mapping[str, t.Any], now: t.Callable[[], dt.datetime] = _utc_now) -> None:
        """Find the authority. Raises Misconfigured where it is unknown or what opens its key is missing."""
        self._about = about(options["directory"], options["authority"])
        self._opening = opening(options, options.get("custody"), f"authority {options['authority']}")
        self._about.check_fits(self._opening)
        self._now = now

    @property
    def id(self) -> str:
        """Who signs: `local:AUTHORITY:` and the start of its key's SPKI SHA-256."""
        return self._about.id

    @property
    def place(self) -> str:
        """Where the authority stands: its directory on the controller, however the task wrote it."""
        return self._about.place

    @functools.cached_property
    def _signer(self) -> Signer:
        from .._authority.signer import Signer

        return Signer(self._about, self._opening, self._now)

    def roots(self) -> tuple[bytes, ...]:
        """Return the root above the authority, DER."""
        return self._signer.roots()

    def chain(self) -> tuple[bytes, ...]:
        """Return the authority, and those above it, DER."""
        return self._signer.chain()

    def begin(self, requests: t.Sequence[Request]) -> list[Generation | Order | KeysteadError]:
        """Sign what name constraints permit, and write all of it down before it is handed out."""
        return self._signer.sign(requests)

    def finish(self, orders: t.Sequence[Order]) -> list[Generation | Order | KeysteadError]:
        """Return a refusal for each: this issuer answers at once."""
        return self._signer.refuse(orders)

    def revoke(self, certificates: t.Sequence[bytes], reason: str) -> list[Revoked | KeysteadError]:
        """Take certificates (DER) of this authority back and publish one new CRL. The first reason stands."""
        return self._signer.revoke(certificates, reason)

    def lacks(self, known: t.Sequence[Revocation]) -> t.Container[int]:
        """Return the serial numbers of what is known to be revoked, and lives, that the CRL does not have."""
        return self._signer.lacks(known)

    def restore(self, known: t.Sequence[Revocation]) -> None:
        """Take back again what is known to be revoked, and publish a CRL that has it. Raises NotConverged."""
        self._signer.restore(known)

    def publish_list(self) -> None:
        """Make the CRL anew where it lacks a revocation: one that a run which was cut off wrote down."""
        self._signer.publish_list()

    def status(self, certificate: bytes) -> Good | Revoked | Unknown:
        """Say what the records of this authority know of a certificate (DER)."""
        return self._signer.status(certificate)

    def preflight(self) -> t.Iterator[Check]:
        """Say whether the authority could sign now."""
        from .._authority.preflight import checks

        return checks(self._about, self._opening, self._now())

    def endings(self) -> t.Iterator[Ending]:
        """Yield when the authorities of the directory and their revocation lists end."""
        from .._authority.endings import endings

        return endings(self._about.path.parent)

    def issued(self, since: dt.datetime) -> t.Iterator[IssuedRecord]:
        """Yield everything that was signed since then, authorities below this one included."""
        return self._signer.issued(since)
