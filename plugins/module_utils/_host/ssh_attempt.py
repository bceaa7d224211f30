# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Proves that an SSH server shows our host certificate, and has its key: by one key exchange (RFC 4253, 8)."""

from __future__ import annotations

import socket
import typing as t

from .._core import ssh
from .._core.errors import Denied, first_line
from .ssh_exchange import shown
from .starttls import seconds_left
from .text import place

if t.TYPE_CHECKING:
    from .target import Target

OK = "ok"


def attempt_for(target: Target) -> t.Callable[[float], str]:
    """Return what to try until a deadline."""
    where = place(target.proof.host, target.proof.port)

    def attempt(deadline: float) -> str:
        try:
            return _verdict(where, target, _served(target, deadline))
        except socket.timeout:
            raise
        except Denied as error:
            return f"{where} {error}"
        except OSError as error:
            return f"{where} cannot be reached ({error.strerror or first_line(error)})"

    return attempt


def _served(target: Target, deadline: float) -> bytes:
    address = (target.proof.host, target.proof.port or 0)
    with socket.create_connection(address, seconds_left(deadline)) as connection:
        return shown(connection, target.certificate, deadline)


def _verdict(where: str, target: Target, served: bytes) -> str:
    if served == target.certificate:
        return OK
    try:
        found = ssh.credential(served)
    except ValueError:
        return f"{where} shows something that is no certificate"
    if found.public_id != target.public_id:
        return f"{where} shows the certificate of another key (SPKI {found.public_id})"
    return f"{where} shows another certificate of the same key (serial {found.facts.serial_number:x})"
