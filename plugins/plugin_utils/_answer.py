# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""Rule V1: what an issuer answers is looked at before a host sees it."""

from __future__ import annotations

import contextlib
import datetime as dt
import math
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

from ..module_utils._core import pki
from ..module_utils._core.errors import Denied
from ..module_utils._core.model import NAMES_TWICE, PROFILE_USAGES
from ..module_utils._core.pki import MALFORMED
from ._names import LONGEST_COMMON_NAME
from ._path import check_path

if t.TYPE_CHECKING:
    from ..module_utils._core.model import Credential, Generation
    from ..module_utils._core.ports import Request

LARGEST_PART = 256 * 1024
PARTS = frozenset(("certificate", "chain", "fullchain", "roots"))
_PART_OF_A_DAY = 0.05  # what authorities antedate is not worth another day
TOLERANCE = dt.timedelta(minutes=5)
BACKDATING = dt.timedelta(hours=1)  # the most that public authorities antedate, for clocks that are behind


def accepted(
    generation: Generation, request: Request, public_id: str, roots: t.Sequence[bytes], now: dt.datetime
) -> Credential:
    """Return the credential that may be installed.

    `public_id` is the SPKI SHA-256 of the staged key, `roots` the pinned trust anchors in DER. Raises Denied with the
    reason.
    """
    with refusing(generation, request, "it is not made of certificates"):
        return _accepted(generation, request, public_id, roots, now)


@contextlib.contextmanager
def refusing(generation: Generation, request: Request, malformed: str) -> t.Iterator[None]:
    """Say whose answer for whom is refused, and why; `malformed` is why where it cannot be read. Raises Denied."""
    try:
        yield
    except MALFORMED:
        reason = malformed
    except Denied as error:
        reason = str(error)
    else:
        return
    raise Denied(f"{generation.issuer_id}: its answer for {request.name} is refused: {reason}")


def _accepted(
    generation: Generation, request: Request, public_id: str, roots: t.Sequence[bytes], now: dt.datetime
) -> Credential:
    leaf, chain = _parts(generation)
    credential = pki.credential(leaf.public_bytes(Encoding.DER))
    check_is_the_described(credential, generation)
    if credential.public_id != public_id:
        raise Denied("it is for another key")
    _check_names(leaf, request, generation.issuer_id)
    _check_usages(leaf, credential, request)
    check_lifetime(credential, request, now)
    check_path(leaf, chain, [x509.load_der_x509_certificate(root) for root in roots], now)
    return credential


def _parts(generation: Generation) -> tuple[x509.Certificate, list[x509.Certificate]]:
    """Return the leaf and its chain; only PEM that says nothing else gets through."""
    content = contents(generation, PARTS)
    if content["fullchain"] != content["certificate"] + content["chain"]:
        raise Denied("its fullchain is not its certificate and its chain")
    leaves, chain, _roots = (_certificates(content[name]) for name in ("certificate", "chain", "roots"))
    if len(leaves) != 1:
        raise Denied(f"it has {len(leaves)} certificates in place of one")
    return leaves[0], chain


def contents(generation: Generation, parts: frozenset[str]) -> dict[str, bytes]:
    """Return what the parts hold; raises Denied where they are not exactly these, or too large."""
    if set(generation.parts) != parts:
        raise Denied(f"it has the parts {', '.join(sorted(map(str, generation.parts)))[:100]}")
    found = {name: part.content for name, part in generation.parts.items()}
    if max(map(len, found.values())) > LARGEST_PART:
        raise Denied(f"a part of it has more than {LARGEST_PART} bytes")
    return found


def _certificates(pem: bytes) -> list[x509.Certificate]:
    found = x509.load_pem_x509_certificates(pem) if pem else []
    if b"".join(certificate.public_bytes(Encoding.PEM) for certificate in found) != pem:
        raise Denied("there is something beside the certificates in it")
    return found


def check_is_the_described(credential: Credential, generation: Generation) -> None:
    """Raise Denied where a generation says something else of its credential than that does."""
    said = (generation.credential_id, generation.public_id, generation.not_before, generation.not_after)
    if said != (credential.credential_id, credential.public_id, credential.not_before, credential.not_after):
        raise Denied("its certificate is not the one it describes")


def _check_names(leaf: x509.Certificate, request: Request, issuer_id: str) -> None:
    subject = request.subject
    subjects = [pki.name(subject)]
    if not subject.common_name and issuer_id.startswith(NAMES_TWICE):  # CA/B BR 7.1.4.3: it may repeat a name
        repeated = [name for name in (*subject.dns_names, *subject.ip_addresses) if len(name) <= LONGEST_COMMON_NAME]
        subjects += [pki.name(subject._replace(common_name=name)) for name in repeated]
    if leaf.subject not in subjects:
        raise Denied("its subject is not the declared one")
    try:
        found = list(leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        found = []
    declared = pki.alternative_names(request.subject)
    if len(found) != len(declared) or set(found) != set(declared):
        raise Denied("its alternative names are not the declared ones")


def _check_usages(leaf: x509.Certificate, credential: Credential, request: Request) -> None:
    if credential.facts.is_ca:
        raise Denied("it is the certificate of an authority")
    found = credential.facts.usages
    if found != PROFILE_USAGES[request.profile]:
        remedy = "".join(f"; declare profile {name}" for name, usages in PROFILE_USAGES.items() if usages == found)
        usages = ", ".join(found) or "none"
        raise Denied(f"its extended key usages are {usages}, not those of {request.profile}{remedy}")
    try:
        usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        raise Denied("it has no key usage") from None
    if not usage.digital_signature or usage.key_cert_sign or usage.crl_sign:
        raise Denied("its key usage is not that of a TLS end entity")


def check_lifetime(credential: Credential, request: Request, now: dt.datetime) -> None:
    """Raise Denied for a credential that is not valid now, or lives longer than asked."""
    lifetime = dt.timedelta(seconds=request.lifetime)
    if credential.not_before > now:
        raise Denied(f"it is not valid before {credential.not_before:%Y-%m-%d %H:%M} UTC")
    if credential.not_after <= now:
        raise Denied(f"it ended on {credential.not_after:%Y-%m-%d %H:%M} UTC")
    too_long = credential.not_after - credential.not_before > lifetime + BACKDATING
    if too_long or credential.not_after > now + lifetime + TOLERANCE:
        days = math.ceil((credential.not_after - credential.not_before) / dt.timedelta(days=1) - _PART_OF_A_DAY)
        raise Denied(
            f"it lives until {credential.not_after:%Y-%m-%d %H:%M} UTC, longer than asked; declare lifetime: {days}d, "
            "or let the authority grant less"
        )
