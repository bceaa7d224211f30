# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One host and one controller in a directory: run a task, break it at each of its calls, let the next runs heal.

The host's half runs in a fork that strace may break, the controller's half in another, with the real authority and the
real ledger. Every run is a process of its own, so that the lease of a killed one is a dead one's.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.keystead.identity.plugins.module_utils._core.errors import KeysteadError
from ansible_collections.keystead.identity.tests.harness import local, tally
from ansible_collections.keystead.identity.tests.harness.faults import Call, Ended, ForkServer, Trace, calls, in_fork
from ansible_collections.keystead.identity.tests.harness.in_process import World, host_half

NAME = "web"
LINKS = {"web.pem": "fullchain", "web.key": "private_key", "web.both": "combined"}
KILL = "signal=KILL"
CONTROLLER = "controller"
LONG = os.environ.get("KEYSTEAD_SURVIVE") == "long"

Result = dict[str, t.Any]
Traces = t.Mapping[str, Trace]


@contextlib.contextmanager
def directory() -> t.Iterator[Path]:
    """Make a directory in memory where there is such a file system: thousands of fsyncs shall cost nothing."""
    parent = Path("/dev/shm")  # noqa: S108 - root's, and sticky
    with tempfile.TemporaryDirectory(dir=parent if os.access(parent, os.W_OK) else None) as path:
        Path(path).chmod(0o755)
        yield Path(path)


def run_task(
    world: World,
    identities: list[Result],
    traces: Traces | None = None,
    before: t.Callable[[], None] | None = None,
    options: Result | None = None,
) -> Result:
    """Be the action, in a process of its own: return what the task returns; `before` is done on the host first."""
    to_trace = dict(traces or {})

    def on_host(arguments: t.Mapping[str, t.Any]) -> Result:
        if before:
            before()
        return host_half(arguments)

    def execute(arguments: t.Mapping[str, t.Any]) -> Result:
        ended = in_fork(lambda: on_host(arguments), to_trace.pop(arguments["phase"], None))
        if ended.error:
            raise AssertionError(ended.error)  # host_half says "unexpected" here, and shows nothing
        return ended.value or {"failed": True, "msg": "MODULE FAILURE", "rc": -ended.signal}

    try:
        return world.converge(identities, execute=execute, **(options or {}))
    except KeysteadError as error:
        return {"failed": True, "changed": False, "msg": str(error), "identities": []}


@dataclass
class Scene:
    """A world below `base` that can be kept and restored, and the task that is run in it."""

    base: Path
    server: ForkServer

    def __post_init__(self) -> None:
        """Make an authority and an empty host."""
        local.two_tiers(self.base / "world" / "authorities")
        self.world = World(self.base / "world")

    @property
    def place(self) -> Path:
        """The directory of the identity."""
        return self.world.path(NAME)

    @property
    def served(self) -> Path:
        """What the consumer has loaded."""
        return self.world.directory / "served.pem"

    def identity(self, *names: str, **changed: t.Any) -> Result:
        """Return an identity with links, an activation by command, and a proof."""
        fullchain, loads = str(self.place / "current" / "fullchain.pem"), 'cat "$1" >"$2.new" && mv "$2.new" "$2"'
        return {
            "name": NAME,
            "dns_names": list(names or ("a.example.org",)),
            "owner": "root",
            "group": "root",
            "links": {str(self.world.links / name): part for name, part in LINKS.items()},
            "activate": {"command": ["sh", "-c", loads, "sh", fullchain, str(self.served)]},
            "prove": {"command": ["cmp", "-s", fullchain, str(self.served)]},
            **changed,
        }

    def run(self, identity: Result, traces: Traces | None = None, trace: Trace | None = None) -> Ended:
        """Run the task; `traces` are for phases of the host's half, `trace` is for the controller's."""
        return self.server.run(run_task, self.world, [identity], traces, trace=trace)

    def settle(self, identity: Result) -> Result:
        """Run the task, which must end well."""
        ended = self.run(identity)
        assert not ended.error, ended.error
        assert not ended.value.get("failed"), ended.value["msg"]
        return t.cast("Result", ended.value)

    def keep(self, name: str) -> None:
        """Keep a copy of the world."""
        subprocess.run(["cp", "-a", self.world.directory, self.base / name], check=True)

    def restore(self, name: str) -> None:
        """Go back to a copy."""
        shutil.rmtree(self.world.directory, ignore_errors=True)
        subprocess.run(["cp", "-a", self.base / name, self.world.directory], check=True)


@dataclass
class Sweep:
    """Breaks one task at every call of one part of it, each time from the same start.

    `part` is a phase of the host's half, or `controller`. `tried` counts the points, `extra` the certificates that were
    issued beyond the one needed, `complaints` say what is not as it should be.
    """

    scene: Scene
    start: str
    identity: Result
    tried: int = 0
    extra: int = 0
    complaints: list[str] = field(default_factory=list)

    def recorded(self, part: str, *, follow: bool = False) -> list[Call]:
        """Run the task unbroken, and return the calls of one part."""
        self.scene.restore(self.start)
        log = self.scene.base / f"{part}.log"
        ended = self._run(part, Trace(str(log), follow=follow))
        assert not ended.error, ended.error
        return calls(log)

    def broken(self, part: str, call: Call, act: str = KILL) -> Result | None:
        """Run the task with one call broken, from the start; return its result, None where no controller came back."""
        self.tried += 1
        tally.point()
        self.scene.restore(self.start)
        log = self.scene.base / f"{part}.log"
        log.unlink(missing_ok=True)
        ended = self._run(part, Trace(str(log), call, act))
        if ended.error:
            self.complain(part, call, ended.error)
        said = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
        if ("killed by SIGKILL" if act == KILL else "(INJECTED)") not in said:
            self.complain(part, call, "it was never reached")
        return t.cast("Result | None", ended.value)

    def _run(self, part: str, trace: Trace) -> Ended:
        if part == CONTROLLER:
            return self.scene.run(self.identity, trace=trace)
        return self.scene.run(self.identity, {part: trace})

    def heal(self, part: str, call: Call, before: int, unwell: t.Callable[[Scene], t.Iterable[str]]) -> None:
        """Run the task twice unbroken: the first run heals, the second has nothing to do, and all is well."""
        scene = self.scene
        ended = scene.run(self.identity)
        if ended.value is None or ended.value.get("failed"):
            self.complain(part, call, f"the next run failed: {ended.error or ended.value['msg']}")
            return
        self.extra += len(scene.world.issued()) - before - 1
        kept = scene.world.snapshot()
        again = scene.run(self.identity).value
        steps = [step for one in again["identities"] for step in one["steps"]]
        if again.get("failed") or again["changed"] or steps:
            self.complain(part, call, f"the run after the next had something to do: {again.get('msg')} {steps}")
        if scene.world.snapshot() != kept:
            self.complain(part, call, "the run after the next touched something")
        for one in unwell(scene):
            self.complain(part, call, f"after the next run, {one}")

    def complain(self, part: str, call: Call, what: str) -> None:
        """Note what is wrong, and at which point."""
        tally.wrong()
        self.complaints.append(f"{part}, before {call.text[:160]}: {what}")
