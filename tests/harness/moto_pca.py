# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Corrects the AWS Private CA of moto, inside the process of its server, where AWS's documentation says otherwise.

A STAND-IN OF A STAND-IN: moto signs every request for 365 days, knows the usages of one template only, makes RSA keys
whatever is asked, repeats nothing for an idempotency token, never says that a certificate is not there yet, gives none
that was revoked, takes back serial numbers that nobody has, and writes no revocation list. `CORRECTED` has what is done
instead, with its source; `tests/contract/test_issuer_aws_pca.py` shows that moto needs each of them still. Nothing that
is tested here has been seen at AWS itself.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import os
import typing as t
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID
from moto.acmpca import models, responses
from moto.core.exceptions import JsonRESTError
from moto.moto_api._internal import mock_random

DOCS = "https://docs.aws.amazon.com/privateca/latest"
CORRECTED = {
    "a life is the one that was asked for, and not beyond that of the authority":
        f"{DOCS}/APIReference/API_IssueCertificate.html (Validity); {DOCS}/userguide/RFC-compliance.html",
    "a certificate begins when it was asked to": f"{DOCS}/APIReference/API_IssueCertificate.html (ValidityNotBefore)",
    "a template has the usages of its definition": f"{DOCS}/userguide/template-definitions.html",
    "a token that is repeated within five minutes gives the same certificate":
        f"{DOCS}/APIReference/API_IssueCertificate.html (IdempotencyToken)",
    "what is no request is refused as one": f"{DOCS}/APIReference/API_IssueCertificate.html (MalformedCSRException)",
    "an authority that is not active signs nothing":
        f"{DOCS}/APIReference/API_IssueCertificate.html (InvalidStateException)",
    "a certificate is not there at once": f"{DOCS}/APIReference/API_GetCertificate.html (RequestInProgressException)",
    "a certificate that was revoked is given": f"{DOCS}/APIReference/API_GetCertificate.html (REVOKED state)",
    "a serial number that nobody has is not found":
        f"{DOCS}/APIReference/API_RevokeCertificate.html (ResourceNotFoundException)",
    "what was revoked before is refused":
        f"{DOCS}/APIReference/API_RevokeCertificate.html (RequestAlreadyProcessedException)",
    "the key of an authority is of the type that was asked for":
        f"{DOCS}/APIReference/API_CertificateAuthorityConfiguration.html",
    "a revocation list is written, some time after": f"{DOCS}/APIReference/API_RevokeCertificate.html",
}  # fmt: skip
TOKEN_HOLDS = dt.timedelta(minutes=5)
USAGES = {
    "EndEntityCertificate/V1": (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH),
    "EndEntityServerAuthCertificate/V1": (ExtendedKeyUsageOID.SERVER_AUTH,),
    "EndEntityClientAuthCertificate/V1": (ExtendedKeyUsageOID.CLIENT_AUTH,),
}
DIRECTORY = Path(os.environ["MOTO_PCA_DIRECTORY"])  # NAME.crl, which is to be put into S3, and NAME.issued
Json = dict[str, t.Any]


def refused(code: str, said: str) -> JsonRESTError:
    """Return an error as AWS says it."""
    return JsonRESTError(f"{code}Exception", said)


def now() -> dt.datetime:
    """Return the moment, in whole seconds."""
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


