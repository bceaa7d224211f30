# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Where an OpenBao is, as far as options say it: nothing here reads a file or the network."""

from __future__ import annotations

import re
import typing as t
from urllib.parse import urlsplit

from ...module_utils._core.errors import Misconfigured

_SEGMENT = r"[A-Za-z0-9_-](?:[A-Za-z0-9_.~-]*[A-Za-z0-9_~-])?"
_PATH = re.compile(rf"{_SEGMENT}(?:/{_SEGMENT})*", re.ASCII)
_NAME = re.compile(_SEGMENT, re.ASCII)


class Address(t.NamedTuple):
    """A server and a namespace of it, who may have signed its TLS certificate, and how long a call may take."""

    url: str
    namespace: str = ""
    ca_bundle: str | None = None
    timeout: float = 30.0


def address(options: t.Mapping[str, t.Any], option: str, example: str = "https://bao.example.org:8200") -> Address:
    """Return where the server is. `option` begins what is said of it. Raises Misconfigured, with an example."""
    if options.get("ca_bundle") == "":
        raise Misconfigured(f"{option}.ca_bundle is empty; write the path of PEM certificates, or leave it out")
    return Address(
        url=_url(str(options["url"]), option, example),
        namespace=path(options.get("namespace") or "", f"{option}.namespace"),
        ca_bundle=options.get("ca_bundle"),
        timeout=float(options["timeout"]),
    )


def path(value: str, option: str) -> str:
    """Return a mount or a namespace without the slashes around it. Raises Misconfigured."""
    found = value.strip("/")
    if found and not _PATH.fullmatch(found):
        raise Misconfigured(f"{option}: {value[:100]!r} is not a path; write for example pki, or team/pki")
    return found


def name(value: str | None, option: str) -> str:
    """Return the name of a role or an issuer; empty where there is none. Raises Misconfigured."""
    if value and not _NAME.fullmatch(value):
        raise Misconfigured(f"{option}: {value[:100]!r} is not a name; write letters, digits, '-', '_' and '.'")
    return value or ""


def _url(value: str, option: str, example: str) -> str:
    """Return the URL in one form, so that it can be part of an id."""
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or not re.fullmatch(r"[a-z0-9.:_-]+", host) or parts.query or parts.fragment or "@" in parts.netloc:
        # it may hold a password, so it is not repeated
        raise Misconfigured(f"{option}.url: it is not a URL of a server; write for example {example}")
    if parts.scheme != "https":
        raise Misconfigured(f"{option}.url: {parts.scheme}://{host} is not safe; write https, and ca_bundle beside it")
    shown = f"[{host}]" if ":" in host else host
    below = path(parts.path, f"{option}.url")
    return f"https://{shown}{'' if port in (None, 443) else f':{port}'}{f'/{below}' if below else ''}"
