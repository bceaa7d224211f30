# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a host says to a SCEP server, and what it was answered: the work behind the issuer `scep` (RFC 8894, 2)."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

from ...module_utils._core import wire
from ...module_utils._core.errors import Denied, KeysteadError, Unasked, Unavailable, Unreached
from ...module_utils._core.keys import key_type_of
from ...module_utils._core.pki import MALFORMED
from ...module_utils._core.ports import Enrolment, Order
from .._answered import answer, failure, plain_text
from .._est.chain import above
from .._openbao.errors import plain
from .._request import check_is_declared
from .._roots import ca_bundle, declared_roots
from .._shortened import shortened
from .address import RSA, WHO, challenge, fingerprint, not_signed
from .answers import ENDED, REMEDIES, authorities, check_pinned, refused

if t.TYPE_CHECKING:
    from ...module_utils._core.model import Credential, Generation
    from ...module_utils._core.ports import Request
    from ...module_utils._enrol.https import Answer
    from .address import Options, Place

AGAIN = 10.0  # seconds: a server that has not decided says not when it will (RFC 8894, 3.3.2)


class Errand:
    """Sends hosts, and judges what they bring."""

    def __init__(self, options: Options, where: Place, id_: str, advise: t.Callable[[str], None]) -> None:
        """Keep the options, which were checked, and read the roots that they declare. Raises Misconfigured."""
        self._options, self._place, self._id, self._advise = options, where, id_, advise
        self._roots = list(map(x509.load_der_x509_certificate, declared_roots(options, "scep")))

    def roots(self) -> tuple[bytes, ...]:
        """Return the trusted roots (DER)."""
        return tuple(one.public_bytes(Encoding.DER) for one in self._roots)

    def foresee(self) -> bool:
        """Read what an enrolment will need of the controller; tell whether a secret is among it."""
        ca_bundle(self._options, WHO)
        return challenge(self._options) is not None

    def enrolment(self, request: Request, current: Credential | None) -> Enrolment:
        """Return what a host is to send; the pair that it has signs for the same names. Raises KeysteadError."""
        check_is_declared(request, WHO)
        key_type = key_type_of(x509.load_der_x509_csr(request.csr).public_key())
        if not key_type.startswith(RSA):
            raise Denied(f"{WHO}: {not_signed(key_type)}")
        where = self._place
        said = {
            "host": where.host,
            "port": where.port,
            "path": where.path,
            "tls": where.tls,
            "authorities": ca_bundle(self._options, WHO),
            "timeout": float(self._options["timeout"]),
            "fingerprint": fingerprint(self._options),
            "csr": base64.b64encode(request.csr).decode(),
            "renews": current is not None and current.facts.subject == request.subject,
        }
        return Enrolment(WHO, said, challenge(self._options))

    def enrolled(self, request: Request, told: t.Mapping[str, t.Any]) -> Generation | Order | KeysteadError:
        """Read what a host says that it was answered; raises ValueError for what has another form."""
        try:
            named = self._named(answer(told["named"]))
            if "answer" in told:
                raise self._failure(answer(told["answer"]), "PKIOperation")
            return self._outcome(request, told, named)
        except KeysteadError as error:
            return error if isinstance(error, (Unreached, Unasked)) else plain(error)

    def _named(self, found: Answer) -> list[x509.Certificate]:
        """Return the certificates of the server, the pinned one among them. Raises KeysteadError: nothing was sent."""
        try:
            if found.status != 200:
                raise self._failure(found, "GetCACert")
            named = authorities(found)
            check_pinned(named, fingerprint(self._options))
        except Unavailable as error:
            raise Unreached(str(error)) from None
        except Denied as error:
            raise Unasked(str(error)) from None
        return named

    def _failure(self, found: Answer, operation: str) -> KeysteadError:
        secret = challenge(self._options)
        said = plain_text(found, (secret,) if secret else ())
        if found.status == 400 and not self._place.tls:
            about = f" ({said})" if said else ""
            told = f"{WHO}: it answers {operation} with status 400{about}"
            return Denied(f"{told}; where it speaks TLS, write https in url, else see its log")
        return failure(WHO, found, operation, said, REMEDIES)

    def _outcome(
        self, request: Request, told: t.Mapping[str, t.Any], named: t.Sequence[x509.Certificate]
    ) -> Generation | Order:
        ended = wire.text(told["ended"])
        if ended not in ENDED:
            raise ValueError("no such end")
        if ended == "pending":
            return Order(request, reference(request), AGAIN)
        if ended == "refused":
            raise refused(wire.text(told["info"]))
        if ended == "failed":
            raise self._broken(wire.text(told["words"]), asked=told["asked"] is True)
        try:
            leaf = x509.load_der_x509_certificate(wire.binary(told["certificate"]))
            return self._generation(request, leaf, named)
        except MALFORMED:
            raise Unavailable(f"{WHO}: the certificate that it signed cannot be understood; see its log") from None

    def _broken(self, words: str, *, asked: bool) -> Unavailable:
        secret = challenge(self._options)
        about = f": {words}" if words and not (secret and secret in words) else ""
        told = f"{WHO}: scepclient cannot go on{about}; run again, and look whether url is right"
        return Unavailable(told) if asked else Unreached(told)

    def _generation(
        self, request: Request, leaf: x509.Certificate, named: t.Sequence[x509.Certificate]
    ) -> Generation:
        if advice := shortened(WHO, request, leaf):
            self._advise(advice)
        return above(leaf, named, self._roots).generation(leaf, self._id)


def reference(request: Request) -> str:
    """Return what names an order: a server knows it by the key, from which scepclient makes the transaction's id."""
    return hashlib.sha256(request.csr).hexdigest()
