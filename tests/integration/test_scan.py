# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""machine_identity_info with `scan`, through ansible-playbook: what is there, and proposals that work when pasted."""

from __future__ import annotations

import os
import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness import local, playbook
from ansible_collections.keystead.identity.tests.harness.brownfield import CLIENT, SERVER, Authority, pair, pem_key
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    NoEncryption,
    load_pem_private_key,
    pkcs12,
)

if t.TYPE_CHECKING:
    from pathlib import Path

MODULE, INFO = "keystead.identity.machine_identity", "keystead.identity.machine_identity_info"
Result = dict[str, t.Any]


class Host:
    """A host with what years leave behind, below `etc`."""

    def __init__(self, root: Path) -> None:
        self.root, self.etc = root, root / "etc"
        self.common = {"store": str(root / "store"), "ledger": f"sqlite:///{root}/ledger.db"}
        self.secrets: list[bytes] = []
        (self.etc / "ssl").mkdir(parents=True)

    def run(self, *tasks: Result) -> list[Result]:
        """Run tasks and return their results; no key may come out of them."""
        done = playbook.run(list(tasks), playbook.ONE_HOST, "-vvv", home=self.root / "home")
        assert done.returncode == 0, done.stdout + done.stderr
        said = done.stdout + done.stderr
        lines = [line for key in self.secrets for line in key.decode().splitlines()[1:3]]  # the rest may be public
        assert not [line for line in lines if line in said]
        return playbook.results(self.root / "home")

    def scan(self, *directories: Path) -> Result:
        """Scan, and check that nothing was touched: not even the time of the last access."""
        before = self.facts()
        (result,) = self.run({INFO: {**self.common, "scan": [str(one) for one in directories or (self.etc,)]}})
        assert self.facts() == before
        assert not result["changed"]
        return result

    def facts(self) -> dict[str, tuple[int, ...]]:
        """Return what a look could change."""
        found = {}
        for path in sorted(self.etc.rglob("*")):
            there = path.lstat()
            times = (there.st_atime_ns,) if path.is_file() and not path.is_symlink() else ()
            found[str(path)] = (there.st_mode, there.st_mtime_ns, there.st_ctime_ns, *times)
        return found

    def put(self, path: str, content: bytes, mode: int = 0o600) -> Path:
        """Write a file below `etc`."""
        full = self.etc / path
        full.parent.mkdir(parents=True, exist_ok=True)
        full.write_bytes(content)
        full.chmod(mode)
        return full


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def codes(result: Result) -> dict[str, list[str]]:
    """Return the codes of the findings, by file name."""
    return {one["path"].rpartition("/")[2]: [found["code"] for found in one["findings"]] for one in result["scan"]}


def test_what_is_proposed_is_adopted_as_it_stands_and_is_proposed_no_more(host: Host) -> None:
    plain = pair("shop.example.org", "www.example.org").write(host.etc / "ssl")
    certbot = pair("mail.example.org", usages=[SERVER, CLIENT])
    live = certbot.as_certbot(host.etc / "letsencrypt", "mail.example.org")
    both = pair("db.example.org", key=rsa.generate_private_key(65537, 2048))
    host.put("haproxy/db.pem", both.key + both.certificate + both.chain, 0o640)
    host.secrets += [plain.key, certbot.key, both.key]
    result = host.scan()
    assert result["scan_complete"]
    found = {entry["name"]: entry for entry in result["proposals"]}
    assert set(found) == {"shop.example.org", "mail.example.org", "db.example.org"}
    assert found["shop.example.org"]["dns_names"] == ["shop.example.org", "www.example.org"]
    assert found["shop.example.org"]["adopt"] == {
        "private_key": str(host.etc / "ssl" / "web.key"), "certificate": str(host.etc / "ssl" / "fullchain.pem"),
    }  # fmt: skip
    assert found["mail.example.org"]["links"] == {
        str(live / f"{name}.pem"): part
        for name, part in (
            ("privkey", "private_key"), ("fullchain", "fullchain"), ("cert", "certificate"), ("chain", "chain"),
        )
    }  # fmt: skip
    assert found["mail.example.org"]["profile"] == "tls_peer"
    assert (found["db.example.org"]["mode"], found["db.example.org"]["key"]) == ("0640", {"type": "rsa-2048"})
    assert "certbot" in codes(result)["privkey.pem"]

    issuer = {"local": local.two_tiers(host.root / "ca")}
    task = {**host.common, "issuer": issuer, "identities": result["proposals"]}
    adopted, again = host.run({MODULE: task}, {MODULE: task})
    for one in adopted["identities"]:
        assert {step["action"] for step in one["steps"]} == {"adopt", "link"}, one
    assert (adopted["changed"], again["changed"]) == (True, False)
    after = host.scan()
    assert after["proposals"] == []
    assert {one["path"] for one in after["scan"] if one["managed"]} >= {str(live / "privkey.pem")}


