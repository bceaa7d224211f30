# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How often a server of SSH is asked what it shows: sshd shuts out who comes and goes too often."""

from __future__ import annotations

import socket
import threading
import time
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Proof, Subject
from ansible_collections.keystead.identity.plugins.module_utils._host.proof import prove
from ansible_collections.keystead.identity.plugins.module_utils._host.target import Target
from ansible_collections.keystead.identity.tests.harness import local_ssh
from ansible_collections.keystead.identity.tests.harness.issuers import settled

if t.TYPE_CHECKING:
    from pathlib import Path

SHUTS_OUT_AT = 15.0  # seconds of penalties, of which each visit costs one (sshd_config(5), PerSourcePenalties)


class Busy:
    """A server that ends every conversation at once, and remembers when it was called."""

    def __init__(self) -> None:
        self.calls: list[float] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=50)
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def port(self) -> int:
        """Where it is."""
        return int(self._listener.getsockname()[1])

    def _serve(self) -> None:
        while True:
            try:
                connection = self._listener.accept()[0]
            except OSError:
                return
            self.calls.append(time.monotonic())
            connection.close()

    def close(self) -> None:
        """End it."""
        self._listener.close()

    def worst_penalty(self) -> float:
        """Return the most seconds that one address would have had against it."""
        worst = until = 0.0
        for call in self.calls:
            until = max(until, call) + 1
            worst = max(worst, until - call)
        return worst


@pytest.fixture
def busy() -> t.Iterator[Busy]:
    server = Busy()
    yield server
    server.close()


def test_three_identities_of_a_host_whose_server_does_not_answer_are_not_shut_out(busy: Busy, tmp_path: Path) -> None:
    (made,) = settled(local_ssh.issuer(tmp_path), local_ssh.request(key_type="ed25519"))
    proof = Proof(host="127.0.0.1", port=busy.port, timeout=6.0)
    content, public_id = local_ssh.content(made), str(made.public_id)
    targets = [
        Target(f"sshd{number}", proof, Subject(), content, public_id, b"", kind="ssh_host") for number in range(3)
    ]
    begun = time.monotonic()
    verdicts = prove(targets)
    assert {one.partition(" ")[2] for one in verdicts.values()} == {"closed the connection during the key exchange"}
    assert busy.worst_penalty() < SHUTS_OUT_AT
    assert busy.calls[-1] > begun + 5, "it is asked once more before the end"
