# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""machine_identity without Ansible, in one process: real issuer, real SQLite ledger, the host's half called directly.

Everything that crosses the wire goes through JSON, as it does on the way to a host.
"""

from __future__ import annotations

import json
import os
import time
import typing as t
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from ansible_collections.keystead.identity.plugins.module_utils._core.errors import KeysteadError
from ansible_collections.keystead.identity.plugins.module_utils._host.running import run
from ansible_collections.keystead.identity.plugins.module_utils._options.common import COMMON
from ansible_collections.keystead.identity.plugins.module_utils._options.machine_identity import OPTIONS
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.plugin_utils._action import Task
from ansible_collections.keystead.identity.plugins.plugin_utils._converge import converge
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_ledger
from ansible_collections.keystead.identity.plugins.plugin_utils._pipe import DEFAULTS
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.connection import Reached
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated
from ansible_collections.keystead.identity.tests.harness.local import authority
from cryptography import x509

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.plugins.plugin_utils._host_half import Execute
    from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.port import Remembered

Answer = dict[str, t.Any]
Record = dict[str, t.Any]
HOST = "web1.example.org"


def host_half(arguments: t.Mapping[str, t.Any], *, check: bool = False) -> Answer:
    """Run the host's half as the module does, with JSON on both ways."""
    params = {**DEFAULTS, **json.loads(json.dumps(arguments))}
    try:
        answer = run(params, check=check)
    except KeysteadError as error:
        return {"failed": True, "msg": str(error)}
    return t.cast("Answer", json.loads(json.dumps(answer)))