def test_every_copy_follows_the_first_renewal(host: Host) -> None:
    made = pair("web.example.org").write(host.etc / "ssl")
    copy = host.put("haproxy/web.pem", made.certificate + made.chain + made.key)
    dh = b"-----BEGIN DH PARAMETERS-----\nMAYCAQUCAQI=\n-----END DH PARAMETERS-----\n"
    host.put("dh/web.pem", made.key + made.certificate + made.chain + dh)
    trusted = host.put("trust/corp.crt", made.chain)
    host.secrets.append(made.key)
    result = host.scan()
    (proposed,) = result["proposals"]
    ssl = host.etc / "ssl"
    assert proposed["links"] == {
        str(ssl / "web.key"): "private_key", str(ssl / "fullchain.pem"): "fullchain", str(copy): "combined",
        str(ssl / "chain.crt"): "chain", str(ssl / "web.crt"): "certificate",
    }  # fmt: skip
    (told,) = [one for one in result["scan"] if one["path"].endswith("dh/web.pem")]
    assert [one["code"] for one in told["findings"]] == ["further_blocks"]
    assert "it also holds DH PARAMETERS, which a link would lose" in told["findings"][0]["msg"]

    issuer = {"local": local.two_tiers(host.root / "ca")}
    renewed = {**proposed, "adopt": {**proposed["adopt"], "replace": "now"}}
    tasks = [{MODULE: {**host.common, "issuer": issuer, "identities": [one]}} for one in (proposed, proposed, renewed)]
    adopted, again, now = host.run(*tasks)
    assert [step["action"] for step in adopted["identities"][0]["steps"]] == ["adopt", *["link"] * 5]
    assert (again["changed"], now["changed"]) == (False, True)
    fullchain = (ssl / "fullchain.pem").read_bytes()
    assert made.certificate not in fullchain
    assert copy.read_bytes() == (ssl / "web.key").read_bytes() + fullchain
    assert (ssl / "web.crt").read_bytes() + (ssl / "chain.crt").read_bytes() == fullchain
    assert trusted.read_bytes() == made.chain


def test_what_adopt_would_refuse_is_not_proposed(host: Host) -> None:
    made = pair("locked.example.org")
    locked = pem_key(load_pem_private_key(made.key, None), encryption=BestAvailableEncryption(b"hush"))
    host.put("locked.pem", locked + made.certificate)
    pair("db.example.org").write(host.etc / "db")
    (host.etc / "db").chmod(0o777)
    host.secrets.append(made.key)
    result = host.scan()
    assert result["proposals"] == []
    assert codes(result)["locked.pem"] == ["encrypted"]
    assert "foreign_directory" in codes(result)["web.key"]
    told = str([one["findings"] for one in result["scan"]])
    assert f"it cannot be adopted where it is: {host.etc / 'db'} may be written by others" in told


def test_what_is_wrong_with_each_file_is_told(host: Host) -> None:
    corp = Authority()
    host.put("readable.pem", pair("a.example.org").key, 0o644)
    ended = pair("ended.example.org", authority=corp, days=-1)
    host.put("ended.key", ended.key)
    host.put("ended.crt", ended.certificate, 0o644)
    host.put("corp.crt", ended.chain, 0o644)
    weak = pair("weak.example.org", key=rsa.generate_private_key(65537, 1024))  # noqa: S505 - it is to be found
    host.put("weak.pem", weak.key + weak.certificate)
    two = pair("x.example.org").certificate + pair("y.example.org").key
    host.put("mixed.pem", two)
    locked = pem_key(ec.generate_private_key(ec.SECP256R1()), encryption=BestAvailableEncryption(b"hush"))
    host.put("locked.key", locked)
    default = Authority("localhost.localdomain")
    host.put("default.pem", pem_key(default.key) + default.certificate.public_bytes(x509_pem()))
    result = host.scan()
    assert codes(result) == {
        "readable.pem": ["key_readable", "no_certificate"],
        "ended.key": [],
        "ended.crt": ["expired"],
        "corp.crt": [],
        "weak.pem": ["weak_key"],
        "mixed.pem": ["pair_mismatched"],
        "locked.key": ["encrypted"],
        "default.pem": ["snake_oil"],
    }
    kinds = {one["path"].rpartition("/")[2]: one["kind"] for one in result["scan"]}
    assert (kinds["weak.pem"], kinds["ended.key"], kinds["ended.crt"]) == ("pair", "private_key", "certificate")
    by_path = {one["path"]: one for one in result["scan"]}
    assert by_path[str(host.etc / "ended.key")]["matches"] == [str(host.etc / "ended.crt")]
    proposed = {entry["name"]: entry["adopt"] for entry in result["proposals"]}
    assert set(proposed) == {"ended.example.org", "weak.example.org"}
    assert proposed["weak.example.org"]["replace"] == "now"
    assert proposed["ended.example.org"]["chain"] == str(host.etc / "corp.crt")


