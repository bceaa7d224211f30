# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Has requests signed by the PKI of an OpenBao: the work behind the issuer `openbao`."""

from __future__ import annotations

import contextlib
import functools
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

from ...module_utils._core import pki
from ...module_utils._core.errors import (
    Denied,
    KeysteadError,
    Misconfigured,
    Unavailable,
    printable,
)
from ...module_utils._core.model import PROFILE_USAGES
from ...module_utils._core.pki import MALFORMED
from .._chains import Above, above
from .._request import check_is_declared
from .._roots import declared_roots
from .batch import one_by_one
from .errors import LONGEST, WHO, Refused, not_understood, section
from .refusals import worded

if t.TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Mapping, Sequence

    from ...module_utils._core.model import Generation
    from ...module_utils._core.ports import Order, Request
    from .client import Client, Json

_USAGES = {"server_auth": "ServerAuth", "client_auth": "ClientAuth"}  # as the server calls them


class Target(t.NamedTuple):
    """Who is to sign: the id of the issuer, the mount, the role (or empty), and an issuer of it (or empty)."""

    id: str
    mount: str
    role: str
    reference: str
    verbatim: bool

    @property
    def path(self) -> str:
        """Where requests are signed."""
        issuer = f"/issuer/{self.reference}" if self.reference else ""
        role = f"/{self.role}" if self.role else ""
        return f"{self.mount}{issuer}/sign{'-verbatim' if self.verbatim else ''}{role}"

    def missing_issuer(self, error: Unavailable) -> KeysteadError:
        """Return a better error where the server calls it an error of its own that it has no such issuer."""
        if "unable to find PKI issuer" not in str(error) and "no default issuer" not in str(error):
            return error
        what = f"no issuer {self.reference}; correct issuer_ref" if self.reference else "no default issuer; set one"
        return Misconfigured(f"{WHO}: mount {self.mount} has {what}")


class Signer:
    """What the issuer does once it has something to do."""

    def __init__(
        self, client: Client, target: Target, options: Mapping[str, t.Any], advise: Callable[[str], None]
    ) -> None:
        """Keep whom to ask, and read the roots that the task declares."""
        self._client, self._target, self._advise = client, target, advise
        self._declared = declared_roots(options, "openbao")
        self._chains: dict[tuple[str, ...], Above] = {}

    def roots(self) -> tuple[bytes, ...]:
        """Return the roots (DER) at the end of the issuer's chain. Raises Misconfigured where it has none."""
        return pki.der_certificates(self._shared(self._issuer).roots)

    def chain(self) -> tuple[bytes, ...]:
        """Return the issuer and those above it, DER. Raises Misconfigured where there is none."""
        return tuple(pki.der_certificates(b"".join(self._shared(self._issuer))))

    def authority(self) -> x509.Certificate:
        """Return the certificate of the issuer. Raises Misconfigured where there is none."""
        try:
            return x509.load_pem_x509_certificate(str(self._issuer.get("certificate", "")).encode())
        except MALFORMED:
            raise not_understood("certificate") from None

    def ends(self) -> dt.datetime:
        """Return when the first certificate of the issuer's chain ends. Raises Misconfigured where it has none."""
        higher = x509.load_pem_x509_certificates(b"".join(self._shared(self._issuer)))
        return min(one.not_valid_after_utc for one in higher)

    def sign(self, requests: Sequence[Request]) -> list[Generation | Order | KeysteadError]:
        """Ask for one after the other. What ends all of them is asked for once, a broken server twice in a row."""
        return one_by_one(requests, self._signed)

    def refuse(self, orders: Sequence[Order]) -> list[Generation | Order | KeysteadError]:
        """Return a refusal for each: this issuer answers at once."""
        return [Denied(f"{WHO}: it knows no order {order.reference}; it answers at once") for order in orders]

    def kept(self, leaf: x509.Certificate) -> Generation:
        """Return the generation of a certificate that the issuer signed earlier."""
        return self._generation(leaf, self._issuer)

    @functools.cached_property
    def _issuer(self) -> Json:
        """What the server tells everybody of the issuer. Raises Misconfigured where there is none."""
        path = f"{self._target.mount}/issuer/{self._target.reference or 'default'}/json"
        try:
            return section(self._client.public(path), "data")
        except Unavailable as error:
            raise self._target.missing_issuer(error) from None

    def _generation(self, leaf: x509.Certificate, above: Json) -> Generation:
        return self._shared(above).generation(leaf, self._target.id)

    def _signed(self, request: Request) -> Generation:
        check_is_declared(request, WHO)
        try:
            said = self._client.call("POST", self._target.path, _body(request, verbatim=self._target.verbatim))
        except Refused as refused:
            raise worded(refused, request, self._target.role, self._target.mount) from None
        except Unavailable as error:
            raise self._target.missing_issuer(error) from None
        warnings = said.get("warnings")
        for line in map(str, warnings if isinstance(warnings, list) else ()):
            if "use_csr_" not in line:  # the role takes the names from the request: they are the same
                self._advise(printable(f"{WHO}: {request.name}: {line[:LONGEST]}"))
        data = section(said, "data")
        try:
            leaf = x509.load_pem_x509_certificate(str(data.get("certificate", "")).encode())
            return self._generation(leaf, data)
        except MALFORMED:
            raise not_understood("certificate") from None

    def _shared(self, data: Json) -> Above:
        """Return what stands above a certificate: the same for all of one issuer."""
        above = data.get("ca_chain") or [data.get("issuing_ca") or data.get("certificate")]
        key = tuple(map(str, above if isinstance(above, list) else ()))
        if key not in self._chains:
            try:
                self._chains[key] = self._walked([x509.load_pem_x509_certificate(one.encode()) for one in key])
            except MALFORMED:
                raise not_understood("chain") from None
        return self._chains[key]

    def _walked(self, found: list[x509.Certificate]) -> Above:
        if not found:
            raise ValueError("no chain")
        walked = above(found, self._declared)
        if walked is None:
            raise Misconfigured(
                f"{WHO}: mount {self._target.mount} does not know the root above {found[0].subject.rfc4514_string()}; "
                "name it in issuer.openbao.roots, or import it there"
            )
        return walked


def _body(request: Request, *, verbatim: bool) -> Json:
    """Return what is asked. With a role, its usages hold; names are those of the task, whichever way it takes them."""
    subject = request.subject
    csr = x509.load_der_x509_csr(request.csr).public_bytes(Encoding.PEM).decode()
    asked: Json = {"csr": csr, "format": "pem", "ttl": f"{request.lifetime}s"}
    if verbatim:
        usages = [_USAGES[usage] for usage in PROFILE_USAGES[request.profile]]
        return {**asked, "key_usage": ["DigitalSignature"], "ext_key_usage": usages}
    return {
        **asked,
        "common_name": subject.common_name or "",
        "exclude_cn_from_sans": True,
        "alt_names": ",".join((*subject.dns_names, *subject.email_addresses)),
        "ip_sans": list(subject.ip_addresses),
        "uri_sans": list(subject.uris),
    }
