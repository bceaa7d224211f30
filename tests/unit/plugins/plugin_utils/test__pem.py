# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the filters say of PEM text: the facts, the key, or one sentence that never repeats the text."""

from __future__ import annotations

import functools
import hashlib
import typing as t

import pytest
import yaml
from ansible.errors import AnsibleFilterError
from ansible_collections.keystead.identity.plugins.filter import certificate_facts as documented
from ansible_collections.keystead.identity.plugins.filter.certificate_facts import FilterModule as Facts
from ansible_collections.keystead.identity.plugins.filter.spki_sha256 import FilterModule as Spki
from ansible_collections.keystead.identity.plugins.module_utils._core import pki
from ansible_collections.keystead.identity.tests.harness import local
from ansible_collections.keystead.identity.tests.harness.in_process import World, web
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from jinja2 import StrictUndefined, UndefinedError

if t.TYPE_CHECKING:
    from pathlib import Path

certificate_facts = Facts().filters()["certificate_facts"]
spki_sha256 = Spki().filters()["spki_sha256"]


@pytest.fixture(name="told", scope="module")
def _told(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, t.Any], Path]:
    """Return the record of an identity that a task returned, and its directory; a chain is there."""
    root = tmp_path_factory.mktemp("world")
    world = World(root)
    record = world.one(web(common_name="web.example.org"), issuer={"local": local.two_tiers(root / "two")})
    return record["certificate"], world.path("web", "current")


def read(told: tuple[dict[str, t.Any], Path], name: str) -> str:
    return (told[1] / name).read_text(encoding="ascii")


def refused(work: t.Callable[[t.Any], t.Any], value: t.Any) -> str:
    with pytest.raises(AnsibleFilterError) as caught:
        work(value)
    return str(caught.value)


@pytest.mark.parametrize("name", ["certificate.pem", "fullchain.pem"])
def test_the_facts_are_those_of_the_task(told: tuple[dict[str, t.Any], Path], name: str) -> None:
    assert certificate_facts(read(told, name)) == told[0]
    assert yaml.safe_load(documented.RETURN)["_value"]["contains"].keys() == told[0].keys()


def test_a_bundle_is_a_list_in_its_order_however_short(told: tuple[dict[str, t.Any], Path]) -> None:
    leaf, above = certificate_facts(read(told, "fullchain.pem"), bundle=True)
    assert (leaf, above["subject"], above["issuer"]) == (told[0], "CN=issuing", "CN=root")
    assert certificate_facts("a comment\n" + read(told, "certificate.pem") + "\nanother", bundle=True) == [leaf]


@pytest.mark.parametrize("key_type", ["ecdsa-p256", "ecdsa-p384", "ed25519", "rsa-2048", "ml-dsa-44"])
def test_certificate_request_and_public_key_have_one_digest(tmp_path: Path, key_type: str) -> None:
    key = local.key(key_type)
    local.authority(tmp_path, "one", key={"type": key_type})
    public = key.public_key()
    digest = hashlib.sha256(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()
    request = pki.request(local.WEB, key)
    from cryptography import x509

    pem = x509.load_der_x509_csr(request).public_bytes(Encoding.PEM).decode()
    assert spki_sha256(pem) == digest
    assert spki_sha256(pem.replace("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST")) == digest
    assert spki_sha256(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()) == digest
    certificate = (tmp_path / "one" / "certificate.pem").read_text(encoding="ascii")
    assert spki_sha256(certificate) == certificate_facts(certificate)["spki_sha256"]


def test_an_rsa_key_in_its_old_form_is_the_same_key() -> None:
    public = local.key("rsa-2048").public_key()
    old = public.public_bytes(Encoding.PEM, PublicFormat.PKCS1).decode()
    assert spki_sha256(old) == spki_sha256(
        public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    )


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL, PrivateFormat.OpenSSH])
def test_a_private_key_is_refused_and_not_shown(told: tuple[dict[str, t.Any], Path], form: PrivateFormat) -> None:
    secret = local.key().private_bytes(Encoding.PEM, form, NoEncryption()).decode()
    for text in (secret, read(told, "certificate.pem") + secret):
        for work in (spki_sha256, certificate_facts, functools.partial(certificate_facts, bundle=True)):
            said = refused(work, text)
            assert ": the input holds a private key, which is refused and not shown" in said
            assert not [line for line in secret.splitlines()[1:-1] if line in said]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("", "no certificate"),
        ("SESAME", "no certificate"),
        ("-----BEGIN CERTIFICATE-----\nSESAME\n-----END CERTIFICATE-----\n", "read"),
        ("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", "read"),
        ("-----BEGIN CERTIFICATE-----", "read"),
        ("-----BEGIN CERTIFICATE-----\n\udc80\n-----END CERTIFICATE-----\n", "read"),
        (b"SESAME", "type bytes, not text"),
        (None, "type NoneType, not text"),
        ({"SESAME": 1}, "type dict, not text"),
        (["SESAME"], "type list, not text"),
        (7, "type int, not text"),
    ],
)
def test_what_is_no_pem_is_one_sentence_without_it(value: t.Any, said: str) -> None:
    for name, work in (("certificate_facts", certificate_facts), ("spki_sha256", spki_sha256)):
        message = refused(work, value)
        assert message.startswith(f"{name}: the ")
        assert said in message
        assert "SESAME" not in message
        assert "\n" not in message


@pytest.mark.parametrize("label", ["PUBLIC KEY", "CERTIFICATE REQUEST", "RSA PUBLIC KEY"])
def test_a_broken_key_or_request_is_one_sentence(label: str) -> None:
    message = refused(spki_sha256, f"-----BEGIN {label}-----\nMAA=\n-----END {label}-----\n")
    assert message.startswith(f"spki_sha256: the {label.lower()} in the input cannot be read")


def test_one_bad_certificate_in_a_bundle_is_no_fact_left_out(told: tuple[dict[str, t.Any], Path]) -> None:
    broken = read(told, "certificate.pem") + "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"
    assert "no certificate in PEM that can be read" in refused(certificate_facts, broken)


def test_an_undefined_variable_is_reported_as_one() -> None:
    for work in (certificate_facts, spki_sha256):
        with pytest.raises(UndefinedError, match="'pem' is undefined"):
            work(StrictUndefined(name="pem"))
