# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is true of `aws_pca` alone: its rights, its orders, its revocation list, and what moto is wrong in."""

from __future__ import annotations

import datetime as dt
import os
import re
import typing as t
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied, Misconfigured, Unavailable
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Generation
from ansible_collections.keystead.identity.plugins.module_utils._core.ports import Good, Order, Revoked, Unknown
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.registry import ISSUERS
from ansible_collections.keystead.identity.tests.harness import aws_pca
from ansible_collections.keystead.identity.tests.harness import local as make
from ansible_collections.keystead.identity.tests.harness.issuers import Made, der, leaf, refusal, settled
from ansible_collections.keystead.identity.tests.harness.moto import nowhere, reached
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.tests.harness.moto import Moto

pytestmark = [pytest.mark.needs("moto"), pytest.mark.one_core]
PAGE = Path(__file__).resolve().parents[2] / "docs" / "docsite" / "rst" / "issuer_aws_pca.rst"
TEMPLATE = "arn:aws:acm-pca:::template/EndEntityClientAuthCertificate/V1"


@pytest.fixture
def backend(moto: Moto, tmp_path: Path) -> t.Iterator[aws_pca.Backend]:
    made = aws_pca.Backend(tmp_path, moto)
    yield made
    made.stop()


@pytest.fixture
def made(backend: aws_pca.Backend) -> Made:
    return Made("aws_pca", t.cast("t.Any", backend))


def test_the_actions_that_the_page_permits_are_all_that_it_needs(
    backend: aws_pca.Backend, made: Made, moto: Moto
) -> None:
    shown = set(re.findall(r'"((?:acm-pca|s3):\w+)"', PAGE.read_text(encoding="utf-8")))
    assert shown == set(aws_pca.ACTIONS)
    issuer: t.Any = made.issuer()
    os.environ.update(aws_pca.as_user(moto, *aws_pca.ACTIONS))
    (generation,) = settled(issuer, make.request())
    assert isinstance(issuer.status(der(generation)), Good)
    assert isinstance(issuer.revoke([der(generation)], "superseded")[0], Revoked)
    assert all(check.state == "ok" for check in issuer.preflight())
    assert backend.signed() == [f"{leaf(generation).serial_number:x}"]


@pytest.mark.parametrize("lacking", aws_pca.ACTIONS[:3])
def test_an_action_that_is_not_permitted_is_named(made: Made, moto: Moto, lacking: str) -> None:
    issuer = made.issuer()
    os.environ.update(aws_pca.as_user(moto, *(set(aws_pca.ACTIONS) - {lacking})))
    error = refusal(issuer, make.request())
    is_signed = lacking == "acm-pca:GetCertificate"  # by then: who calls that refused would forget it
    assert isinstance(error, Unavailable if is_signed else Denied)
    assert f"access is denied to {lacking} " in str(error)


def test_what_is_not_there_in_time_is_an_order_that_is_finished_later(made: Made) -> None:
    issuer = made.issuer(timeout="1s")
    signer = t.cast("t.Any", issuer)._signer
    signer._within = 0.0  # as if AWS took longer than a call may
    (order,) = issuer.begin([make.request()])
    assert isinstance(order, Order), order
    assert order.reference.startswith("arn:aws:acm-pca:")
    answers = [issuer.finish([order])[0] for _look in range(2)]
    assert isinstance(answers[0], Order), "AWS says that it is at work"
    assert isinstance(answers[1], Generation)
    assert settled(made.issuer(), make.request()) == [answers[1]], "the next run gets the same"


def test_a_template_of_the_task_decides_on_the_usages(made: Made) -> None:
    (generation,) = settled(made.issuer(template_arn=TEMPLATE), make.request(profile="tls_client"))
    usages = leaf(generation).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usages) == [x509.ExtendedKeyUsageOID.CLIENT_AUTH]


def test_an_authority_with_an_rsa_key_signs_as_well(backend: aws_pca.Backend, made: Made) -> None:
    (generation,) = settled(made.issuer(arn=backend.authority(key="RSA_2048")), make.request())
    assert leaf(generation).signature_algorithm_oid == x509.SignatureAlgorithmOID.RSA_WITH_SHA256


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"arn": "arn:aws:acm-pca"}, "names no authority; write for example"),
        ({"region": "us-east-1"}, "region is us-east-1, and the arn is of eu-central-1; leave region out"),
        ({"template_arn": "EndEntityCertificate/V1"}, "names no template; write for example"),
    ],
)
def test_an_option_that_cannot_be_meant_is_refused_before_aws_is_asked(options: dict[str, str], words: str) -> None:
    arn = "arn:aws:acm-pca:eu-central-1:111122223333:certificate-authority/5a1c2f8e-9a6d-4c1b-8f57-2f1f6a7c9e10"
    with pytest.raises(Misconfigured, match=words):
        ISSUERS["aws_pca"]({"arn": arn, "timeout": 30, **options})


