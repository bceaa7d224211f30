# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Three real hosts for the tests of a file, and a site for each test."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.tests.e2e.site import Site
from ansible_collections.keystead.identity.tests.harness import ssh_hosts

if t.TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def fleet() -> t.Iterator[ssh_hosts.Fleet]:
    """Return three hosts; this thread is in their network."""
    with ssh_hosts.fleet() as hosts:
        yield hosts


@pytest.fixture(scope="module")
def connections(fleet: ssh_hosts.Fleet) -> t.Iterator[dict[str, str]]:
    """Return the environment of runs that share their connections."""
    with fleet.connections() as environment:
        yield environment


@pytest.fixture
def site(fleet: ssh_hosts.Fleet, connections: dict[str, str], tmp_path: Path) -> t.Iterator[Site]:
    """Return a site whose hosts have nothing yet."""
    yield Site(fleet, tmp_path, connections)
    for host in fleet.hosts.values():
        host.wipe()
