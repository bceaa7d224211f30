# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""An authority for SSH that many hosts ask for the first time at once."""

from __future__ import annotations

import typing as t
from concurrent.futures import ProcessPoolExecutor

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
