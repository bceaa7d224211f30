# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The names of a subject as they stand in a certificate: lower case, A-labels, canonical addresses, no duplicates."""

from __future__ import annotations

import ipaddress
import re
import typing as t

from ..module_utils._core.errors import Misconfigured
from ..module_utils._core.model import Subject

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DNS_NAME = re.compile(rf"(?:\*\.)?(?:{_LABEL}\.)*{_LABEL}", re.ASCII)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!#-;=?-\[\]_a-z~%]+", re.ASCII)  # RFC 3986: printable, no <>"\^`{|}
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL_PART = re.compile(rf"{_ATOM}(?:\.{_ATOM})*", re.ASCII)
LONGEST_DNS_NAME = 253
LONGEST_COMMON_NAME = 64  # RFC 5280, ub-common-name


def dns_name(value: str) -> str:
    """Return a DNS name in lower case and A-labels (RFC 1034, 3.5; RFC 5890). Raises Misconfigured."""
    name = value.lower()
    if not name.isascii() or "--" in name:
        name = _a_labels(value)
    if len(name) > LONGEST_DNS_NAME or not _DNS_NAME.fullmatch(name) or _looks_like_an_address(name):
        raise Misconfigured(f"{_shown(value)} is not a DNS name: {_why_no_dns_name(name)}")
    return name


def host_name(value: str) -> str:
    """Return a name by which a host is reached, and no pattern of such names. Raises Misconfigured."""
    if "*" in value or "?" in value:
        raise Misconfigured(f"{_shown(value)} is a pattern, and good for other hosts too; write each name of the host")
    return dns_name(value)


def ip_address(value: str) -> str:
    """Return an address in its canonical form (RFC 5952). Raises Misconfigured."""
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        hint = "one address without a prefix length" if "/" in value else "an IPv4 or IPv6 address"
        raise Misconfigured(f"{_shown(value)} is not an IP address; write {hint}, for example 192.0.2.1") from None
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id is not None:
            raise Misconfigured(f"{_shown(value)} has a zone, which no certificate can name; write it without %")
        if address.ipv4_mapped is not None:
            raise Misconfigured(f"{_shown(value)} is an IPv4 address in disguise; write {address.ipv4_mapped}")
    return str(address)


def uri(value: str) -> str:
    """Return an absolute URI (RFC 5280, 4.2.1.6). Raises Misconfigured."""
    if not _URI.fullmatch(value):
        raise Misconfigured(
            f"{_shown(value)} is not an absolute URI in ASCII; write scheme and all, other characters as %XX, "
            "for example spiffe://example.org/web"
        )
    return value


def email_address(value: str) -> str:
    """Return a mailbox (RFC 5280, 4.2.1.6), its domain normalised. Raises Misconfigured."""
    local, at, domain = value.rpartition("@")
    if not at or len(local) > 64 or not _LOCAL_PART.fullmatch(local) or "*" in domain:
        raise Misconfigured(f"{_shown(value)} is not a mailbox in ASCII; write it as web@example.org")
    try:
        return f"{local}@{dns_name(domain)}"
    except Misconfigured as error:
        raise Misconfigured(f"{_shown(value)} is not a mailbox: {error}") from None


def common_name(value: str) -> str:
    """Return a common name (RFC 5280, appendix A.1). Raises Misconfigured."""
    if not 1 <= len(value) <= LONGEST_COMMON_NAME or not value.isprintable() or value != value.strip():
        raise Misconfigured(
            f"{_shown(value)} is not a common name; write 1 to 64 printable characters, no space at either end"
        )
    return value


_READERS: dict[str, t.Callable[[str], str]] = {
    "dns_names": dns_name,
    "ip_addresses": ip_address,
    "uris": uri,
    "email_addresses": email_address,
}


def subject(options: t.Mapping[str, t.Any]) -> Subject:
    """Return the subject of validated options, in the declared order. Raises Misconfigured that names the option."""
    found: dict[str, tuple[str, ...]] = {}
    for option, reader in _READERS.items():
        try:
            if options[option]:
                found[option] = tuple(dict.fromkeys(map(reader, options[option])))
        except Misconfigured as error:
            raise Misconfigured(f"{option}: {error}") from None
    name = options["common_name"]
    try:
        return Subject(common_name=None if name is None else common_name(name), **found)
    except Misconfigured as error:
        raise Misconfigured(f"common_name: {error}") from None


def _a_labels(value: str) -> str:
    import idna

    star, rest = ("*.", value[2:]) if value.startswith("*.") else ("", value)
    try:
        return star + idna.encode(rest, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise Misconfigured(
            f"{_shown(value)} is not a DNS name: {error}; write it as IDNA 2008 (RFC 5891) permits"
        ) from None


def _why_no_dns_name(name: str) -> str:
    labels = name.split(".")
    reasons = {
        "it is a URL; write its host alone, or the whole of it in uris": "://" in name,
        "an underscore is not permitted; write a hyphen or another name": "_" in name,
        "a wildcard is only the whole first label; write *.example.org": "*" in name,
        "it ends with a dot; write it without": name.endswith("."),
        "it looks like an IP address; write it in ip_addresses": _looks_like_an_address(name) or ":" in name,
        "it is too long; write at most 253 characters in labels of at most 63": len(name) > LONGEST_DNS_NAME
        or max(map(len, labels)) > 63,
        "a label is empty; write one dot between labels": "" in labels,
        "write letters, digits and hyphens, none at the end of a label, for example www.example.org": True,
    }
    return next(reason for reason, holds in reasons.items() if holds)


def _looks_like_an_address(name: str) -> bool:
    return name.rpartition(".")[2].isdigit()


def _shown(value: str) -> str:
    return repr(value[:80])
