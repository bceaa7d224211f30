# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How a host is reached, and whether the way proves that it is this host: what its connection plugin was told."""

from __future__ import annotations

import re
import shlex
import typing as t

_LOCAL = ("local",)
_SSH = ("ssh", "paramiko_ssh", "paramiko", "libssh")
_ARGUMENTS = ("ssh_args", "ssh_common_args", "ssh_extra_args")
_LOOSE = (
    ("hostkey", r"stricthostkeychecking[\s=]+['\"]?(no|off|false)\b", "turns StrictHostKeyChecking off"),
    (
        "hostsfile",
        r"userknownhostsfile[\s=]+['\"]?(/dev/null|none)\b",
        "remembers no host key (UserKnownHostsFile /dev/null or none)",
    ),
    (
        "localhost",
        r"nohostauthenticationforlocalhost[\s=]+['\"]?(yes|on|true)\b",
        "trusts the loopback address (NoHostAuthenticationForLocalhost yes)",
    ),
)
_WITH_VALUE = "BbcDEeFIiJLlmOoPpQRSWw"  # the options of ssh(1) that take a value
_NO_FILE = ("none", "/dev/null")


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
    return next(filter(None, (_why_loose(name, str(_option(connection, name) or "")) for name in _ARGUMENTS)), "")


def _why_loose(name: str, arguments: str) -> str:
    """Say why arguments of ssh do not let it prove who the host is."""
    said = arguments.lower()
    for words, expression, why_not in _LOOSE:
        if words in said and re.search(expression, said):
            return f"{name} {why_not}"
    if _is_configured_elsewhere(arguments):
        return f"{name} names a configuration that cannot be seen from here (-F or Include)"
    return ""


def _is_configured_elsewhere(arguments: str) -> bool:
    """Tell whether arguments of ssh name another configuration, or cannot be read."""
    try:
        words = iter(shlex.split(arguments))
    except ValueError:
        return True
    for word in words:
        flags = word[1:] if word.startswith("-") else ""
        at = next((place for place, flag in enumerate(flags) if flag in _WITH_VALUE), None)
        if at is None:
            continue
        value = flags[at + 1 :] or next(words, "")
        if flags[at] == "F" and value not in _NO_FILE:
            return True
        if flags[at] == "o" and re.match(r"\s*include[\s=]", value, re.IGNORECASE):
            return True
    return False


def _option(connection: t.Any, name: str) -> t.Any:
    """Return an option of a connection plugin; None where it has none of this name."""
    try:
        return connection.get_option(name)
    except (KeyError, AttributeError):
        return None
