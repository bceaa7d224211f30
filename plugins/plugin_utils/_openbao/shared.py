# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One login and one connection for everybody in a process who means the same server, namespace and login."""

from __future__ import annotations

import hashlib
import json
import typing as t

from .._auth.registry import login_of
from .client import Client

if t.TYPE_CHECKING:
    from .address import Address

_CLIENTS: dict[tuple[Address, str], Client] = {}


def shared(address: Address, auth: t.Mapping[str, t.Any]) -> Client:
    """Return the client of this process with these options. Raises Misconfigured."""
    key = address, hashlib.sha256(json.dumps(auth, sort_keys=True, default=str).encode()).hexdigest()
    if key not in _CLIENTS:
        _CLIENTS[key] = Client(address, login_of(auth))
    return _CLIENTS[key]
