# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A world in which every control of every framework has evidence and none is breached, and what is asked of it."""

from __future__ import annotations

import json
import typing as t
from datetime import UTC, datetime, timedelta

from ansible_collections.keystead.identity.plugins.module_utils._options import identity_audit
from ansible_collections.keystead.identity.plugins.module_utils._options import identity_policy as options
from ansible_collections.keystead.identity.plugins.module_utils._options.common import COMMON
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.plugin_utils._audit.converge import Setting, audit
from ansible_collections.keystead.identity.plugins.plugin_utils._controls.frameworks import FRAMEWORKS
from ansible_collections.keystead.identity.plugins.plugin_utils._identity_policy.answer import answer
from ansible_collections.keystead.identity.plugins.plugin_utils._inventory import Place
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated
from ansible_collections.keystead.identity.tests.harness.in_process import World, web

if t.TYPE_CHECKING:
    from pathlib import Path

PUBLIC = "CN=Public CA"


def ahead(days: int) -> str:
    """Return a moment so many days from now on."""
    return f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"


def record(name: str, **said: t.Any) -> dict[str, t.Any]:
    """Return a record in which nothing is wrong, but for what is said."""
    fine = {"name": name, "host": f"{name}.example.org", "contact": "me", "issuer": PUBLIC, "key_type": "ecdsa-p256",
            "not_before": ahead(-10), "not_after": ahead(80), "dns_names": [f"{name}.example.org"]}  # fmt: skip
    return {**fine, **said}


_LATER = {"not_before": "2027-02-01T00:00:00Z", "not_after": "2027-05-01T00:00:00Z"}
NEW = record("pq", key_type="ml-dsa-87", issuer="CN=Internal CA", **_LATER)


def audited(directory: Path) -> World:
    """Return a world in which every control has evidence, and none is breached."""
    made = World(directory)
    made.one(web(contact="me"))
    said = checkpoint(made, directory / "audit.key", receivers=[{"file": {"path": str(shipped(made))}}])
    _public_key(made).write_text(said["checkpoint"]["public_key"])
    return made


def shipped(world: World) -> Path:
    """Return the file that checkpoints are shipped to."""
    return world.directory / "checkpoints.jws"


def _public_key(world: World) -> Path:
    return world.directory / "audit.pem"


def checkpoint(world: World, key: Path, **said: t.Any) -> dict[str, t.Any]:
    """Sign a checkpoint of all events, by a key that is made where there is none."""
    done = run_audit({"ledger": world.url, "key": {"file": {"path": str(key)}}, **said})
    assert done["whole"]
    return done


def run_audit(said: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return what identity_audit returns."""
    return audit(_valid(identity_audit, said), Setting(check=False, playbook="site.yml"))


def asked(world: World, entries: t.Sequence[dict[str, t.Any]] = (NEW,), *, check: bool = False, **said: t.Any) -> t.Any:
    """Return what the task returns with records of another system."""
    path = world.directory / "records.json"
    if not path.exists() or json.loads(path.read_text()) != list(entries):
        path.write_text(json.dumps(list(entries)))
    public = ["local:issuing", PUBLIC]
    given = {"ledger": world.url, "records": [str(path)], "public_issuers": public, "frameworks": list(FRAMEWORKS),
             "public_keys": [str(_public_key(world))]}  # fmt: skip
    return answer(_valid(options, {**given, **said}), datetime.now(UTC), Place(world.host), check=check)


def _valid(module: t.Any, said: dict[str, t.Any]) -> t.Any:
    return validated(said, spec(COMMON, module.OPTIONS), module=module.__name__.rpartition(".")[2])
