# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Key revocation lists, as ssh-keygen reads them."""

from __future__ import annotations

import datetime as dt
import subprocess
import time
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core import ssh
from ansible_collections.keystead.identity.plugins.plugin_utils._ssh import krl
from ansible_collections.keystead.identity.tests.harness import local_ssh
from ansible_collections.keystead.identity.tests.harness.issuers import settled

if t.TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.needs("ssh")
NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)


def shown(path: Path) -> str:
    """Return what ssh-keygen says of a list."""
    command = ["ssh-keygen", "-Q", "-l", "-f", str(path)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def public(number: int) -> bytes:
    """Return a public key in SSH's own form."""
    return ssh.key_of(local_ssh.local.key("ed25519", number).public_key())


def is_revoked(path: Path, line: bytes) -> bool:
    """Tell whether ssh-keygen finds a key or a certificate in a list."""
    path.with_name("asked.pub").write_bytes(line)
    command = ["ssh-keygen", "-Q", "-f", str(path), str(path.with_name("asked.pub"))]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert ("REVOKED" in done.stdout) == (done.returncode == 1), done.stdout + done.stderr
    return done.returncode == 1


def test_ssh_keygen_reads_numbers_serial_numbers_and_keys(tmp_path: Path) -> None:
    authority = local_ssh.issuer(tmp_path / "ca").roots()[0]
    key = ssh.key_of(local_ssh.local.key("ed25519").public_key())
    path = tmp_path / "list"
    path.write_bytes(krl.written(krl.List(7, authority, (5, 3, 1 << 62), (key, key)), NOW))
    told = shown(path)
    assert "# KRL version 7" in told
    assert "serial: 3\n" in told
    assert "serial: 5\n" in told
    assert f"serial: {1 << 62}\n" in told
    assert ssh.fingerprint(authority) in told
    assert told.count("hash: SHA256") + told.count("key: ") == 1
    assert (krl.number_of(path.read_bytes()), is_revoked(path, ssh.as_text(key))) == (7, True)
    assert not is_revoked(path, ssh.as_text(authority))


def test_an_empty_list_revokes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_bytes(krl.written(krl.List(1, b""), NOW))
    assert "# KRL version 1" in shown(path)
    assert not is_revoked(path, ssh.as_text(ssh.key_of(local_ssh.local.key("ed25519").public_key())))


@pytest.mark.parametrize("content", [b"", b"SSHKRL\n\0", b"x" * 99])
def test_what_is_no_list_is_said_so(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"not a key revocation list|ends too early"):
        krl.number_of(content)


@pytest.mark.parametrize("keys", [(), (public(1),), (public(1), public(2))])
@pytest.mark.parametrize("serials", [(), (5,), (5, 2**64 - 1)])
def test_a_list_of_ours_is_read_as_it_was_written(serials: tuple[int, ...], keys: tuple[bytes, ...]) -> None:
    said = krl.List(7, public(0) if serials else b"", serials, tuple(sorted(keys)))
    assert krl.parsed(krl.written(said, NOW)) == said


def test_a_list_that_says_more_than_ours_do_is_not_taken_for_one(tmp_path: Path) -> None:
    said = krl.written(krl.List(7, public(0), (5,), (public(1),)), NOW)
    for wrong in (said[:-1], said + b"\x03\0\0\0\0", b"", b"junk"):
        with pytest.raises(ValueError, match=r"."):
            krl.parsed(wrong)
    (tmp_path / "spec").write_text("serial: 5-9\n")
    (tmp_path / "ca.pub").write_bytes(ssh.as_text(public(0)))
    names = [str(tmp_path / name) for name in ("krl", "ca.pub", "spec")]
    subprocess.run(["ssh-keygen", "-q", "-k", "-f", names[0], "-s", *names[1:]], check=True)
    with pytest.raises(ValueError, match="otherwise"):
        krl.parsed((tmp_path / "krl").read_bytes())


def test_an_authority_publishes_a_list_with_another_number_only_where_it_says_something_else(tmp_path: Path) -> None:
    issuer = local_ssh.issuer(tmp_path)
    first, second = settled(issuer, local_ssh.request(), local_ssh.request(number=1))
    path = issuer.list_path
    assert krl.number_of(path.read_bytes()) == 1
    before = path.read_bytes()
    issuer.publish_list()
    assert path.read_bytes() == before
    issuer.revoke([local_ssh.content(first)], "superseded")
    issuer.revoke([local_ssh.content(first)], "superseded")
    assert krl.number_of(path.read_bytes()) == 2
    assert is_revoked(path, first.parts["certificate"].content)
    assert not is_revoked(path, second.parts["certificate"].content)
    path.unlink()  # a run that was cut off
    issuer.publish_list()
    assert is_revoked(path, first.parts["certificate"].content)


def test_a_compromised_key_is_in_the_list_itself(tmp_path: Path) -> None:
    issuer = local_ssh.issuer(tmp_path)
    (generation,) = settled(issuer, local_ssh.request())
    issuer.revoke([local_ssh.content(generation)], "key_compromise")
    assert is_revoked(issuer.list_path, generation.parts["public_key"].content)


def test_a_list_of_a_hundred_thousand_takes_less_than_a_second(tmp_path: Path) -> None:
    authority = local_ssh.issuer(tmp_path / "ca").roots()[0]
    started = time.process_time()
    content = krl.written(krl.List(1, authority, tuple(range(1, 100_001))), NOW)
    assert time.process_time() - started < 1
    (tmp_path / "list").write_bytes(content)
    assert "serial: 100000\n" in shown(tmp_path / "list") or "serial: 1-100000\n" in shown(tmp_path / "list")
