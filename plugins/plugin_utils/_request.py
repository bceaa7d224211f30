# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""Rule C2: the request that a host sends must EQUAL what the task declared, and prove that its key is there."""

from __future__ import annotations

import contextlib
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

from ..module_utils._core import pki
from ..module_utils._core.errors import Denied
from ..module_utils._core.keys import key_type_of, spki_sha256
from ..module_utils._core.pki import MALFORMED
from ..module_utils._core.ports import Request
from ._weak_keys import weaknesses

if t.TYPE_CHECKING:
    from ..module_utils._core.model import Identity

LARGEST_CSR = 64 * 1024
_EXTENSION_REQUEST = "1.2.840.113549.1.9.14"  # RFC 2985, 5.4.2


def checked(csr: bytes, wanted: Identity, public_id: str, known_weak: t.Collection[str] = ()) -> Request:
    """Return what an issuer is asked for.

    `csr` is DER (RFC 2986), `public_id` the SPKI SHA-256 that the host says it staged; `known_weak` are those that the
    policy lists. Raises Denied with the reason, which repeats nothing that the host wrote.
    """
    try:
        _check(csr, wanted, public_id, known_weak)
    except Denied as error:
        raise Denied(f"host: its request for {wanted.name} is refused: {error}") from None
    return Request(wanted.name, wanted.subject, wanted.profile, wanted.lifetime, csr, kind=wanted.kind)


def check_is_declared(request: Request, who: str) -> None:
    """Refuse a request that names others than the task: some issuers take names from it. Raises Denied for `who`."""
    try:
        csr = x509.load_der_x509_csr(request.csr)
        same = pki.subject_of(csr.subject, csr.extensions) == request.subject
    except MALFORMED:
        same = False
    if not same:
        raise Denied(f"{who}: {request.name} is not asked for: the request names others than the task")


def _check(csr: bytes, wanted: Identity, public_id: str, known_weak: t.Collection[str]) -> None:
    if len(csr) > LARGEST_CSR:
        raise Denied(f"it has {len(csr)} bytes, more than {LARGEST_CSR}")
    try:
        parsed = x509.load_der_x509_csr(csr)
        _check_key(parsed, wanted, public_id, known_weak)
        _check_names(parsed, wanted)
        canonical = parsed.public_bytes(Encoding.DER) == csr
    except MALFORMED:
        raise Denied("it is not a PKCS#10 request in DER") from None
    if not canonical:
        raise Denied("it is not a PKCS#10 request in DER")


def _check_key(
    parsed: x509.CertificateSigningRequest, wanted: Identity, public_id: str, known_weak: t.Collection[str]
) -> None:
    public_key = parsed.public_key()
    found = key_type_of(public_key)
    if found != wanted.key.type:
        raise Denied(f"its key is {found}, declared is {wanted.key.type}")
    if weak := weaknesses(public_key, known_weak):
        raise Denied(f"its key is weak: {'; '.join(weak)}; remove the directory next of {wanted.name} in the store")
    if spki_sha256(public_key) != public_id:
        raise Denied("its key is not the one that was staged")
    if not parsed.is_signature_valid:
        raise Denied("its signature is not valid")


def _check_names(parsed: x509.CertificateSigningRequest, wanted: Identity) -> None:
    if parsed.subject != pki.name(wanted.subject):
        raise Denied("its subject is not the declared one")
    asked = [extension.value for extension in parsed.extensions]
    if any(not isinstance(value, x509.SubjectAlternativeName) for value in asked):
        raise Denied("it asks for extensions other than alternative names")
    declared = pki.alternative_names(wanted.subject)
    found = [name for value in asked for name in value]
    if len(found) != len(declared) or set(found) != set(declared):
        raise Denied("its alternative names are not the declared ones")
    attributes = [attribute.oid.dotted_string for attribute in parsed.attributes]
    expected = [_EXTENSION_REQUEST] if declared else []
    if attributes != expected:
        raise Denied("it has attributes that were not asked for")
