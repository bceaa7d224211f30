# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The issuers of a task: each made once, its trust anchors pinned, and found again by the id it left in the record."""

from __future__ import annotations

import hashlib
import json
import typing as t

from ..module_utils._core.errors import Denied, Misconfigured
from ..module_utils._core.ports import Advisor
from ._issuers.registry import ISSUERS
from ._roots import declared_roots

if t.TYPE_CHECKING:
    from ..module_utils._core.ports import Issuer
    from ..module_utils._options.option import Table
    from ._key import Backend
    from ._ledger.port import Ledger


class Signers:
    """Makes issuers from options, one for equal options."""

    def __init__(self, further: t.Sequence[Backend], module: str = "machine_identity") -> None:
        """Keep the options of `issuers`: who may have signed earlier; `module` is whose they are."""
        self._last: tuple[t.Any, t.Any] = (None, None)
        self._made: dict[str, Issuer] = {}
        self._options: dict[int, t.Mapping[str, t.Any]] = {}
        self._declared: dict[int, tuple[bytes, ...]] = {}  # roots, by issuer
        self._further, self._module = further, module

    def of(self, backend: Backend) -> Issuer:
        """Return the issuer with these options; most identities of a task have one and the same."""
        if backend is not self._last[0]:
            self._last = backend, self._of(backend)
        issuer: Issuer = self._last[1]
        return issuer

    def _of(self, backend: Backend) -> Issuer:
        ((name, options),) = backend.items()
        key = hashlib.sha256(json.dumps([name, options], sort_keys=True, default=str).encode()).hexdigest()
        if key not in self._made:
            self._made[key] = ISSUERS[name](options)
            self._options[id(self._made[key])] = options
            self._declared[id(self._made[key])] = declared_roots(options, name)
        return self._made[key]

    def all(self) -> tuple[Issuer, ...]:
        """Return every issuer of `issuer` and `issuers`."""
        for backend in self._further:
            self.of(backend)
        return tuple(self._made.values())

    def by_id(self, issuer_id: str) -> Issuer:
        """Return who signed, among `issuer` and `issuers`; raises Misconfigured when it is none of them."""
        for issuer in self.all():
            if issuer.id == issuer_id:
                return issuer
        raise Misconfigured(
            f"{self._module}: option issuers: none of them is {issuer_id}, which signed this identity; add it there"
        )

    def advice(self) -> list[str]:
        """Return what the issuers have to say beside their answers."""
        return [line for issuer in self._made.values() if isinstance(issuer, Advisor) for line in issuer.advice()]

    def settings(self, issuer: Issuer) -> str:
        """Return a digest (SHA-256, hex) of what a task says of an issuer, without its secrets, and of its roots."""
        from ..module_utils._core import pki
        from ..module_utils._options.issuers import ISSUERS as TABLES

        table = TABLES[issuer.id.partition(":")[0]].options or {}
        said = _without_secrets({**self._options[id(issuer)], "roots": None, "timeout": None}, table)
        roots = [pki.fingerprint(der) for der in self._declared[id(issuer)]]
        told = json.dumps([issuer.id, said, roots], sort_keys=True, default=str)
        return hashlib.sha256(told.encode()).hexdigest()

    def anchors(self, issuer: Issuer, ledger: Ledger, *, pin: bool = True) -> tuple[bytes, ...]:
        """Return the roots (DER) that an answer must chain to: the declared, else the pinned, else the first seen.

        With `pin`, what is seen for the first time, or accepted in its place, is pinned.
        """
        from ..module_utils._core import pki

        options = self._options[id(issuer)]
        if self._declared[id(issuer)]:
            return self._declared[id(issuer)]
        there = {pki.fingerprint(der): der for der in issuer.roots()}
        pinned = ledger.pinned(issuer.place)
        trusted = {*(pinned or there), options.get("accept_new_root")}
        kept = {print_: der for print_, der in there.items() if print_ in trusted}
        if not kept:
            raise Denied(
                f"{issuer.place}: its root changed from {', '.join(pinned)} to {', '.join(there)}; "
                "if that is right, say so with accept_new_root: the new fingerprint"
            )
        if pin and not set(pinned) >= set(kept):
            ledger.pin(issuer.place, sorted(kept))
        return tuple(kept.values())


def _without_secrets(options: t.Mapping[str, t.Any], table: Table) -> dict[str, t.Any]:
    """Return what a task says in options that hold no secret, however deep."""
    found = {}
    for name, option in table.items():
        value = options.get(name)
        if value is not None and not option.no_log:
            below = option.options if isinstance(value, dict) else None
            found[name] = _without_secrets(value, below) if below else value
    return found