@dataclass
class World:
    """One controller with an authority `issuing` and a ledger, and one host with a store, below `directory`."""

    directory: Path
    host: str = HOST
    said: list[str] = field(default_factory=list)
    phases: list[str] = field(default_factory=list)
    groups: tuple[str, ...] = ()
    reached: Reached = Reached()  # noqa: RUF009  it is immutable
    address: str = ""
    policy: str | None = None

    def __post_init__(self) -> None:
        """Make the directories, and an authority that signs itself, once."""
        for one in (self.authorities, self.links):
            one.mkdir(parents=True, exist_ok=True)
        if not (self.authorities / "issuing").exists():
            authority(self.authorities, "issuing")

    @property
    def authorities(self) -> Path:
        """Where the authorities of the controller are."""
        return self.directory / "authorities"

    @property
    def store(self) -> Path:
        """The store on the host."""
        return self.directory / "store"

    @property
    def links(self) -> Path:
        """A directory on the host for links."""
        return self.directory / "links"

    @property
    def ledger(self) -> Path:
        """The file of the ledger."""
        return self.directory / "ledger.sqlite"

    @property
    def url(self) -> str:
        """The ledger as option `ledger` names it."""
        return f"sqlite:////{str(self.ledger).lstrip('/')}"

    def issuer(self, name: str = "issuing", **said: t.Any) -> dict[str, t.Any]:
        """Return the option `issuer` for an authority, with further options of it."""
        return {"local": {"directory": str(self.authorities), "authority": name, **said}}

    def path(self, name: str = "web", *parts: str) -> Path:
        """Return a path in the store."""
        return self.store.joinpath(name, *parts)

    def converge(
        self,
        identities: t.Sequence[dict[str, t.Any]],
        *,
        check: bool = False,
        diff: bool = False,
        execute: Execute | None = None,
        **options: t.Any,
    ) -> dict[str, t.Any]:
        """Run the task once; `execute` stands for the way to the host."""
        said = {
            "issuer": self.issuer(),
            "ledger": self.url,
            "store": str(self.store),
            "identities": list(identities),
            "policy": self.policy,
            **options,
        }
        made_before = said.pop("made_before", None)
        args = validated(said, spec(COMMON, OPTIONS), module="machine_identity")
        way = execute or (lambda arguments: self.execute(arguments, check=check))
        told = (self.host, "site.yml", check, diff, way, self.said.append, self.groups, self.reached)
        task = Task(*told, address=self.address)
        return converge({**args, "made_before": made_before}, task)

    def execute(self, arguments: t.Mapping[str, t.Any], *, check: bool = False) -> Answer:
        """Be the way to the host, and count the executions."""
        self.phases.append(arguments["phase"])
        return host_half(arguments, check=check)

    def one(self, identity: dict[str, t.Any], **options: t.Any) -> Record:
        """Run the task with one identity and return its record."""
        return t.cast("Record", self.converge([identity], **options)["identities"][0])

    def foreseen(self, identities: t.Sequence[dict[str, t.Any]], **options: t.Any) -> dict[str, t.Any]:
        """Look in check mode first: nothing is touched and the very steps of the run are shown. Return the run."""
        before = self.snapshot()
        shown = self.converge(identities, check=True, **options)
        assert self.snapshot() == before, "check mode touched something"
        done = self.converge(identities, **options)
        for foreseen, happened in zip(shown["identities"], done["identities"], strict=True):
            taken = [step for step in happened["steps"] if step["action"] != "roll_back"]
            if happened["failed"]:  # it shows how far it came
                assert all(step in foreseen["steps"] for step in taken)
            else:
                assert foreseen["steps"] == taken
        assert shown["changed"] == done["changed"]
        return done

    def settled(self, identities: t.Sequence[dict[str, t.Any]], **options: t.Any) -> dict[str, t.Any]:
        """Run as `foreseen`, without failure, and once more: then nothing is left to do. Return the first run."""
        done = self.foreseen(identities, **options)
        assert not done.get("failed"), done.get("msg")
        before = self.snapshot()
        again = self.converge(identities, **options)
        assert not again.get("failed"), again.get("msg")
        assert (again["changed"], [one["steps"] for one in again["identities"]]) == (False, [[]] * len(identities))
        assert self.snapshot() == before, "a run with nothing to do touched something"
        return done

    def snapshot(self) -> dict[str, t.Any]:
        """Return everything that a run could touch: names, kinds, modes, owners, contents, times."""
        found = (Path(top) / name for top, below, files in os.walk(self.directory) for name in (*below, *files))
        return {str(path): _facts(path) for path in sorted(found)}

    def remembered(self, name: str = "web") -> Remembered:
        """Return what the ledger knows of an identity."""
        ledger = open_ledger(self.url, read_only=True)
        try:
            return ledger.remembered(self.host, str(self.store))[name]
        finally:
            ledger.close()

    def query(self, statement: str) -> list[tuple[t.Any, ...]]:
        """Return the rows of one query of the ledger."""
        ledger = open_ledger(self.url, read_only=True)
        try:
            return ledger.read(statement)
        finally:
            ledger.close()

    def issued(self, name: str = "issuing") -> list[x509.Certificate]:
        """Return every certificate that an authority has signed."""
        found = (self.authorities / name / "issued").glob("[!.]*.pem")
        return [x509.load_pem_x509_certificate(path.read_bytes()) for path in found]

    def certificate(self, name: str = "web", generation: str = "current") -> x509.Certificate:
        """Return a certificate in the store."""
        return x509.load_pem_x509_certificate(self.path(name, generation, "certificate.pem").read_bytes())

    def is_revoked(self, certificate: x509.Certificate, name: str = "issuing") -> bool:
        """Tell whether an authority's CRL has a certificate."""
        crl = x509.load_pem_x509_crl((self.authorities / name / "crl.pem").read_bytes())
        return crl.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None

    def is_revoked_at_all(self, certificate: x509.Certificate, name: str = "issuing") -> bool:
        """Tell whether an authority has a list, and that has a certificate."""
        return (self.authorities / name / "crl.pem").exists() and self.is_revoked(certificate, name)

    def generations(self, name: str = "web") -> list[int]:
        """Return the numbers of the generations in the store."""
        return sorted(int(path.name) for path in self.path(name).iterdir() if path.name.isdigit())

    def current(self, name: str = "web") -> int:
        """Return the number that `current` leads to."""
        return int(str(self.path(name, "current").readlink()))


def _facts(path: Path) -> tuple[t.Any, ...]:
    found = path.lstat()
    if path.is_symlink():
        content: t.Any = str(path.readlink())
    else:
        content = path.read_bytes() if path.is_file() else None
    return (found.st_mode, found.st_uid, found.st_gid, found.st_mtime_ns, content)


def web(**said: t.Any) -> dict[str, t.Any]:
    """Return the declaration of an identity `web`."""
    return {"name": "web", "dns_names": ["web.example.org"], **said}


def steps(record: Record) -> list[str]:
    """Return the actions of a record's steps."""
    return [step["action"] for step in record["steps"]]


def reason(record: Record, action: str = "issue") -> str:
    """Return why an action is taken."""
    return next(step["reason"] for step in record["steps"] if step["action"] == action)


def from_now_on() -> datetime:
    """Return the next whole second, once it has come: what was made so far is from before it."""
    moment = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=1)
    time.sleep((moment - datetime.now(UTC)).total_seconds())
    return moment


def until(condition: t.Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)
