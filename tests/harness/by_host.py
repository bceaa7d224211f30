# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""An issuer to which only hosts speak, as the contract suite asks it: each request by way of a host of its own.

Both halves are real, and what goes between them is JSON; only the host's store is not there.
"""

from __future__ import annotations

import contextlib
import json
import tempfile
import types
import typing as t
from pathlib import Path

from ansible_collections.keystead.identity.plugins.module_utils._core.errors import KeysteadError, Unreached
from ansible_collections.keystead.identity.plugins.module_utils._enrol.means import Means
from ansible_collections.keystead.identity.plugins.module_utils._enrol.registry import ENROL
from ansible_collections.keystead.identity.plugins.module_utils._host.request import failed
from ansible_collections.keystead.identity.plugins.plugin_utils._enrolling import Answer, OnHost
from ansible_collections.keystead.identity.tests.harness import local

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.plugins.module_utils._core.ports import (
        Check,
        Enrolment,
        Order,
        Request,
    )


class ByHost:
    """The issuer, and for each request a host that has the key of it."""

    def __init__(self, issuer: t.Any) -> None:
        """Keep whom to ask."""
        self._issuer = issuer
        self._ways: dict[bytes, OnHost] = {}
        self.id, self.place, self.roots, self.advice = issuer.id, issuer.place, issuer.roots, issuer.advice

    def begin(self, requests: t.Sequence[Request]) -> list[Answer]:
        """Send each by its host."""
        answers = []
        for request in requests:
            work: t.Any = types.SimpleNamespace(name=request.name, found=None)
            self._ways[request.csr] = OnHost(self._issuer, t.cast("t.Any", _Host(request)), [work])
            answers += self._ways[request.csr].begin([request])
        return answers

    def finish(self, orders: t.Sequence[Order]) -> list[Answer]:
        """Ask again, by the host that asked first; what none asked is the issuer's own to refuse."""
        return [answer for one in orders for answer in self._ways.get(one.request.csr, self._issuer).finish([one])]

    def preflight(self) -> t.Iterator[Check]:
        """Look at itself, as the issuer does."""
        found: t.Iterator[Check] = self._issuer.preflight()
        return found


class _Host:
    """A host that has one key, and nothing else."""

    def __init__(self, request: Request) -> None:
        self._csr = request.csr

    def enrol(self, asked: t.Sequence[tuple[t.Any, Enrolment]], _now: object) -> dict[str, t.Any]:
        """Be the phase `enrol`."""
        return {work.name: self._answer(work.name, errand) for work, errand in asked}

    def _answer(self, name: str, errand: Enrolment) -> dict[str, t.Any]:
        said = json.loads(json.dumps(errand.said))
        try:
            means = Means(None, errand.secret, lambda: local.private_key(self._csr), _workshop)
            answer = {"name": name, "enrolled": ENROL[errand.protocol](said, means)}
        except KeysteadError as error:
            answer = {**failed(name, error), "unreached": isinstance(error, Unreached)}
        return t.cast("dict[str, t.Any]", json.loads(json.dumps(answer)))


@contextlib.contextmanager
def _workshop() -> t.Iterator[Path]:
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory)
        assert not [path for path in Path(directory).iterdir() if b"PRIVATE" in _content(path)]


def _content(path: Path) -> bytes:
    return b"" if path.is_symlink() else path.read_bytes()
