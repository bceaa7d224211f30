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
from .._causes import causes
from .errors import WHO, Silent

if t.TYPE_CHECKING:
    from .address import Address


def unreachable(error: BaseException, address: Address) -> KeysteadError:
    """Return the error of a call that got no answer."""
    found = list(causes(error))
    host = address.url.removeprefix("https://")
    for cause in found:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Misconfigured(f"{WHO}: the TLS certificate of {host} {untrusted(cause.verify_code)}")
    if any(isinstance(cause, TimeoutError) for cause in found):
        told = f"{host} did not answer within {address.timeout:g}s (option timeout)"
        return Silent(f"{WHO}: {told}; run again later, or correct url")
    for kind, (is_, kept) in _KEPT.items():
        if any(isinstance(cause, kind) for cause in found):
            return is_(f"{WHO}: {host} {kept}; run again later, or correct url")
    return Unavailable(
        f"{WHO}: {host} ended the call ({type(found[-1]).__name__}) before its answer was complete; "
        "run again: what it signed meanwhile is looked for"
    )


_KEPT: dict[type[BaseException], tuple[type[Unavailable], str]] = {
    socket.gaierror: (Unreached, "is a name that cannot be resolved"),
    ConnectionRefusedError: (Unreached, "accepts no connection"),
    ssl.SSLEOFError: (Unavailable, "ended the TLS handshake, or the call in it, too early"),
    ssl.SSLError: (Unavailable, "does not agree on TLS: it speaks another protocol, or refuses our certificate"),
}
