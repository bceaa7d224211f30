# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What identity_policy finds beside what a policy says, in a real ledger and in records."""

from __future__ import annotations

import json
import typing as t
from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.keys import spki_sha256
from ansible_collections.keystead.identity.plugins.module_utils._options.common import COMMON
from ansible_collections.keystead.identity.plugins.module_utils._options.identity_policy import OPTIONS
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.plugin_utils._identity_policy.answer import answer
from ansible_collections.keystead.identity.plugins.plugin_utils._inventory import Place
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated
from ansible_collections.keystead.identity.tests.harness.brownfield import PEM, pair
from ansible_collections.keystead.identity.tests.harness.in_process import World, web
from ansible_collections.keystead.identity.tests.harness.judging import Certificate, rsa_of
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding

if t.TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.one_core
CONTACT = {"contact": "me"}


def judged(world: World, **said: t.Any) -> dict[str, t.Any]:
    """Return what the task returns."""
    args = validated({"ledger": world.url, "findings": True, **said}, spec(COMMON, OPTIONS), module="identity_policy")
    return answer(args, datetime.now(UTC), Place(world.host))


def found(world: World, **said: t.Any) -> dict[str, set[str]]:
    """Return the codes of the findings by names."""
    by_name: dict[str, set[str]] = {}
    for one in judged(world, **said)["findings"]:
        by_name.setdefault(one["name"], set()).add(one["code"])
    return by_name


def records(path: Path, **named: str) -> list[str]:
    """Write certificates as records of another system."""
    entries = [{"name": name, "host": f"{name}.example.org", "pem": pem, **CONTACT} for name, pem in named.items()]
    path.write_text(json.dumps(entries))
    return [str(path)]


