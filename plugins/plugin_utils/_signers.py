# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The issuers of a task: each made once, its trust anchors pinned, and found again by the id it left in the record."""

from __future__ import annotations

import hashlib
import json
import typing as t
from pathlib import Path

from ..module_utils._core.errors import Denied, Misconfigured
from ._issuers.registry import ISSUERS

if t.TYPE_CHECKING:
    from ..module_utils._core.ports import Issuer
    from ._declare import Backend
    from ._ledger.port import Ledger


class Signers:
    """Makes issuers from options, one for equal options."""

    def __init__(self, further: t.Sequence[Backend]) -> None:
        """Keep the options of `issuers`: who may have signed earlier."""
        self._made: dict[str, Issuer] = {}
        self._options: dict[int, t.Mapping[str, t.Any]] = {}
        self._declared: dict[int, tuple[bytes, ...]] = {}  # roots, by issuer
        self._further = further

    def of(self, backend: Backend) -> Issuer:
        """Return the issuer with these options."""
        ((name, options),) = backend.items()
        key = hashlib.sha256(json.dumps([name, options], sort_keys=True, default=str).encode()).hexdigest()
        if key not in self._made:
            self._made[key] = ISSUERS[name](options)
            self._options[id(self._made[key])] = options
            self._declared[id(self._made[key])] = _declared(options.get("roots") or ())
        return self._made[key]

    def by_id(self, issuer_id: str) -> Issuer:
        """Return who signed, among `issuer` and `issuers`; raises Misconfigured when it is none of them."""
        for backend in self._further:
            self.of(backend)
        for issuer in self._made.values():
            if issuer.id == issuer_id:
                return issuer
        raise Misconfigured(
            f"machine_identity: option issuers: none of them is {issuer_id}, which signed this identity; add it there"
        )

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


def _declared(roots: t.Sequence[str]) -> tuple[bytes, ...]:
    return tuple(der for root in roots for der in _read(root))


def _read(root: str) -> tuple[bytes, ...]:
    """Read an entry of option `roots`: PEM itself, or the path of a PEM file on the controller."""
    from ..module_utils._core import pki

    try:
        pem = root.encode() if "-----BEGIN" in root else Path(root).expanduser().read_bytes()
        found = pki.der_certificates(pem)
    except (OSError, ValueError):
        shown = "the PEM given" if "-----BEGIN" in root else repr(root)
        raise Misconfigured(
            f"machine_identity: option issuer.roots: {shown} cannot be read as certificates; write PEM or its path"
        ) from None
    return found
