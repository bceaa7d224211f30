# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A renewal at a server that revokes what it renews is killed, and then nobody wants it any more."""

from __future__ import annotations

import contextlib
import shutil
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Unavailable
from ansible_collections.keystead.identity.plugins.module_utils._core.keys import from_pem, spki_sha256
from ansible_collections.keystead.identity.tests.harness import tally
from ansible_collections.keystead.identity.tests.harness.faults import Call, Trace, calls, in_fork
from ansible_collections.keystead.identity.tests.harness.in_process import host_half
from ansible_collections.keystead.identity.tests.harness.scep import Backend, Site
from ansible_collections.keystead.identity.tests.harness.scep_host import Host, Task, before, client
from ansible_collections.keystead.identity.tests.harness.sweep import LONG

if t.TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.one_core, pytest.mark.needs("strace", "root", *Backend.needs)]
KILL = "signal=KILL"
POINTS = 1000 if LONG else 12
DAY = client(lifetime="1d")


@pytest.fixture
def host(scep: Site, tmp_path: Path) -> t.Iterator[Host]:
    with before(scep, tmp_path) as found:
        yield found


def sampled(found: t.Sequence[Call]) -> t.Sequence[Call]:
    """Return about POINTS of the calls, the first and the last of them included."""
    return found[:: max(1, len(found) // POINTS)]


def of_pair(host: Host, generation: str = "current") -> tuple[str, str]:
    """Return the ids of the keys of a pair: that of the certificate, and that of the private key."""
    key = from_pem(host.world.path("web", generation, "private_key.pem").read_bytes())
    return spki_sha256(host.world.certificate("web", generation).public_key()), spki_sha256(key.public_key())


def restored(host: Host, kept: Path) -> None:
    """Let controller, host and the records of the server be as they were."""
    shutil.rmtree(host.world.directory)
    shutil.copytree(kept / "world", host.world.directory, symlinks=True)
    shutil.copytree(kept / "depot", host.backend.site.open.depot, dirs_exist_ok=True)


def kept(host: Host, directory: Path) -> Path:
    """Keep controller, host and the records of the server as they are; return where."""
    shutil.copytree(host.world.directory, directory / "kept" / "world", symlinks=True)
    shutil.copytree(host.backend.site.open.depot, directory / "kept" / "depot")
    return directory / "kept"


def test_a_controller_killed_in_a_renewal_that_is_not_wanted_any_more_leaves_nothing_revoked_in_service(
    host: Host, tmp_path: Path
) -> None:
    host.world.settled([DAY], issuer=host.issuer())
    start, log, killed = kept(host, tmp_path), tmp_path / "log", 0

    def renewed(trace: Trace) -> int:
        renewal = [client(lifetime="1d", key={"type": "rsa-3072"})]
        return in_fork(lambda: host.world.converge(renewal, issuer=host.issuer()), trace).signal

    assert not renewed(Trace(str(log)))
    for call in sampled(calls(log)):
        tally.point()
        restored(host, start)
        killed += bool(renewed(Trace(str(log), call, KILL)))
        certified, private = of_pair(host)
        assert certified == private, call.text
        for _ in range(2):
            done = host.world.converge([DAY], issuer=host.issuer())
            assert not done.get("failed"), (call.text, done["msg"])
        assert done["changed"] is False, call.text
        assert not host.is_revoked(host.world.certificate()), call.text
        certified, private = of_pair(host)
        assert certified == private, call.text
    assert killed >= min(POINTS, 10)


def test_a_host_killed_while_it_replaces_a_spent_key_keeps_its_pair_and_never_uses_that_key(
    host: Host, tmp_path: Path
) -> None:
    host.world.settled([DAY], issuer=host.issuer())
    assert host.world.converge([client(lifetime="12h")], issuer=host.issuer())["failed"] is True
    spent = spki_sha256(from_pem(host.world.path("web", "next", "private_key.pem").read_bytes()).public_key())
    pair, start, log, killed = of_pair(host), kept(host, tmp_path), tmp_path / "log", []

    def prepared(trace: Trace) -> None:
        def way(arguments: Task) -> Task:
            ended = in_fork(lambda: host_half(arguments), trace if arguments["phase"] == "prepare" else None)
            killed.extend([ended.signal] if ended.signal else [])
            return ended.value or {"failed": True, "msg": "killed", "rc": -9}

        with contextlib.suppress(Unavailable):
            host.world.converge([DAY], issuer=host.issuer(), execute=way)

    prepared(Trace(str(log)))
    found = calls(log)
    assert len(found) > 10, "it destroys one key and stages another"
    for call in sampled(found):
        tally.point()
        restored(host, start)
        prepared(Trace(str(log), call, KILL))
        assert of_pair(host) == pair, call.text
        host.world.settled([DAY], issuer=host.issuer())
        certified, private = of_pair(host)
        assert certified == private != spent, call.text
    assert len(killed) >= min(POINTS, 10)
