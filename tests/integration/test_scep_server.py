# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How micromdm's scepclient is driven without a secret on its command line or on a disk, against its real server."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness import local as make
from ansible_collections.keystead.identity.tests.harness.scep_server import CHALLENGE, Scep, enrol, running
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import AttributeOID, NameOID

if t.TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.one_core, pytest.mark.needs("netns", "ip", "curl", "scep")]
NAMES = ("a.example.org", "b.example.org")


@pytest.fixture
def scep(tmp_path: Path) -> t.Iterator[Scep]:
    with running(tmp_path) as server:
        yield server


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    made = tmp_path / "enrolling"
    made.mkdir(mode=0o700)
    return made


def key(number: int = 0) -> bytes:
    """Return a key as it reads them: RSA, PKCS #1."""
    made = make.key("rsa-2048", number)
    return t.cast("bytes", made.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))


def request(number: int = 0, challenge: str | None = CHALLENGE) -> bytes:
    """Return a request with two names, and a challenge password (RFC 2985, 5.4.1) in it."""
    names = x509.SubjectAlternativeName(list(map(x509.DNSName, NAMES)))
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAMES[0])])
    builder = x509.CertificateSigningRequestBuilder(subject).add_extension(names, critical=False)
    if challenge is not None:
        builder = builder.add_attribute(AttributeOID.CHALLENGE_PASSWORD, challenge.encode())
    return builder.sign(make.key("rsa-2048", number), hashes.SHA256()).public_bytes(Encoding.PEM)


def signed(directory: Path) -> x509.Certificate:
    """Return what it wrote."""
    return x509.load_pem_x509_certificate((directory / "client.pem").read_bytes())


def test_a_challenge_in_the_request_enrols_and_the_names_are_kept(scep: Scep, directory: Path) -> None:
    done = enrol(scep, directory, {"key.pem": key(), "csr.pem": request()})
    assert done.returncode == 0, done.stdout
    leaf = signed(directory)
    leaf.verify_directly_issued_by(scep.authority)
    assert leaf.public_key() == make.key("rsa-2048").public_key()
    found = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert tuple(found.get_values_for_type(x509.DNSName)) == NAMES
    assert [path.name for path in directory.iterdir()] == ["client.pem"]


def test_a_renewal_is_signed_by_the_old_key_and_brings_a_new_one(scep: Scep, directory: Path) -> None:
    """The server wants the challenge again, which RFC 8894 (2.4) does not, and revokes what is replaced at once."""
    assert enrol(scep, directory, {"key.pem": key(), "csr.pem": request()}).returncode == 0
    refused = enrol(scep, directory, {"key.pem": key(), "csr.pem": request(1, challenge=None)})
    assert b"RenewalReq (17) request failed, failInfo: badRequest" in refused.stdout
    done = enrol(scep, directory, {"key.pem": key(), "csr.pem": request(1)})
    assert done.returncode == 0, done.stdout
    assert signed(directory).public_key() == make.key("rsa-2048", 1).public_key()
    assert scep.index() == [f"R /CN={NAMES[0]}", f"V /CN={NAMES[0]}"]


def test_a_wrong_challenge_is_refused(scep: Scep, directory: Path) -> None:
    for challenge in ("open, barley", None):
        done = enrol(scep, directory, {"key.pem": key(), "csr.pem": request(challenge=challenge)})
        assert (done.returncode, b"failInfo: badRequest" in done.stdout) == (1, True)
        assert not (directory / "client.pem").exists()
    assert CHALLENGE.encode() not in done.stdout + done.stderr


def test_another_authority_than_the_pinned_one_is_sent_nothing(scep: Scep, directory: Path) -> None:
    done = enrol(scep, directory, {"key.pem": key(), "csr.pem": request()}, fingerprint="00" * 32)
    assert (done.returncode, b"no selected CA/RA recipients" in done.stdout) == (1, True)
    assert scep.index() == []
