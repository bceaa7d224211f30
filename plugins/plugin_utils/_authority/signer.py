# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""Signs and revokes for one authority on disk: the work behind the issuer `local`."""

from __future__ import annotations

import contextlib
import functools
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

from ...module_utils._core import pki
from ...module_utils._core.errors import Denied, KeysteadError, Misconfigured
from ...module_utils._core.keys import spki_sha256
from ...module_utils._core.ports import Good, IssuedRecord, Revoked, Unknown
from .._chains import Above
from .._signatures import UNVERIFIABLE
from . import crl, records, revocation, signing
from .files import settled
from .name_constraints import refusal
from .store import Authority, load

if t.TYPE_CHECKING:
    import datetime as dt

    from ...module_utils._core.model import Generation
    from ...module_utils._core.ports import Order, Request
    from ...module_utils._core.revoking import Revocation
    from .about import About
    from .opening import Opening


class Signer:
    """What an authority does once it is loaded. The private key is opened at the first signature and kept."""

    def __init__(self, about: About, opening: Opening, now: t.Callable[[], dt.datetime]) -> None:
        """Read the certificates of the authority."""
        self._authority: Authority = load(about.path.parent, about.name)
        self._opening, self._now = opening, now

    def roots(self) -> tuple[bytes, ...]:
        """Return the root above the authority, DER."""
        return (self._authority.root.public_bytes(Encoding.DER),)

    def chain(self) -> tuple[bytes, ...]:
        """Return the authority, and those above it, DER."""
        found = (self._authority.certificate, *self._authority.issuers)
        return tuple(one.public_bytes(Encoding.DER) for one in found)

    def sign(self, requests: t.Sequence[Request]) -> list[Generation | Order | KeysteadError]:
        """Sign what name constraints permit, and write all of it down before it is handed out.

        Raises Misconfigured when the authority has ended or its key cannot be opened: then nothing is signed.
        """
        if not requests:
            return []
        now = self._now()
        signing.check_is_alive(self._authority, now)
        answers = [self._signed(request, now) for request in requests]
        signing.record(self._authority, [one for one in answers if isinstance(one, x509.Certificate)])
        return [one if isinstance(one, KeysteadError) else self._generation(one) for one in answers]

    def refuse(self, orders: t.Sequence[Order]) -> list[Generation | Order | KeysteadError]:
        """Return a refusal for each: this issuer answers at once."""
        return [Denied(f"local: authority {self._authority.name} knows no order {order.reference}") for order in orders]

    def revoke(self, certificates: t.Sequence[bytes], reason: str) -> list[Revoked | KeysteadError]:
        """Take certificates (DER) of this authority back and publish one new CRL. The first reason stands."""
        if reason not in records.REASONS:
            raise Misconfigured(f"local: reason {reason!r} is none of {', '.join(records.REASONS)}")
        owned = [self._owned(der) for der in certificates]
        serials = [one for one in owned if isinstance(one, int)]
        answers = iter(revocation.revoke(self._authority, self._key, serials, reason, self._now()) if serials else ())
        return [next(answers) if isinstance(one, int) else one for one in owned]

    def lacks(self, known: t.Sequence[Revocation]) -> t.Container[int]:
        """Return the serial numbers of what is known to be revoked, and lives, that the CRL does not have."""
        with settled(self._authority.lock):
            return revocation.lacking(self._authority, known)

    def restore(self, known: t.Sequence[Revocation]) -> None:
        """Take back again what is known to be revoked, and publish a CRL that has it. Raises NotConverged."""
        revocation.restore(self._authority, self._key, known, self._now())

    def publish_list(self) -> None:
        """Make the CRL anew where it lacks something or is due."""
        crl.publish(self._authority, lambda: self._key, self._now())

    def status(self, certificate: bytes) -> Good | Revoked | Unknown:
        """Say what the records of this authority know of a certificate (DER)."""
        owned = self._owned(certificate)
        if isinstance(owned, KeysteadError):
            return Unknown()
        return records.find(self._authority, owned) or Good()

    def issued(self, since: dt.datetime) -> t.Iterator[IssuedRecord]:
        """Yield everything that was signed since then, authorities below this one included."""
        for certificate in signing.recorded(self._authority):
            issued_at = signing.issued_at(certificate)
            if issued_at >= since.replace(microsecond=0):
                public_id = spki_sha256(certificate.public_key())
                yield IssuedRecord(self._generation(certificate), public_id, certificate.serial_number, issued_at)

    @functools.cached_property
    def _key(self) -> t.Any:
        return self._authority.open(self._opening)

    @functools.cached_property
    def _above(self) -> Above:
        chain = b"".join(one.public_bytes(Encoding.PEM) for one in self._authority.intermediates)
        return Above(chain, self._authority.root.public_bytes(Encoding.PEM))

    def _signed(self, request: Request, now: dt.datetime) -> x509.Certificate | Denied:
        subject = pki.name(request.subject)
        names = pki.alternative_names(request.subject)
        if list(subject):
            names.append(x509.DirectoryName(subject))
        for above in (self._authority.certificate, *self._authority.issuers):
            reason = refusal(above, names)
            if reason:
                remedy = "name another authority, or leave that name out"
                return Denied(f"local: {request.name} is refused: {reason}; {remedy}")
        return signing.leaf(self._authority, self._key, request, now)

    def _generation(self, certificate: x509.Certificate) -> Generation:
        return self._above.generation(certificate, self._authority.about.id)

    def _owned(self, der: bytes) -> int | Denied:
        """Return the serial number of a certificate that this authority has signed."""
        try:
            certificate = x509.load_der_x509_certificate(der)
            certificate.verify_directly_issued_by(self._authority.certificate)
        except UNVERIFIABLE:
            name = self._authority.name
            return Denied(f"local: authority {name} did not sign the certificate {pki.fingerprint(der)}")
        return certificate.serial_number
