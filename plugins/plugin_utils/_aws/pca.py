# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Has requests signed by an authority of AWS Private CA: asked for at once, and fetched when they are there."""

from __future__ import annotations

import contextlib
import functools
import time
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509

from ...module_utils._core import pki
from ...module_utils._core.errors import Denied, KeysteadError, Misconfigured, Pending, Unavailable, Unreached
from ...module_utils._core.keys import key_type_of
from ...module_utils._core.pki import MALFORMED
from ...module_utils._core.ports import Order
from .._authority.name_constraints import names_of, refusal
from .._chains import Above, above
from .._edge import unexpected
from .._request import check_is_declared
from .errors import LoggedOut, Refused, Silent, Throttled
from .pca_asked import KEY_TYPES, WHO, Target, asked, worded

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ...module_utils._core.model import Generation
    from ...module_utils._core.ports import Request
    from .client import Client

Answer = t.Union["Generation", Order, KeysteadError]
_OVER = (Silent, Throttled, LoggedOut, Misconfigured, Unreached)  # what the next request would meet as well
PAUSES = (0.1, 0.2, 0.4, 0.8, 1.6)  # seconds before each further look; the last one stands
LATER = 5.0  # seconds, before an order is worth another look
_NOT_YET, _FAILED = "RequestInProgressException", "RequestFailedException"
_SIGNED = "; what was asked for is signed, or will be, and is fetched by the next run"


class Authority(t.NamedTuple):
    """Who signs, and what stands above all that it signs."""

    certificate: x509.Certificate
    above: Above


class Signer:
    """What the issuer does once it has something to do. `within` is how long, in seconds, a call may take."""

    def __init__(
        self, client: Client, target: Target, declared: Callable[[], Sequence[bytes]], within: float
    ) -> None:
        """Keep whom to ask, and how to read the roots (DER) that the task declares."""
        self._client, self._target, self._declared, self._within = client, target, declared, within

    @functools.cached_property
    def authority(self) -> Authority:
        """The authority as AWS shows it. Raises Misconfigured where there is none, or no root above it."""
        try:
            said = self._client.call("GetCertificateAuthorityCertificate", CertificateAuthorityArn=self._target.arn)
        except Refused as refused:
            raise worded(refused, self._target) from None
        pem = "\n".join(str(said.get(name) or "") for name in ("Certificate", "CertificateChain"))
        try:
            found = x509.load_pem_x509_certificates(pem.encode())
        except MALFORMED:
            raise not_understood("certificate") from None
        higher = above(found, self._declared())
        if higher is None:
            shown = found[0].subject.rfc4514_string()
            raise Misconfigured(f"{WHO}: AWS does not know the root above {shown}; name it in issuer.aws_pca.roots")
        return Authority(found[0], higher)

    def roots(self) -> tuple[bytes, ...]:
        """Return the roots (DER) above the authority."""
        return pki.der_certificates(self.authority.above.roots)

    def sign(self, requests: Sequence[Request]) -> list[Answer]:
        """Ask for all of them, then fetch what is there within the time of one call; the rest are orders."""
        answers: list[Answer] = []
        over: KeysteadError | None = None
        for request in requests:
            last, answer = answers[-1] if answers else None, _not_asked(over) or self._asked(request)
            answers.append(answer)
            if isinstance(answer, _OVER) or (isinstance(answer, Unavailable) and isinstance(last, Unavailable)):
                over = t.cast("KeysteadError", answer)
        until = time.monotonic() + self._within
        for pause in (0.0, *PAUSES, *[PAUSES[-1]] * int(self._within)):
            if not any(isinstance(one, Order) for one in answers) or time.monotonic() + pause >= until:
                break
            time.sleep(pause)
            answers = self._fetched(answers)
        return [plain(one) if isinstance(one, KeysteadError) else one for one in answers]

    def fetch(self, orders: Sequence[Order]) -> list[Answer]:
        """Look for each order once."""
        return [plain(one) if isinstance(one, KeysteadError) else one for one in self._fetched(orders)]

    def _asked(self, request: Request) -> Order | KeysteadError:
        def ask() -> Order:
            self._check(request)
            said = self._client.call("IssueCertificate", **asked(request, self._target, self.authority.certificate))
            reference = said.get("CertificateArn")
            if not isinstance(reference, str):
                raise not_understood("answer to acm-pca:IssueCertificate")
            return Order(request, reference, LATER)

        return _caught(ask, self._target, request)

    def _check(self, request: Request) -> None:
        """Refuse what AWS would sign, or would not, with a reason that says more than its own. Raises Denied."""
        check_is_declared(request, WHO)
        csr = x509.load_der_x509_csr(request.csr)
        found = key_type_of(csr.public_key())
        if found not in KEY_TYPES:
            raise Denied(f"{WHO}: AWS signs no {found} keys; write one of {', '.join(KEY_TYPES)} in key.type")
        if reason := refusal(self.authority.certificate, names_of(csr)):
            raise Denied(f"{WHO}: {request.name} is not asked for: {reason}; name others, or another authority")

    def _fetched(self, answers: Sequence[Answer]) -> list[Answer]:
        """Look for what is an order among these, until nobody answers in time."""
        found: list[Answer] = []
        silent = False
        for one in answers:
            if not isinstance(one, Order) or silent:
                found.append(one)
                continue
            answer = _caught(functools.partial(self._fetch, one), self._target, one.request)
            silent = isinstance(answer, Unavailable)  # what was asked for after it stays an order
            found.append(answer)
        return found

    def _fetch(self, order: Order) -> Generation | Order:
        try:
            said = self._client.call(
                "GetCertificate", CertificateAuthorityArn=self._target.arn, CertificateArn=order.reference
            )
        except Refused as refused:
            if refused.code == _NOT_YET:
                return order
            if refused.code == _FAILED:
                raise
            raise Unavailable(f"{worded(refused, self._target, order.request)}{_SIGNED}") from None
        except (Denied, Misconfigured, Unreached) as error:
            raise Unavailable(f"{error}{_SIGNED}") from None
        try:
            leaf = x509.load_pem_x509_certificate(str(said.get("Certificate", "")).encode())
            return self.authority.above.generation(leaf, self._target.id)
        except MALFORMED:
            raise not_understood("certificate") from None


T = t.TypeVar("T")


def _caught(work: Callable[[], T], target: Target, request: Request) -> T | KeysteadError:
    """Return what the work returns, or its error: what was signed before must not get lost with it."""
    try:
        return work()
    except Refused as refused:
        return worded(refused, target, request)
    except KeysteadError as error:
        return error
    except Exception as error:  # noqa: BLE001 - a library's
        return Unavailable(unexpected(WHO, error))


def _not_asked(over: KeysteadError | None) -> KeysteadError | None:
    """Return the error of a request that nobody is asked any more, since another one was answered like this."""
    if isinstance(over, Unavailable) and not isinstance(over, Throttled):
        return Unreached(str(over))
    return over


def not_understood(what: str) -> Unavailable:
    """Return the error of what AWS would not say."""
    return Unavailable(f"{WHO}: the {what} cannot be understood; run again, and look whether AWS_ENDPOINT_URL is right")


def plain(error: KeysteadError) -> KeysteadError:
    """Return an error as one of the kinds that the rest of the house knows."""
    if isinstance(error, Throttled):
        return Pending(str(error), error.retry_after)
    return next((kind(str(error)) for kind in (Denied, Unreached, Unavailable) if isinstance(error, kind)), error)
