# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a test has of its own of an AWS Private CA: authorities of moto, CORRECTED by moto_pca.py, below a root of ours.

NOTHING HERE IS AWS. moto alone could show hardly a row of the contract suite; what moto_pca.py does in its place is
what AWS's documentation says, and no more is known.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import itertools
import json
import os
import typing as t
from pathlib import Path

import trustme
from ansible_collections.keystead.identity.plugins.module_utils._core.ports import Unknown
from ansible_collections.keystead.identity.tests.harness.issuers import Upstream, Wrong
from ansible_collections.keystead.identity.tests.harness.moto import SECRET_KEY, reached
from ansible_collections.keystead.identity.tests.harness.openbao_server import free_ports
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.tests.harness.moto import Moto

Options = dict[str, t.Any]
REGION = "eu-central-1"
ACTIONS = (
    "acm-pca:GetCertificateAuthorityCertificate", "acm-pca:IssueCertificate", "acm-pca:GetCertificate",
    "acm-pca:RevokeCertificate", "acm-pca:DescribeCertificateAuthority", "s3:GetObject",
)  # fmt: skip
_numbers = itertools.count(1)


class Root:
    """What signs the certificates of authorities: AWS has them imported."""

    def __init__(self) -> None:
        self._key, self._name = ec.generate_private_key(ec.SECP256R1()), _named("AWS test root")
        self.certificate = self._signed(self._key.public_key(), self._name, dt.timedelta(days=3650), None)
        self.pem = self.certificate.public_bytes(Encoding.PEM)

    def sign(self, csr_pem: str, life: dt.timedelta, permitted: str | None) -> bytes:
        """Return the certificate (PEM) of an authority, which may name what is below one domain only."""
        csr = x509.load_pem_x509_csr(csr_pem.encode())
        constraints = x509.NameConstraints([x509.DNSName(permitted)], None) if permitted else None
        return self._signed(csr.public_key(), csr.subject, life, constraints).public_bytes(Encoding.PEM)

    def _signed(self, key: t.Any, name: x509.Name, life: dt.timedelta, constraints: t.Any) -> x509.Certificate:
        now = dt.datetime.now(dt.UTC)
        usages = {"digital_signature": True, "key_cert_sign": True, "crl_sign": True}
        others = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only",
                  "decipher_only")  # fmt: skip
        builder = (
            x509.CertificateBuilder().subject_name(name).issuer_name(self._name).public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1)).not_valid_after(now + life)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(**usages, **dict.fromkeys(others, False)), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        )  # fmt: skip
        if constraints:
            builder = builder.add_extension(constraints, critical=True)
        return builder.sign(self._key, hashes.SHA256())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def authority(  # noqa: PLR0913 - what one says of an authority
    server: Moto, root: Root, *, life: dt.timedelta = dt.timedelta(days=1825), bucket: str | None = None,
    permitted: str | None = None, key: str = "EC_prime256v1",
) -> str:  # fmt: skip
    """Make an authority below the root; return its ARN."""
    pca = server.client("acm-pca", REGION)
    lists: Options = {"Enabled": True, "ExpirationInDays": 7, "S3BucketName": bucket} if bucket else {"Enabled": False}
    algorithm = "SHA256WITHECDSA" if key.startswith("EC") else "SHA256WITHRSA"
    subject = {"CommonName": f"issuing {next(_numbers)}"}
    arn: str = pca.create_certificate_authority(
        CertificateAuthorityConfiguration={
            "KeyAlgorithm": key, "SigningAlgorithm": algorithm, "Subject": subject},
        CertificateAuthorityType="SUBORDINATE", RevocationConfiguration={"CrlConfiguration": lists},
    )["CertificateAuthorityArn"]  # fmt: skip
    csr = pca.get_certificate_authority_csr(CertificateAuthorityArn=arn)["Csr"]
    pca.import_certificate_authority_certificate(
        CertificateAuthorityArn=arn, Certificate=root.sign(csr, life, permitted), CertificateChain=root.pem
    )
    return arn


def as_user(server: Moto, *actions: str) -> dict[str, str]:
    """Make a user who may do this and nothing else; return what boto3 reads to be it. Rights count from then on."""
    server.told("/moto-api/reset-auth", "inf")
    iam, name = server.client("iam"), f"pca-user-{next(_numbers)}"
    iam.create_user(UserName=name)
    if actions:
        allowed = [{"Effect": "Allow", "Action": list(actions), "Resource": "*"}]
        document = json.dumps({"Version": "2012-10-17", "Statement": allowed})
        iam.put_user_policy(UserName=name, PolicyName="keystead", PolicyDocument=document)
    made = iam.create_access_key(UserName=name)["AccessKey"]
    server.told("/moto-api/reset-auth", "0")
    return {"AWS_ACCESS_KEY_ID": made["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"]}