class Authority(models.CertificateAuthority):
    """An authority as AWS documents it."""

    def __init__(self, *arguments: t.Any, **named: t.Any) -> None:
        super().__init__(*arguments, **named)
        algorithm = self.certificate_authority_configuration["KeyAlgorithm"]
        curves = {"EC_prime256v1": ec.SECP256R1(), "EC_secp384r1": ec.SECP384R1()}
        made: t.Any = (
            ec.generate_private_key(curves[algorithm]) if algorithm in curves
            else rsa.generate_private_key(65537, int(algorithm.removeprefix("RSA_")))
        )  # fmt: skip
        self.private_bytes = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8,
                                                BestAvailableEncryption(self.password))  # fmt: skip
        self.tokens: dict[str, tuple[dt.datetime, str]] = {}
        self.looked_at: set[str] = set()

    @property
    def key(self) -> t.Any:
        return load_pem_private_key(self.private_bytes, self.password)

    @property
    def issuer(self) -> x509.Name:
        return self.certificate.subject if self.certificate else super().issuer

    @property
    def point(self) -> x509.UniformResourceIdentifier | None:
        lists = self.revocation_configuration.get("CrlConfiguration") or {}
        if not lists.get("Enabled"):
            return None
        host = f"{lists['S3BucketName']}.s3.{self.region_name}.amazonaws.com"
        return x509.UniformResourceIdentifier(f"http://{host}/crl/{self.id}.crl")

    def ask(self, said: Json) -> str:
        """Sign, and return the ARN."""
        if self.status != "ACTIVE":
            raise refused("InvalidState", f"The certificate authority {self.arn} is {self.status}")
        try:
            csr = x509.load_pem_x509_csr(base64.b64decode(said["Csr"]))
        except ValueError:
            raise refused("MalformedCSR", "The certificate signing request is invalid") from None
        since, arn = self.tokens.get(said.get("IdempotencyToken", ""), (None, ""))
        if since is not None and now() - since < TOKEN_HOLDS:
            return arn
        leaf = self._leaf(csr, said)
        arn = f"{self.arn}/certificate/{mock_random.uuid4().hex}"
        self.issued_certificates[arn] = leaf.public_bytes(Encoding.PEM)
        self.issued_certificates_certificate_chains[arn] = self.certificate_bytes
        if said.get("IdempotencyToken"):
            self.tokens[said["IdempotencyToken"]] = now(), arn
        with (DIRECTORY / f"{self.id}.issued").open("a", encoding="ascii") as issued:
            issued.write(f"{leaf.serial_number:x}\n")
        return arn

    def _leaf(self, csr: x509.CertificateSigningRequest, said: Json) -> x509.Certificate:
        assert self.certificate
        until = _moment(said["Validity"])
        if until > self.certificate.not_valid_after_utc:
            raise refused("Validation", "The certificate validity specified exceeds the certificate authority validity")
        begin = said.get("ValidityNotBefore")
        builder = (
            x509.CertificateBuilder()
            .subject_name(csr.subject)
            .issuer_name(self.certificate.subject)
            .public_key(csr.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(_moment(begin) if begin else now() - dt.timedelta(minutes=60))
            .not_valid_after(until)
        )
        for extension, critical in self._extensions(csr, said.get("TemplateArn")):
            builder = builder.add_extension(extension, critical)
        return builder.sign(self.key, hashes.SHA256())

    def _extensions(self, csr: x509.CertificateSigningRequest, template: str | None) -> t.Iterator[t.Any]:
        name = (template or "template/EndEntityCertificate/V1").partition("template/")[2]
        if name not in USAGES:
            raise refused("InvalidArgs", f"The template {template} is not known here")
        yield x509.BasicConstraints(ca=False, path_length=None), False
        yield x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), False
        yield x509.SubjectKeyIdentifier.from_public_key(csr.public_key()), False
        names = ("content_commitment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign",
                 "encipher_only", "decipher_only")  # fmt: skip
        yield x509.KeyUsage(digital_signature=True, key_encipherment=True, **dict.fromkeys(names, False)), True
        yield x509.ExtendedKeyUsage(USAGES[name]), False
        if self.point:
            yield x509.CRLDistributionPoints([x509.DistributionPoint([self.point], None, None, None)]), False
        for extension in csr.extensions:
            if isinstance(extension.value, x509.SubjectAlternativeName):
                yield extension.value, extension.critical

    def give(self, arn: str) -> tuple[bytes, bytes]:
        """Return a certificate and its chain, but not at the first look."""
        if arn not in self.issued_certificates:
            raise refused("ResourceNotFound", f"Could not find certificate {arn}")
        if arn not in self.looked_at:
            self.looked_at.add(arn)
            raise refused("RequestInProgress", "Your request is already in progress.")
        return self.issued_certificates[arn], self.issued_certificates_certificate_chains[arn]

    def take_back(self, serial: str, reason: str) -> None:
        """Revoke, and write a list that somebody may put into S3."""
        number = int(serial.replace(":", ""), 16)
        issued = (x509.load_pem_x509_certificate(one).serial_number for one in self.issued_certificates.values())
        if number not in set(issued):
            raise refused("ResourceNotFound", f"Could not find issued certificate with serial {serial} in {self.arn}/")
        if serial in self.revoked_certificates:
            raise refused("RequestAlreadyProcessed", "Your request has already been completed.")
        self.revoked_certificates[serial] = {"number": number, "reason": reason, "when": now()}
        self.write_list()

    def write_list(self) -> None:
        """Write the list of now, which nobody has yet."""
        assert self.certificate
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(now())
            .next_update(now() + dt.timedelta(days=7))
            .add_extension(x509.CRLNumber(int(now().timestamp())), critical=False)
        )
        for one in self.revoked_certificates.values():
            entry = x509.RevokedCertificateBuilder().serial_number(one["number"]).revocation_date(one["when"])
            if one["reason"] != "UNSPECIFIED":
                entry = entry.add_extension(x509.CRLReason(_FLAGS[one["reason"]]), critical=False)
            builder = builder.add_revoked_certificate(entry.build())
        made = builder.sign(self.key, hashes.SHA256())
        (DIRECTORY / f"{self.id}.crl").write_bytes(made.public_bytes(Encoding.DER))


