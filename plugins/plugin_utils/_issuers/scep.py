# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The issuer `scep`: a server of the Simple Certificate Enrolment Protocol (RFC 8894), which hosts speak to."""

from __future__ import annotations

import functools
import typing as t

from .._advice import Advice
from .._scep.address import WHO, check, place

if t.TYPE_CHECKING:
    from ...module_utils._core.errors import KeysteadError
    from ...module_utils._core.model import Credential, Generation, Subject
    from ...module_utils._core.ports import Check, Enrolment, Order, Request
    from .._scep.errand import Errand


class ScepIssuer:
    """Issuer, EnrolsOnHost, Foresees, Advisor and Preflight.

    Its options are `{url, fingerprint_sha256, roots, challenge, ca_bundle}`.
    A message of this protocol is signed and decrypted by the key that is enrolled, so the controller sends none.
    """

    def __init__(self, options: t.Mapping[str, t.Any]) -> None:
        """Check what can be checked without the server. Raises Misconfigured."""
        self._options, self._place = options, place(options)
        check(options)
        self._advice = Advice()
        self.id = f"{WHO}:{self._place.url}"

    @property
    def place(self) -> str:
        """Where the issuer is; its key may change, so it is in neither (ADR 11)."""
        return self.id

    @functools.cached_property
    def _errand(self) -> Errand:
        from .._scep.errand import Errand

        return Errand(self._options, self._place, self.id, self._advice)

    def roots(self) -> tuple[bytes, ...]:
        """Return the declared roots (DER): who is met for the first time is not believed."""
        return self._errand.roots()

    def begin(self, requests: t.Sequence[Request]) -> list[Generation | Order | KeysteadError]:
        """Refuse each of them: without its host nothing can be asked."""
        return [self._not_here(request) for request in requests]

    def finish(self, orders: t.Sequence[Order]) -> list[Generation | Order | KeysteadError]:
        """Refuse each of them: its host asks again."""
        return [self._not_here(order.request) for order in orders]

    @staticmethod
    def _not_here(request: Request) -> KeysteadError:
        from ...module_utils._core.errors import Misconfigured

        return Misconfigured(
            f"{WHO}: {request.name} can be enrolled by its host alone, which has the key; name it in machine_identity"
        )

    def enrolment(self, request: Request, current: Credential | None) -> Enrolment:
        """Return what the host is to send. Raises KeysteadError."""
        return self._errand.enrolment(request, current)

    def foresee(self, _subject: Subject, _current: Credential | None) -> bool:
        """Tell whether a challenge would go to the host; raises Misconfigured for one that cannot be had."""
        return self._errand.foresee()

    def enrolled(self, request: Request, told: t.Mapping[str, t.Any]) -> Generation | Order | KeysteadError:
        """Read what a host was answered; raises ValueError for what has another form."""
        return self._errand.enrolled(request, told)

    def advice(self) -> list[str]:
        """Return what is to be said beside the answers, and was not returned yet."""
        return self._advice.take()

    def preflight(self) -> t.Iterator[Check]:
        """Yield whether what is declared can be read; raises KeysteadError for what cannot."""
        from .._scep.preflight import checks

        return checks(self._options, self._errand)
