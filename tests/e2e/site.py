# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A site: fresh hosts behind SSH, an authority and a ledger on the controller, and what its operator runs."""

from __future__ import annotations

import contextlib
import subprocess
import typing as t
from dataclasses import dataclass
from functools import cached_property

from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.chain import verify
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_ledger
from ansible_collections.keystead.identity.tests.harness import local, playbook

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.ssh_hosts import Fleet

STORE = "/var/lib/keystead/identities"  # the default of option store

EVENTS = """
SELECT host, identity, generation, action, outcome FROM events JOIN heads USING (batch) ORDER BY events.seq
"""

Record = dict[str, t.Any]
Run = subprocess.CompletedProcess[str]


def identity(name: str, **more: t.Any) -> dict[str, t.Any]:
    """Return what a task says of an identity, named after its host."""
    return {"name": name, "dns_names": ["{{ inventory_hostname }}.example.org"], **more}


@dataclass
class Site:
    """What the controller has. `env` makes runs share their connections."""

    fleet: Fleet
    directory: Path
    env: t.Mapping[str, str]

    @property
    def home(self) -> Path:
        """Return the HOME of the operator."""
        return self.directory / "home"

    @property
    def authorities(self) -> Path:
        """Return the directory of the authority, keys included."""
        return self.directory / "authorities"

    @property
    def ledger(self) -> str:
        """Return the URL of the ledger."""
        return f"sqlite:///{self.directory}/ledger.db"

    @cached_property
    def issuer(self) -> dict[str, str]:
        """Return an authority of two tiers."""
        return local.two_tiers(self.authorities)

    def play(self, *identities: t.Mapping[str, t.Any], **said: t.Any) -> dict[str, t.Any]:
        """Return a play that gives identities to all hosts; `said` are keywords of the play."""
        options = {"issuer": {"local": self.issuer}, "ledger": self.ledger, "identities": list(identities)}
        tasks = [{"name": "Identities", "keystead.identity.machine_identity": options}]
        return {"hosts": "all", "gather_facts": False, "tasks": tasks, **said}

    def run(
        self,
        play: dict[str, t.Any],
        *args: str,
        env: t.Mapping[str, str] | None = None,
        special: t.Mapping[str, t.Mapping[str, t.Any]] | None = None,
        **variables: t.Any,
    ) -> Run:
        """Run a play over all hosts, or those of --limit; `variables` are those of every host, `special` of some."""
        hosts = {
            name: self.fleet.variables(name, **variables, **(special or {}).get(name, {})) for name in self.fleet.hosts
        }
        return playbook.run([play], hosts, *args, home=self.home, env={**self.env, **(env or {})})

    @contextlib.contextmanager
    def started(self, play: dict[str, t.Any]) -> t.Iterator[subprocess.Popen[bytes]]:
        """Start a run."""
        self.home.mkdir(exist_ok=True)
        inventory = playbook._inventory(self.fleet.inventory, self.home)
        command = [playbook.program("ansible-playbook"), "-i", inventory, playbook._playbook([play], self.home)]
        with (self.directory / "started.log").open("wb") as log:
            env = playbook.environment(self.home, self.env)
            process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        with process:
            yield process

    def records(self, host: str) -> list[Record]:
        """Return what the last run said of the identities of a host."""
        return [record for result in playbook.results(self.home, host) for record in result.get("identities", ())]

    def events(self) -> list[tuple[t.Any, ...]]:
        """Return host, identity, generation, action and outcome of every event, after its chain was verified."""
        ledger = open_ledger(self.ledger, read_only=True)
        try:
            broken = verify(ledger)
            assert broken is None, broken
            return ledger.read(EVENTS, ())
        finally:
            ledger.close()


def served(address: str, port: int, trusted: Path, name: str) -> str:
    """Return the certificate (PEM) that openssl is shown by a server, after it verified its chain and its name."""
    command = ["openssl", "s_client", "-connect", f"{address}:{port}", "-servername", name, "-verify_hostname", name]
    command += ["-CAfile", str(trusted), "-verify_return_error"]
    done = subprocess.run(command, input="", check=False, capture_output=True, text=True, timeout=20)
    assert "Verify return code: 0 (ok)" in done.stdout, done.stdout + done.stderr
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    return begin + done.stdout.partition(begin)[2].partition(end)[0] + end
