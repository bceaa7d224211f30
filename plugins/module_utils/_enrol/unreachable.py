# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Why a call over HTTPS got no answer: what Python's library raises, as errors that say what to do next."""

from __future__ import annotations

import socket
import ssl
import typing as t

from .._core.errors import Denied, KeysteadError, Misconfigured, Unavailable, Unreached
from .tls import untrusted

if t.TYPE_CHECKING:
    from .https import Server


class Silent(Unavailable):
    """It did not answer in time: whoever asks again waits as long again."""


class LoggedOut(Denied):
    """Who we are is not accepted, so no other call can go well either."""


def unreachable(error: BaseException, server: Server) -> KeysteadError:
    """Return the error of a call that got no answer."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return Misconfigured(f"{server.who}: the TLS certificate of {server} {untrusted(error.verify_code)}")
    if isinstance(error, ssl.SSLError) and not isinstance(error, (ssl.SSLEOFError, TimeoutError, socket.timeout)):
        return _by_alert(error, server)
    for kind, (is_, kept) in _KEPT.items():
        if isinstance(error, kind):
            told = kept.format(timeout=server.timeout)
            return is_(f"{server.who}: {server} {told}; run again later, or correct url")
    told = f"ended the call ({type(error).__name__}) before its answer was complete"
    remedy = "run again later" if server.tls else "where it speaks TLS, write https in url; else run again later"
    return Unavailable(f"{server.who}: {server} {told}; {remedy}")


_NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST")
_LATE = "did not answer within {timeout:g}s (option timeout)"
_KEPT: dict[type[BaseException], tuple[type[Unavailable], str]] = {
    TimeoutError: (Silent, _LATE),
    socket.timeout: (Silent, _LATE),  # another one before Python 3.10
    socket.gaierror: (Unreached, "is a name that cannot be resolved"),
    ConnectionRefusedError: (Unreached, "accepts no connection"),
    ssl.SSLEOFError: (Unavailable, "ended the TLS handshake, or the call in it, too early"),
}


def _by_alert(error: ssl.SSLError, server: Server) -> KeysteadError:
    """Return what an alert of TLS says (RFC 8446, 6.2): where it is about a certificate, it is about ours."""
    reason = str(error.reason or "")
    if reason in _NO_TLS:
        return Unreached(f"{server.who}: {server} answers without TLS; correct url: its port, or its scheme")
    if "ALERT" in reason and any(word in reason for word in ("CERT", "UNKNOWN_CA", "ACCESS_DENIED")):
        alert = reason.partition("ALERT_")[2].replace("_", " ").lower()
        remedy = f"correct {server.named}" if server.pair else "name one in auth.cert"
        if "UNSUPPORTED" in reason:
            remedy += ", which must be for clients"
        return LoggedOut(f"{server.who}: {server} does not accept our TLS certificate ({alert}); {remedy}")
    return Unavailable(f"{server.who}: {server} does not agree on TLS; correct url, or look at its log")
