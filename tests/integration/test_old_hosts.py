# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A managed host with the Python and the python3-cryptography of its distribution, which are years behind ours."""

from __future__ import annotations

import re
import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness import local, playbook
from ansible_collections.keystead.identity.tests.harness.brownfield import pair
from ansible_collections.keystead.identity.tests.integration.test_examples import IDENTITY, INFO, PREFLIGHT, serving
from ansible_collections.keystead.identity.tests.needs import OLD_PYTHON
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import NoEncryption, load_pem_private_key, pkcs12

if t.TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.needs("old_cryptography"), pytest.mark.one_core]

HOST = {"web1": {"ansible_python_interpreter": OLD_PYTHON}}
TYPES = ("ecdsa-p256", "ecdsa-p384", "ed25519", "rsa-2048")
Result = dict[str, t.Any]


class OldHost:
    """One old host, and tasks that share a store, a ledger and an authority."""

    def __init__(self, root: Path) -> None:
        self.home, self.store = root / "home", root / "store"
        self.common = {"store": str(self.store), "ledger": f"sqlite:///{root}/ledger.db"}
        self.issuer = {"local": local.two_tiers(root / "ca")}

    def task(self, *identities: Result) -> Result:
        """Return a task that declares identities."""
        return {IDENTITY: {**self.common, "issuer": self.issuer, "identities": list(identities)}}

    def run(self, *tasks: Result, well: bool = True) -> list[Result]:
        """Run tasks; return their results."""
        done = playbook.run(list(tasks), HOST, home=self.home)
        assert (done.returncode == 0) is well, done.stdout + done.stderr
        return playbook.results(self.home)


def identity(key_type: str, **said: t.Any) -> Result:
    """Declare one named after the type of its key."""
    return {
        "name": key_type,
        "dns_names": [f"{key_type}.example.org"],
        "common_name": f"{key_type}.example.org",
        "ip_addresses": ["127.0.0.1", "2001:db8::1"],
        "key": {"type": key_type},
        **said,
    }


@pytest.fixture(name="host")
def _host(tmp_path: Path) -> OldHost:
    return OldHost(tmp_path)


def test_keys_of_every_older_type_are_issued_told_of_left_alone_and_renewed(host: OldHost) -> None:
    wanted = [identity(key_type) for key_type in TYPES]
    shorter = [{**one, "lifetime": "20d"} for one in wanted]
    path = str(host.store / TYPES[0] / "current" / "fullchain.pem")
    look = {INFO: {**host.common, "paths": [path]}}
    first, again, renewed, told = host.run(host.task(*wanted), host.task(*wanted), host.task(*shorter), look)
    assert [task["changed"] for task in (first, again, renewed, told)] == [True, False, True, False]
    assert {one["name"]: one["generation"] for one in told["identities"]} == dict.fromkeys(TYPES, 2)
    assert [one["findings"] for one in told["identities"]] == [[]] * len(TYPES)
    assert told["paths"][0]["certificates"] == 2
    assert told["paths"][0]["certificate"]["dns_names"] == ["ecdsa-p256.example.org"]


def test_a_handshake_proves_what_is_served_and_tells_another_key(host: OldHost) -> None:
    ours, other = (host.store / name / "current" for name in TYPES[:2])
    with (
        serving(ours / "fullchain.pem", ours / "private_key.pem") as right,
        serving(other / "fullchain.pem", other / "private_key.pem") as wrong,
    ):
        prove = {"host": "127.0.0.1", "when": "always", "timeout": "10s"}
        proved = identity(TYPES[0], prove={**prove, "port": right.port})
        mistaken = identity(TYPES[0], prove={**prove, "port": wrong.port, "timeout": "1s"})
        first, again, failed = host.run(
            host.task(proved, identity(TYPES[1])), host.task(proved), host.task(mistaken), well=False
        )
    assert (first["changed"], again["changed"]) == (True, False)
    assert right.connections >= 2
    assert re.search(r"127\.0\.0\.1:\d+ serves another key \(SPKI [0-9a-f]{64}\)", failed["msg"])


def test_a_key_that_it_cannot_make_is_refused_in_one_sentence(host: OldHost) -> None:
    (refused,) = host.run(host.task(identity("ml-dsa-65")), well=False)
    sentence = r"host: its cryptography \d[\d.]* cannot make ml-dsa-65 keys; install a newer one \(>= 50\)"
    assert re.search(sentence, refused["msg"]), refused["msg"]
    assert "unexpected" not in refused["msg"]


def test_preflight_finds_it_fit_and_names_its_versions(host: OldHost) -> None:
    (told,) = host.run({PREFLIGHT: {**host.common, "issuer": host.issuer}})
    (found,) = (row["found"] for row in told["checks"] if row["where"] == "web1" and row["check"] == "python")
    assert re.fullmatch(rf"{re.escape(OLD_PYTHON)} 3\.\d+\.\d+, cryptography \d[\d.]*", found), found
    assert not host.store.exists()


def test_a_pair_is_found_adopted_and_left_alone(host: OldHost, tmp_path: Path) -> None:
    old = tmp_path / "old"
    pair("web.example.org", key=rsa.generate_private_key(65537, 2048)).write(old)
    key, certificate = load_pem_private_key((old / "web.key").read_bytes(), None), (old / "web.crt").read_bytes()
    signed = x509.load_pem_x509_certificate(certificate)
    stored = pkcs12.serialize_key_and_certificates(b"web", t.cast("t.Any", key), signed, None, NoEncryption())
    (old / "web.p12").write_bytes(stored)
    (look,) = host.run({INFO: {**host.common, "scan": [str(old)]}})
    kinds = {one["path"].rpartition("/")[2]: (one["kind"], one["encrypted"]) for one in look["scan"]}
    assert kinds["web.p12"] == ("pkcs12", False)
    assert [entry["adopt"]["private_key"] for entry in look["proposals"]] == [str(old / "web.key")]
    first, again = host.run(*[host.task(*look["proposals"])] * 2)
    links = len(look["proposals"][0]["links"])
    assert [step["action"] for step in first["identities"][0]["steps"]] == ["adopt", *["link"] * links]
    assert links >= 2
    assert (first["changed"], again["changed"]) == (True, False)


@pytest.mark.needs("openssl")
def test_copies_are_written_repaired_and_left_alone(host: OldHost, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("pass, word\n", encoding="ascii")
    (tmp_path / "password").chmod(0o600)
    publish: list[Result] = [
        {"pkcs12": {"path": f"{tmp_path}/{way}.p12", "password_file": f"{tmp_path}/password", "encryption": way}}
        for way in ("modern", "legacy")
    ]
    wanted = identity(TYPES[0], publish=[*publish, {"pem_bundle": {"path": f"{tmp_path}/web.pem"}}])
    first, again = host.run(*[host.task(wanted)] * 2)
    assert (first["changed"], again["changed"]) == (True, False)
    for way in ("modern", "legacy"):
        stored = pkcs12.load_pkcs12((tmp_path / f"{way}.p12").read_bytes(), b"pass, word")
        assert stored.cert
        assert stored.cert.certificate.subject.rfc4514_string() == "CN=ecdsa-p256.example.org"
    (tmp_path / "legacy.p12").write_bytes((tmp_path / "modern.p12").read_bytes())
    (repaired,) = host.run(host.task(wanted))
    assert [step["reason"].rpartition("/")[2] for step in repaired["identities"][0]["steps"]] == [
        "legacy.p12 is not legacy"
    ]
