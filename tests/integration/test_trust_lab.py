# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Three nginx that require each other's certificates, and an authority that is rolled under them while they talk."""

from __future__ import annotations

import getpass
import itertools
import os
import signal
import socket
import ssl
import subprocess
import threading
import typing as t
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.tests.harness.consumers import free_port
from ansible_collections.keystead.identity.tests.harness.in_process import until
from ansible_collections.keystead.identity.tests.harness.mesh import Node, mesh

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

pytestmark = pytest.mark.needs("nginx")

CONFIGURATION = """
user {user};
worker_processes 1;
pid {here}/nginx.pid;
error_log {here}/error.log;
events {{}}
http {{
  access_log off;
  {paths}
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {pair}/fullchain.pem;
    ssl_certificate_key {pair}/private_key.pem;
    ssl_client_certificate {bundle};
    ssl_verify_client on;
    ssl_verify_depth 3;
    return 200;
  }}
}}
"""


class Shop:
    """One host of the lab: its nginx, which believes who the bundle verifies, and its client."""

    def __init__(self, node: Node) -> None:
        self.node, self.port, self.here = node, free_port(), node.directory / "nginx"
        self.here.mkdir()
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        text = CONFIGURATION.format(
            user=getpass.getuser(), here=self.here, port=self.port, pair=node.path("web", "current"),
            bundle=node.bundle, paths="".join(f"{kind}_temp_path {self.here}/{kind};" for kind in kinds),
        )  # fmt: skip
        (self.here / "nginx.conf").write_text(text, encoding="utf-8")
        self.argv = ["nginx", "-e", str(self.here / "error.log"), "-c", str(self.here / "nginx.conf")]

    def start(self) -> None:
        """Start nginx, as a daemon."""
        subprocess.run(self.argv, check=True)
        until((self.here / "nginx.pid").exists)

    def stop(self) -> None:
        """Stop nginx."""
        os.kill(self._master, signal.SIGTERM)
        until(lambda: not (self.here / "nginx.pid").exists())

    @property
    def _master(self) -> int:
        return int((self.here / "nginx.pid").read_text())

    def _workers(self) -> set[str]:
        return set(Path(f"/proc/{self._master}/task/{self._master}/children").read_text().split())

    def trust(self, *anchors: str) -> list[dict[str, t.Any]]:
        """Declare the anchors, and have nginx read them where they changed; return those that are retained."""
        done = self.node.trust(*anchors)
        if done["changed"]:
            before = self._workers()
            subprocess.run([*self.argv, "-s", "reload"], check=True)
            self._wait_for_others(before)
        return [one for one in done["anchors"] if one["retained"]]

    def _wait_for_others(self, before: set[str]) -> None:
        """Wait until no worker is left that still serves, or believes, what was there before a reload."""
        until(lambda: bool(self._workers()) and not before & self._workers())

    def leaf(self, issuer: str) -> None:
        """Have the certificate signed by an authority, and nginx prove that it serves it."""
        before = self._workers()
        record = self.node.peer(
            issuer, service="shop", trusts=[{"service": "shop"}],
            activate={"command": [*self.argv, "-s", "reload"]}, prove={"port": self.port},
        )  # fmt: skip
        assert not record["failed"], record["msg"]
        self._wait_for_others(before)

    def answer_to(self, client: Shop) -> str:
        """Return the first line that a client is answered, or why there is none."""
        try:
            context = client.node.context(ssl.PROTOCOL_TLS_CLIENT)
            with (
                socket.create_connection(("127.0.0.1", self.port), timeout=10) as plain,
                context.wrap_socket(plain, server_hostname=self.node.host) as secured,
            ):
                secured.sendall(b"GET / HTTP/1.0\r\n\r\n")
                return secured.recv(4096).split(b"\r\n")[0].decode()
        except OSError as error:
            return str(error)


def refused(shops: Sequence[Shop]) -> Iterator[str]:
    """Yield every pair in which the client is not answered well."""
    for client, server in itertools.permutations(shops, 2):
        answer = server.answer_to(client)
        if answer != "HTTP/1.1 200 OK":
            yield f"{client.node.host} at {server.node.host}: {answer}"


@pytest.fixture
def shops(tmp_path: Path) -> Iterator[list[Shop]]:
    """Return three hosts of a service, all of the authority that is there first, with nginx running."""
    made = [Shop(node) for node in mesh(tmp_path, "shop1", "shop2", "shop3")]
    running = []
    try:
        for shop in made:
            shop.node.peer("issuing", service="shop", trusts=[{"service": "shop"}])
            shop.node.trust("issuing")
            shop.start()
            running.append(shop)
        yield made
    finally:
        for shop in running:
            shop.stop()


@pytest.fixture
def talk(shops: list[Shop]) -> Iterator[list[str]]:
    """Let every pair talk all the time, in threads; return what went wrong, and see that much was said."""
    wrong: list[str] = []
    over, rounds = threading.Event(), itertools.count()

    def talking() -> None:
        while not over.is_set():
            wrong.extend(refused(shops))
            next(rounds)

    thread = threading.Thread(target=talking)
    thread.start()
    yield wrong
    over.set()
    thread.join()
    assert next(rounds) > 5


def test_every_pair_talks_at_every_step_of_a_roll(shops: list[Shop], talk: list[str]) -> None:
    for shop in shops:
        assert shop.trust("issuing", "b") == []
        assert list(refused(shops)) == []
    for left, shop in enumerate(shops):
        for early in shops:
            (kept,) = early.trust("b")
            assert [peer["host"] for peer in kept["needed_by"]] == [one.node.host for one in shops[left:]]
        shop.leaf("b")
        assert list(refused(shops)) == []
    for shop in shops:
        assert shop.trust("b") == []
        assert list(refused(shops)) == []
    assert talk == []
    assert {shop.node.certificate().issuer.rfc4514_string() for shop in shops} == {"CN=b"}
    assert all(shop.node.bundle.read_text().count("BEGIN") == 1 for shop in shops)


def test_who_drops_first_is_no_longer_talked_to(shops: list[Shop]) -> None:
    """The lab itself can fail: without waiting for its peers, a host loses them."""
    node = shops[0].node
    node.trust("b", drop_in_use=True)
    subprocess.run([*shops[0].argv, "-s", "reload"], check=True)
    until(lambda: len(list(refused(shops))) == 4)
