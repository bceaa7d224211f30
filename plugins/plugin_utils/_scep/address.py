# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Where a SCEP server is (RFC 8894, 4.1), and what it never signs for: nothing here reads a file or the network."""

from __future__ import annotations

import typing as t
from urllib.parse import urlsplit

from ...module_utils._core.errors import Misconfigured
from .._fingerprint import sha256
from .._openbao.address import address
from .._secrets import first_line, given

if t.TYPE_CHECKING:
    from ...module_utils._core.key import Key

WHO = "scep"
OPTION = "scep: issuer.scep"
CHALLENGE = ("challenge", "challenge_file")
LONGEST = 255  # bytes of a challenge (RFC 2985, 5.4.1 and appendix A: pkcs-9-ub-challengePassword)
RSA = "rsa-"
EXAMPLE = "https://scep.example.org/scep"
_PORTS = {"https": 443, "http": 80}

Options = t.Mapping[str, t.Any]


class Place(t.NamedTuple):
    """Host and port of a server, the path of its program as it is written, and whether TLS leads there.

    `url` is all of that in one form, without a slash at its end.
    """

    host: str
    port: int
    path: str
    tls: bool
    url: str


def place(options: Options) -> Place:
    """Return where the server is. Raises Misconfigured."""
    said = str(options["url"]).strip()
    if wrong := _wrong(said):
        raise Misconfigured(f"{OPTION}.url: {wrong}; write for example {EXAMPLE}")
    scheme, sign, rest = said.partition("://")
    tls = scheme.lower() == "https"
    # The URL of the one kind is read as that of the other; who has no port is told by the scheme that it has.
    where = address(
        {"url": said if tls else f"https{sign}{rest}", "ca_bundle": options.get("ca_bundle"), "timeout": 1},
        OPTION,
        EXAMPLE,
    )
    parts, scheme = urlsplit(where.url), "https" if tls else "http"
    port = urlsplit(said).port or _PORTS[scheme]
    host = str(parts.hostname)
    shown = f"[{host}]" if ":" in host else host
    ported = "" if port == _PORTS[scheme] else f":{port}"
    slash = "/" if not parts.path or urlsplit(said).path.endswith("/") else ""
    return Place(host, port, f"{parts.path}{slash}", tls, f"{scheme}://{shown}{ported}{parts.path}")


def _wrong(url: str) -> str | None:
    """Say what keeps a text from being the URL of a server; it may hold a password, so it is not repeated."""
    if url.partition("://")[0].lower() not in _PORTS or "://" not in url:
        return "it does not begin with https:// or http://"
    try:
        parts = urlsplit(url)
        _port = parts.port
    except ValueError:
        return "its port is no number, or its address none"
    if "@" in parts.netloc:
        return "it has a name or a password in it, which SCEP has no word for"
    if not parts.hostname:
        return "it names no server"
    return "it has a query, which is not a part of it" if parts.query or parts.fragment else None


def fingerprint(options: Options) -> str:
    """Return the pinned SHA-256 of the certificate that requests are encrypted for, in hex. Raises Misconfigured."""
    return sha256(str(options["fingerprint_sha256"]), f"{OPTION}.fingerprint_sha256")


def has_challenge(options: Options) -> bool:
    """Tell whether a challenge would go to the host, and through it to the server. Raises Misconfigured."""
    return given(options, CHALLENGE, OPTION, required=False) is not None


def check(options: Options) -> None:
    """Raise Misconfigured for what cannot be meant; no file is read.

    The program that envelopes the challenge does it by DES (as RFC 8894, 3.5.2 no longer permits): TLS must protect it.
    """
    fingerprint(options)
    if not options.get("roots"):
        raise Misconfigured(f"{OPTION}.roots is empty; name the root that what this server signs must lead to")
    tls = place(options).tls
    if has_challenge(options) and not tls:
        raise Misconfigured(
            f"{OPTION}.url: without TLS, a challenge is protected by DES alone, all that scepclient has; write "
            "https, and ca_bundle beside it, or leave challenge out where an operator decides on requests"
        )
    if options.get("ca_bundle") is not None and not tls:
        raise Misconfigured(f"{OPTION}.ca_bundle: the server at url has no TLS; write https, or leave it out")


def challenge(options: Options) -> str | None:
    """Return the challenge, None where there is none. Raises Misconfigured."""
    name = given(options, CHALLENGE, OPTION, required=False)
    if name is None:
        return None
    option, said = f"{OPTION}.{name}", str(options[name])
    if name.endswith("_file"):
        said = first_line(said, option).decode("utf-8", "replace")
    if not said.isprintable() or not 0 < len(said.encode()) <= LONGEST:
        raise Misconfigured(f"{option}: what is there is empty, or no challenge of one line and {LONGEST} bytes")
    return said


def check_key(key: Key) -> None:
    """Raise Misconfigured for a key that cannot be enrolled: the host must sign and decrypt by it, in a program."""
    if not key.type.startswith(RSA):
        raise Misconfigured(f"key.type: {not_signed(key.type)}")
    if key.custody != "file":
        raise Misconfigured(
            f"key.custody: issuer scep needs the key in a file of the host, and not in {key.custody}: scepclient signs "
            "and decrypts by it; write custody: {file: {}}, or another issuer"
        )
    if key.comes_down:
        raise Misconfigured(
            "key.origin: with issuer scep the host enrols itself, by a key that it has before it has a certificate; "
            "leave origin out, or write another issuer"
        )


def not_signed(key_type: str) -> str:
    """Say why there is no certificate for such a key."""
    return (
        f"issuer scep signs no {key_type} keys; write for example rsa-3072 in key.type: its answer is encrypted to the "
        "key (RFC 8894, 3.1), for which only RSA will do"
    )
