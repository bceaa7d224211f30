# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Every issuer, every key store and every ledger of the lists, each over its real backend."""

from __future__ import annotations

import itertools
import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness import faulty_proxy as faulty
from ansible_collections.keystead.identity.tests.harness.front import Front, every_issuer
from ansible_collections.keystead.identity.tests.harness.issuers import Made, ServerBackend, adapter
from ansible_collections.keystead.identity.tests.harness.keystores import Custody, Kept, custody, every_custody
from ansible_collections.keystead.identity.tests.harness.ledgers import ledger
from ansible_collections.keystead.identity.tests.harness.next_release import place
from ansible_collections.keystead.identity.tests.harness.rotations import BENCHES, Bench

if t.TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ledger", "place"]  # fixtures


def _made(request: pytest.FixtureRequest, directory: Path) -> Made:
    kind = adapter(request.param)
    server = request.getfixturevalue(kind.server) if kind.server else None
    backend = kind(directory, server)
    request.addfinalizer(getattr(backend, "stop", lambda: None))
    return Made(request.param, backend)


@pytest.fixture(params=every_issuer())
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Set one backend up for this test."""
    return _made(request, tmp_path_factory.mktemp("backend"))


@pytest.fixture(params=every_issuer(servers=True))
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Set one backend up that is a server."""
    return _made(request, tmp_path_factory.mktemp("backend"))


@pytest.fixture
def front(served: Made) -> t.Iterator[Front]:
    """Put a faulty proxy before it. It was spoken to once, so that no deadline counts what has to be imported."""
    with faulty.before(*t.cast("ServerBackend", served.backend).upstream) as proxy:
        found = Front(served, proxy)
        assert found.issuer().roots()
        yield found


_labels = itertools.count()


@pytest.fixture(scope="module", params=every_custody())
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> t.Iterator[tuple[str, Custody]]:
    """Start what is behind a key store, for all tests of a module."""
    kind = custody(request.param)
    server = request.getfixturevalue(kind.server) if kind.server else None
    started = kind(tmp_path_factory.mktemp("custody"), server)
    try:
        yield request.param, started
    finally:
        started.stop()


@pytest.fixture
def kept(running: tuple[str, Custody]) -> Kept:
    """Return it with a label that nobody had before."""
    return Kept(*running, label=f"web-{next(_labels)}")


@pytest.fixture(
    scope="module", params=[pytest.param(one, id=one.name, marks=pytest.mark.needs(*one.needs)) for one in BENCHES]
)
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Set up where keys live by themselves, for all tests of a module."""
    cls: type[Bench] = request.param
    server = request.getfixturevalue(cls.server) if cls.server else None
    return cls(tmp_path_factory.mktemp(cls.name), server)


@pytest.fixture
def reached(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the environment back as it was: what leads to a backend is set in it."""
    for name, value in bench.environment.items():
        monkeypatch.setenv(name, value)
