# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Where a consumer is reached, and what it must be called there."""

from __future__ import annotations

import socket
import typing as t
from dataclasses import dataclass

from .starttls import begin_tls, seconds_left
from .text import place

if t.TYPE_CHECKING:
    from .._core.model import Proof, Subject


@dataclass(frozen=True)
class Endpoint:
    """A place, the name that the client asks for (SNI, RFC 6066, 3), and whether the certificate must bear it."""

    host: str
    port: int
    starttls: str | None
    name: str
    must_bear_name: bool

    def __str__(self) -> str:
        """Return host:port."""
        return place(self.host, self.port)


def endpoint_of(proof: Proof, subject: Subject) -> Endpoint:
    """Return the endpoint that shows whether `subject` is served.

    A server that we prove ourselves to (`client_auth`) has a name of its own, so that only a declared one is checked.
    Without any DNS name or IP address there is no name to check.
    """
    own = proof.server_name if proof.client_auth else proof.server_name or _first_name(proof.host, subject)
    return Endpoint(
        host=proof.host,
        port=proof.port or 0,
        starttls=proof.starttls,
        name=own or proof.host,
        must_bear_name=own is not None,
    )


def _first_name(host: str, subject: Subject) -> str | None:
    """Return the first DNS name that is not a wildcard, else a name under one, else an address: rather `host`'s."""
    plain = [name for name in subject.dns_names if not name.startswith("*.")]
    if plain or subject.dns_names:
        return plain[0] if plain else "keystead" + subject.dns_names[0][1:]
    if host in subject.ip_addresses:
        return host
    return subject.ip_addresses[0] if subject.ip_addresses else None


def open_connection(endpoint: Endpoint, deadline: float) -> socket.socket:
    """Connect and go to where TLS begins. Raises OSError and, when STARTTLS is refused, Denied."""
    connection = socket.create_connection((endpoint.host, endpoint.port), seconds_left(deadline))
    try:
        if endpoint.starttls:
            begin_tls(connection, endpoint.starttls, deadline)
        connection.settimeout(seconds_left(deadline))
    except BaseException:
        connection.close()
        raise
    return connection
