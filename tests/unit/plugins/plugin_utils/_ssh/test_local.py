# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""An authority for SSH that many hosts ask for the first time at once."""

from __future__ import annotations

import typing as t
from concurrent.futures import ProcessPoolExecutor

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Generation, Subject
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.local_ssh import LocalSshIssuer
from ansible_collections.keystead.identity.tests.harness import local, local_ssh

if t.TYPE_CHECKING:
    from pathlib import Path


def _first(directory: Path) -> str:
    (answer,) = LocalSshIssuer({"directory": str(directory), "authority": "ssh"}).begin([local_ssh.request()])
    return type(answer).__name__


def test_hosts_that_ask_first_and_at_once_are_all_answered(tmp_path: Path) -> None:
    directories = [tmp_path / f"ca{number}" for number in range(8)]
    for directory in directories:
        local.authority(directory, "ssh", key={"type": "ed25519"})
    with ProcessPoolExecutor(5) as pool:
        for directory in directories:
            assert set(pool.map(_first, [directory] * 5)) == {"Generation"}
            assert (directory / "ssh" / "ssh" / "ca.pub").read_bytes().startswith(b"ssh-ed25519 ")


NAME, ADDRESS = Subject(dns_names=("web1.example.org",)), Subject(ip_addresses=("192.0.2.7",))


@pytest.mark.parametrize(
    ("permitted", "named", "signs"),
    [
        ({"dns": ["example.org"]}, NAME, True),
        ({"dns": ["example.org"]}, ADDRESS, False),
        ({"ip": ["192.0.2.0/24"]}, ADDRESS, True),
        ({"ip": ["192.0.2.0/24"]}, NAME, False),
        ({"dns": ["example.org"], "ip": ["192.0.2.0/24"]}, ADDRESS, True),
        ({"dns": ["example.org"], "ip": ["198.51.100.0/24"]}, ADDRESS, False),
        ({"email": ["example.org"]}, ADDRESS, True),
    ],
)
def test_who_permits_names_permits_addresses_only_where_that_is_said(
    tmp_path: Path, permitted: dict[str, list[str]], named: Subject, *, signs: bool
) -> None:
    issuer = local_ssh.issuer(tmp_path, name_constraints={"permitted": permitted})
    (answer,) = issuer.begin([local_ssh.request(named)])
    assert isinstance(answer, Generation if signs else Denied)
    if not signs:
        assert "is not among the names that" in str(answer)