_FLAGS = {
    "KEY_COMPROMISE": x509.ReasonFlags.key_compromise,
    "CERTIFICATE_AUTHORITY_COMPROMISE": x509.ReasonFlags.ca_compromise,
    "AFFILIATION_CHANGED": x509.ReasonFlags.affiliation_changed,
    "SUPERSEDED": x509.ReasonFlags.superseded,
    "CESSATION_OF_OPERATION": x509.ReasonFlags.cessation_of_operation,
    "PRIVILEGE_WITHDRAWN": x509.ReasonFlags.privilege_withdrawn,
    "A_A_COMPROMISE": x509.ReasonFlags.aa_compromise,
}


def _moment(said: Json) -> dt.datetime:
    if said["Type"] == "ABSOLUTE":
        return dt.datetime.fromtimestamp(said["Value"], dt.UTC)
    assert said["Type"] == "DAYS"
    return now() + dt.timedelta(days=said["Value"])


def _authority(response: responses.ACMPCAResponse) -> tuple[Authority, Json]:
    said = json.loads(response.body)
    found = response.acmpca_backend.describe_certificate_authority(said["CertificateAuthorityArn"])
    assert isinstance(found, Authority)
    return found, said


Response = responses.ACMPCAResponse
_imported = Response.import_certificate_authority_certificate


def issue(self: Response) -> str:
    """IssueCertificate."""
    authority, said = _authority(self)
    return json.dumps({"CertificateArn": authority.ask(said)})


def give(self: Response) -> str:
    """GetCertificate."""
    authority, said = _authority(self)
    certificate, chain = authority.give(said["CertificateArn"])
    return json.dumps({"Certificate": certificate.decode(), "CertificateChain": chain.decode()})


def revoke(self: Response) -> str:
    """RevokeCertificate."""
    authority, said = _authority(self)
    authority.take_back(said["CertificateSerial"], said["RevocationReason"])
    return "{}"


def import_certificate(self: Response) -> str:
    """ImportCertificateAuthorityCertificate, after which there is a list."""
    done: str = _imported(self)
    _authority(self)[0].write_list()
    return done


def correct() -> None:
    """Let moto's server answer like this."""
    models.CertificateAuthority = Authority
    Response.issue_certificate = issue
    Response.get_certificate = give
    Response.revoke_certificate = revoke
    Response.import_certificate_authority_certificate = import_certificate


correct()
