# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A process of `moto_server`, which is not AWS: a stand-in that keeps state, since AWS itself cannot be had for tests.

What it gets wrong is not built upon: it signs with keys that are disabled or to be deleted, hashes a digest again, and
answers 500 where ScheduleKeyDeletion, CancelKeyDeletion or EnableKey name a key by its ARN. It asks nobody for
rights before /moto-api/reset-auth is told after how many calls it shall (0: at once); then the actions that IAM's
policies permit count, and their conditions do not. Of its AWS Private CA so little is right that moto_pca.py, beside
this file, corrects it inside the server, and says what.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
import typing as t
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.keystead.identity.tests.harness.openbao_server import free_ports

if t.TYPE_CHECKING:
    from collections.abc import Iterator

STARTS_WITHIN = 60.0  # seconds
ACCESS_KEY, SECRET_KEY = "AKIAIOSFODNN7KEYSTEAD", "of-the-test-and-nobody-else"
_CORRECTED = Path(__file__).with_name("moto_pca.py")
_MAIN = f"""import runpy, sys
runpy.run_path({str(_CORRECTED)!r}, run_name="moto.acmpca.corrected")  # moto tells its services apart by this name
from moto.server import main
main(sys.argv[1:])"""


@dataclass
class Moto:
    """A server that runs at `url`; all tests of a session share it, so each takes names of its own."""

    url: str
    directory: Path
    process: subprocess.Popen[bytes]

    @property
    def environment(self) -> dict[str, str]:
        """Return what boto3 reads to come here, and nowhere else, as an administrator."""
        return {
            **nowhere(self.directory),
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "AWS_DEFAULT_REGION": "eu-central-1",
        }

    def client(self, service: str, region: str = "eu-central-1") -> t.Any:
        """Return boto3's own client, past all of our code."""
        import boto3

        return boto3.client(
            service, region_name=region, endpoint_url=self.url,
            aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY,
        )  # fmt: skip

    def told(self, path: str, body: str) -> None:
        """Tell the server itself something, for example /moto-api/reset."""
        plain = {"Content-Type": "text/plain"}  # a form would be taken apart
        request = urllib.request.Request(f"{self.url}{path}", body.encode(), plain, method="POST")  # noqa: S310
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
            assert answer.status == 200, answer.status

    def stop(self) -> None:
        """End the process."""
        self.process.terminate()
        self.process.wait(timeout=STARTS_WITHIN)


def nowhere(directory: Path) -> dict[str, str]:
    """Return an environment in which boto3 finds no configuration, no credentials and no machine to ask for them."""
    return {
        "AWS_CONFIG_FILE": str(directory / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(directory / "credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@contextlib.contextmanager
def reached(environment: dict[str, str]) -> Iterator[None]:
    """Let boto3 of this process read `environment`, and nothing else of AWS."""
    before = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    for name in before:
        del os.environ[name]
    os.environ.update(environment)
    try:
        yield
    finally:
        for name in environment:
            os.environ.pop(name, None)
        os.environ.update(before)


@contextlib.contextmanager
def running(directory: Path) -> Iterator[Moto]:
    """Start a server whose log is below `directory`; stop it afterwards."""
    (port,) = free_ports(1)
    with (directory / "moto.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", _MAIN, "-H", "127.0.0.1", "-p", str(port)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=directory,
            env={"PATH": os.environ["PATH"], "HOME": str(directory), "MOTO_PCA_DIRECTORY": str(directory)},
        )  # fmt: skip
    server = Moto(f"http://127.0.0.1:{port}", directory, process)
    try:
        _await(server)
        yield server
    finally:
        server.stop()


def _await(server: Moto) -> None:
    until = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < until:
        with contextlib.suppress(OSError):
            server.told("/moto-api/reset", "")
            return
        if server.process.poll() is not None:
            break
        time.sleep(0.05)
    raise AssertionError((server.directory / "moto.log").read_text(errors="replace")[-3000:])
