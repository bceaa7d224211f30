# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a host says to an EST server itself, and what it was answered (RFC 7030, 4.2)."""

from __future__ import annotations

import base64
import typing as t

from ...module_utils._core.errors import KeysteadError, Unasked, Unavailable, Unreached
from ...module_utils._core.ports import Enrolment
from .._answered import answer as heard
from .._request import check_is_declared
from .address import WHO
from .cms import certificates

if t.TYPE_CHECKING:
    from ...module_utils._core.model import Credential, Generation, Subject
    from ...module_utils._core.ports import Order, Request
    from .access import Access
    from .address import Place
    from .client import Client
    from .signer import Signer

AGAIN, FIRST = "simplereenroll", "simpleenroll"


def enrolment(
    request: Request, current: Credential | None, access: Access, place: Place, signer: Signer
) -> Enrolment | None:
    """Return what a host is to send, None where the controller enrols for it (RFC 7030, 4.2.1 and 4.2.2).

    Who asks for another certificate shows the old one, for the same names. That is one for clients, since TLS asks for
    it; else the host begins anew, as `auth` says who may.
    """
    way = access.way
    check_is_declared(request, WHO)
    again = can_go_on(request.subject, current)
    if not again and way == "cert":
        return None
    access.meet()
    said: dict[str, t.Any] = {
        "host": place.host,
        "port": place.port,
        "path": place.path,
        "timeout": access.timeout,
        "authorities": access.authorities(),
        "roots": [base64.b64encode(one).decode() for one in signer.roots()],
        "operation": AGAIN if again else FIRST,
        "csr": base64.b64encode(request.csr).decode(),
    }
    if again:
        return Enrolment(WHO, {**said, "pair": "own", "named": "what the host has now"})
    if way == "bootstrap":
        return Enrolment(WHO, {**said, "pair": access.bootstrap(), "named": "auth.bootstrap"})
    return Enrolment(WHO, {**said, "username": access.username()}, access.password())


def can_go_on(subject: Subject, current: Credential | None) -> bool:
    """Tell whether a host gets the next certificate for this one."""
    return current is not None and current.facts.subject == subject and "client_auth" in current.facts.usages


def enrolled(
    request: Request, told: t.Mapping[str, t.Any], client: Client, signer: Signer
) -> Generation | Order | KeysteadError:
    """Read what a host says that it was answered; raises ValueError for what has another form.

    Without authorities that lead to a trusted root it asked nobody to sign. Where the server has signed, no error says
    that it refused.
    """
    named = heard(told["authorities"])
    answer = heard(told["answer"]) if "answer" in told else None
    try:
        client.check(named, "cacerts")
        above = certificates(named.body, "list of authorities (cacerts)")
        if answer is None:
            signer.check_leads(above)
            raise Unavailable(f"host: it did not send the request for {request.name}; look at this host, and run again")
        return signer.taken(request, client.read(answer, "enrolment"), above)
    except KeysteadError as error:
        if answer is None:
            return (Unreached if isinstance(error, Unavailable) else Unasked)(str(error))
        return Unavailable(str(error)) if answer.status == 200 else error
