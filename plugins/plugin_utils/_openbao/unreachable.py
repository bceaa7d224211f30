# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Why a call got no answer: what libraries raise, as errors that say what to do next."""

from __future__ import annotations

import socket
import ssl
import typing as t

from ...module_utils._core.errors import KeysteadError, Misconfigured, Unavailable, Unreached
from ...module_utils._enrol.tls import untrusted
from .errors import WHO, Silent

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from .address import Address


def unreachable(error: BaseException, address: Address) -> KeysteadError:
    """Return the error of a call that got no answer."""
    causes = list(_causes(error))
    host = address.url.removeprefix("https://")
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Misconfigured(f"{WHO}: the TLS certificate of {host} {untrusted(cause.verify_code)}")
    if any(isinstance(cause, TimeoutError) for cause in causes):
        told = f"{host} did not answer within {address.timeout:g}s (option timeout)"
        return Silent(f"{WHO}: {told}; run again later, or correct url")
    for kind, (is_, kept) in _KEPT.items():
        if any(isinstance(cause, kind) for cause in causes):
            return is_(f"{WHO}: {host} {kept}; run again later, or correct url")
    return Unavailable(
        f"{WHO}: {host} ended the call ({type(causes[-1]).__name__}) before its answer was complete; "
        "run again: what it signed meanwhile is looked for"
    )


_KEPT: dict[type[BaseException], tuple[type[Unavailable], str]] = {
    socket.gaierror: (Unreached, "is a name that cannot be resolved"),
    ConnectionRefusedError: (Unreached, "accepts no connection"),
    ssl.SSLEOFError: (Unavailable, "ended the TLS handshake, or the call in it, too early"),
    ssl.SSLError: (Unavailable, "does not agree on TLS: it speaks another protocol, or refuses our certificate"),
}


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it was made of: libraries wrap them in their arguments, or as reason or cause."""
    todo, seen = [error], set[int]()
    while todo:
        one = todo.pop(0)
        if id(one) not in seen:
            seen.add(id(one))
            yield one
            further = (*one.args, getattr(one, "reason", None), one.__cause__, one.__context__)
            todo += [each for each in further if isinstance(each, BaseException)]
