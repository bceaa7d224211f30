# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One listener a port, shared by all who need it: prolonged, told what to show, and gone with its time or its mark."""

from __future__ import annotations

import os
import socket
import time
import typing as t
import urllib.error
import urllib.request

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Unavailable
from ansible_collections.keystead.identity.plugins.module_utils._host import listening
from ansible_collections.keystead.identity.plugins.module_utils._host.listener import listen
from ansible_collections.keystead.identity.tests.harness.in_process import until
from ansible_collections.keystead.identity.tests.harness.openbao_server import free_ports

if t.TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.one_core
ONE, TWO = {"a" * 20: "content-of-one-xx"}, {"b" * 20: "content-of-two-xx"}


@pytest.fixture
def records(tmp_path: Path) -> t.Iterator[int]:
    tmp_path.chmod(0o755)
    found = os.open(tmp_path, os.O_RDONLY)
    yield found
    for port in listening.ports(found):
        os.unlink(listening.name(port), dir_fd=found)
    os.close(found)


@pytest.fixture
def port() -> int:
    (found,) = free_ports(1)
    return found


def shown(port: int, contents: dict[str, str]) -> bool | None:
    """Tell whether all of it is shown; None where nobody listens."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for token, content in contents.items():
        try:
            with opener.open(f"http://127.0.0.1:{port}/.well-known/acme-challenge/{token}", timeout=5) as answer:
                if answer.read() != content.encode():
                    return False
        except urllib.error.HTTPError:
            return False
        except OSError:
            return None
    return True


def test_who_comes_second_shares_the_listener_which_never_closes_its_port(records: int, port: int) -> None:
    listen(records, port, ONE, 30)
    first = listening.read(records, port)
    assert first
    listen(records, port, {**ONE, **TWO}, 30)
    assert shown(port, {**ONE, **TWO})
    second = listening.read(records, port)
    assert second
    assert second.secret == first.secret


def test_what_is_withdrawn_is_not_shown_any_more_while_the_rest_is(records: int, port: int) -> None:
    listen(records, port, {**ONE, **TWO}, 30)
    mark = listening.read(records, port)
    assert mark
    listening.write(records, port, mark._replace(contents=TWO))
    until(lambda: shown(port, ONE) is False)
    assert shown(port, TWO)


def test_a_shared_listener_has_the_longer_time_and_no_more(records: int, port: int) -> None:
    begun = time.monotonic()
    listen(records, port, ONE, 1.0)
    listen(records, port, ONE, 2.5)
    listen(records, port, ONE, 0.5)
    until(lambda: shown(port, ONE) is None)
    assert 1.5 < time.monotonic() - begun < 20


def test_a_mark_whose_listener_ended_stands_in_nobodys_way(records: int, port: int) -> None:
    listen(records, port, ONE, 0.3)
    until(lambda: shown(port, ONE) is None)
    assert listening.read(records, port)
    listen(records, port, TWO, 30)
    assert shown(port, TWO)


def test_a_mark_at_somebody_elses_port_makes_nobody_believe_that_it_is_ours(records: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        taken.settimeout(0)
        listening.write(records, port, listening.Mark("x", 0, 30, ONE))
        taken.close()
        with socket.create_server(("127.0.0.1", port)) as again:
            _refuse(again)
            with pytest.raises(Unavailable, match="is somebody else's"):
                listen(records, port, ONE, 30)


def _refuse(server: socket.socket) -> None:
    """Let a server close whatever comes."""
    import threading

    def work() -> None:
        try:
            while True:
                server.accept()[0].close()
        except OSError:
            return

    threading.Thread(target=work, daemon=True).start()


@pytest.mark.parametrize("content", ["", "{}", "[]", '["a", 0, 1, 7]', "[" * 5000, "\x00"])
def test_a_mark_that_is_none_ends_its_listener(records: int, port: int, tmp_path: Path, content: str) -> None:
    listen(records, port, ONE, 30)
    (tmp_path / f"listening-{port}").write_text(content, encoding="ascii")
    until(lambda: shown(port, ONE) is None)
