# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a plan holds, as canonical JSON (RFC 8785) and back. Pure: it reads no file, no clock and no ledger.

Nothing in it is secret: what was observed and what is to be done are shown by every task, and of what is declared there
are digests only, which leave secrets out.
"""

from __future__ import annotations

import hashlib
import json
import typing as t

from ...module_utils._core import wire
from ...module_utils._core.model import Step
from .._canonical import canonical

if t.TYPE_CHECKING:
    from collections.abc import Mapping

WHO = "plan"
FORMAT = 1
_LISTS = {"cert_revoke": ("certificates", "fingerprint_sha256")}
_OF_HOSTS, _OF_KEYS = ("identities", "name"), ("keys", "name")
Facts = dict[str, t.Any]


class Entry(t.NamedTuple):
    """One identity, or one certificate by its fingerprint: what the decision rests on, and the steps."""

    name: str
    observed: Mapping[str, t.Any]
    steps: tuple[Step, ...]


class Plan(t.NamedTuple):
    """What one task found on one host, and would do. For cert_revoke, which is about no host, `host` is empty.

    `store` is that of the host, and is empty then too.

    `declared` are SHA-256 digests of what the task says, by its options. `at` is when it was planned (RFC 3339, UTC):
    it makes each plan another one, so that what was carried out is told from what was planned once more.
    """

    module: str
    host: str
    store: str
    declared: Mapping[str, str]
    entries: tuple[Entry, ...]
    at: str

    @property
    def steps(self) -> int:
        """How many steps it has."""
        return sum(len(one.steps) for one in self.entries)

    @property
    def digest(self) -> str:
        """The SHA-256 of its canonical bytes: what names it in the ledger, and what may be signed."""
        return hashlib.sha256(self.packed()).hexdigest()

    def packed(self) -> bytes:
        """Return it as canonical JSON."""
        listed, named = _listing(self.module, self.store)
        return canonical(
            {
                "format": FORMAT,
                "module": self.module,
                "host": self.host,
                "store": self.store,
                "planned_at": self.at,
                "declaration": {"sha256": digest(dict(self.declared)), "options": dict(self.declared)},
                "observed_sha256": self._observed(),
                listed: [
                    {named: one.name, "observed": dict(one.observed), "steps": [_step(step) for step in one.steps]}
                    for one in self.entries
                ],
            },
            WHO,
        )

    def _observed(self) -> str:
        return digest([[one.name, dict(one.observed)] for one in self.entries])


def _listing(module: str, store: str) -> tuple[str, str]:
    """Return what the entries of a plan are called, and the name of each: keys by themselves are in no store."""
    return _OF_KEYS if module == "key_rotate" and not store else _LISTS.get(module, _OF_HOSTS)


def digest(value: t.Any) -> str:
    """Return the SHA-256 of a value as canonical JSON, in hexadecimal."""
    return hashlib.sha256(canonical(value, WHO)).hexdigest()


def plain(value: t.Any) -> t.Any:
    """Return a value as canonical JSON can hold it."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {plain(str(name)): plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 1 << 53:
        return str(value)
    return value


def unpacked(content: bytes) -> Plan:
    """Read a plan. Raises ValueError, which says what is wrong with it, for anything that was not written as one."""
    try:
        said = json.loads(content)
        found = _plan(said)
        same = canonical(said, WHO) == found.packed()
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise ValueError("it holds no plan of this version of the collection") from None
    if not same:
        raise ValueError("it was changed since it was written")
    return found


def _plan(said: Facts) -> Plan:
    if said["format"] != FORMAT:
        raise ValueError(said["format"])
    module = wire.text(said["module"])
    listed, named = _listing(module, wire.text(said["store"]))
    entries = (
        Entry(wire.text(one[named]), dict(one["observed"]), tuple(wire.unpack(Step, step) for step in one["steps"]))
        for one in said[listed]
    )
    declared = {str(name): wire.text(one) for name, one in said["declaration"]["options"].items()}
    host, store, at = (wire.text(said[name]) for name in ("host", "store", "planned_at"))
    return Plan(module, host, store, declared, tuple(entries), at)


def _step(step: Step) -> Facts:
    return t.cast("Facts", plain(wire.pack(step)))