def signed(*names: str, key: t.Any = None, extensions: t.Sequence[x509.ExtensionType] = ()) -> str:
    """Return a certificate that signs itself, with these extensions and no others beside its names."""
    key = key or ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "made")])
    begins, serial = datetime.now(UTC) - timedelta(days=1), x509.random_serial_number()
    made = x509.CertificateBuilder(subject, subject, key.public_key(), serial, begins, begins + timedelta(days=365))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(one) for one in names]), critical=False)
    for one in extensions:
        made = made.add_extension(one, critical=False)
    return made.sign(key, hashes.SHA256()).public_bytes(PEM).decode()


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return a world with one identity of RSA, which is fine."""
    made = World(tmp_path / "world")
    made.one(web(key={"type": "rsa-2048"}, **CONTACT))
    return made


def test_keys_of_rsa_that_share_a_factor_are_found_wherever_they_are(world: World, tmp_path: Path) -> None:
    first, second = (rsa.generate_private_key(65537, 2048).private_numbers() for _ in range(2))
    one = pair("a.example.org", key=rsa_of(first.p, first.q)).certificate.decode()
    other = pair("b.example.org", key=rsa_of(first.p, second.q)).certificate.decode()
    files = records(tmp_path / "r.json", a=one, b=other)
    by_name = found(world, records=files)
    assert "shared_factor" in by_name["a"] & by_name["b"]
    assert "shared_factor" not in by_name.get("web", set())
    (said,) = (
        one for one in judged(world, records=files)["findings"] if (one["name"], one["code"]) == ("a", "shared_factor")
    )
    assert said["msg"].startswith("its RSA modulus shares a factor with that of b on b.example.org, so both are broken")
    assert found(world, records=records(tmp_path / "r.json", a=one)) == {}


def test_a_key_that_was_replaced_breaks_one_that_is_in_use(world: World, tmp_path: Path) -> None:
    p, q = (rsa.generate_private_key(65537, 2048).private_numbers().q for _ in range(2))
    old = pair("old.example.org", key=rsa_of(p, q))
    old.write(tmp_path / "old")
    said = {"private_key": f"{tmp_path}/old/web.key", "certificate": f"{tmp_path}/old/fullchain.pem", "replace": "now"}
    done = world.one({**web(**CONTACT), "name": "old", "dns_names": ["old.example.org"], "adopt": said})
    assert done["generation"] == 2, "its key is in use no more"
    other = rsa.generate_private_key(65537, 2048).private_numbers().p
    theirs = pair("new.example.org", key=rsa_of(p, other)).certificate.decode()
    by_name = found(world, records=records(tmp_path / "r.json", new=theirs))
    assert "shared_factor" in by_name["new"]


def usages(*oids: x509.ObjectIdentifier) -> x509.ExtendedKeyUsage:
    return x509.ExtendedKeyUsage(oids)


_OIDS = x509.ExtendedKeyUsageOID
WIDE: dict[str, tuple[tuple[str, ...], tuple[x509.ExtensionType, ...], set[str]]] = {
    "fine": (("www.example.org",), (usages(_OIDS.SERVER_AUTH, _OIDS.CLIENT_AUTH),), set()),
    "wild": (("*.example.org",), (usages(_OIDS.SERVER_AUTH),), {"wide_names"}),
    "world": (("*.org",), (usages(_OIDS.SERVER_AUTH),), {"wide_names"}),
    "bare": (("intranet",), (usages(_OIDS.SERVER_AUTH),), {"wide_names"}),
    "many": (tuple(f"h{n}.example.org" for n in range(51)), (usages(_OIDS.SERVER_AUTH),), {"wide_names"}),
    "any": (("www.example.org",), (usages(_OIDS.ANY_EXTENDED_KEY_USAGE),), {"wide_usages"}),
    "unsaid": (("www.example.org",), (), {"wide_usages"}),
    "code": (("www.example.org",), (usages(_OIDS.SERVER_AUTH, _OIDS.CODE_SIGNING),), {"wide_usages"}),
    "log in": (("www.example.org",), (usages(_OIDS.SERVER_AUTH, _OIDS.SMARTCARD_LOGON),), {"wide_usages"}),
    "ca": (("www.example.org",), (x509.BasicConstraints(ca=True, path_length=None),), {"wide_usages"}),
}  # fmt: skip


def test_names_and_usages_that_are_too_wide_are_found_and_no_others(world: World, tmp_path: Path) -> None:
    made = {name: signed(*names, extensions=extensions) for name, (names, extensions, _codes) in WIDE.items()}
    by_name = found(world, records=records(tmp_path / "r.json", **made))
    assert {name: by_name.get(name, set()) for name in WIDE} == {name: codes for name, (_n, _e, codes) in WIDE.items()}


def test_a_common_name_is_a_name_where_there_is_no_other(world: World, tmp_path: Path) -> None:
    old = Certificate(names=(), common_name="*.b.example.org").pem
    new = Certificate(common_name="*.b.example.org").pem
    by_name = found(world, records=records(tmp_path / "r.json", old=old, new=new))
    assert by_name == {"old": {"wide_names"}}


SHA_256_WITH_RSA = bytes.fromhex("06092a864886f70d01010b")


@pytest.mark.parametrize(("name", "last"), [("sha1", 0x05), ("md5", 0x04), ("sha512", 0x0D)])
def test_a_signature_that_can_be_forged_is_found_and_turns_what_is_about_algorithms(
    world: World, tmp_path: Path, name: str, last: int
) -> None:
    key = rsa.generate_private_key(65537, 2048)
    der = x509.load_pem_x509_certificate(Certificate(key=key).pem.encode()).public_bytes(Encoding.DER)
    other = der.replace(SHA_256_WITH_RSA, SHA_256_WITH_RSA[:-1] + bytes([last]))
    pem = x509.load_der_x509_certificate(other).public_bytes(PEM).decode()
    path = records(tmp_path / "r.json", old=pem)
    weak = name != "sha512"
    assert found(world, records=path) == ({"old": {"weak_signature"}} if weak else {})
    said = judged(world, records=path, frameworks=["pci_dss"], managed=False)
    assert [(one["rule"], one["value"]) for one in said["fails"]] == ([("signature", f"a signature of {name}")] * weak)
    assert {one["control"]: one["state"] for one in said["controls"]}["12.3.3"] == ("breached" if weak else "met")


def test_a_signature_that_nobody_here_knows_is_not_taken_for_a_good_one(world: World, tmp_path: Path) -> None:
    der = x509.load_pem_x509_certificate(Certificate(key=rsa.generate_private_key(65537, 2048)).pem.encode())
    md2 = der.public_bytes(Encoding.DER).replace(SHA_256_WITH_RSA, SHA_256_WITH_RSA[:-1] + b"\x02")
    pem = x509.load_der_x509_certificate(md2).public_bytes(PEM).decode()
    path = records(tmp_path / "r.json", old=pem)
    assert found(world, records=path) == {"old": {"weak_signature"}}
    said = judged(world, records=path, frameworks=["pci_dss"], managed=False)
    assert {one["control"]: one["state"] for one in said["controls"]}["12.3.3"] == "breached"


def test_a_key_of_dsa_is_weak_and_one_that_is_stronger_than_ours_is_not(world: World, tmp_path: Path) -> None:
    rules = [{"id": "later", "key_type": {"allow": {"fact": "nist-112-bits"}}}]
    (tmp_path / "policy.yml").write_text(json.dumps({"format": 1, "rules": rules}))
    fine = {"host": "h", "not_after": "2035-01-01T00:00:00Z", **CONTACT}
    types = ("dsa-1024", "dsa-3072", "ecdsa-p521", "rsa-8192", "rsa-2049", "ed448")
    (tmp_path / "r.json").write_text(json.dumps([{"name": one, "key_type": one, **fine} for one in types]))
    asked = {"records": [str(tmp_path / "r.json")], "managed": False}
    assert found(world, **asked) == {one: {"weak_key"} for one in ("dsa-1024", "dsa-3072")}
    shipped = [one for one in judged(world, **asked)["fails"] if one["rule"] == "key-type"]
    assert {one["name"] for one in shipped} == {"dsa-1024", "dsa-3072"}
    later = judged(world, **asked, policy=str(tmp_path / "policy.yml"), as_of="2031-01-01")["fails"]
    assert {one["name"] for one in later} == {"dsa-1024", "dsa-3072", "rsa-2049"}


def test_what_is_found_of_nobody_in_use_is_selected_as_the_rest_is(world: World, tmp_path: Path) -> None:
    mail = {**web(key={"type": "rsa-2048"}, service="mail", **CONTACT), "name": "mail"}
    world.one(mail)
    world.one(web(lifetime="90d", key={"type": "rsa-2048"}, **CONTACT, service="shop", dns_names=["new.example.org"]))
    world.one(web(lifetime="20d", key={"type": "rsa-2048"}, **CONTACT, service="shop"))
    assert found(world, service="shop") == {"web": {"superseded_valid"}}
    assert found(world, service="mail") == {}
    assert found(world, managed=False, records=records(tmp_path / "r.json", a=Certificate().pem)) == {}


def test_what_is_good_and_used_nowhere_is_found(world: World) -> None:
    world.one(web(lifetime="90d", key={"type": "rsa-2048"}, **CONTACT, dns_names=["new.example.org"]))
    assert found(world) == {}, "what was replaced ends within a month"
    world.one(web(lifetime="20d", key={"type": "rsa-2048"}, **CONTACT, dns_names=["www.example.org"]))
    (result,) = judged(world)["findings"]
    assert (result["code"], result["name"]) == ("superseded_valid", "web")


def test_a_key_that_a_policy_lists_and_one_certificate_twice_are_found(world: World, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = signed("a.example.org", key=key, extensions=(usages(_OIDS.SERVER_AUTH),))
    (tmp_path / "weak.txt").write_text(f"{spki_sha256(key.public_key())} in a git repository\n")
    rules = [{"id": "listed", "weak_keys": {"lists": [str(tmp_path / "weak.txt")]}}]
    (tmp_path / "policy.yml").write_text(json.dumps({"format": 1, "rules": rules}))
    files = records(tmp_path / "r.json", a=pem, b=pem)
    by_name = found(world, records=files, policy=str(tmp_path / "policy.yml"))
    assert by_name == {"a": {"same_certificate", "weak_key"}, "b": {"same_certificate", "weak_key"}}


def test_versions_are_said_of_the_controller_and_not_known_of_hosts(world: World) -> None:
    versions = judged(world)["versions"]
    assert versions["hosts"] is None
    assert {"python", "cryptography", "openssl", "ansible-core"} == set(versions["controller"])
    assert all(one["fits"] for one in versions["controller"].values())
    assert judged(world, findings=False)["versions"] is None