def x509_pem() -> t.Any:
    """Return the encoding of PEM."""
    from cryptography.hazmat.primitives.serialization import Encoding

    return Encoding.PEM


@pytest.mark.parametrize("password", [None, b"hush"])
def test_pkcs12_is_read_where_it_has_no_password_and_is_said_to_be_encrypted_where_it_has(
    host: Host, password: bytes | None
) -> None:
    made = pair("p12.example.org")
    key, certificate = load_pem_private_key(made.key, None), x509.load_pem_x509_certificate(made.certificate)
    algorithm = BestAvailableEncryption(password) if password else NoEncryption()
    content = pkcs12.serialize_key_and_certificates(b"site", t.cast("t.Any", key), certificate, None, algorithm)
    host.put("site.p12", content)
    host.put("junk.p12", b"\x30\x82junk")
    junk, site = host.scan()["scan"]
    assert (site["kind"], site["encrypted"]) == ("pkcs12", password is not None)
    if not password:
        assert site["certificate"]["dns_names"] == ["p12.example.org"]
        assert site["spki_sha256"] == site["certificate"]["spki_sha256"]
    assert (junk["kind"], junk["encrypted"]) == ("pkcs12", True)


def test_rogue_files_hold_nobody_up(host: Host) -> None:
    made = pair("web.example.org").write(host.etc / "ssl")
    os.mkfifo(host.etc / "pipe.pem")
    (host.etc / "circle.pem").symlink_to("circle.pem")
    (host.etc / "away").symlink_to("/")
    host.put("large.pem", b"-----BEGIN " + b"x" * 1_000_000)
    host.put("broken.pem", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    host.put("cut.key", made.key[:80])
    host.put("new\nline.pem", made.certificate)
    host.put("ssh_host_key", b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n")
    deep = host.etc.joinpath(*["d"] * 20)
    deep.mkdir(parents=True)
    result = host.scan(host.etc, host.etc / "ssl", host.root / "nowhere")
    assert [entry["name"] for entry in result["proposals"]] == ["web.example.org"]
    assert not result["scan_complete"]
    said = str(result["warnings"])
    for note in (
        "deeper than 16", "nowhere cannot be read", "are larger than 262144 bytes: ", "large.pem",
        "1 files are left out",
    ):  # fmt: skip
        assert note in said
    broken = next(one for one in result["scan"] if one["path"].endswith("broken.pem"))
    assert (broken["failed"], broken["msg"]) == (True, "its certificate cannot be read")
    assert "ssh_host_key" not in str(result)


def test_a_key_of_another_host_is_found_in_a_scan(host: Host) -> None:
    made = pair("web.example.org").write(host.etc / "ssl")
    made.write(host.root / "other")
    issuer = {"local": local.two_tiers(host.root / "ca")}
    adopt = {"private_key": str(host.root / "other" / "web.key"), "certificate": str(host.root / "other" / "web.crt")}
    declared = [{"name": "web", "dns_names": ["web.example.org"], "adopt": adopt}]
    said = {**host.common, "store": str(host.root / "other-store"), "issuer": issuer, "identities": declared}
    done = playbook.run([{MODULE: said}], {"web2": {}}, home=host.root / "home")
    assert done.returncode == 0, done.stdout + done.stderr
    result = host.scan()
    assert codes(result)["web.key"] == ["shared_key"]
    assert "web of web2" in str(result["scan"])


def test_an_observed_identity_is_shown_as_observed(host: Host) -> None:
    pair("web.example.org").write(host.etc / "ssl")
    observed = {"name": "web", "state": "observed", "adopt": {"certificate": str(host.etc / "ssl" / "web.crt")}}
    _first, result = host.run({MODULE: {**host.common, "identities": [observed]}}, {INFO: host.common})
    (web,) = result["identities"]
    assert (web["state"], web["generation"], web["findings"]) == ("observed", None, [])
    assert web["issuer_id"] == "observed:CN=Old Corp CA"
    assert web["certificate"]["dns_names"] == ["web.example.org"]
