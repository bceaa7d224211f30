# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a task says of dns-01, checked as far as it can be without the name server, a file or a library."""

from __future__ import annotations

import base64
import binascii
import re
import typing as t

from ...module_utils._core.errors import Misconfigured
from .._durations import seconds
from .._secrets import credential, given
from .address import OPTION

WAYS = ("rfc2136", "command")
SECRETS = ("key_secret", "key_secret_file")
PLACE = f"{OPTION}.challenge.dns_01"
LONGEST_TTL = 2**31 - 1  # RFC 2181, 8
_SERVER = re.compile(r"[A-Za-z0-9.:_%-]{1,253}", re.ASCII)
_NAME = re.compile(r"(?:[!#-\-/-\[\]-~]{1,63}\.)*[!#-\-/-\[\]-~]{1,63}\.?", re.ASCII)
_LONGEST_NAME = 254  # with a dot at the end
Options = t.Mapping[str, t.Any]


def check(said: Options) -> None:
    """Raise Misconfigured, with the option's path, its value where it is no secret, and what helps."""
    way = given(said, WAYS, PLACE)
    try:
        seconds(str(said["propagation"]))
    except Misconfigured as error:
        raise Misconfigured(f"{PLACE}.propagation: {error}") from None
    if way == "command":
        _check_command(said["command"])
    else:
        _check_update(said["rfc2136"], f"{PLACE}.rfc2136")


def _check_command(argv: t.Sequence[str]) -> None:
    if not argv or not argv[0]:
        raise Misconfigured(f"{PLACE}.command: {list(argv)!r} names no program; write [program, argument, ...]")
    for one in argv:
        if "\0" in one:
            raise Misconfigured(f"{PLACE}.command: {one[:80]!r} has a NUL, which no program is given; take it out")


def _check_update(said: Options, option: str) -> None:
    given(said, SECRETS, option)
    server, port, ttl = str(said["server"]), said["port"], said["ttl"]
    if not _SERVER.fullmatch(server):
        raise Misconfigured(f"{option}.server: {server[:80]!r} is neither a name nor an address; write ns.example.org")
    if not 0 < port < 65536:
        raise Misconfigured(f"{option}.port: {port} is no port; write 53, or where the server listens")
    if not 0 <= ttl <= LONGEST_TTL:
        raise Misconfigured(f"{option}.ttl: {ttl} is no time to live; write seconds, for example 60")
    for which, example in (("key_name", "keystead."), ("zone", "example.org")):
        name = said.get(which)
        if name is not None and (not _NAME.fullmatch(name) or len(name) > _LONGEST_NAME):
            raise Misconfigured(f"{option}.{which}: {name[:80]!r} is no domain name; write for example {example}")
    if said.get("key_secret") is not None:
        check_secret(said["key_secret"], f"{option}.key_secret")


def check_file(said: Options) -> None:
    """Raise Misconfigured where the file with the secret of a name server cannot be read, or holds none."""
    update = said.get("rfc2136") or {}
    if update.get("key_secret_file") is not None:
        option = f"{PLACE}.rfc2136"
        check_secret(credential(update, "key_secret_file", option), f"{option}.key_secret_file")


def check_secret(secret: str, option: str) -> None:
    """Raise Misconfigured, without the secret, where it is none that TSIG can use."""
    try:
        found = base64.b64decode(secret, validate=True)
    except (ValueError, binascii.Error):
        found = b""
    if not found:
        raise Misconfigured(f"{option} is not base64; write it as BIND's tsig-keygen does")
