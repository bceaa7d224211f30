# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Where an EST server is (RFC 7030, 3.2.2), as far as options say it: nothing here reads a file or the network."""

from __future__ import annotations

import re
import typing as t
from urllib.parse import urlsplit, urlunsplit

from ...module_utils._core.errors import Misconfigured
from .._fingerprint import sha256
from .._openbao.address import address
from .._paths import absolute
from .._secrets import given

WHO = "est"
OPTION = "est: issuer.est"
EXAMPLE = "https://est.example.org"
BASE = "/.well-known/est"
OPERATIONS = ("cacerts", "simpleenroll", "simplereenroll", "fullcmc", "serverkeygen", "csrattrs")
PASSWORD = ("password", "password_file")
LONGEST = 1024  # of a name or a password
_LONGEST_NAME, _LONGEST_PART = 253, 63
_LABEL = re.compile(r"[A-Za-z0-9_~-][A-Za-z0-9._~-]{0,99}", re.ASCII)


class Place(t.NamedTuple):
    """Host and port of a server, and the path below which its operations are; `url` is all of that in one form."""

    host: str
    port: int
    path: str
    url: str


def place(options: t.Mapping[str, t.Any]) -> Place:
    """Return where the operations of a server, or of one label of it, are. Raises Misconfigured."""
    server, path = _split(str(options["url"]))
    where = address({"url": server, "ca_bundle": options.get("ca_bundle"), "timeout": 1}, OPTION, EXAMPLE)
    parts = urlsplit(where.url)
    host = str(parts.hostname)
    if path not in {"", BASE}:
        raise Misconfigured(
            f"{OPTION}.url: its path is not {BASE}; write https://{parts.netloc}, and what follows {BASE} in label"
        )
    if not _is_name(host):
        raise Misconfigured(f"{OPTION}.url: {host[:100]!r} is no name of a server; write {EXAMPLE}")
    label = options.get("label")
    if label is not None and (not _LABEL.fullmatch(label) or label in OPERATIONS):
        raise Misconfigured(
            f"{OPTION}.label: {label[:100]!r} cannot be one; write what follows {BASE} in the server's URLs, without /"
        )
    path = f"{BASE}/{label}" if label else BASE
    return Place(host, parts.port or 443, path, f"{where.url}{path}")


def _split(url: str) -> tuple[str, str]:
    """Return a URL without its path, and the path without the last slash; one that is none is left to who reads it."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return url, ""
    return urlunsplit(parts._replace(path="")), parts.path.rstrip("/")


def _is_name(host: str) -> bool:
    """Tell whether this is an address, or a name as DNS has them (RFC 1035, 2.3.4)."""
    labels = host.removesuffix(".").split(".")
    return ":" in host or (len(host) <= _LONGEST_NAME and all(0 < len(one) <= _LONGEST_PART for one in labels))


def fingerprint(options: t.Mapping[str, t.Any]) -> str | None:
    """Return the pinned SHA-256 of a root in lower-case hex, None where roots are named. Raises Misconfigured."""
    said = options.get("fingerprint_sha256")
    if said is None:
        if not options.get("roots"):
            raise Misconfigured(
                f"{OPTION}.roots is missing: who is met for the first time is not believed; name the root, "
                "or its SHA-256 fingerprint in fingerprint_sha256"
            )
        return None
    if options.get("roots"):
        raise Misconfigured(f"{OPTION}.fingerprint_sha256: roots says who is trusted already; leave one of them out")
    return sha256(str(said), f"{OPTION}.fingerprint_sha256")


def check_auth(options: t.Mapping[str, t.Any]) -> None:
    """Raise Misconfigured for a way to say who we are that cannot be meant; no file is read."""
    ((way, said),) = options["auth"].items()
    if way == "bootstrap":
        _check_bootstrap(said, on_host=options.get("enrol") == "host")
    if way != "basic":
        return
    given(said, PASSWORD, f"{WHO}: auth.basic")
    name = str(said["username"])
    if not name.isprintable() or ":" in name or not 0 < len(name) <= LONGEST:
        raise Misconfigured(
            f"{WHO}: auth.basic.username: it is empty, or has a colon in it, which ends a name (RFC 7617); correct it"
        )


def _check_bootstrap(said: t.Mapping[str, t.Any], *, on_host: bool) -> None:
    if not on_host:
        raise Misconfigured(f"{WHO}: auth.bootstrap is a pair of the host; write enrol: host beside it, or auth.cert")
    for name, path in said.items():
        try:
            absolute(str(path))
        except Misconfigured as error:
            raise Misconfigured(f"{WHO}: auth.bootstrap.{name}: {error}") from None
