# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""One way to prove each kind of consumer; every attempt returns "ok" or a sentence, or raises `socket.timeout`."""

from __future__ import annotations

import socket
import ssl
import typing as t

from .._core.errors import Denied, Misconfigured, first_line
from .command import run
from .endpoint import endpoint_of
from .handshake import accepted, looking, served, unsupported, verifying
from .starttls import seconds_left
from .verdict import OK, no_handshake, not_trusted, not_verified, other_certificate

if t.TYPE_CHECKING:
    from .endpoint import Endpoint
    from .target import Target

    Attempt = t.Callable[[float], str]


def attempt_for(target: Target) -> Attempt:
    """Return what to try until a deadline; raises Misconfigured when trying makes no sense on this host."""
    if target.proof.command:
        return lambda deadline: _by_command(target.proof.command, deadline)
    complaint = unsupported(target.certificate)
    if complaint:
        raise Misconfigured(complaint)
    endpoint = endpoint_of(target.proof, target.subject)
    return _as_client(target, endpoint) if target.proof.client_auth else _as_server(target, endpoint)


def _by_command(argv: t.Sequence[str], deadline: float) -> str:
    ran = run(argv, seconds_left(deadline))
    if ran.timed_out:
        raise socket.timeout(0, "timed out")
    return f"prove.command: {ran.problem}" if ran.problem else OK


def _as_server(target: Target, endpoint: Endpoint) -> Attempt:
    """Prove that a server serves our certificate with a chain to our roots (without any: the certificate alone)."""
    strict = _context(target.roots or target.certificate, check_name=endpoint.must_bear_name)
    blind = looking()

    def attempt(deadline: float) -> str:
        failure = None
        try:
            leaf = served(endpoint, strict, deadline)
        except ssl.SSLCertVerificationError as error:
            failure = error
            leaf = served(endpoint, blind, deadline)
        if leaf != target.certificate:
            return other_certificate(endpoint, leaf, target.public_id)
        return not_verified(endpoint, failure) if failure else OK

    return _told(endpoint, attempt)


def _as_client(target: Target, endpoint: Endpoint) -> Attempt:
    """Prove that a server accepts our certificate; its own must chain to our roots, if we have any."""
    context = _context(target.roots, check_name=endpoint.must_bear_name) if target.roots else looking()
    _present_ours(context, target)

    def attempt(deadline: float) -> str:
        try:
            accepted(endpoint, context, deadline)
        except ssl.SSLCertVerificationError as error:
            return not_trusted(endpoint, error)
        return OK

    return _told(endpoint, attempt)


def _told(endpoint: Endpoint, attempt: Attempt) -> Attempt:
    """Return `attempt` with what went wrong on the way said in a sentence, all but the end of time."""

    def telling(deadline: float) -> str:
        try:
            return attempt(deadline)
        except socket.timeout:
            raise
        except (OSError, Denied) as error:
            return no_handshake(endpoint, error)
        except ValueError as error:
            return f"{endpoint}: {endpoint.name} is not a name that a server can be asked for ({first_line(error)})"

    return telling


def _context(anchors: bytes, *, check_name: bool) -> ssl.SSLContext:
    try:
        return verifying(anchors, check_name=check_name)
    except (OSError, ValueError) as error:
        raise Misconfigured(f"the pinned roots cannot be read ({first_line(error)})") from error


def _present_ours(context: ssl.SSLContext, target: Target) -> None:
    if not (target.client_certificate and target.client_key):
        raise Misconfigured("prove.client_auth needs a key in a file; use prove.command")
    try:
        # The empty password keeps OpenSSL from asking for one on the terminal.
        context.load_cert_chain(target.client_certificate, target.client_key, password="")
    except (OSError, ValueError) as error:
        raise Misconfigured(f"prove.client_auth: our own certificate cannot be loaded ({first_line(error)})") from error
