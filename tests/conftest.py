# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Plain pytest from the root: the collection under a path that Ansible can import, and the needs of tests.

Silent under ansible-test, which imports the collection itself.
"""

from __future__ import annotations

import contextlib
import os
import sys
import typing as t
from pathlib import Path

import pytest
import yaml

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.tests.harness.est_server import Est
    from ansible_collections.keystead.identity.tests.harness.moto import Moto
    from ansible_collections.keystead.identity.tests.harness.openbao_server import Server
    from ansible_collections.keystead.identity.tests.harness.pebble import Pebbles
    from ansible_collections.keystead.identity.tests.harness.postgres import Server as PostgresServer
    from ansible_collections.keystead.identity.tests.harness.scep import Site

ROOT = Path(__file__).resolve().parent.parent
UNDER_ANSIBLE_TEST = "ANSIBLE_CONTROLLER_MIN_PYTHON_VERSION" in os.environ


def _expose_collection() -> None:
    meta = yaml.safe_load((ROOT / "galaxy.yml").read_text(encoding="utf-8"))
    namespace, name = meta["namespace"], meta["name"]
    if ROOT.parts[-3:] == ("ansible_collections", namespace, name):
        base = ROOT.parents[2]
    else:
        base = ROOT / "build" / "collections"
        link = base / "ansible_collections" / namespace / name
        link.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            link.symlink_to(ROOT, target_is_directory=True)
    from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder

    given = filter(None, os.environ.get("ANSIBLE_COLLECTIONS_PATH", "").split(os.pathsep))
    paths = list(dict.fromkeys([str(base), *given]))
    os.environ["ANSIBLE_COLLECTIONS_PATH"] = os.pathsep.join(paths)
    _AnsibleCollectionFinder(paths=paths)._install()
    sys.path.insert(0, str(base))


if not UNDER_ANSIBLE_TEST:
    _expose_collection()


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers, and the plugins that know what this machine lacks and what a test has tried."""
    config.addinivalue_line("markers", "needs(*names): what the test needs of the machine; see tests/needs.py")
    config.addinivalue_line("markers", "one_core: says the same on every ansible-core, so it runs on the first only")
    from ansible_collections.keystead.identity.tests.harness.tally import Tally
    from ansible_collections.keystead.identity.tests.needs import Needs

    config.pluginmanager.register(Needs(), "keystead-needs")
    config.pluginmanager.register(Tally(), "keystead-tally")


@pytest.fixture(scope="session")
def openbao(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Server]:
    """Start one OpenBao for all tests of this process that are marked `needs("openbao")`; each has its own mounts."""
    from ansible_collections.keystead.identity.tests.harness.openbao_server import running

    with running(tmp_path_factory.mktemp("openbao")) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_server() -> t.Iterator[PostgresServer]:
    """Return a PostgreSQL that runs until the tests are over."""
    from ansible_collections.keystead.identity.tests.harness.postgres import postgres

    with postgres() as running:
        yield running


@pytest.fixture(scope="session")
def pebbles(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Pebbles]:
    """Have Pebbles for all tests of this process that are marked `needs("pebble")`; each makes accounts of its own."""
    from ansible_collections.keystead.identity.tests.harness.pebble import running

    with running(tmp_path_factory.mktemp("pebbles")) as servers:
        yield servers


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Moto]:
    """Start one stand-in for AWS for all tests of this process that are marked `needs("moto")`; boto3 comes to it."""
    from ansible_collections.keystead.identity.tests.harness.moto import running

    with running(tmp_path_factory.mktemp("moto")) as server:
        yield server


@pytest.fixture(scope="session")
def est(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Est]:
    """Run one EST server for all tests of this process."""
    from ansible_collections.keystead.identity.tests.harness.est import LABELS
    from ansible_collections.keystead.identity.tests.harness.est_server import running

    with running(tmp_path_factory.mktemp("est"), **LABELS) as server:
        yield server


@pytest.fixture(scope="session")
def scep(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Site]:
    """Run SCEP servers for all tests of this process that are marked `needs("scep", ...)`."""
    from ansible_collections.keystead.identity.tests.harness.scep import site

    with site(tmp_path_factory.mktemp("scep")) as servers:
        yield servers
