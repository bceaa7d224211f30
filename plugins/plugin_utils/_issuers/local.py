# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""The issuer `local`: an authority in a directory on the controller."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

from ...module_utils._core import pki
from ...module_utils._core.errors import Denied, KeysteadError, Misconfigured
from ...module_utils._core.keys import spki_sha256
from ...module_utils._core.model import Generation, Part
from ...module_utils._core.ports import Good, IssuedRecord, Revoked, Unknown
from .._authority.passphrase import passphrase
from .._authority.store import Authority, load

if t.TYPE_CHECKING:
    from ...module_utils._core.ports import Order, Request


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class LocalIssuer:
    """Issuer, Revoker and Lister over `{directory, authority, passphrase | passphrase_file}`.

    Making one reads the certificates: what signs and revokes is loaded when it is asked for. The private key is opened at the first signature and kept for the next ones.
    """

    def __init__(self, options: t.Mapping[str, t.Any], now: t.Callable[[], dt.datetime] = _utc_now) -> None:
        """Read the authority. Raises Misconfigured where it is unknown or what opens its key is missing."""
        self._authority: Authority = load(options["directory"], options["authority"])
        self._passphrase = passphrase(options, f"authority {options['authority']}")
        self._authority.check_passphrase_is_given(self._passphrase)
        self._now = now

    @property
    def id(self) -> str:
        """Who signs: `local:AUTHORITY:` and the start of its key's SPKI SHA-256."""
        return self._authority.id

    @property
    def place(self) -> str:
        """Where the authority stands: its directory on the controller, however the task wrote it."""
        return f"local:{self._authority.path.resolve()}"

    def roots(self) -> tuple[bytes, ...]:
        """Return the root above the authority, DER."""
        return (self._authority.root.public_bytes(Encoding.DER),)

    def begin(self, requests: t.Sequence[Request]) -> list[Generation | Order | KeysteadError]:
        """Sign what name constraints permit, and write all of it down before it is handed out.

        Raises Misconfigured when the authority has ended or its key cannot be opened: then nothing is signed.
        """
        from .._authority import signing

        if not requests:
            return []
        now = self._now()
        signing.check_is_alive(self._authority, now)
        answers = [self._signed(request, now) for request in requests]
        signing.record(self._authority, [one for one in answers if isinstance(one, x509.Certificate)])
        return [one if isinstance(one, KeysteadError) else self._generation(one) for one in answers]

    def finish(self, orders: t.Sequence[Order]) -> list[Generation | Order | KeysteadError]:
        """Return a refusal for each: this issuer answers at once."""
        return [Denied(f"local: authority {self._authority.name} knows no order {order.reference}") for order in orders]

    def revoke(self, certificates: t.Sequence[bytes], reason: str) -> list[Revoked | KeysteadError]:
        """Take certificates (DER) of this authority back and publish one new CRL. The first reason stands."""
        from .._authority import revocation

        if reason not in revocation.REASONS:
            raise Misconfigured(f"local: reason {reason!r} is none of {', '.join(revocation.REASONS)}")
        owned = [self._owned(der) for der in certificates]
        serials = [one for one in owned if isinstance(one, int)]
        records = iter(revocation.revoke(self._authority, self._key, serials, reason, self._now()) if serials else ())
        return [next(records) if isinstance(one, int) else one for one in owned]

    def status(self, certificate: bytes) -> Good | Revoked | Unknown:
        """Say what the records of this authority know of a certificate (DER)."""
        from .._authority import revocation

        owned = self._owned(certificate)
        if isinstance(owned, KeysteadError):
            return Unknown()
        return revocation.revocation(self._authority, owned) or Good()

    def issued(self, since: dt.datetime) -> t.Iterator[IssuedRecord]:
        """Yield everything that was signed since then, authorities below this one included."""
        from .._authority import signing

        for certificate in signing.recorded(self._authority):
            issued_at = certificate.not_valid_before_utc + signing.BACKDATED
            if issued_at >= since.replace(microsecond=0):
                public_id = spki_sha256(certificate.public_key())
                yield IssuedRecord(self._generation(certificate), public_id, certificate.serial_number, issued_at)

    @functools.cached_property
    def _key(self) -> t.Any:
        return self._authority.open(self._passphrase)

    @functools.cached_property
    def _shared_parts(self) -> tuple[bytes, Part, Part]:
        """Return the chain, also as a part, and the roots: the same in every generation."""
        authority = self._authority
        chain = b"".join(one.public_bytes(Encoding.PEM) for one in authority.intermediates)
        return chain, Part(chain), Part(authority.root.public_bytes(Encoding.PEM))

    def _signed(self, request: Request, now: dt.datetime) -> x509.Certificate | Denied:
        from .._authority import signing
        from .._authority.name_constraints import refusal

        subject = pki.name(request.subject)
        names = pki.alternative_names(request.subject)
        if list(subject):
            names.append(x509.DirectoryName(subject))
        for above in (self._authority.certificate, *self._authority.issuers):
            reason = refusal(above, names)
            if reason:
                return Denied(f"local: {request.name} is refused: {reason}")
        return signing.leaf(self._authority, self._key, request, now)

    def _generation(self, certificate: x509.Certificate) -> Generation:
        chain, chain_part, roots = self._shared_parts
        pem = certificate.public_bytes(Encoding.PEM)
        return Generation(
            credential_id=pki.fingerprint(certificate.public_bytes(Encoding.DER)),
            public_id=spki_sha256(certificate.public_key()),
            not_before=certificate.not_valid_before_utc,
            not_after=certificate.not_valid_after_utc,
            issuer_id=self.id,
            parts={"certificate": Part(pem), "chain": chain_part, "fullchain": Part(pem + chain), "roots": roots},
        )

    def _owned(self, der: bytes) -> int | Denied:
        """Return the serial number of a certificate that this authority has signed."""
        from .._path import UNVERIFIABLE

        try:
            certificate = x509.load_der_x509_certificate(der)
            certificate.verify_directly_issued_by(self._authority.certificate)
        except UNVERIFIABLE:
            name = self._authority.name
            return Denied(f"local: authority {name} did not sign the certificate {pki.fingerprint(der)}")
        return certificate.serial_number
