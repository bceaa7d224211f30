# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""Which names may stand below an authority (RFC 5280, 4.2.1.10)."""

from __future__ import annotations

import contextlib
import re
import typing as t
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

with contextlib.suppress(ImportError):
    from cryptography import x509

from ...module_utils._core.errors import Misconfigured
from .._distinguished_names import comparable

if t.TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

Declared = t.Mapping[str, t.Mapping[str, t.Sequence[str] | None] | None]
FORMS = ("dns", "ip", "email", "uri")
_HOST = r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*"
_BASES = {"dns": _HOST, "email": rf"(\.|[^@\s:]+@)?{_HOST}", "uri": rf"\.?{_HOST}"}


def extension(declared: Declared | None) -> x509.NameConstraints | None:
    """Return the extension for `{permitted: {dns, ip, email, uri}, excluded: {...}}`; None where nothing is said."""
    permitted, excluded = (_subtrees(side, (declared or {}).get(side) or {}) for side in ("permitted", "excluded"))
    if not permitted and not excluded:
        return None
    return x509.NameConstraints(permitted or None, excluded or None)


def refusal(
    certificate: x509.Certificate, names: t.Iterable[x509.GeneralName], *, untyped: bool = False
) -> str | None:
    """Say which of the names may not stand below a certificate; None where all may.

    What says nothing of a form of names permits all of that form (RFC 5280, 4.2.1.10). Where names are `untyped`, a
    host's name and its address serve the same purpose, so what bounds the one bounds the other as well.
    """
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:
        return None
    issuer = certificate.subject.rfc4514_string()
    said = constraints.permitted_subtrees or ()
    closed = untyped and any(isinstance(base, (x509.DNSName, x509.IPAddress)) for base in said)
    for name in names:
        permitted = [base for base in said if type(base) is type(name)]
        if (permitted or closed) and not any(_within(name, base) for base in permitted):
            return f"{name.value} is not among the names that {issuer} permits"
        if any(_touches(name, base) for base in constraints.excluded_subtrees or () if type(base) is type(name)):
            return f"{name.value} is among the names that {issuer} excludes"
    return None


def names_of(certificate: x509.Certificate | x509.CertificateSigningRequest) -> list[x509.GeneralName]:
    """Return everything that name constraints look at: the subject, unless it is empty, and the alternative names.

    Without those, an address in the subject is one of them (RFC 5280, 4.2.1.10).
    """
    subject: list[x509.GeneralName] = [x509.DirectoryName(certificate.subject)] if list(certificate.subject) else []
    try:
        subject += certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        said = certificate.subject.get_attributes_for_oid(x509.NameOID.EMAIL_ADDRESS)
        subject += [x509.RFC822Name(str(one.value)) for one in said if str(one.value).isascii()]
    return subject


def _subtrees(side: str, declared: t.Mapping[str, t.Sequence[str] | None]) -> list[x509.GeneralName]:
    return [_subtree(side, form, value) for form in FORMS for value in declared.get(form) or ()]


def _subtree(side: str, form: str, value: str) -> x509.GeneralName:
    with contextlib.suppress(ValueError):
        if form == "ip":
            return x509.IPAddress(ip_network(value))
        if re.fullmatch(_BASES[form], value):
            make: t.Any = {"dns": x509.DNSName, "email": x509.RFC822Name, "uri": x509.UniformResourceIdentifier}[form]
            return t.cast("x509.GeneralName", make(value.lower()))
    example = {"dns": "example.org", "ip": "192.0.2.0/24", "email": "example.org", "uri": ".example.org"}[form]
    raise Misconfigured(
        f"certificate_authority: option name_constraints.{side}.{form}: {value!r} cannot be used; "
        f"write it like {example}"
    )


def _touches(name: t.Any, base: t.Any) -> bool:
    """Is any name that this one stands for within the base? A wildcard stands for every label in its place."""
    if _within(name, base):
        return True
    wildcard = isinstance(name, x509.DNSName) and name.value.startswith("*.")
    return wildcard and str(base.value).lower().partition(".")[2] == name.value[2:].lower()


def _within(name: t.Any, base: t.Any) -> bool:
    if isinstance(base, x509.IPAddress):
        return name.value in t.cast("IPv4Network | IPv6Network", base.value)
    if isinstance(base, x509.DirectoryName):
        above = comparable(base.value)
        return comparable(name.value)[: len(above)] == above
    if isinstance(base, x509.DNSName):
        return f".{name.value.lower()}".endswith("." + base.value.lower().lstrip(".")) or not base.value
    if isinstance(base, x509.RFC822Name):
        mailbox = name.value.lower()
        return mailbox == base.value.lower() if "@" in base.value else _host_within(mailbox.rpartition("@")[2], base)
    if isinstance(base, x509.UniformResourceIdentifier):
        return _host_within(_host(name.value), base)
    return False


def _host_within(host: str, base: t.Any) -> bool:
    wanted = base.value.lower()
    return host.endswith(wanted) and host != wanted if wanted.startswith(".") else bool(host) and host == wanted


def _host(uri: str) -> str:
    """Return the host of a URI when it is a name: an IP address satisfies no constraint."""
    host = urlsplit(uri).hostname or ""
    with contextlib.suppress(ValueError):
        ip_address(host)
        return ""
    return host
