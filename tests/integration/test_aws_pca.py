# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The issuer `aws_pca` in a playbook, over a corrected stand-in: from the first credential to the last revocation."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import KeysteadError, Misconfigured
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.aws_pca import AwsPcaIssuer
from ansible_collections.keystead.identity.tests.harness import aws_pca, playbook
from ansible_collections.keystead.identity.tests.harness.in_process import World
from ansible_collections.keystead.identity.tests.harness.issuers import Made
from ansible_collections.keystead.identity.tests.harness.moto import SECRET_KEY
from ansible_collections.keystead.identity.tests.unit.test_what_is_loaded import run_elsewhere
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.moto import Moto

pytestmark = pytest.mark.needs("moto")
MODULE = "keystead.identity.machine_identity"
WEB = {"name": "web", "dns_names": ["web.example.org"]}


@pytest.fixture
def backend(moto: Moto, tmp_path: Path) -> t.Iterator[aws_pca.Backend]:
    made = aws_pca.Backend(tmp_path, moto)
    yield made
    made.stop()


def test_from_the_first_credential_to_the_last_revocation(
    backend: aws_pca.Backend, moto: Moto, tmp_path: Path
) -> None:
    home = tmp_path / "home"

    def run(*identities: dict[str, t.Any]) -> dict[str, t.Any]:
        task = {
            "ledger": f"sqlite:////{str(tmp_path / 'ledger.sqlite').lstrip('/')}",
            "store": str(tmp_path / "store"),
            "issuer": {"aws_pca": backend.options()},
            "identities": list(identities),
        }
        log = {**moto.environment, "ANSIBLE_LOG_PATH": str(tmp_path / "ansible.log")}
        done = playbook.run([{MODULE: task}], playbook.ONE_HOST, "-vvvv", "--diff", home=home, env=log)
        assert done.returncode == 0, done.stdout + done.stderr
        assert SECRET_KEY not in done.stdout + done.stderr
        return t.cast("dict[str, t.Any]", playbook.results(home)[-1])

    def certificate() -> x509.Certificate:
        return x509.load_pem_x509_certificate((tmp_path / "store/web/current/certificate.pem").read_bytes())

    api = {"name": "api", "dns_names": ["api.example.org"], "profile": "tls_peer"}
    assert run(WEB, api)["changed"] is True
    first = certificate()
    assert run(WEB, api)["changed"] is False
    assert len(backend.signed()) == 2
    assert run({**WEB, "lifetime": "10d"}, api)["changed"] is True
    assert certificate().serial_number != first.serial_number
    last = certificate().public_bytes(Encoding.DER)
    assert run({"name": "web", "state": "absent", "revoke_on_absent": True})["changed"] is True
    backend.publish()
    issuer: t.Any = Made("aws_pca", t.cast("t.Any", backend)).issuer()
    assert issuer.status(last).reason == "cessation_of_operation"
    assert run({"name": "web", "state": "absent", "revoke_on_absent": True})["changed"] is False
    left = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not [content for content in left if SECRET_KEY.encode() in content]


@pytest.mark.one_core
def test_a_run_with_nothing_to_do_loads_no_client(backend: aws_pca.Backend, tmp_path: Path) -> None:
    world, issuer = World(tmp_path / "world"), {"aws_pca": backend.options()}
    first = run_elsewhere(world, [WEB], issuer=issuer)
    assert first["result"]["changed"] is True, first
    assert "boto3" in first["loaded"], "else this test would see nothing"
    again = run_elsewhere(world, [WEB], issuer=issuer)
    assert (again["result"]["changed"], again["loaded"]) == (False, [])


def test_what_is_signed_and_may_not_be_fetched_is_never_called_refused(
    backend: aws_pca.Backend, moto: Moto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, issuer = World(tmp_path), {"aws_pca": backend.options()}
    rights = [f"acm-pca:{right}" for right in ("GetCertificateAuthorityCertificate", "IssueCertificate")]
    with monkeypatch.context() as user:
        for name, value in aws_pca.as_user(moto, *rights).items():
            user.setenv(name, value)
        for _turn in range(2):
            (record,) = world.converge([WEB], issuer=issuer)["identities"]
            assert "access is denied to acm-pca:GetCertificate" in record["msg"]
            assert "what was asked for is signed, or will be" in record["msg"]
        assert world.query("SELECT state FROM generations") == [("intended",)]
        found = list(checked(issuer["aws_pca"]))
    assert found[-1].startswith("aws_pca: access is denied to acm-pca:GetCertificate")
    moto.told("/moto-api/reset-auth", "inf")
    (record,) = world.converge([WEB], issuer=issuer)["identities"]
    assert not record["failed"], record["msg"]
    assert world.query("SELECT state FROM generations") == [("current",)]


def checked(options: dict[str, t.Any]) -> t.Iterator[str]:
    """Yield what preflight finds, and what ends it."""
    try:
        for check in AwsPcaIssuer(options).preflight():
            yield check.name
    except KeysteadError as error:
        yield str(error)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("arn:aws:acm-pca:::template/SubordinateCACertificate_PathLen0/V1", "makes authorities; write that of an end"),
        ("arn:aws:acm-pca:::template/RootCACertificate/V1", "makes authorities"),
        ("arn:aws-cn:acm-pca:::template/EndEntityCertificate/V1", "of another partition than the arn; write arn:aws:"),
    ],
)
def test_a_template_that_is_for_no_host_is_refused_before_anything_is_asked(template: str, message: str) -> None:
    arn = "arn:aws:acm-pca:eu-central-1:111122223333:certificate-authority/11111111-2222-3333-4444-555555555555"
    with pytest.raises(Misconfigured, match=r"^aws_pca: issuer\.aws_pca\.template_arn ") as refused:
        AwsPcaIssuer({"arn": arn, "template_arn": template, "timeout": "30s"})
    assert message in str(refused.value)
