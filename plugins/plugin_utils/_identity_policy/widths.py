# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a certificate is good for beyond what one service needs: names that are many hosts, usages that are others'."""

from __future__ import annotations

import contextlib
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509

from ...module_utils._core.errors import printable
from .._findings import finding
from .._policy.host_names import is_host_name

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .._rows.row import Row

MOST_NAMES = 50
FEWEST_LABELS = 2
"""Of what follows the wildcard: `*.org` is everybody."""
_LONGEST = 80
_SERVER, _CLIENT = "1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2"
_ANYTHING = "2.5.29.37.0"
_OTHERS = {
    "1.3.6.1.5.5.7.3.3": "to sign code",
    "1.3.6.1.5.5.7.3.4": "for mail",
    "1.3.6.1.5.5.7.3.8": "to stamp times",
    "1.3.6.1.5.5.7.3.9": "to answer OCSP requests",
    "1.3.6.1.5.2.3.5": "as a domain controller of Kerberos",
    "1.3.6.1.4.1.311.20.2.2": "to log in with a smart card",
    "1.3.6.1.4.1.311.10.3.4": "to encrypt files",
}
_OF_SERVERS = ("1.3.6.1.4.1.311.10.3.3", "2.16.840.1.113730.4.1")  # "server gated cryptography": TLS of the nineties
Finding = dict[str, str]


def wide_names(row: Row, common_name: str | None = None) -> Iterator[Finding]:
    """Yield that names stand for more than the hosts of one service; a common name counts where there are no others."""
    old = (common_name.lower(),) if is_host_name(common_name) and common_name else ()
    names = row.names.get("dns") or old
    for name in names:
        if text := _too_wide(name):
            yield finding("wide_names", f"{printable(name[:_LONGEST])} {text}")
    if len(names) > MOST_NAMES:
        yield finding("wide_names", f"it has {len(names)} names: its key is that of all of them; make several of it")


def _too_wide(name: str) -> str | None:
    if not name.startswith("*."):
        return None if "." in name else "is a name that every network may have; write the whole name of the host"
    if name.count(".") < FEWEST_LABELS:
        return "stands for everybody's hosts; name each host"
    return "stands for every host there; name each host"


def wide_usages(certificate: x509.Certificate) -> Iterator[Finding]:
    """Yield that a certificate may be used for more than TLS (RFC 5280, 4.2.1.3, 4.2.1.9 and 4.2.1.12)."""
    constraints = _extension(certificate, x509.BasicConstraints)
    if constraints is not None and constraints.ca:
        yield finding("wide_usages", "it is an authority's: its key may sign others; issue one that is none's")
        return
    usage = _extension(certificate, x509.KeyUsage)
    if usage is not None and (usage.key_cert_sign or usage.crl_sign):
        yield finding("wide_usages", "its key may sign certificates or lists; issue one without these usages")
    extended = _extension(certificate, x509.ExtendedKeyUsage)
    yield from _of_extended(None if extended is None else [one.dotted_string for one in extended])


def _of_extended(said: Iterable[str] | None) -> Iterator[Finding]:
    usages = None if said is None else set(said)
    if usages is None or _ANYTHING in usages:
        yield finding("wide_usages", "it may be used for anything; issue one with the extended key usages needed")
    elif usages & {_SERVER, _CLIENT} and (others := sorted(usages - {_SERVER, _CLIENT, *_OF_SERVERS})):
        told = " and ".join(_OTHERS.get(one, f"for {one}") for one in others)
        yield finding("wide_usages", f"it may also be used {told}; issue one for each")


def common_name_of(certificate: x509.Certificate) -> str | None:
    """Return the common name of a certificate, where it has just one."""
    found = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(found[0].value) if len(found) == 1 else None


def _extension(certificate: x509.Certificate, kind: t.Any) -> t.Any:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except (x509.ExtensionNotFound, ValueError):
        return None
