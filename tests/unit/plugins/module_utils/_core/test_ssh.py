# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Certificates of SSH as the core reads them, beside what ssh-keygen and cryptography say of the same."""

from __future__ import annotations

import contextlib
import subprocess
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core import credentials, ssh, wire
from ansible_collections.keystead.identity.plugins.module_utils._core.keys import (
    form_of,
    from_pem,
    generate,
    spki_sha256,
    to_pem,
)
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Credential, Subject
from cryptography.hazmat.primitives.serialization import load_ssh_public_identity
from hypothesis import given
from hypothesis import strategies as st

if t.TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.needs("ssh")
PRINCIPALS = "web1.example.org,web1,192.0.2.7,2001:db8::7"


def keygen(*arguments: str) -> str:
    """Run ssh-keygen."""
    return subprocess.run(["ssh-keygen", "-q", *arguments], check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    directory = tmp_path_factory.mktemp("keys")
    return signed(directory, "ed25519")


def signed(directory: Path, key_type: str, *options: str) -> bytes:
    """Return a certificate that ssh-keygen made."""
    said = ["-t", "rsa", "-b", "2048"] if key_type == "rsa-2048" else ["-t", *key_type.split("-p")[:1]]
    said += ["-b", key_type.rpartition("-p")[2]] if "-p" in key_type else []
    for name, how in (("ca", ["-t", "ed25519"]), ("key", said)):
        keygen(*how, "-N", "", "-C", "", "-f", str(directory / name))
    more = options or ("-h", "-n", PRINCIPALS, "-z", "1234567890123456789", "-V", "+30d")
    keygen("-s", str(directory / "ca"), "-I", "web1/sshd", *more, str(directory / "key.pub"))
    return (directory / "key-cert.pub").read_bytes()


@pytest.mark.parametrize("key_type", ["ed25519", "ecdsa-p256", "ecdsa-p384", "rsa-2048"])
def test_what_ssh_keygen_signed_is_read_as_it_means_it(tmp_path: Path, key_type: str) -> None:
    line = signed(tmp_path, key_type)
    found = credentials.credential(credentials.encoded(line))
    facts, known = found.facts, load_ssh_public_identity(line)
    assert (found.kind, facts.usages, facts.is_ca) == ("ssh_host", ("ssh_host",), False)
    assert found.public_id == spki_sha256(known.public_key())  # type: ignore[union-attr]
    assert (facts.key_type, facts.serial_number, facts.subject_name) == (key_type, 1234567890123456789, "web1/sshd")
    names, addresses = ("web1.example.org", "web1"), ("192.0.2.7", "2001:db8::7")
    assert facts.subject == Subject(dns_names=names, ip_addresses=addresses)
    assert ".".join(ssh.principals(facts.subject)) == PRINCIPALS.replace(",", ".")
    told = keygen("-l", "-f", str(tmp_path / "ca.pub"))
    assert facts.issuer in told
    assert int(found.not_after.timestamp()) == known.valid_before  # type: ignore[union-attr]
    assert wire.unpack(Credential, wire.pack(found)) == found


def test_text_and_bytes_of_it_lead_to_each_other_without_the_comment(line: bytes) -> None:
    content = credentials.encoded(line)
    assert credentials.first_in(line) == content
    text = credentials.as_text(content)
    assert text == b" ".join(line.split()[:2]) + b"\n"
    assert credentials.encoded(text) == content


def test_a_certificate_of_a_user_and_one_without_an_end_are_read_too(tmp_path: Path) -> None:
    line = signed(tmp_path, "ed25519", "-n", "root", "-O", "force-command=true")
    found = credentials.credential(credentials.encoded(line))
    assert found.facts.usages == ("ssh_user",)
    assert found.not_after.year == 9999
    assert ssh.parsed(credentials.encoded(line)).critical


def test_a_principal_that_only_looks_like_an_address_differs_from_the_address() -> None:
    assert ssh.subject_of(["2001:0db8::7"]) == Subject(dns_names=("2001:0db8::7",))


@given(data=st.data())
def test_what_is_cut_or_changed_is_read_or_is_a_value_error(line: bytes, data: st.DataObject) -> None:
    content = bytearray(credentials.encoded(line))
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(1, len(content)))]
    for read in (credentials.credential, credentials.public_key):
        with contextlib.suppress(ValueError):
            assert read(bytes(content))


def test_a_point_in_another_form_is_no_certificate(tmp_path: Path) -> None:
    content = credentials.encoded(signed(tmp_path, "ecdsa-p256"))
    for form in (b"\2", b"\3"):
        changed = content.replace(b"\0\0\0\x08nistp256\0\0\0\x41\4", b"\0\0\0\x08nistp256\0\0\0\x41" + form, 1)
        assert changed != content
        for read in (credentials.credential, credentials.public_key):
            with pytest.raises(ValueError, match="not a certificate of SSH"):
                read(changed)


@given(st.binary(max_size=200))
def test_anything_else_is_no_certificate(noise: bytes) -> None:
    for text in (b"ssh-ed25519-cert-v01@openssh.com " + noise, b"ssh-"):
        assert credentials.first_in(text) is None
    with pytest.raises(ValueError, match="not a certificate"):
        credentials.credential(b"\0\0\0" + noise)


@pytest.mark.parametrize("key_type", ["ed25519", "ecdsa-p256", "rsa-2048"])
def test_a_key_in_the_form_of_openssh_comes_back_and_ssh_keygen_reads_it(tmp_path: Path, key_type: str) -> None:
    key = generate(key_type)
    pem = to_pem(key, "openssh")
    assert (form_of(pem), form_of(to_pem(key))) == ("openssh", "pkcs8")
    assert spki_sha256(from_pem(pem).public_key()) == spki_sha256(key.public_key())
    (tmp_path / "key").touch(mode=0o600)
    (tmp_path / "key").write_bytes(pem)
    assert keygen("-y", "-f", str(tmp_path / "key")).encode() == ssh.as_text(ssh.key_of(key.public_key()))
