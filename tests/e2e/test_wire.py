# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What goes over SSH in either direction, before it is encrypted: no private key, in no spelling."""

from __future__ import annotations

import base64
import io
import re
import typing as t
import zipfile
import zlib

import pytest
from ansible_collections.keystead.identity.tests.e2e.site import identity
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.e2e.site import Site

pytestmark = pytest.mark.needs("root", "netns", "ip", "ssh", "sshd", "sudo")

SSH = """#!/bin/bash
exec ssh "$@" < <(tee "{0}/down.$$") > >(tee "{0}/up.$$")
"""


def scalar(key: EllipticCurvePrivateKey) -> bytes:
    """Return the secret itself."""
    return key.private_numbers().private_value.to_bytes(32, "big")


def point(key: EllipticCurvePrivateKey) -> bytes:
    """Return what may be seen: the public key."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def spellings(raw: bytes) -> t.Iterator[bytes]:
    """Yield the ways in which bytes may stand in something else: raw, hexadecimal, base64 at any offset."""
    yield raw
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    for offset, skipped in enumerate((0, 2, 3)):
        yield base64.b64encode(b"\0" * offset + raw)[skipped:-4]


def stands_in(raw: bytes, texts: t.Iterable[bytes]) -> bool:
    """Tell whether bytes stand in one of the texts; in base64 also across its line ends."""
    forms = list(spellings(raw))
    joined = [(text, re.sub(rb"\s|\\+n", b"", text)) for text in texts]
    return any(form in text or form in line for text, line in joined for form in forms)


def files(directory: Path, pattern: str = "*") -> list[bytes]:
    """Return the contents of the regular files below a directory."""
    return [path.read_bytes() for path in directory.rglob(pattern) if path.is_file() and not path.is_symlink()]


def unpacked(texts: list[bytes]) -> t.Iterator[bytes]:
    """Yield the texts and what is compressed in them, as a module's zip archive or a program's literals, in base64."""
    yield from texts
    for literal in {match for text in texts for match in re.findall(rb"[A-Za-z0-9+/=]{1000,}", text)}:
        packed = base64.b64decode(literal)
        if zipfile.is_zipfile(io.BytesIO(packed)):
            with zipfile.ZipFile(io.BytesIO(packed)) as opened:
                yield from map(opened.read, opened.namelist())
        else:
            yield zlib.decompress(packed)


def keys(texts: t.Iterable[bytes]) -> list[EllipticCurvePrivateKey]:
    """Return the private keys in PEM files."""
    loaded = [load_pem_private_key(text, None) for text in texts]
    assert all(isinstance(key, EllipticCurvePrivateKey) for key in loaded)
    return t.cast("list[EllipticCurvePrivateKey]", loaded)


@pytest.mark.parametrize("pipelining", [True, False], ids=["piped", "as a module"])
def test_no_private_key_crosses_the_wire_and_none_is_in_log_ledger_or_temporary_files(
    site: Site, tmp_path: Path, *, pipelining: bool
) -> None:
    wire = tmp_path / "wire"
    wire.mkdir()
    ssh = tmp_path / "ssh"
    ssh.write_text(SSH.format(wire), encoding="utf-8")
    ssh.chmod(0o755)
    spied = {
        "ANSIBLE_SSH_EXECUTABLE": str(ssh),
        "ANSIBLE_SSH_TRANSFER_METHOD": "piped",  # a module goes over in one piece, too
        "ANSIBLE_LOG_PATH": str(tmp_path / "log"),
    }

    done = site.run(site.play(identity("web")), "-vvvv", "--diff", env=spied, ansible_pipelining=pipelining)
    assert done.returncode == 0, done.stdout

    hosts = [host.directory / "lib" for host in site.fleet.hosts.values()]
    of_hosts = [key for host in hosts for key in keys(files(host, "private_key.pem"))]
    of_authorities = keys(files(site.authorities, "private_key.pem"))
    assert (len(of_hosts), len(of_authorities)) == (3, 2)
    up, down = files(wire, "up.*"), list(unpacked(files(wire, "down.*")))
    for key in of_hosts:  # what was recorded is what went over: the public keys are seen both ways
        assert stands_in(point(key), up)
        assert stands_in(point(key), down)

    controller = [*files(tmp_path), done.stdout.encode(), done.stderr.encode()]
    assert not [key for key in of_hosts if stands_in(scalar(key), [*up, *down, *controller])]
    elsewhere = [text for host in hosts for text in files(host)]
    assert not [key for key in of_authorities if stands_in(scalar(key), [*up, *down, *elsewhere])]
