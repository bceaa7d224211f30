# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The issuer `est`: a server of Enrollment over Secure Transport (RFC 7030, 8951, 9908)."""

from __future__ import annotations

import functools
import typing as t

from .._advice import Advice
from .._est.address import check_auth, fingerprint, place

if t.TYPE_CHECKING:
    from ...module_utils._core.errors import KeysteadError
    from ...module_utils._core.model import Credential, Generation, Subject, X509Facts
    from ...module_utils._core.ports import Check, Enrolment, Order, Request
    from .._est.access import Access
    from .._est.client import Client
    from .._est.signer import Signer


class EstIssuer:
    """Issuer and all but Revoker and Lister over `{url, label, auth, enrol, roots | fingerprint_sha256, ca_bundle}`.

    Making one reads options alone: a run that has nothing to issue opens no connection and imports no client.
    """

    def __init__(self, options: t.Mapping[str, t.Any]) -> None:
        """Check what can be checked without the server. Raises Misconfigured."""
        self._options, self._place, self._pinned = options, place(options), fingerprint(options)
        check_auth(options)
        self._advice = Advice()
        self.id = f"est:{self._place.url}"

    @property
    def place(self) -> str:
        """Where the issuer is; its key may change, so it is in neither (ADR 11)."""
        return self.id

    @functools.cached_property
    def _access(self) -> Access:
        from .._est.access import Access

        return Access(self._options, self._place, self._pinned)

    @functools.cached_property
    def _client(self) -> Client:
        from .._est.client import Client

        return Client(self._place, self._access.connect, self._access.headers, self._access.secrets, self._access.named)

    @functools.cached_property
    def _signer(self) -> Signer:
        from .._est.signer import Signer

        return Signer(self._client, self.id, self._options, self._pinned, self._advice)

    def roots(self) -> tuple[bytes, ...]:
        """Return the trusted roots (DER) of the server; nobody has to say who asks."""
        return self._signer.roots()

    def begin(self, requests: t.Sequence[Request]) -> list[Generation | Order | KeysteadError]:
        """Have one after the other signed. When the server is gone, those that it signed stay signed."""
        return self._signer.sign(requests)

    def finish(self, orders: t.Sequence[Order]) -> list[Generation | Order | KeysteadError]:
        """Ask again for what was not decided: the same requests are sent again (RFC 7030, 4.2.3)."""
        return self._signer.poll(orders)

    def enrolment(self, request: Request, current: Credential | None) -> Enrolment | None:
        """Return what the host is to send itself; None where the controller asks."""
        if self._options.get("enrol") != "host":
            return None
        from .._est.on_host import enrolment

        return enrolment(request, current, self._access, self._place, self._signer)

    def foresee(self, subject: Subject, current: Credential | None) -> bool:
        """Tell whether the password would go to the host; what says who we are is read where it would be needed."""
        from .._est.on_host import can_go_on

        on_host = self._options.get("enrol") == "host"
        if on_host and can_go_on(subject, current):
            return False
        self._access.check()
        return on_host and self._access.way == "basic"

    def enrolled(self, request: Request, told: t.Mapping[str, t.Any]) -> Generation | Order | KeysteadError:
        """Read what a host was answered; raises ValueError for what has another form."""
        from .._est.on_host import enrolled

        return enrolled(request, told, self._client, self._signer)

    def remedy(self, found: X509Facts, request: Request) -> str:
        """Return what to change where the server signed other names or usages than were asked."""
        from ...module_utils._core.model import PROFILE_USAGES

        if found.subject == request.subject and found.usages == PROFILE_USAGES[request.profile]:
            return ""
        return f"let the server sign requests at {self._place.url} as they are, or name another label"

    def advice(self) -> list[str]:
        """Return what is to be said beside the answers, and was not returned yet."""
        return self._advice.take()

    def preflight(self) -> t.Iterator[Check]:
        """Yield whether the server answers, and has the trusted roots; raises KeysteadError for what is not."""
        from .._est.preflight import checks

        return checks(self._client, self._signer)
