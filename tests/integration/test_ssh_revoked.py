# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What cert_revoke does with certificates that `ssh-keygen` signed by the key of an authority, and with their list."""

from __future__ import annotations

import base64
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core import ssh
from ansible_collections.keystead.identity.plugins.module_utils._core.keys import to_pem
from ansible_collections.keystead.identity.plugins.module_utils._core.ssh import string
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger import queries
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_for
from ansible_collections.keystead.identity.plugins.plugin_utils._ssh.krl import number_of
from ansible_collections.keystead.identity.tests.harness import local_ssh
from ansible_collections.keystead.identity.tests.harness.in_process import World
from ansible_collections.keystead.identity.tests.harness.revoking import Office
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

pytestmark = [pytest.mark.needs("ssh"), pytest.mark.one_core]
Result = dict[str, t.Any]


def keygen(*arguments: str) -> str:
    """Run ssh-keygen, and return what it says."""
    done = subprocess.run(["ssh-keygen", *arguments], check=False, capture_output=True, text=True)
    return done.stdout + done.stderr


def fido(kind: str) -> bytes:
    """Return the public key of a FIDO token that is not here, as a line (OpenSSH's PROTOCOL.u2f)."""
    if kind == "sk-ssh-ed25519":
        raw = ed25519.Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        fields = [raw]
    else:
        public = ec.generate_private_key(ec.SECP256R1()).public_key()
        fields = [b"nistp256", public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)]
    name = f"{kind}@openssh.com".encode()
    return name + b" " + base64.b64encode(b"".join(map(string, [name, *fields, b"ssh:"]))) + b"\n"


