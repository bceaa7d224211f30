# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The EST server of the tests is one: clients that are not ours, strongSwan's pki and curl, enrol at it."""

from __future__ import annotations

import base64
import subprocess
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Subject
from ansible_collections.keystead.identity.tests.harness import local as make
from ansible_collections.keystead.identity.tests.harness.est import LABELS, NAME, PASSWORD, pair
from ansible_collections.keystead.identity.tests.harness.est_server import BASE, running
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs7

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.est_server import Est

pytestmark = pytest.mark.one_core


@pytest.fixture
def est(tmp_path: Path) -> t.Iterator[Est]:
    with running(tmp_path, **LABELS) as server:
        server.passwords[NAME] = PASSWORD
        yield server


def run(*argv: object, stdin: bytes = b"") -> bytes:
    """Run a program, which must end well; return what it prints."""
    done = subprocess.run([str(one) for one in argv], input=stdin, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def written(directory: Path, est: Est, number: int = 0) -> tuple[Path, Path, Path]:
    """Write the root, a key and a request for it."""
    root, key, request = directory / "root.pem", directory / f"key{number}.pem", directory / f"request{number}.der"
    root.write_text(est.root, encoding="ascii")
    key.write_bytes(make.key("rsa-3072", number).private_bytes(
        Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))  # fmt: skip
    subject = Subject(common_name="a.example.org", dns_names=("a.example.org",))
    request.write_bytes(make.request(subject, key_type="rsa-3072", number=number).csr)
    return root, key, request


@pytest.mark.needs("strongswan-pki")
def test_strongswan_gets_the_authorities_and_enrols_by_password_and_again_by_its_certificate(
    est: Est, tmp_path: Path
) -> None:
    est.labels[""] = LABELS["peer"]  # who asks again by TLS needs a certificate for clients
    root, key, request = written(tmp_path, est)
    run("pki", "--estca", "--url", est.url, "--cacert", est.ca_bundle, "--caout", tmp_path / "ca.der", "--force")
    found = [x509.load_der_x509_certificate(one.read_bytes()) for one in tmp_path.glob("ca*.der")]
    assert {*found} == {*est.authority.named}
    asked = ("pki", "--est", "--url", est.url, "--cacert", est.ca_bundle, "--cacert", root)
    issuing = tmp_path / "issuing.pem"
    issuing.write_bytes(est.authority.issuing.public_bytes(Encoding.PEM))
    first = run(*asked, "--cacert", issuing, "--in", request, "--userpass", f"{NAME}:{PASSWORD}", "--outform", "pem")
    leaf = x509.load_pem_x509_certificate(first)
    leaf.verify_directly_issued_by(est.authority.issuing)
    (tmp_path / "old.pem").write_bytes(first)
    _root, _key, another = written(tmp_path, est, 1)
    again = ("--cert", tmp_path / "old.pem", "--key", key)
    second = run(*asked, "--cacert", issuing, "--in", another, *again, "--outform", "pem")
    assert x509.load_pem_x509_certificate(second).public_key() == make.key("rsa-3072", 1).public_key()
    assert est.asked[-1].startswith(f"POST {BASE}/simplereenroll by CN=est issuing")


@pytest.mark.needs("curl")
def test_curl_enrols_as_a_registration_authority_by_its_certificate(est: Est, tmp_path: Path) -> None:
    ra, request = pair(tmp_path, "ra.example.org", est.tls), make.request()
    body = tmp_path / "body"
    body.write_bytes(base64.encodebytes(request.csr))
    answer = run(
        "curl", "--silent", "--fail", "--cacert", est.ca_bundle, "--cert", ra["certificate"], "--key",
        ra["private_key"], "--header", "Content-Type: application/pkcs10", "--data-binary", f"@{body}",
        f"{est.url}{BASE}/server/simpleenroll",
    )  # fmt: skip
    (leaf,) = pkcs7.load_der_pkcs7_certificates(base64.b64decode(answer))
    assert leaf.public_key() == make.key().public_key()
    assert est.asked[-1] == f"POST {BASE}/server/simpleenroll by {leaf_issuer(ra)}"


def leaf_issuer(ra: dict[str, t.Any]) -> str:
    """Return who signed a certificate in a file."""
    with open(ra["certificate"], "rb") as opened:  # noqa: PTH123 - a path of options
        return x509.load_pem_x509_certificate(opened.read()).issuer.rfc4514_string()


def test_nobody_enrols_without_a_password_or_with_a_wrong_one(est: Est, tmp_path: Path) -> None:
    body = tmp_path / "body"
    body.write_bytes(base64.encodebytes(make.request().csr))
    for who in ((), ("--user", f"{NAME}:open, barley"), ("--user", f"mallory:{PASSWORD}")):
        said = run("curl", "--silent", "--cacert", est.ca_bundle, *who, "--data-binary", f"@{body}",
                   "--write-out", "%{http_code}", f"{est.url}{BASE}/simpleenroll")  # fmt: skip
        assert said == b"who are you?401"
    assert not est.signed