def test_an_authority_that_is_not_there_is_said_with_its_arn(backend: aws_pca.Backend, made: Made) -> None:
    arn = f"{backend.arn.rpartition('/')[0]}/5a1c2f8e-9a6d-4c1b-8f57-2f1f6a7c9e10"
    error = refusal(made.issuer(arn=arn), make.request())
    assert isinstance(error, Misconfigured)
    assert f"finds no authority {arn}; correct" in str(error)


def test_a_reason_that_aws_does_not_know_is_refused_with_those_that_it_does(made: Made) -> None:
    issuer: t.Any = made.issuer()
    (generation,) = settled(issuer, make.request())
    (refused,) = issuer.revoke([der(generation)], "certificate_hold")
    assert isinstance(refused, Denied)
    assert "knows no revocation for certificate_hold; write one of unspecified, key_compromise" in str(refused)


def test_what_was_revoked_before_is_told_so_until_the_list_says_more(backend: aws_pca.Backend, made: Made) -> None:
    first, second = t.cast("t.Any", made.issuer()), t.cast("t.Any", made.issuer())
    (generation,) = settled(first, make.request())
    (revoked,) = first.revoke([der(generation)], "key_compromise")
    assert second.revoke([der(generation)], "superseded")[0].reason == "unspecified"
    assert re.search("was revoked before; AWS does not say when and why", *second.advice())
    backend.publish()
    third: t.Any = made.issuer()
    assert third.revoke([der(generation)], "superseded") == [revoked]
    assert third.advice() == []


@pytest.mark.parametrize("what", ["of another", "no list", "none at all"])
def test_a_list_that_does_not_hold_says_nothing(made: Made, moto: Moto, what: str) -> None:
    issuer: t.Any = made.issuer()
    (generation,) = settled(issuer, make.request())
    assert isinstance(issuer.status(der(generation)), Good)
    (point,) = leaf(generation).extensions.get_extension_for_class(x509.CRLDistributionPoints).value
    assert point.full_name
    found = re.fullmatch(r"http://([^.]+)\.s3\.[^/]+/(.*)", point.full_name[0].value)
    assert found
    s3, place = moto.client("s3", aws_pca.REGION), {"Bucket": found[1], "Key": found[2]}
    old = x509.load_der_x509_crl(s3.get_object(**place)["Body"].read())
    now, day = dt.datetime.now(dt.UTC), dt.timedelta(days=1)
    forged = x509.CertificateRevocationListBuilder().issuer_name(old.issuer).last_update(now).next_update(now + day)
    signed = forged.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256()).public_bytes(Encoding.DER)
    if what == "none at all":
        s3.delete_object(**place)
    else:
        s3.put_object(**place, Body=b"<html>" if what == "no list" else signed)
    assert isinstance(issuer.status(der(generation)), Unknown)


def test_moto_alone_is_wrong_in_what_is_corrected(tmp_path: Path) -> None:
    """Where this fails, moto has become better: take the correction out of tests/harness/moto_pca.py."""
    import boto3
    from moto import mock_aws

    environment = {**nowhere(tmp_path), "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
    with reached(environment), mock_aws():
        pca = boto3.client("acm-pca", region_name=aws_pca.REGION)
        server: t.Any = type("Alone", (), {"client": staticmethod(lambda *_said: pca)})
        arn = aws_pca.authority(server, aws_pca.Root())
        csr = x509.load_der_x509_csr(make.request().csr).public_bytes(Encoding.PEM)
        said: dict[str, t.Any] = {
            "CertificateAuthorityArn": arn, "Csr": csr, "SigningAlgorithm": "SHA256WITHECDSA",
            "TemplateArn": "arn:aws:acm-pca:::template/EndEntityServerAuthCertificate/V1",
            "Validity": {"Type": "DAYS", "Value": 1}, "IdempotencyToken": "one",
        }  # fmt: skip
        one, other = (pca.issue_certificate(**said)["CertificateArn"] for _time in range(2))
        assert one != other, "the token is not looked at"
        pem = pca.get_certificate(CertificateAuthorityArn=arn, CertificateArn=one)["Certificate"]  # and at once
        got = x509.load_pem_x509_certificate(pem.encode())
        assert (got.not_valid_after_utc - got.not_valid_before_utc).days == 365, "the life is not the one asked for"
        assert not [one for one in got.extensions if isinstance(one.value, x509.ExtendedKeyUsage)], "no usages"
        shown = pca.get_certificate_authority_certificate(CertificateAuthorityArn=arn)["Certificate"]
        assert isinstance(x509.load_pem_x509_certificate(shown.encode()).public_key(), rsa.RSAPublicKey)
        pca.revoke_certificate(CertificateAuthorityArn=arn, CertificateSerial="7", RevocationReason="UNSPECIFIED")
