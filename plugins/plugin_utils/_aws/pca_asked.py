# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What AWS Private CA is asked, and its refusals in the words of the task.

Sources: the API reference of IssueCertificate, and of the user guide "Supported cryptographic algorithms" and "AWS
Private CA template definitions" (docs.aws.amazon.com/privateca).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

from ...module_utils._core.errors import Denied, KeysteadError, Misconfigured, Unavailable, Unreached
from ...module_utils._core.keys import key_type_of, spki_sha256

if t.TYPE_CHECKING:
    from ...module_utils._core.ports import Request
    from .errors import Refused

WHO = "aws_pca"
KEY_TYPES = (
    "ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "rsa-2048", "rsa-3072", "rsa-4096", "ml-dsa-44", "ml-dsa-65", "ml-dsa-87",
)  # fmt: skip
EARLIER = 300  # seconds by which a certificate begins before now: AWS's own hour is more than V1 lets pass with a skew
_TEMPLATES = {
    "tls_server": "EndEntityServerAuthCertificate/V1",
    "tls_client": "EndEntityClientAuthCertificate/V1",
    "tls_peer": "EndEntityCertificate/V1",
}
_ALGORITHMS = {
    "rsa": "SHA256WITHRSA", "ecdsa-p256": "SHA256WITHECDSA", "ecdsa-p384": "SHA384WITHECDSA",
    "ecdsa-p521": "SHA512WITHECDSA", "ml-dsa-44": "ML_DSA_44", "ml-dsa-65": "ML_DSA_65", "ml-dsa-87": "ML_DSA_87",
}  # fmt: skip
_TOKEN = 32  # characters of at most 36


class Target(t.NamedTuple):
    """Who is to sign: the id of the issuer, the ARN of the authority, and that of a template, or None."""

    id: str
    arn: str
    template: str | None

    def template_for(self, profile: str) -> str:
        """Return the template of a request: the one that the task names, else the one with the usages of a profile."""
        partition = self.arn.split(":")[1]
        return self.template or f"arn:{partition}:acm-pca:::template/{_TEMPLATES[profile]}"


def asked(request: Request, target: Target, authority: x509.Certificate) -> dict[str, t.Any]:
    """Return the parameters of IssueCertificate. Raises Misconfigured for an authority that nobody can have sign."""
    csr, now, template = x509.load_der_x509_csr(request.csr), int(time.time()), target.template_for(request.profile)
    family = key_type_of(authority.public_key())
    algorithm = _ALGORITHMS.get("rsa" if family.startswith("rsa-") else family)
    if algorithm is None:
        raise Misconfigured(f"{WHO}: the key of {target.arn} is {family}, which this issuer has nothing sign with")
    return {
        "CertificateAuthorityArn": target.arn,
        "Csr": csr.public_bytes(Encoding.PEM),
        "SigningAlgorithm": algorithm,
        "TemplateArn": template,
        "Validity": {"Type": "ABSOLUTE", "Value": now + request.lifetime},
        "ValidityNotBefore": {"Type": "ABSOLUTE", "Value": now - EARLIER},
        "IdempotencyToken": token(request, target.arn, template, spki_sha256(csr.public_key())),
    }


def token(request: Request, arn: str, template: str, key: str) -> str:
    """Return what is equal for requests that want the same certificate, and for no others (R1).

    It leaves the signature of the request and the moment out: both differ in every run, for one staged key.
    """
    what = [arn, template, key, request.profile, request.lifetime, list(request.subject)]
    return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:_TOKEN]


_WORDED: dict[str, tuple[type[KeysteadError], str]] = {
    "InvalidArn": (Misconfigured, "AWS finds no authority {arn}; correct issuer.aws_pca.arn or region"),
    "ResourceNotFound": (Misconfigured, "AWS finds no authority {arn}; correct issuer.aws_pca.arn or region"),
    "InvalidState": (
        Unreached, "the authority is not active ({said}); enable it in AWS, or renew it, and run again",
    ),
    "LimitExceeded": (Denied, "a quota of AWS is used up ({said}); have it raised, or name another authority"),
    "RequestInProgress": (Unavailable, "AWS is at work on the same thing ({said}); run again"),
    "ConcurrentModification": (Unavailable, "AWS is at work on the same thing ({said}); run again"),
    "RequestFailed": (Denied, "AWS failed to sign {name} ({said}); look at the authority in AWS"),
    **dict.fromkeys(
        ("InvalidArgs", "MalformedCSR", "Validation"),
        (Denied, "AWS does not sign {name} ({said}); write a lifetime, names and a key that it takes"),
    ),
}  # fmt: skip


def worded(refused: Refused, target: Target, request: Request | None = None) -> KeysteadError:
    """Return what a refusal of AWS means, with a remedy."""
    code, said = refused.code.removesuffix("Exception"), refused.said or "AWS says no more"
    if code not in _WORDED or (code == "ResourceNotFound" and f"{target.arn}/" in said):
        return refused
    kind, told = _WORDED[code]
    return kind(f"{WHO}: " + told.format(arn=target.arn, said=said, name=request.name if request else "this"))
