# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The issuer `aws_pca`: an authority of AWS Private CA."""

from __future__ import annotations

import functools
import re
import typing as t

from ...module_utils._core.errors import Misconfigured
from .._advice import Advice
from .._aws.client import Client
from .._roots import declared_roots

if t.TYPE_CHECKING:
    from ...module_utils._core.errors import KeysteadError
    from ...module_utils._core.model import Generation
    from ...module_utils._core.ports import Check, Good, Order, Request, Revoked, Unknown
    from .._aws.pca import Signer
    from .._aws.pca_asked import Target
    from .._aws.pca_records import Records

WHO = "aws_pca"
_ARN = re.compile(
    r"arn:(?P<partition>aws[a-z-]*):acm-pca:(?P<region>[a-z0-9-]+):[0-9]{12}:certificate-authority/[A-Za-z0-9-]{1,64}"
)
_TEMPLATE = re.compile(r"arn:aws[a-z-]*:acm-pca:::template/[A-Za-z0-9_]{1,100}/V[0-9]")


class AwsPcaIssuer:
    """Issuer, Revoker, Advisor and Preflight over `{arn, region, template_arn, ...}`.

    Making one reads options alone: a run that has nothing to issue opens no connection and imports no client.
    """

    def __init__(self, options: t.Mapping[str, t.Any]) -> None:
        """Check what can be checked without AWS. Raises Misconfigured."""
        arn, template = options["arn"], options.get("template_arn")
        found = _ARN.fullmatch(arn)
        if not found:
            raise Misconfigured(
                f"{WHO}: issuer.aws_pca.arn {arn[:80]!r} names no authority; write for example "
                "arn:aws:acm-pca:eu-central-1:111122223333:certificate-authority/UUID"
            )
        if template is not None and not _TEMPLATE.fullmatch(template):
            raise Misconfigured(
                f"{WHO}: issuer.aws_pca.template_arn {template[:80]!r} names no template; write for example "
                "arn:aws:acm-pca:::template/EndEntityServerAuthCertificate/V1"
            )
        if template is not None and template.split(":")[1] != found["partition"]:
            raise Misconfigured(
                f"{WHO}: issuer.aws_pca.template_arn {template[:80]!r} is of another partition than the arn; write "
                f"arn:{found['partition']}:acm-pca:::template/..."
            )
        if template is not None and "CACertificate" in template:
            raise Misconfigured(
                f"{WHO}: issuer.aws_pca.template_arn {template[:80]!r} makes authorities; write that of an end entity"
            )
        region = options.get("region") or found["region"]
        if region != found["region"]:
            raise Misconfigured(
                f"{WHO}: issuer.aws_pca.region is {region}, and the arn is of {found['region']}; leave region out"
            )
        self._options = {**options, "region": region}
        self._arn, self._template = arn, template
        self._client = Client(WHO, "acm-pca", self._options)
        self._advice = Advice()
        self.id = f"{WHO}:{arn}"

    @property
    def place(self) -> str:
        """Where the issuer is; its certificate may be renewed, so that is in neither (ADR 11)."""
        return self.id

    @functools.cached_property
    def _target(self) -> Target:
        from .._aws.pca_asked import Target

        return Target(self.id, self._arn, self._template)

    @functools.cached_property
    def _signer(self) -> Signer:
        from .._aws.pca import Signer

        roots = functools.partial(declared_roots, self._options, "aws_pca")
        return Signer(self._client, self._target, roots, self._client.timeout)

    @functools.cached_property
    def _records(self) -> Records:
        from .._aws.pca_records import Records

        s3 = Client(WHO, "s3", self._options)
        return Records(self._client, s3, self._target, lambda: self._signer.authority.certificate, self._advice)

    def roots(self) -> tuple[bytes, ...]:
        """Return the roots (DER) that AWS names above the authority, else the declared ones."""
        return self._signer.roots()

    def begin(self, requests: t.Sequence[Request]) -> list[Generation | Order | KeysteadError]:
        """Have all of them signed, and return what is there within `timeout`; the rest are orders."""
        return self._signer.sign(requests)

    def finish(self, orders: t.Sequence[Order]) -> list[Generation | Order | KeysteadError]:
        """Return what is there by now."""
        return self._signer.fetch(orders)

    def revoke(self, certificates: t.Sequence[bytes], reason: str) -> list[Revoked | KeysteadError]:
        """Take certificates (DER) of this authority back. The first reason stands."""
        return self._records.revoke(certificates, reason)

    def status(self, certificate: bytes) -> Good | Revoked | Unknown:
        """Say what the revocation list of the authority says of a certificate (DER); AWS has no other answer."""
        return self._records.status(certificate)

    def advice(self) -> list[str]:
        """Return what is to be said beside the answers, and was not returned yet."""
        return self._advice.take()

    def preflight(self) -> t.Iterator[Check]:
        """Yield whether the authority is there, active and long-lived enough, and whether it may be asked to sign."""
        from .._aws.pca_preflight import checks

        return checks(self._client, self._signer, self._target)
