# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How a host is reached, and whether the way proves that it is this host: what its connection plugin was told."""

from __future__ import annotations

import re
import typing as t

_LOCAL = ("local",)
_SSH = ("ssh", "paramiko_ssh", "paramiko", "libssh")
_ARGUMENTS = ("ssh_args", "ssh_common_args", "ssh_extra_args")
_UNCHECKED = r"stricthostkeychecking[ =]+['\"]?(no|off|false)\b"
_FORGETFUL = r"userknownhostsfile[ =]+['\"]?/dev/null\b"


class Reached(t.NamedTuple):
    """The connection plugin's name; `authenticated` is None where nobody here can tell."""

    transport: str = "local"
    authenticated: bool | None = True
    why_not: str = ""


def reached(connection: t.Any) -> Reached:
    """Return how a connection reaches its host. What a user's own ssh_config says cannot be seen from here."""
    transport = str(getattr(connection, "transport", "")).rpartition(".")[2]
    if transport in _LOCAL:
        return Reached(transport)
    if transport not in _SSH:
        return Reached(transport, None)
    why_not = _why_unchecked(connection)
    return Reached(transport, not why_not, why_not)


def _why_unchecked(connection: t.Any) -> str:
    if _option(connection, "host_key_checking") is False:
        return "host_key_checking is off"
    if _option(connection, "host_key_auto_add") is True:
        return "host_key_auto_add is on"
    for name in _ARGUMENTS:
        said = str(_option(connection, name) or "").lower()
        if "hostkey" in said and re.search(_UNCHECKED, said):
            return f"{name} turns StrictHostKeyChecking off"
        if "hostsfile" in said and re.search(_FORGETFUL, said):
            return f"{name} remembers no host key (UserKnownHostsFile /dev/null)"
    return ""


def _option(connection: t.Any, name: str) -> t.Any:
    """Return an option of a connection plugin; None where it has none of this name."""
    try:
        return connection.get_option(name)
    except (KeyError, AttributeError):
        return None
