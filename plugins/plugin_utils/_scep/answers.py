# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a SCEP server answered, as a host heard it (RFC 8894, 3.2 and 4): nothing is believed before it is read."""

from __future__ import annotations

import contextlib
import typing as t
import warnings

with contextlib.suppress(ImportError):
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from ...module_utils._core import pki
from ...module_utils._core.errors import Denied, Unavailable
from ...module_utils._core.pki import LARGEST, MALFORMED
from .address import WHO

if t.TYPE_CHECKING:
    from ...module_utils._enrol.https import Answer

MOST = 64  # certificates
ENDED = ("granted", "pending", "refused", "failed")
REMEDIES: dict[int, tuple[type[Denied], str, str]] = {
    401: (Denied, "it wants to know who asks for {}, which SCEP has no word for", "correct url"),
    403: (Denied, "it permits no {}", "let it permit that, or correct url"),
    404: (Denied, "there is no {} at its address", "correct url"),
}
INFO: t.Mapping[str, tuple[str, str]] = {  # RFC 8894, 3.2.1.4
    "badAlg": ("it does not take SHA-1 and DES", "let it take them: scepclient, which asks, has nothing else"),
    "badMessageCheck": ("it cannot verify the message", "see its log"),
    "badRequest": (
        "it does not permit the request",
        "see its log, and correct challenge, which may be wrong or used up, or the names",
    ),
    "badTime": ("the time of the message is too far from its own", "set the clocks of the host and of the server"),
    "badCertId": ("it knows no such certificate", "see its log"),
}


def authorities(named: Answer) -> list[x509.Certificate]:
    """Return what GetCACert answers: one certificate, or some in CMS (RFC 8894, 4.2.1). Raises Unavailable."""
    try:
        found = _certificates(named.body)
        whole = 0 < len(found) <= MOST and all(len(one.public_bytes(Encoding.DER)) <= LARGEST for one in found)
    except MALFORMED:
        whole = False
    if not whole:
        raise Unavailable(f"{WHO}: its certificates (GetCACert) cannot be understood; run again, and look at url")
    return found


def _certificates(body: bytes) -> list[x509.Certificate]:
    try:
        return [x509.load_der_x509_certificate(body)]
    except MALFORMED:
        with warnings.catch_warnings():  # one for BER, which some authorities write in place of DER
            warnings.simplefilter("ignore")
            return pkcs7.load_der_pkcs7_certificates(body)


def check_pinned(named: t.Sequence[x509.Certificate], pinned: str) -> None:
    """Raise Denied where the certificate that requests are encrypted for is not among those that a server names."""
    found = sorted(pki.fingerprint(one.public_bytes(Encoding.DER)) for one in named)
    if pinned not in found:
        raise Denied(
            f"{WHO}: its certificates (GetCACert) have none with the fingerprint {pinned}, but {', '.join(found[:4])}; "
            "nothing was sent; do not go on before its operator tells you which one is right"
        )


def refused(info: str) -> Denied:
    """Return the error of a failInfo."""
    said, remedy = INFO.get(info, ("it refuses the request", "see its log"))
    return Denied(f"{WHO}: {said} (failInfo {info[:40]}); {remedy}")
