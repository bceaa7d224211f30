# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Runs that something happens in, their nightly audit, and somebody with all rights who alters the record."""

from __future__ import annotations

import itertools
import json
import typing as t

from ansible_collections.keystead.identity.plugins.module_utils._options.common import COMMON
from ansible_collections.keystead.identity.plugins.module_utils._options.identity_audit import OPTIONS
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.plugin_utils._audit.converge import Setting, audit
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.chain import append
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.port import Batch, Event
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated
from ansible_collections.keystead.identity.tests.harness.ledgers import InDatabase, Place
from ansible_collections.keystead.identity.tests.harness.postgres import SIGNER
from ansible_collections.keystead.identity.tests.unit.plugins.plugin_utils._ledger.telling import (
    NOW,
    batch,
    intent,
    outcome,
)

if t.TYPE_CHECKING:
    from pathlib import Path

Result = dict[str, t.Any]
ALL = ("seq", "batch", "identity", "generation", "action", "reason", "outcome", "message", "milliseconds", "attempts")


class Desk:
    """Audits one ledger as a nightly job does: it signs, and ships to a file."""

    def __init__(self, place: Place, directory: Path) -> None:
        """Audit the ledger of a place; keys and files are in the directory."""
        self.place, self.directory = place, directory
        self.shipped = directory / "checkpoints.jws"
        self._numbers = itertools.count(1)

    def happens(self, times: int = 1, days: float = 0) -> None:
        """Let runs issue something, so many days from now."""
        ledger = self.place.open()
        for number in itertools.islice(self._numbers, times):
            ledger.intend(batch(after=days * 86400), [intent(number=number)])
            ledger.record(batch(after=days * 86400), [outcome(number=number)])
        ledger.close()

    def audit(self, *, check: bool = False, role: str = SIGNER, **said: t.Any) -> Result:
        """Run identity_audit once, with these options."""
        args = {**self.options(role), **said}
        return audit(validated(args, spec(COMMON, OPTIONS), module="identity_audit"), Setting(check, "audit.yml"))

    def options(self, role: str) -> dict[str, str]:
        """Return how a task names the ledger, in the role of PostgreSQL that its duty needs."""
        if isinstance(self.place, InDatabase):
            return self.place.server.options(self.place.name, role)
        return dict(self.place.options)

    @property
    def key(self) -> dict[str, t.Any]:
        """Option `key`: a file beside the ledger."""
        return {"file": {"path": str(self.directory / "audit.key")}}

    def nightly(self, *, check: bool = False, **said: t.Any) -> Result:
        """Sign, and ship to the file."""
        said = {"key": self.key, "receivers": [{"file": {"path": str(self.shipped)}}], **said}
        return self.audit(check=check, **said)

    def says(self, **said: t.Any) -> str:
        """Return what a nightly job says is broken."""
        result = self.nightly(**said)
        assert result["failed"]
        assert result["msg"] == f"identity_audit: the record was altered: {result['broken']}"
        return str(result["broken"])

    def rewrite(self, seq: int, **fields: t.Any) -> None:
        """Be somebody with all rights: change an event and compute every hash after it anew."""
        ledger = self.place.open(read_only=True)
        rows = ledger.read(f"SELECT {', '.join(ALL)} FROM events ORDER BY seq")
        told = [dict(zip(ALL, row, strict=True)) for row in rows]
        heads = ledger.read("SELECT batch, at, host, store, actor FROM heads ORDER BY batch")
        ledger.close()
        self.place.tamper("DELETE FROM events", "DELETE FROM heads")
        told[seq - 1] |= fields
        writable = self.place.open()
        for number, at, host, store, actor in heads:
            mine = [one for one in told if one["batch"] == number]
            events = [
                (one["identity"], one["generation"], Event(one["action"], one["reason"], one["outcome"], one["message"],
                                                          one["milliseconds"] / 1000, one["attempts"]))
                for one in mine
            ]  # fmt: skip
            with writable.transaction() as connection:
                append(connection, Batch(host, store, json.loads(actor), NOW.fromisoformat(at)), events)
        writable.close()