class Site:
    """An authority whose key ssh-keygen has too, and an office that takes back what it signed."""

    def __init__(self, directory: Path, key_type: str = "ed25519") -> None:
        """Make the authority."""
        self.directory = directory
        self.issuer = local_ssh.issuer(directory, key_type=key_type)
        options = {"local_ssh": {"directory": str(directory), "authority": "ssh"}}
        self.office = Office(f"sqlite:///{directory}/ledger.sqlite", options)
        pem = (directory / "ssh" / "private_key.pem").read_bytes()
        (directory / "key").touch(mode=0o600)
        (directory / "key").write_bytes(to_pem(load_pem_private_key(pem, None), "openssh"))

    @property
    def krl(self) -> Path:
        """Where the list is."""
        return Path(self.issuer.list_path)

    def user(self, name: str, number: int, key: bytes | None = None, key_id: str = "ops") -> Path:
        """Return where the certificate of a user is, for a key of its own; the key is `NAME.pub`."""
        public = self.directory / f"{name}.pub"
        if key is None:
            keygen("-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(self.directory / name))
        else:
            public.write_bytes(key)
        keygen("-q", "-s", str(self.directory / "key"), "-I", key_id, "-n", "root", "-z", str(number), str(public))
        return self.directory / f"{name}-cert.pub"

    def revoked(self, path: Path, *, again: bool = False, **said: t.Any) -> Result:
        """Take a certificate back, twice, each time looked at first; `again` where that changes nothing."""
        done = self.office.settled({"path": str(path)}, **said)
        assert done["changed"] != again
        return done

    def events(self, action: str) -> list[queries.Record]:
        """Return what the ledger tells of an action."""
        ledger = open_for({"ledger": self.office.url}, read_only=True)
        try:
            return [one for one in queries.events(ledger) if one["action"] == action]
        finally:
            ledger.close()

    def refuses(self, name: str) -> bool:
        """Tell whether a server with the list refuses what a file holds."""
        told = keygen("-Q", "-f", str(self.krl), str(self.directory / name))
        assert told.rstrip().endswith((": ok", ": REVOKED")), told
        return "REVOKED" in told


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_a_key_that_is_found_compromised_later_is_listed_then(site: Site) -> None:
    path = site.user("one", 5)
    (first,) = site.revoked(path)["certificates"]
    assert (site.refuses("one-cert.pub"), site.refuses("one.pub")) == (True, False)
    done = site.revoked(path, reason="key_compromise")
    (record,) = done["certificates"]
    assert (record["changed"], record["reason"]) == (True, "key_compromise")
    assert record["revoked_at"] == first["revoked_at"]
    assert "was revoked (unspecified); its key is to be listed as well" in done["steps"][0]["reason"]
    assert site.refuses("one.pub")
    assert site.revoked(path, reason="superseded", again=True)["certificates"][0]["reason"] == "key_compromise"


def test_two_certificates_with_one_number_are_two(site: Site) -> None:
    one, other = site.user("one", 5), site.user("other", 5)
    site.revoked(one, reason="superseded")
    (record,) = site.revoked(other, reason="key_compromise")["certificates"]
    assert record["reason"] == "key_compromise"
    assert [site.refuses(name) for name in ("one.pub", "one-cert.pub", "other.pub")] == [False, True, True]


def test_a_ledger_that_never_heard_of_it_takes_the_compromise_over(site: Site) -> None:
    path = site.user("one", 5)
    site.revoked(path, reason="superseded")
    site.issuer.revoke([ssh.encoded(path.read_bytes())], "key_compromise")
    done = site.office.run({"path": str(path)}, reason="key_compromise")
    assert (done["changed"], done["certificates"][0]["reason"]) == (False, "key_compromise")
    again = site.office.run({"path": str(path)}, issuer=None)
    assert again["certificates"][0]["reason"] == "key_compromise", "the ledger knows"


def test_a_compromise_that_is_told_while_the_ledger_is_down_is_in_it_afterwards(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    policy = tmp_path / "policy.yml"
    policy.write_text("format: 1\nrules:\n  - {id: incident, emergency_revocation: {allow: true}}\n")
    path, ledger = site.user("one", 5), tmp_path / "ledger.sqlite"
    site.revoked(path, reason="superseded")
    kept = ledger.rename(tmp_path / "kept.sqlite")
    ledger.write_bytes(b"no ledger" * 1000)
    emergency = {"emergency": True, "justification": "it is on a pastebin", "policy": str(policy)}
    done = site.office.run({"path": str(path)}, reason="key_compromise", **emergency)
    assert done["changed"]
    assert site.refuses("one.pub")
    kept.replace(ledger)
    assert site.revoked(path, again=True)["certificates"][0]["reason"] == "key_compromise"


def test_what_cannot_tell_whether_a_key_is_listed_is_an_error(site: Site) -> None:
    path = site.user("one", 5)
    site.revoked(path)
    done = site.office.run({"path": str(path)}, reason="key_compromise", issuer=None)
    assert (done["failed"], done["changed"]) == (True, False)
    assert f"add {site.issuer.id}, which signed certificate 05, to issuers" in done["msg"]
    done = site.office.run({"serial_number": "5"}, reason="key_compromise")
    assert done["failed"]
    assert "give certificate 05 itself by path or pem" in done["msg"]


def test_the_key_of_a_host_that_is_found_compromised_later_is_listed_too(tmp_path: Path) -> None:
    world = World(tmp_path)
    issuer = local_ssh.issuer(world.authorities)
    options = {"local_ssh": {"directory": str(world.authorities), "authority": "ssh"}}
    one = {"name": "sshd", "kind": "ssh_host", "principals": ["web1.example.org"]}
    world.settled([one], issuer=options)
    line = world.path("sshd", "current", "certificate.pub").read_bytes()
    world.settled([{**one, "lifetime": "10d"}], issuer=options)
    office, number = Office(world.url, options), f"{ssh.parsed(ssh.encoded(line)).serial_number:x}"
    office.settled({"serial_number": number}, reason="superseded")
    done = office.settled({"serial_number": number}, reason="key_compromise")
    assert (done["changed"], done["certificates"][0]["reason"]) == (True, "key_compromise")
    (tmp_path / "old.pub").write_bytes(ssh.as_text(ssh.parsed(ssh.encoded(line)).key))
    assert "REVOKED" in keygen("-Q", "-f", str(issuer.list_path), str(tmp_path / "old.pub"))


@pytest.mark.parametrize("kind", ["sk-ssh-ed25519", "sk-ecdsa-sha2-nistp256"])
def test_certificates_for_keys_of_fido_tokens_are_taken_back(site: Site, kind: str) -> None:
    path = site.user("token", 7, fido(kind))
    site.revoked(path)
    assert (site.refuses("token-cert.pub"), site.refuses("token.pub")) == (True, False)
    site.revoked(path, reason="key_compromise")
    assert site.refuses("token.pub")


@pytest.mark.parametrize("key_type", ["ed25519", "ecdsa-p256", "ecdsa-p384", "rsa-2048"])
def test_a_certificate_with_a_long_id_is_taken_back_whatever_key_signed_it(tmp_path: Path, key_type: str) -> None:
    site = Site(tmp_path, key_type)
    path = site.user("one", 2**64 - 1, key_id="x" * 5000)
    site.revoked(path)
    assert site.refuses("one-cert.pub")


def test_a_certificate_stands_below_comments(site: Site) -> None:
    path = site.user("one", 5)
    told = site.office.settled({"pem": f"\n# of ops\n  {path.read_text(encoding='ascii')}"})
    assert told["certificates"][0]["serial_number"] == "05"


def test_a_type_that_nobody_knows_is_told(site: Site) -> None:
    path = site.user("one", 5)
    said = ssh.encoded(path.read_bytes())
    name = b"ssh-new-cert-v01@openssh.com"
    path.write_bytes(ssh.as_text(string(name) + said[4 + len("ssh-ed25519-cert-v01@openssh.com") :]))
    assert "cannot be understood (not a certificate of SSH of a known type)" in site.office.refusal({"path": str(path)})


def test_what_the_authority_did_not_sign_is_not_taken_back(site: Site, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    foreign = Site(elsewhere).user("one", 5)
    assert "did not sign it" in site.office.refusal({"path": str(foreign)})
    said = ssh.encoded(foreign.read_bytes())
    forged = said.replace(string(ssh.parsed(said).authority), string(site.issuer.roots()[0]))
    foreign.write_bytes(ssh.as_text(forged))
    assert "did not sign it" in site.office.refusal({"path": str(foreign)})


def test_a_certificate_without_a_number_is_taken_back_by_its_key_alone(site: Site) -> None:
    path = site.user("one", 0)
    done = site.office.run({"path": str(path)})
    assert done["failed"]
    assert "no list can name a certificate with serial number 0; with reason: key_compromise its key" in done["msg"]
    site.revoked(path, reason="key_compromise")
    assert (site.refuses("one-cert.pub"), site.refuses("one.pub")) == (True, True)
    assert not site.refuses(site.user("other", 0).name)


def test_the_compromise_of_an_authority_says_nothing_of_a_key(site: Site) -> None:
    path = site.user("one", 5)
    site.revoked(path, reason="ca_compromise")
    assert (site.refuses("one-cert.pub"), site.refuses("one.pub")) == (True, False)


# the list


def taken_away(krl: Path) -> None:
    krl.unlink()


def emptied(krl: Path) -> None:
    krl.write_bytes(b"")


def exchanged(krl: Path) -> None:
    keygen("-q", "-k", "-f", str(krl), "-z", "9000000")


def no_list_at_all(krl: Path) -> None:
    krl.write_bytes(b"not a list\n")


HARM = pytest.mark.parametrize("harm", [taken_away, emptied, exchanged, no_list_at_all])


@HARM
def test_a_list_that_is_not_what_was_written_is_mended_by_a_run_with_nothing_to_revoke(
    site: Site, harm: t.Callable[[Path], None]
) -> None:
    path = site.user("one", 5)
    site.revoked(path)
    number = number_of(site.krl.read_bytes())
    harm(site.krl)
    done = site.revoked(path)
    assert [step["action"] for step in done["steps"]] == ["publish"]
    assert (done["changed"], done["certificates"][0]["changed"]) == (True, False)
    assert number_of(site.krl.read_bytes()) == number + 1
    assert site.refuses("one-cert.pub")


@HARM
def test_a_list_that_is_not_what_was_written_is_mended_with_the_next_signature(
    site: Site, harm: t.Callable[[Path], None]
) -> None:
    site.revoked(site.user("one", 5))
    number = number_of(site.krl.read_bytes())
    harm(site.krl)
    site.issuer.begin([local_ssh.request()])
    assert number_of(site.krl.read_bytes()) == number + 1
    assert site.refuses("one-cert.pub")
    site.issuer.begin([local_ssh.request()])
    assert number_of(site.krl.read_bytes()) == number + 1, "it is as it should be"


def test_a_list_is_mended_as_planned(site: Site, tmp_path: Path) -> None:
    path, plan = site.user("one", 5), str(tmp_path / "plan.json")
    site.revoked(path)
    site.krl.unlink()
    one = {"path": str(path)}
    shown = site.office.run(one, plan=plan, check=True)
    assert (shown["changed"], site.krl.exists()) == (True, False)
    assert site.office.run(one, plan=plan)["steps"] == shown["steps"]
    assert site.refuses("one-cert.pub")
    assert not site.office.run(one, plan=plan)["changed"]
    (event,) = site.events("publish")
    assert (event["identity"], event["outcome"]) == (site.issuer.id, "ok")
    assert "there is no key revocation list" in event["reason"]


def test_a_list_of_which_nothing_is_known_any_more_gets_a_number_that_none_had(site: Site) -> None:
    for number in (5, 6):
        site.revoked(site.user(f"user{number}", number))
    last = number_of(site.krl.read_bytes())
    site.krl.unlink()
    site.krl.with_name("revoked.krl.number").unlink()
    site.issuer.begin([local_ssh.request()])
    assert number_of(site.krl.read_bytes()) > last


def test_a_record_that_an_older_run_named_after_a_number_alone_still_counts(site: Site) -> None:
    path = site.user("one", 5)
    site.revoked(path, reason="superseded")
    (record,) = site.krl.with_name("revoked").iterdir()
    record.rename(record.with_name("5.json"))
    assert site.issuer.status(ssh.encoded(path.read_bytes())).reason == "superseded"
    site.revoked(path, reason="key_compromise")
    assert (site.refuses("one-cert.pub"), site.refuses("one.pub")) == (True, True)


@pytest.mark.parametrize("name", ["0.json", "-5.json", "10000000000000000.json", "mine.json"])
def test_a_file_that_is_no_record_is_told_and_never_published(site: Site, name: str) -> None:
    site.revoked(site.user("one", 5))
    (record,) = site.krl.with_name("revoked").iterdir()
    record.with_name(name).write_bytes(record.read_bytes())
    before = site.office.rows()
    for check in (True, False):
        done = site.office.run({"path": str(site.directory / "one-cert.pub")}, check=check)
        assert (done["failed"], done["changed"]) == (True, False)
        assert f"{name} is not named after a serial number and a key; move it away" in done["msg"]
    assert site.office.rows() == before
