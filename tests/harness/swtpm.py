# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A TPM 2.0 in software behind tpm2-pkcs11: swtpm, a message bus of its own, and the resource manager on that bus.

Without the resource manager tpm2-pkcs11 runs out of places for objects. The witness that is not ours is tpm2_ptool,
which reads the store.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
import typing as t
from pathlib import Path

import yaml
from ansible_collections.keystead.identity.plugins.module_utils._pkcs11.token import close_tokens
from ansible_collections.keystead.identity.tests.harness import softhsm
from ansible_collections.keystead.identity.tests.harness.softhsm import PIN, SO_PIN, output

MODULE = "/usr/lib/x86_64-linux-gnu/pkcs11/libtpm2_pkcs11.so"
STARTS_WITHIN = 30.0  # seconds
TRIES = 5
CLASSES = {"CKO_PRIVATE_KEY": "Private Key", "CKO_PUBLIC_KEY": "Public Key", "CKO_SECRET_KEY": "Secret Key"}


class Tpm:
    """One TPM. What leads a process to it is `environment`."""

    def __init__(self) -> None:
        """Make its directory, whose path is short, since a socket of the bus is in it."""
        self._directory = tempfile.TemporaryDirectory(prefix="tpm-")
        self.path = Path(self._directory.name)
        self.store = self.path / "store"
        for name in ("state", "store"):
            (self.path / name).mkdir()
        self._processes: list[subprocess.Popen[bytes]] = []
        self.environment = {
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={self.path}/bus",
            "TPM2_PKCS11_BACKEND": "esysdb",
            "TPM2_PKCS11_STORE": str(self.store),
            "TPM2_PKCS11_TCTI": "tabrmd:bus_type=session",
            "TPM2TOOLS_TCTI": "tabrmd:bus_type=session",
            "TSS2_LOG": "all+NONE",
        }

    def start(self) -> None:
        """Start all three, and prepare the store."""
        bus = ["dbus-daemon", "--session", "--nofork", "--nopidfile"]
        self._run(*bus, f"--address={self.environment['DBUS_SESSION_BUS_ADDRESS']}")
        self._await((self.path / "bus").exists, "the message bus")
        self._port = self._chip()
        self.manage()
        self.ptool("init")

    def manage(self) -> None:
        """Start the resource manager, also in the place of one that died."""
        chip = f"--tcti=swtpm:host=127.0.0.1,port={self._port}"
        self.manager = self._run("tpm2-abrmd", "--session", "--allow-root", chip)
        self._await(self._answers, "the resource manager")

    def _chip(self) -> int:
        """Start swtpm on two neighbouring ports; return the first."""
        for _ in range(TRIES):
            port = _two_ports()
            address = "bindaddr=127.0.0.1"
            swtpm = self._run(
                "swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.path}/state",
                "--ctrl", f"type=tcp,port={port + 1},{address}", "--server", f"type=tcp,port={port},{address}",
                "--flags", "not-need-init,startup-clear",
            )  # fmt: skip
            with contextlib.suppress(AssertionError):
                self._await(lambda swtpm=swtpm, port=port: swtpm.poll() is not None or _listens(port + 1), "swtpm")
            if swtpm.poll() is None:
                return port
            self._processes.remove(swtpm)
        raise AssertionError(self.log())

    def _run(self, *command: str) -> subprocess.Popen[bytes]:
        with (self.path / "log").open("ab") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, **self.environment}
            )
        self._processes.append(process)
        return process

    def _await(self, ready: t.Callable[[], bool], what: str) -> None:
        until = time.monotonic() + STARTS_WITHIN
        while not ready():
            assert time.monotonic() < until, f"{what} does not answer: {self.log()}"
            time.sleep(0.02)

    def _answers(self) -> bool:
        environment = {**os.environ, **self.environment}
        done = subprocess.run(["tpm2_getrandom", "4"], check=False, capture_output=True, env=environment, timeout=30)
        return done.returncode == 0

    def add(self, label: str, pin: str = PIN) -> None:
        """Make one more token."""
        self.ptool("addtoken", "--pid", "1", "--label", label, "--sopin", SO_PIN, "--userpin", pin)

    def ptool(self, *arguments: str) -> str:
        """Run tpm2_ptool over the store, and return what it says."""
        return output(["tpm2_ptool", *arguments, "--path", str(self.store)], self.environment)

    def log(self) -> str:
        """Return what the processes said."""
        return (self.path / "log").read_text(encoding="utf-8", errors="replace")[-3000:]

    def stop(self) -> None:
        """Stop all three. A client that lost its bus would end its process with SIGTERM, which is this one."""
        close_tokens()
        before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
        try:
            for process in reversed(self._processes):
                process.terminate()
                process.wait(timeout=STARTS_WITHIN)
            time.sleep(0.1)
        finally:
            signal.signal(signal.SIGTERM, before)
        self._directory.cleanup()


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _two_ports() -> int:
    """Return a port of the loopback interface that is free, as the next one is."""
    while True:
        with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
            first = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            port: int = first.getsockname()[1]
            stack.enter_context(socket.create_server(("127.0.0.1", port + 1)))
            return port


class Custody(softhsm.Custody):
    """One token of a TPM, as the contract suite wants it."""

    module = MODULE
    needs = ("swtpm", "pkcs11-tool", "python-pkcs11")
    key_types = ("ecdsa-p256", "ecdsa-p384", "rsa-2048", "rsa-3072")
    lacks = "ed25519"

    def __init__(self, directory: Path, server: None) -> None:
        """Start a TPM with one token."""
        del directory, server
        self.tpm = Tpm()
        self.environment = self.tpm.environment
        try:
            self.tpm.start()
            self.tpm.add(self.token)
        except BaseException:
            self.tpm.stop()
            raise

    def seen(self, label: str) -> list[str]:
        """Return what tpm2_ptool lists."""
        listed = yaml.safe_load(self.tpm.ptool("listobjects", "--label", self.token)) or []
        mine = [one for one in listed if one["CKA_LABEL"] == label]
        return sorted(f"{CLASSES[one['CKA_CLASS']]}: {one['CKA_ID'][0]}" for one in mine)

    def destroy_shown(self, label: str, shown: t.Sequence[str]) -> None:
        """Destroy objects that `seen` has shown."""
        identifiers = {one.rpartition(" ")[2] for one in shown}
        for one in yaml.safe_load(self.tpm.ptool("listobjects", "--label", self.token)) or []:
            if one["CKA_LABEL"] == label and one["CKA_ID"][0] in identifiers:
                self.tpm.ptool("objdel", str(one["id"]))

    def every(self) -> str:
        """Return all that is in the token."""
        return self.tpm.ptool("listobjects", "--label", self.token)

    def destroy(self, label: str) -> None:
        """Destroy the keys of a label with tpm2_ptool."""
        for one in yaml.safe_load(self.tpm.ptool("listobjects", "--label", self.token)) or []:
            if one["CKA_LABEL"] == label:
                self.tpm.ptool("objdel", str(one["id"]))

    def stop(self) -> None:
        """Stop the TPM."""
        self.tpm.stop()
