# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whether an authority of AWS Private CA would sign: that it answers, its end, and the right to ask it."""

from __future__ import annotations

import datetime as dt
import typing as t

from ...module_utils._core.errors import Misconfigured
from ...module_utils._core.ports import Check
from .errors import Refused
from .pca_asked import WHO, Target, worded

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from .client import Client
    from .pca import Signer

SOON = 30  # days
_NO_REQUEST = b"-----BEGIN CERTIFICATE REQUEST-----\n-----END CERTIFICATE REQUEST-----\n"
_NOBODYS = f"certificate/{'0' * 32}"
_NOT_THERE = ("ResourceNotFoundException", "InvalidArnException", "RequestInProgressException")
_REFUSED = ("InvalidArgsException", "MalformedCSRException", "ValidationException")


def checks(client: Client, signer: Signer, target: Target) -> Iterator[Check]:
    """Yield what was found; an error ends it. Nothing is signed: what is sent to be signed is no request."""
    authority = signer.authority.certificate
    yield Check("server", "ok", "AWS answers, and takes the credentials")
    end = authority.not_valid_after_utc
    left = end - dt.datetime.now(dt.UTC)
    if left.days < 0:
        raise Misconfigured(f"{WHO}: its authority ended on {end:%Y-%m-%d}; renew its certificate in AWS")
    found = f"it signs until {end:%Y-%m-%d}"
    state, remedy = ("warning", "renew its certificate in AWS in time") if left.days < SOON else ("ok", "")
    yield Check("authority", state, found, remedy)
    try:
        client.call(
            "IssueCertificate",
            CertificateAuthorityArn=target.arn,
            Csr=_NO_REQUEST,
            SigningAlgorithm="SHA256WITHRSA",
            TemplateArn=target.template_for("tls_server"),
            Validity={"Type": "DAYS", "Value": 1},
        )
    except Refused as refused:
        if refused.code not in _REFUSED:
            raise worded(refused, target) from None
    yield Check("rights", "ok", "acm-pca:IssueCertificate is permitted")
    try:
        client.call("GetCertificate", CertificateAuthorityArn=target.arn, CertificateArn=f"{target.arn}/{_NOBODYS}")
    except Refused as refused:
        if refused.code not in _NOT_THERE:
            raise worded(refused, target) from None
    yield Check("answers", "ok", "acm-pca:GetCertificate is permitted")
