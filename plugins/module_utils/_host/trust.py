# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Phase `trust`: the anchors of one bundle are looked at, or written, in a file or in the system's store."""

from __future__ import annotations

import hashlib
import typing as t

from .._core import wire
from .._core.errors import KeysteadError, Misconfigured, NotConverged, Pending
from .._core.trust import TrustErrand, TrustSeen, errand_of, packed
from .request import failed
from .trust_activation import Journal, told
from .trust_file import BundleFile
from .trust_system import SystemStore, layout

if t.TYPE_CHECKING:
    from .request import Request

BUNDLE = "bundle"
"""What the answer is called on the wire."""


class Holder(t.Protocol):
    """Where anchors are held. The errand says which bundle."""

    def look(self) -> TrustSeen: ...

    def write(self, anchors: tuple[bytes, ...]) -> None: ...


def run_errand(request: Request, *, check: bool) -> dict[str, t.Any]:
    """Do what is asked, and return what is there then."""
    try:
        errand = errand_of(request.errand)
        if check and errand.errand != "look":
            raise Misconfigured("host: check mode changes no anchors")
        return {"name": BUNDLE, **_run(errand)}
    except ValueError as error:
        return failed(BUNDLE, Misconfigured(f"host: what the controller says is refused: {error}"))
    except KeysteadError as error:
        return failed(BUNDLE, error)


def _run(errand: TrustErrand) -> dict[str, t.Any]:
    """Do it. That the service is to be told is noted before anything changes, and forgotten when it was told."""
    holder: Holder = BundleFile(errand) if errand.path else SystemStore(errand.name, layout())
    journal = Journal(errand)
    seen = holder.look()
    if errand.errand == "look":
        return {"seen": packed(seen._replace(pending=journal.noted() is not None))}
    if seen.digest != errand.seen:
        raise Pending(f"host: somebody else changed {seen.where} while this run looked at it; run again")
    if errand.errand == "write":
        journal.begin()
        seen = _written(holder, errand)
    done = told(errand.activate, journal) if errand.activate else None
    seen = seen._replace(pending=journal.noted() is not None)
    return {"seen": packed(seen), **({"done": wire.pack(done)} if done else {})}


def _written(holder: Holder, errand: TrustErrand) -> TrustSeen:
    holder.write(_in_order(errand.anchors))
    after = holder.look()
    if set(after.anchors) != set(errand.anchors) or after.state not in ("ours", "missing"):
        told = f" ({after.detail})" if after.detail else ""
        raise NotConverged(f"host: {after.where} does not hold what was written{told}; look at who else writes there")
    return after


def _in_order(anchors: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Return each anchor once, by fingerprint: what is written does not depend on the order of a declaration."""
    return tuple(sorted(set(anchors), key=lambda der: hashlib.sha256(der).digest()))
