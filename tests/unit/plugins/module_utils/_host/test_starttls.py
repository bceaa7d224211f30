# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""STARTTLS dialogues against stateful fakes, which OpenSSL's own client must understand as well."""

from __future__ import annotations

import functools
import socket
import subprocess
import time
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied
from ansible_collections.keystead.identity.plugins.module_utils._host.starttls import begin_tls
from ansible_collections.keystead.identity.tests.harness import consumers
from ansible_collections.keystead.identity.tests.harness.two_tier import TwoTier

if t.TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _says(text: bytes) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        connection.sendall(text)
        connection.recv(4096)

    return answer


def _begin(protocol: str, answer: Callable[[socket.socket], None], seconds: float = 3) -> None:
    with consumers.Listener(answer) as server, socket.create_connection((consumers.LOOPBACK, server.port), 3) as client:
        begin_tls(client, protocol, time.monotonic() + seconds)


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("protocol", sorted(consumers.FAKES))
def test_the_fakes_are_good_enough_for_openssl(tmp_path: Path, protocol: str) -> None:
    authority = TwoTier()
    (tmp_path / "root.pem").write_bytes(authority.root)
    pair = authority.issue("localhost").write(tmp_path)
    with consumers.TlsServer(pair, before=consumers.FAKES[protocol]) as server:
        done = subprocess.run(
            ["openssl", "s_client", "-connect", f"{consumers.LOOPBACK}:{server.port}", "-starttls", protocol,
             "-CAfile", str(tmp_path / "root.pem"), "-verify_return_error", "-verify_hostname", "localhost"],
            input=b"Q\n", capture_output=True, timeout=10, check=False,
        )  # fmt: skip
    assert b"Verification: OK" in done.stdout, done.stderr


@pytest.mark.parametrize("protocol", sorted(consumers.FAKES))
def test_a_server_that_offers_tls_is_taken_to_where_it_begins(protocol: str) -> None:
    _begin(protocol, consumers.FAKES[protocol])


@pytest.mark.parametrize(
    ("protocol", "answer", "reason"),
    [
        ("smtp", _says(b"554 no service\r\n"), "554 no service"),
        ("smtp", _says(b"220 hi\r\n250 x\r\n454 TLS not available\r\n"), "454 TLS not available"),
        ("smtp", _says(b"220-" + b"x" * 9000), "it answered an endless line"),
        ("smtp", _says(b"220-x\r\n" * 500), "it answered endless lines"),
        ("imap", _says(b"* PREAUTH welcome\r\n"), "* PREAUTH welcome"),
        ("imap", _says(b"* OK hi\r\nk1 BAD what\r\n"), "k1 BAD what"),
        ("ldap", functools.partial(consumers.fake_ldap, result_code=2), "result code 02"),
        ("ldap", _says(b"\x30\x02\x00\x00"), "it answered something else than an ExtendedResponse"),
        ("ldap", _says(b"\x30\x84\x7f\xff\xff\xff"), "it answered megabytes"),
        ("postgres", functools.partial(consumers.fake_postgres, answer=b"N"), "the server has ssl = off"),
        ("postgres", lambda connection: connection.shutdown(socket.SHUT_RDWR), "it closed the connection"),
    ],
)
def test_a_refusal_is_said(protocol: str, answer: Callable[[socket.socket], None], reason: str) -> None:
    with pytest.raises(Denied) as refused:
        _begin(protocol, answer)
    assert str(refused.value) == f"{protocol}: no STARTTLS ({reason})"


def test_a_server_that_drips_is_given_up_at_the_deadline() -> None:
    def drip(connection: socket.socket) -> None:
        while True:
            connection.sendall(b"2")
            time.sleep(0.05)

    started = time.monotonic()
    with pytest.raises(socket.timeout):
        _begin("smtp", drip, 0.4)
    assert time.monotonic() - started < 30


def test_plain_text_sent_along_with_the_go_ahead_is_left_to_tls() -> None:
    def inject(connection: socket.socket) -> None:
        connection.sendall(b"S" + b"injected")
        connection.recv(4096)

    with consumers.Listener(inject) as server, socket.create_connection((consumers.LOOPBACK, server.port), 3) as client:
        begin_tls(client, "postgres", time.monotonic() + 3)
        client.settimeout(3)
        assert client.recv(8, socket.MSG_WAITALL) == b"injected"
