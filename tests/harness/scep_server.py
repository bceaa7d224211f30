# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A real SCEP server (RFC 8894), micromdm's scepserver, and its scepclient.

The server listens on every interface and cannot be told otherwise, so it lives in a network namespace of its own, and
whoever speaks to it goes there.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
import typing as t
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes

if t.TYPE_CHECKING:
    from pathlib import Path

CHALLENGE = "open, sesame"
PORT = 8080
BASE = f"http://127.0.0.1:{PORT}/scep"


@dataclass(frozen=True)
class Scep:
    """A running server: its process, its directory, and its authority."""

    pid: int
    depot: Path
    authority: x509.Certificate

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of its authority's certificate, in hexadecimal."""
        return self.authority.fingerprint(hashes.SHA256()).hex()

    def inside(self, *argv: str, **said: t.Any) -> subprocess.CompletedProcess[bytes]:
        """Run a program where the server can be reached."""
        command = ["nsenter", "--target", str(self.pid), "--net", *argv]
        return subprocess.run(command, capture_output=True, timeout=60, check=False, **said)

    def index(self) -> list[str]:
        """Return the state of what was signed: V or R, and the subject."""
        lines = (self.depot / "index.txt").read_text(encoding="utf-8").splitlines()
        return [f"{line[0]} {line.rpartition(chr(9))[2]}" for line in lines]


def enrol(
    scep: Scep, directory: Path, files: t.Mapping[str, bytes], *more: str, fingerprint: str | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run scepclient in a directory where these files are links to memory: no secret touches a disk.

    It takes `csr.pem` beside its key as it is, and with a certificate there it renews.
    """
    held: list[int] = []
    try:
        for name, content in files.items():
            held.append(os.memfd_create(name, 0))
            os.write(held[-1], content)
            (directory / name).symlink_to(f"/proc/self/fd/{held[-1]}")
        return scep.inside(
            "scepclient", "-server-url", BASE, "-private-key", str(directory / "key.pem"), "-certificate",
            str(directory / "client.pem"), "-ca-fingerprint", fingerprint or scep.fingerprint, *more,
            pass_fds=tuple(held), env={"PATH": os.environ["PATH"]},
        )  # fmt: skip
    finally:
        for descriptor in held:
            os.close(descriptor)
        for name in files:
            (directory / name).unlink(missing_ok=True)


@contextlib.contextmanager
def running(directory: Path) -> t.Iterator[Scep]:
    """Run a server with an authority of its own, which signs for 30 days and renews at any time."""
    depot = directory / "depot"
    made = ["scepserver", "ca", "-init", "-depot", str(depot), "-keySize", "2048", "-organization", "Example"]
    subprocess.run(made, check=True, capture_output=True, timeout=60)
    served = f"scepserver -depot {depot} -port {PORT} -challenge '{CHALLENGE}' -crtvalid 30 -allowrenew 0"
    command = ["unshare", "--net", "sh", "-c", f"ip link set lo up && exec {served}"]
    with (directory / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            authority = x509.load_pem_x509_certificate((depot / "ca.pem").read_bytes())
            scep = Scep(process.pid, depot, authority)
            _await(scep, process)
            yield scep
        finally:
            process.terminate()


def _await(scep: Scep, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 20
    while scep.inside("curl", "--silent", f"{BASE}?operation=GetCACaps").stdout == b"":
        assert process.poll() is None, "it ended"
        assert time.monotonic() < until, "it does not answer"
        time.sleep(0.05)
