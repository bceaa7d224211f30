# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whether a certificate is revoked, of whoever can tell now: who signed it, else what is published where it says so."""

from __future__ import annotations

import contextlib
import time
import typing as t

from ..module_utils._core import credentials
from ..module_utils._core.errors import KeysteadError, Misconfigured
from ..module_utils._core.model import ADOPTED, OBSERVED
from ..module_utils._core.ports import Revoker, Unknown
from ._durations import timeout
from ._published import PATIENCE, Published, Told
from ._roots import ca_bundle, certificates

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..module_utils._core.ports import Issuer
    from ._signers import Signers

BUDGET = 60.0  # seconds for all certificates


def asking(said: Mapping[str, t.Any], who: str) -> Asking:
    """Return who asks for validated options `issuers`, `ca_bundle`, `crl_issuers`, and `timeout` where there is one.

    Raises Misconfigured.
    """
    from ._declare import checked_issuer
    from ._signers import Signers

    issuers = [issuer for one in said.get("issuers") or () if (issuer := checked_issuer(one))]
    bundle = said.get("ca_bundle") if ca_bundle(said, who) else None
    try:
        budget = timeout(said["timeout"]) if said.get("timeout") else BUDGET
    except Misconfigured as error:
        raise Misconfigured(f"{who}: option timeout: {error}") from None
    return Asking(Signers(issuers, who), budget, bundle, crl_issuers(said, who))


def crl_issuers(said: Mapping[str, t.Any], who: str) -> tuple[bytes, ...]:
    """Return the certificates (DER) of option `crl_issuers`. Raises Misconfigured."""
    return certificates(said.get("crl_issuers") or (), f"{who}: option crl_issuers")


class Asking:
    """Asks within one time for all. Who did not answer is not asked again, and a list is fetched once."""

    def __init__(
        self, signers: Signers, budget: float = BUDGET, bundle: str | None = None, crl_issuers: Sequence[bytes] = ()
    ) -> None:
        """Ask nobody yet. `bundle` is the path of the authorities that may have signed for servers (PEM).

        `crl_issuers` (DER) may have signed lists; nobody trusts them for that they are named.
        """
        self._crl_issuers = tuple(crl_issuers)
        self._signers, self._budget, self._until = signers, budget, time.monotonic() + budget
        self._published = Published(bundle)
        self._silent: dict[int, str] = {}  # issuers that did not answer, and why
        self._roots: dict[int, tuple[bytes, ...]] = {}

    def status(
        self,
        leaf: bytes,
        above: Sequence[bytes],
        issuer_id: str | None,
        anchors: Sequence[bytes] = (),
        *,
        as_clients: bool = False,
    ) -> Told:
        """Return how a certificate (DER) stands.

        `issuer_id` is the recorded one of who signed it; where nothing is recorded, every issuer that is known here is
        asked. What stands above it (DER) is used to judge what is published; others than its issuer may have signed
        that where they lead to one of the `anchors` (DER), or where there are none, to a root of an issuer. With
        `as_clients`, what is published comes first, wherever it is, and the worst of it counts; where who signed it had
        to be asked, `why` says why.
        """
        left = self._until - time.monotonic()
        if left <= 0:
            return Told(Unknown(), f"there was no time left of {self._budget:.0f} s")
        issuers, why = self._issuers(issuer_id)
        seen = self._seen(leaf, above, issuers, anchors, everywhere=True) if as_clients else Told(Unknown())
        if not isinstance(seen.status, Unknown):
            return seen
        for issuer in issuers:
            found = self._asked(issuer, leaf)
            if not isinstance(found.status, Unknown):
                return found._replace(why=seen.why)
            why = why or found.why
        published = seen if as_clients else self._seen(leaf, above, issuers, anchors)
        if not isinstance(published.status, Unknown):
            return published
        unnamed = issuer_id is not None and not issuers and not issuer_id.startswith((ADOPTED, OBSERVED))
        remedy = f"; name {issuer_id}, which signed it, in issuers" if unnamed else ""
        return published._replace(why=why or published.why + remedy)

    def _seen(
        self,
        leaf: bytes,
        above: Sequence[bytes],
        issuers: Sequence[Issuer],
        anchors: Sequence[bytes],
        *,
        everywhere: bool = False,
    ) -> Told:
        """Return what is published of a certificate."""
        if credentials.is_of_ssh(leaf):
            return Told(Unknown(), "nobody who can tell is named; nothing is published of certificates of SSH")
        roots = [root for issuer in issuers for root in self._roots_of(issuer)]
        patience = max(0.1, min(PATIENCE, self._until - time.monotonic()))
        known = (*above, *roots, *self._crl_issuers)
        return self._published.status(leaf, known, patience, anchors or roots, everywhere=everywhere)

    def _issuers(self, issuer_id: str | None) -> tuple[Sequence[Issuer], str]:
        """Return who may have signed; where one of the issuers that are declared cannot be used, why."""
        try:
            return [one for one in self._signers.all() if issuer_id in (None, one.id)], ""
        except KeysteadError as error:
            return [], str(error)

    def _asked(self, issuer: Issuer, leaf: bytes) -> Told:
        if not isinstance(issuer, Revoker):
            return Told(Unknown())
        if id(issuer) in self._silent:
            return Told(Unknown(), self._silent[id(issuer)])
        try:
            return Told(issuer.status(leaf), "", "issuer")
        except KeysteadError as error:
            self._silent[id(issuer)] = str(error)
            return Told(Unknown(), str(error))

    def _roots_of(self, issuer: Issuer) -> tuple[bytes, ...]:
        if id(issuer) not in self._roots:
            self._roots[id(issuer)] = ()
            if id(issuer) not in self._silent:
                with contextlib.suppress(KeysteadError):
                    self._roots[id(issuer)] = issuer.roots()
        return self._roots[id(issuer)]
