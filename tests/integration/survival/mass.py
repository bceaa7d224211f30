# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Two hundred identities of one host: rotated, then their old certificates revoked, and killed on the way."""

from __future__ import annotations

import subprocess
import typing as t

from ansible_collections.keystead.identity.plugins.module_utils._core.errors import KeysteadError
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger import chain
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_ledger
from ansible_collections.keystead.identity.tests.harness import tally
from ansible_collections.keystead.identity.tests.harness.faults import ForkServer, Trace, calls
from ansible_collections.keystead.identity.tests.harness.in_process import HOST, World, from_now_on
from ansible_collections.keystead.identity.tests.harness.local import two_tiers
from ansible_collections.keystead.identity.tests.harness.revoking import Office
from ansible_collections.keystead.identity.tests.harness.sweep import CONTROLLER, KILL, run_task
from ansible_collections.keystead.identity.tests.integration.survival.health import content_of, mismatch
from cryptography import x509

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.faults import Call, Ended

COUNT = 200
AT = (0.0, 0.35, 0.7, 1.0)
"""Where in the calls of a part it is killed."""
LOADS = 'for one in "$1"/*/current; do name="$(basename "$(dirname "$one")")"; '
LOADS += 'cat "$one/fullchain.pem" >"$2/.new" && mv -T "$2/.new" "$2/$name" || exit 9; done'

Result = dict[str, t.Any]


def revoke_all(world: World, moment: datetime) -> Result:
    """Revoke what the host had from before a moment, in a process of its own."""
    office = Office(world.url, world.issuer())
    doomed = {"host": HOST, "issued_before": f"{moment:%Y-%m-%dT%H:%M:%SZ}"}
    try:
        return office.run(doomed, reason="key_compromise")
    except KeysteadError as error:
        return {"failed": True, "msg": str(error)}


class Mass:
    """A host with two hundred identities and one consumer that loads all of them when it is told to."""

    def __init__(self, base: Path, server: ForkServer) -> None:
        """Issue the first certificates, and keep that as `first`; `moment` is after them."""
        self.base, self._server = base, server
        two_tiers(base / "world" / "authorities")
        self.world = World(base / "world")
        self.served = self.world.directory / "served"
        self.served.mkdir()
        self.settle()
        self.moment = from_now_on()
        self.keep("first")

    def identities(self) -> list[Result]:
        """Return the declarations: one activation for all, and a proof of each."""
        load = {"command": ["sh", "-c", LOADS, "sh", str(self.world.store), str(self.served)]}
        return [self._identity(f"web{number}", load) for number in range(COUNT)]

    def _identity(self, name: str, load: Result) -> Result:
        places = (self.world.path(name, "current", "fullchain.pem"), self.served / name)
        proof = {"command": ["cmp", "-s", *map(str, places)]}
        return {"name": name, "dns_names": [f"{name}.example.org"], "activate": load, "prove": proof}

    def rotate(self, part: str = "", trace: Trace | None = None) -> Ended:
        """Replace every key from before the moment; strace may break a phase of the host, or the controller."""
        on_host = {part: trace} if trace and part != CONTROLLER else None
        on_controller = trace if part == CONTROLLER else None
        said = {"made_before": self.moment}
        return self._server.run(run_task, self.world, self.identities(), on_host, None, said, trace=on_controller)

    def revoke(self, trace: Trace | None = None) -> Ended:
        """Revoke every certificate from before the moment; strace may break it."""
        return self._server.run(revoke_all, self.world, self.moment, trace=trace)

    def settle(self) -> None:
        """Issue what is declared."""
        ended = self._server.run(run_task, self.world, self.identities())
        assert ended.value, ended.error
        assert not ended.value.get("failed"), ended.value["msg"]

    def keep(self, name: str) -> None:
        """Keep a copy of the world."""
        subprocess.run(["cp", "-a", self.world.directory, self.base / name], check=True)

    def restore(self, name: str) -> None:
        """Go back to a copy."""
        subprocess.run(["rm", "-rf", self.world.directory], check=True)
        subprocess.run(["cp", "-a", self.base / name, self.world.directory], check=True)

    def points(self, start: str, run: t.Callable[[Trace], Ended]) -> list[Call]:
        """Run unbroken from a start, and return some of the calls, from the first to the last."""
        self.restore(start)
        log = self.base / "recorded.log"
        ended = run(Trace(str(log)))
        assert not ended.error, ended.error
        assert not ended.value.get("failed"), ended.value.get("msg")
        made = calls(log)
        assert len(made) >= 10, "a part that writes nothing cannot be killed while it writes"
        return [made[round(share * (len(made) - 1))] for share in AT]

    def killed(self, start: str, call: Call, run: t.Callable[[Trace], Ended]) -> None:
        """Run from a start, killed before a call."""
        tally.point()
        self.restore(start)
        log = self.base / "killed.log"
        run(Trace(str(log), call, KILL))
        assert "killed by SIGKILL" in log.read_text(encoding="utf-8", errors="replace"), f"never reached: {call.text}"

    def unsafe(self) -> Iterator[str]:
        """Yield what may never be seen."""
        known, revoked = self.known(), self.revoked()
        for one in self.identities():
            name = one["name"]
            wrong = mismatch(content_of(self.world.path(name, "current")))
            if wrong:
                yield f"{name}: current leads to no complete pair: {wrong}"
            for path in (self.served / name, self.world.path(name, "current", "certificate.pem")):
                serial = x509.load_pem_x509_certificate(path.read_bytes()).serial_number
                if serial not in known:
                    yield f"the ledger does not know {path}"
                if serial in revoked:
                    yield f"{path} is revoked"

    def unwell(self, issued: int) -> Iterator[str]:
        """Yield what is not as it should be where nothing is left to do."""
        yield from self.unsafe()
        for one in self.identities():
            name = one["name"]
            if (self.served / name).read_bytes() != self.world.path(name, "current/fullchain.pem").read_bytes():
                yield f"{name}: the consumer serves another certificate"
            if self.world.generations(name) != [self.world.current(name)]:
                yield f"{name}: generations {self.world.generations(name)} are on the host"
        if (count := len(self.world.issued())) != issued:
            yield f"{count} certificates were issued in place of {issued}"
        ledger = open_ledger(self.world.url, read_only=True)
        try:
            if broken := chain.verify(ledger):
                yield f"the ledger is broken: {broken}"
        finally:
            ledger.close()

    def known(self) -> set[int]:
        """Return the serial numbers that the ledger knows."""
        rows = self.world.query("SELECT serial_number FROM x509")
        return {int(serial.replace(":", ""), 16) for (serial,) in rows}

    def revoked(self) -> set[int]:
        """Return the serial numbers on the authority's list."""
        path = self.world.authorities / "issuing" / "crl.pem"
        return {entry.serial_number for entry in x509.load_pem_x509_crl(path.read_bytes())} if path.exists() else set()
