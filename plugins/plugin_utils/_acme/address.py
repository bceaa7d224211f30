# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the options of the issuer `acme` mean, as far as they say it: nothing here reads a file or the network."""

from __future__ import annotations

import re
import typing as t
from urllib.parse import urlsplit

from ...module_utils._core.errors import Misconfigured
from .._issuers.facts import FACTS

if t.TYPE_CHECKING:
    from ...module_utils._core.model import Subject

WHO = "acme"
OPTION = f"{WHO}: issuer.acme"
_HOST = re.compile(r"[a-z0-9.:_-]+", re.ASCII)
_PATH = re.compile(r"(?:/[!-.0->@-~]*)*", re.ASCII)
_MAILBOX = re.compile(r"[!-~]+@[!-~]+", re.ASCII)
_ABSOLUTE = re.compile(r"/[^\0]*")

Options = t.Mapping[str, t.Any]


class Address(t.NamedTuple):
    """A directory (RFC 8555, 7.1.1), who may have signed its TLS certificate, and how long a call may take."""

    url: str
    ca_bundle: str | None = None
    timeout: float = 30.0


def address(options: Options) -> Address:
    """Return where the server is. Raises Misconfigured."""
    if options.get("ca_bundle") == "":
        raise Misconfigured(f"{OPTION}.ca_bundle is empty; write the path of PEM certificates, or leave it out")
    return Address(url(str(options["directory_url"])), options.get("ca_bundle"), float(options["timeout"]))


def url(value: str) -> str:
    """Return the URL of a directory in one form, so that it can be part of an id. Raises Misconfigured."""
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or not _HOST.fullmatch(host) or parts.query or parts.fragment or "@" in parts.netloc:
        # it may hold a password, so it is not repeated
        raise Misconfigured(
            f"{OPTION}.directory_url: it is not a URL of a directory; write for example https://acme.example.org/dir"
        )
    if parts.scheme != "https" or not _PATH.fullmatch(parts.path):
        raise Misconfigured(
            f"{OPTION}.directory_url: {parts.scheme}://{host} is not safe; write https, and ca_bundle beside it"
        )
    shown = f"[{host}]" if ":" in host else host
    return f"https://{shown}{'' if port in (None, 443) else f':{port}'}{parts.path}"


def contact(options: Options) -> tuple[str, ...]:
    """Return the contact URLs of the account (RFC 8555, 7.1.2); a mailbox becomes mailto. Raises Misconfigured."""
    found = []
    for one in options.get("contact") or ():
        said = one if ":" in one else f"mailto:{one}"
        if not said.isascii() or not said.isprintable() or (":" not in one and not _MAILBOX.fullmatch(one)):
            raise Misconfigured(f"{OPTION}.contact: {one[:80]!r} is not a mailbox or a URL; write ops@example.org")
        found.append(said)
    return tuple(found)


class OnHost(t.NamedTuple):
    """Where http-01 is shown on the host (RFC 8555, 8.3): below a web root, or by a listener of ours."""

    webroot: str | None = None
    port: int | None = None


def on_host(challenge: Options) -> OnHost | None:
    """Return where http-01 is shown; None where the way is dns-01. Raises Misconfigured."""
    said = challenge.get("http_01")
    if said is None:
        return None
    webroot, port = said.get("webroot"), said.get("standalone_port")
    if (webroot is None) == (port is None):
        found = "both" if port else "none"
        where = f"{OPTION}.challenge.http_01"
        raise Misconfigured(f"{where}: exactly one of webroot, standalone_port is needed, found {found}")
    if port is not None and not 0 < port < 65536:
        where = f"{OPTION}.challenge.http_01.standalone_port"
        raise Misconfigured(f"{where}: {port} is no port; write 80, or what leads there")
    if webroot is not None and (not _ABSOLUTE.fullmatch(webroot) or {".", ".."} & set(webroot.split("/"))):
        raise Misconfigured(
            f"{OPTION}.challenge.http_01.webroot: {webroot[:80]!r} is not an absolute path without . and ..; "
            "write the directory on the host that its web server serves"
        )
    return OnHost(webroot, port)


def check_names(options: Options, subject: Subject) -> None:
    """Refuse names that no order can have, or the way to show control cannot serve. Raises Misconfigured.

    Identifiers are of type dns (RFC 8555, 7.1.3) or ip (RFC 8738), wildcards need dns-01 (RFC 8555, 8.3), and
    addresses cannot be shown by it (RFC 8738, 7).
    """
    by_dns = on_host(options["challenge"]) is None
    if further := (*subject.uris, *subject.email_addresses):
        raise Misconfigured(f"{WHO}: it certifies DNS names and IP addresses only; take out {further[0]}")
    wild = [name for name in subject.dns_names if name.startswith("*.")]
    if wild and not by_dns:
        raise Misconfigured(
            f"{WHO}: {wild[0]} is a wildcard, which only dns-01 can show; write issuer.acme.challenge.dns_01"
        )
    if subject.ip_addresses and by_dns:
        raise Misconfigured(
            f"{WHO}: {subject.ip_addresses[0]} is an address, which dns-01 cannot show; "
            "write issuer.acme.challenge.http_01, or take it out"
        )
    if subject.common_name and subject.common_name not in subject.dns_names:
        raise Misconfigured(
            f"{WHO}: common_name {subject.common_name} has to be one of dns_names as well; "
            "write it there, or leave it out"
        )


def check_key(key_type: str) -> None:
    """Refuse a type of key that a server takes orders for, and never signs. Raises Misconfigured."""
    if not FACTS[WHO].signs(key_type):
        raise Misconfigured(f"{WHO}: it signs no {key_type} keys; write ecdsa-p256 in key.type, or name another issuer")