class _Each(dict[str, Wrong]):
    """Sets the environment of each entry when it is its turn: AWS is reached by that, and not by options."""

    def __init__(self, backend: Backend, said: dict[str, dict[str, str]]) -> None:
        super().__init__()
        self._backend, self._said = backend, said

    def items(self) -> t.Any:
        for what, environment in self._said.items():
            options = self._backend.options()
            os.environ.update(environment)
            yield what, Wrong(options, (environment["AWS_SECRET_ACCESS_KEY"],))


class Backend:
    """The backend of the contract suite; see tests/harness/issuers.py. Where it is reached says the environment."""

    needs: t.ClassVar[tuple[str, ...]] = ("moto",)
    profile: t.ClassVar[str] = "tls_server"
    server: t.ClassVar[str | None] = "moto"
    signs: t.ClassVar[str] = "IssueCertificate"
    revokes: t.ClassVar[str] = "RevokeCertificate"
    logins_of_a_batch: t.ClassVar[int] = 0  # every request is signed by itself
    of_forgotten: t.ClassVar[type] = Unknown
    secrets = (SECRET_KEY,)

    def __init__(self, directory: Path, server: Moto) -> None:
        """Make an authority that has a revocation list in S3."""
        self._moto, self._root, self._bucket = server, Root(), f"lists-{next(_numbers)}"
        self._open = contextlib.ExitStack()
        self._open.enter_context(reached(server.environment))
        server.client("s3", REGION).create_bucket(
            Bucket=self._bucket, CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        self.arn = self.authority(bucket=self._bucket)
        self._proxy = trustme.CA()
        self._bundle = directory / "aws-ca.pem"
        self._proxy.cert_pem.write_to_path(str(self._bundle))
        self.publish()

    def authority(self, **said: t.Any) -> str:
        """Make another authority below the same root; return its ARN."""
        return authority(self._moto, self._root, **said)

    def stop(self) -> None:
        """Let boto3 find what it found before, and rights count no more."""
        self._moto.told("/moto-api/reset-auth", "inf")
        self._open.close()

    def _reach(self, **changed: str) -> None:
        for name in ("AWS_CA_BUNDLE",):
            os.environ.pop(name, None)
        os.environ.update({**self._moto.environment, **changed})

    def options(self, profile: str = "tls_server", **said: t.Any) -> Options:  # noqa: ARG002 - it obeys all
        self._reach()
        return {"arn": self.arn, "timeout": "30s", **said}

    def narrow(self) -> tuple[Options, str]:
        options = self.options(arn=self.authority(permitted="example.com"))
        return options, "a.example.org is not among the names that CN=issuing [0-9]+ permits"

    def short(self) -> Options:
        return self.options(arn=self.authority(life=dt.timedelta(hours=2)))

    def forgetful(self) -> Options:
        """Return an authority without a revocation list: of what it signs, AWS says nothing to anybody."""
        return self.options(arn=self.authority())

    def unreachable(self) -> Options:
        (port,) = free_ports(1)
        options = self.options(timeout="5s")
        self._reach(AWS_ENDPOINT_URL=f"https://127.0.0.1:{port}")
        return options

    def wrong(self) -> dict[str, Wrong]:
        powerless = as_user(self._moto)
        known = {"AWS_ACCESS_KEY_ID": powerless["AWS_ACCESS_KEY_ID"], "AWS_SECRET_ACCESS_KEY": "opens-nothing-here"}
        nobody = {"AWS_ACCESS_KEY_ID": "AKIANOBODYKNOWSTHIS1", "AWS_SECRET_ACCESS_KEY": "of-nobody-at-all"}
        return _Each(self, {"no rights": powerless, "secret key": known, "access key": nobody})

    @property
    def upstream(self) -> Upstream:
        return Upstream(self._moto.url, self._bundle, self._proxy)

    def through(self, url: str, **said: t.Any) -> Options:
        """Reach it at another URL; one without TLS is only refused where it is not this machine's own address."""
        options = self.options(**{"timeout": "2s", **said})
        url = url.replace("http://127.0.0.1", "http://0.0.0.0")
        self._reach(AWS_ENDPOINT_URL=url, AWS_CA_BUNDLE=str(self._bundle))
        return options

    @contextlib.contextmanager
    def outage(self) -> t.Iterator[str]:
        """Disable the authority, as its owner may."""
        pca = self._moto.client("acm-pca", REGION)
        pca.update_certificate_authority(CertificateAuthorityArn=self.arn, Status="DISABLED")
        try:
            yield "not active.*enable"
        finally:
            pca.update_certificate_authority(CertificateAuthorityArn=self.arn, Status="ACTIVE")

    def logins(self) -> int:
        return 0

    def publish(self) -> None:
        """Put the list of now into S3, as AWS does in its own time."""
        name = self.arn.rpartition("/")[2]
        content = (self._moto.directory / f"{name}.crl").read_bytes()
        self._moto.client("s3", REGION).put_object(Bucket=self._bucket, Key=f"crl/{name}.crl", Body=content)

    def signed(self) -> list[str]:
        """Return the serial numbers, in hexadecimal, of what was signed so far."""
        path = Path(self._moto.directory / f"{self.arn.rpartition('/')[2]}.issued")
        return path.read_text(encoding="ascii").split() if path.exists() else []
