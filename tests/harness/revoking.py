# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""cert_revoke without Ansible, in one process: over the ledger of others, and real issuers."""

from __future__ import annotations

import typing as t

from ansible_collections.keystead.identity.plugins.module_utils._core.errors import KeysteadError
from ansible_collections.keystead.identity.plugins.module_utils._options.cert_revoke import OPTIONS
from ansible_collections.keystead.identity.plugins.module_utils._options.common import COMMON
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.plugin_utils._cert_revoke.converge import Setting, converge
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger import queries
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.chain import verify
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_for
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated

Result = dict[str, t.Any]
Options = dict[str, t.Any]


class Office:
    """Where certificates are revoked: with the ledger at a URL, and an issuer."""

    def __init__(self, url: str, issuer: Options, host: str = "controller") -> None:
        """Keep what every task says."""
        self.url, self.issuer, self.host = url, issuer, host
        self.said: list[str] = []

    def run(self, *certificates: Options, check: bool = False, diff: bool = False, **options: t.Any) -> Result:
        """Run the task once. Raises KeysteadError."""
        said = {"ledger": self.url, "issuer": self.issuer, "certificates": list(certificates), **options}
        given = {name: value for name, value in said.items() if value is not None}
        args = validated(given, spec(COMMON, OPTIONS), module="cert_revoke")
        return converge(args, Setting(self.host, "revoke.yml", check, diff, self.said.append))

    def refusal(self, *certificates: Options, **options: t.Any) -> str:
        """Return why a task is refused, in check mode and in a run alike; neither may touch the ledger."""
        said = []
        before = self.rows(**options)
        for check in (True, False):
            try:
                self.run(*certificates, check=check, **options)
            except KeysteadError as error:
                said.append(str(error))
        assert len(said) == 2, said
        assert said[0] == said[1]
        assert self.rows(**options) == before
        return said[0]

    def settled(self, *certificates: Options, **options: t.Any) -> Result:
        """Look in check mode, twice, and run, twice: only the first run changes anything. Return that one."""
        before = self.rows(**options)
        shown = [self.run(*certificates, check=True, diff=True, **options) for _turn in range(2)]
        assert self.rows(**options) == before, "check mode touched the ledger"
        done = self.run(*certificates, diff=True, **options)
        assert not done.get("failed"), done
        for one in shown:
            for same in ("steps", "diff", "changed", "matched"):
                assert one[same] == done[same], same
        after = self.rows(**options)
        for check in (False, True):
            again = self.run(*certificates, check=check, **options)
            assert not again.get("failed"), again
            assert (again["changed"], again["steps"], again["matched"]) == (False, [], done["matched"])
            told = ("status", "reason", "revoked_at", "fingerprint_sha256", "serial_number", "identity", "generation")
            for name in told:
                assert [one[name] for one in again["certificates"]] == [one[name] for one in done["certificates"]]
        assert self.rows(**options) == after, "a run with nothing to do touched the ledger"
        return done

    def rows(self, **options: t.Any) -> list[tuple[t.Any, ...]]:
        """Return what a run could write: events, and how generations stand."""
        ledger = open_for({"ledger": self.url, **options}, read_only=True)
        try:
            found = ledger.read("SELECT seq, hash FROM events ORDER BY seq")
            found += ledger.read("SELECT id, state, revoked_at, revocation_reason FROM generations ORDER BY id")
            return found + ledger.read("SELECT credential_id, reason, revoked_at FROM revocations ORDER BY 1")
        finally:
            ledger.close()

    def events(self, **options: t.Any) -> list[queries.Record]:
        """Return all events about revocations, once the chain was found whole."""
        ledger = open_for({"ledger": self.url, **options}, read_only=True)
        try:
            assert verify(ledger) is None
            return [one for one in queries.events(ledger) if one["action"] == "revoke"]
        finally:
            ledger.close()
