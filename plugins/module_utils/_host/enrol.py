# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Phase `enrol`: the host itself speaks to an issuer, with the key and the certificate that it has, or with a secret.

Nothing is written: what an issuer answers goes up, and comes back with `install` if the controller accepts it.
"""

from __future__ import annotations

import os
import typing as t

from .._core.errors import KeysteadError, Misconfigured, Unreached
from .._enrol.est import Own
from .._enrol.over import Over, errand
from .._enrol.registry import ENROL
from . import lease
from .layout import FILE_OF
from .place import open_place
from .request import Request, failed
from .store import open_store

if t.TYPE_CHECKING:
    from .._core.model import Identity


def enrol(request: Request) -> list[dict[str, t.Any]]:
    """Return what each identity was answered; none stops its siblings."""
    store_fd = open_store(request.store, host=request.host, ledger_id=request.ledger_id, create=False)
    if store_fd is None:
        raise Misconfigured(f"host: {request.store} is gone; run again")
    try:
        over = Over()
        return [_answer(request, store_fd, wanted, entry, over) for wanted, _known, entry in request.identities()]
    finally:
        os.close(store_fd)


def _answer(
    request: Request, store_fd: int, wanted: Identity, entry: dict[str, t.Any], over: Over
) -> dict[str, t.Any]:
    secret = request.secrets.get(wanted.name, {}).get("enrol")
    asked = errand(entry, wanted.name, secret)
    try:
        own = _own(request, store_fd, wanted, entry.get("lease"))
    except KeysteadError as error:
        return {**failed(wanted.name, error), "unreached": True}
    known = over.instead(asked)
    if known is not None:
        return {**known, "name": wanted.name}
    try:
        enrolled = ENROL[entry["protocol"]](entry["said"], secret, own)
    except KeysteadError as error:
        answer = {**failed(wanted.name, error), "unreached": isinstance(error, Unreached)}
        over.failed(asked, error, answer)
        return answer
    over.answered(asked, enrolled, {"enrolled": enrolled})
    return {"name": wanted.name, "enrolled": enrolled}


def _own(request: Request, store_fd: int, wanted: Identity, token: str | None) -> Own | None:
    """Return where the current pair is; only the run that has the lease may use it."""
    place = open_place(request.store, store_fd, wanted.name)
    if place is None:
        raise Misconfigured(f"host: {wanted.name} is gone from {request.store}; run again")
    try:
        lease.held(place.fd, token or "", request.now.timestamp())
        current = place.current()
    finally:
        os.close(place.fd)
    if current is None:
        return None
    below = os.path.join(request.store, wanted.name, str(current))
    return Own(*(os.path.join(below, FILE_OF[part]) for part in ("fullchain", "private_key")))
