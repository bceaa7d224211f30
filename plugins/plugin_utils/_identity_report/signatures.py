# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""By which algorithm a certificate is signed, as RFC 3279, 5758, 8410, 8017 and 9881 name them."""

from __future__ import annotations

import contextlib
import re
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509

if t.TYPE_CHECKING:
    from .._rows.row import Row


class Algorithm(t.NamedTuple):
    """What signs: its name, and whether it can be forged today (`weak`), or by no quantum computer (`ready`)."""

    name: str
    weak: bool = False
    ready: bool = False


ALGORITHMS: t.Mapping[str, Algorithm] = {
    "1.2.840.113549.1.1.4": Algorithm("md5WithRSAEncryption", weak=True),
    "1.2.840.113549.1.1.5": Algorithm("sha1WithRSAEncryption", weak=True),
    "1.2.840.113549.1.1.10": Algorithm("RSASSA-PSS"),
    "1.2.840.113549.1.1.11": Algorithm("sha256WithRSAEncryption"),
    "1.2.840.113549.1.1.12": Algorithm("sha384WithRSAEncryption"),
    "1.2.840.113549.1.1.13": Algorithm("sha512WithRSAEncryption"),
    "1.2.840.10040.4.3": Algorithm("dsa-with-sha1", weak=True),
    "1.2.840.10045.4.1": Algorithm("ecdsa-with-SHA1", weak=True),
    "1.2.840.10045.4.3.2": Algorithm("ecdsa-with-SHA256"),
    "1.2.840.10045.4.3.3": Algorithm("ecdsa-with-SHA384"),
    "1.2.840.10045.4.3.4": Algorithm("ecdsa-with-SHA512"),
    "1.3.101.112": Algorithm("Ed25519"),
    "1.3.101.113": Algorithm("Ed448"),
    "2.16.840.1.101.3.4.3.17": Algorithm("ML-DSA-44", ready=True),
    "2.16.840.1.101.3.4.3.18": Algorithm("ML-DSA-65", ready=True),
    "2.16.840.1.101.3.4.3.19": Algorithm("ML-DSA-87", ready=True),
}
_OIDS = {one.name: oid for oid, one in ALGORITHMS.items()}
_OID = re.compile(r"\d+(\.\d+)+", re.ASCII)


def of_row(row: Row) -> str | None:
    """Return the name of what signed the certificate of a row, or its OID; None where there is no such certificate."""
    if row.certificate is None or row.kind != "x509":
        return None
    try:
        found = x509.load_pem_x509_certificate(row.certificate.encode()).signature_algorithm_oid.dotted_string
    except ValueError:
        return None
    return ALGORITHMS[found].name if found in ALGORITHMS else found


def is_weak(name: str | None) -> bool:
    """Tell whether others can make a certificate that has the same signature."""
    return name in _OIDS and ALGORITHMS[_OIDS[name]].weak


def is_ready(name: str | None) -> bool | None:
    """Tell whether no quantum computer is known to forge it; None where that is not known."""
    return ALGORITHMS[_OIDS[name]].ready if name in _OIDS else None


def oid(name: str) -> str | None:
    """Return the OID of a name."""
    return name if _OID.fullmatch(name) else _OIDS.get(name)
