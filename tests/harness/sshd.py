# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A real sshd on port 22 of a network namespace of its own, and clients there that trust a CA and no single key.

While it is up, the calling thread and what it starts are in that network. Needs root.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
import typing as t
from dataclasses import dataclass

from ansible_collections.keystead.identity.tests.harness.ssh_hosts import end, enter, keygen, unshared

if t.TYPE_CHECKING:
    from pathlib import Path

ALIAS = "web1.example.org"
CONFIG = """
ListenAddress 127.0.0.1
HostKey {directory}/first_key
HostKey {directory}/links/ssh_host_key
HostCertificate {directory}/links/ssh_host_key-cert.pub
AuthorizedKeysFile {directory}/authorized_keys
PasswordAuthentication no
PidFile none
StrictModes no
UsePAM no
UseDNS no
"""
BOOT = """
mount -t tmpfs tmpfs /run
mkdir /run/sshd
ip link set lo up
echo unshared
read -r _
exec "$1" -D -e -f "$2" 2> "$3"
"""


@dataclass
class Sshd:
    """One server. `directory` holds its configuration, its log, and in `links` what it is given."""

    directory: Path
    pid: int = 0

    @property
    def reload(self) -> dict[str, t.Any]:
        """Return the option `activate` that lets it read its keys again, if its configuration is in order."""
        inside = ["nsenter", f"--target={self.pid}", "--mount"]
        test = [*inside, str(shutil.which("sshd")), "-t", "-f", str(self.directory / "sshd_config")]
        return {"command": ["kill", "-HUP", str(self.pid)], "only_if": test}

    def add(self, *lines: str) -> None:
        """Add lines to its configuration, and let it read that."""
        self.reconfigure("UseDNS no\n", "UseDNS no\n" + "".join(f"{line}\n" for line in lines))

    def reconfigure(self, old: str, new: str) -> None:
        """Write something else into its configuration, and let it read that."""
        config = self.directory / "sshd_config"
        config.write_text(config.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
        before = self._listened()
        os.kill(self.pid, signal.SIGHUP)
        deadline = time.monotonic() + 10
        while self._listened() == before and time.monotonic() < deadline:
            time.sleep(0.02)
        self.await_listener()

    def _listened(self) -> int:
        return (self.directory / "sshd.log").read_text(encoding="utf-8").count("Server listening on")

    def login(self, *options: str, known: str, key: str = "user_key") -> subprocess.CompletedProcess[str]:
        """Log in as a client with one line of known_hosts, by the name ALIAS; return what came of it."""
        (self.directory / "known_hosts").write_text(known, encoding="utf-8")
        said = (
            f"UserKnownHostsFile={self.directory / 'known_hosts'}", "GlobalKnownHostsFile=/dev/null",
            "StrictHostKeyChecking=yes", "BatchMode=yes", "IdentitiesOnly=yes", "UpdateHostKeys=no",
            f"HostKeyAlias={ALIAS}", f"IdentityFile={self.directory / key}", *options,
        )  # fmt: skip
        arguments = [word for one in said for word in ("-o", one)]
        command = ["ssh", "-F", "none", *arguments, "root@127.0.0.1", "echo", "in"]
        deadline = time.monotonic() + 5
        while True:  # one that reads its configuration again does not listen for a moment
            done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)
            if "Connection refused" not in done.stderr or time.monotonic() > deadline:
                return done
            time.sleep(0.05)

    def await_listener(self, timeout: float = 10.0) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + timeout
        while True:
            try:
                socket.create_connection(("127.0.0.1", 22), 1).close()
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                return


@contextlib.contextmanager
def sshd(directory: Path, *lines: str) -> t.Iterator[Sshd]:
    """Yield a running server whose configuration has further lines; come home afterwards."""
    made = Sshd(directory)
    (directory / "links").mkdir(exist_ok=True)
    for name in ("first_key", "user_key"):
        if not (directory / name).exists():
            keygen(directory / name)
    shutil.copy(directory / "user_key.pub", directory / "authorized_keys")
    config = directory / "sshd_config"
    config.write_text(CONFIG.format(directory=directory) + "".join(f"{line}\n" for line in lines), encoding="utf-8")
    log = str(directory / "sshd.log")
    process = unshared("--net", "--mount", "sh", "-euc", BOOT, "sh", str(shutil.which("sshd")), str(config), log)
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        enter(f"/proc/{process.pid}/ns/net")
        assert process.stdin
        process.stdin.write(b"wired\n")
        process.stdin.flush()
        made.pid = process.pid
        made.await_listener()
        yield made
    finally:
        enter(f"/proc/self/fd/{home}")
        os.close(home)
        end(process)
