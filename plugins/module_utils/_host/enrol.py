# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Phase `enrol`: the host itself speaks to an issuer, with the key and the certificate that it has, or with a secret.

Nothing stays written: what an issuer answers goes up, and comes back with `install` if the controller accepts it.
"""

from __future__ import annotations

import contextlib
import os
import typing as t
from pathlib import Path

from .._core.errors import KeysteadError, Misconfigured, Unreached
from .._enrol.means import Means, Own
from .._enrol.over import Over, errand
from .._enrol.registry import ENROL
from .._keystores.registry import keystore
from . import lease
from .directories import open_subdirectory
from .layout import ENROLLING, FILE_OF, STAGING_MODE
from .place import Place, open_place
from .request import Request, failed
from .safe_files import remove_tree
from .store import open_store

if t.TYPE_CHECKING:
    from .._core.model import Identity


def enrol(request: Request) -> list[dict[str, t.Any]]:
    """Return what each identity was answered; none stops its siblings."""
    store_fd = open_store(request.store, host=request.host, ledger_id=request.ledger_id, create=False)
    if store_fd is None:
        raise Misconfigured(f"host: {request.store} is gone; run again")
    try:
        asked = _Asked(request, store_fd)
        return [asked.answer(wanted, entry) for wanted, _known, entry in request.identities()]
    finally:
        os.close(store_fd)


class _Asked:
    """Asks for one identity after the other. What the next one would be answered as well is not asked again."""

    def __init__(self, request: Request, store_fd: int) -> None:
        self._request, self._store_fd, self._over = request, store_fd, Over()

    def answer(self, wanted: Identity, entry: dict[str, t.Any]) -> dict[str, t.Any]:
        secret = self._request.secrets.get(wanted.name, {}).get("enrol")
        asked = errand(entry, wanted.name, secret)
        try:
            place = self._held(wanted, entry)
        except KeysteadError as error:
            return {**failed(wanted.name, error), "unreached": True}
        try:
            known = self._over.instead(asked)
            if known is not None:
                return {**known, "name": wanted.name}
            enrolled = ENROL[entry["protocol"]](entry["said"], _means(place, wanted, secret))
        except KeysteadError as error:
            answer = {**failed(wanted.name, error), "unreached": isinstance(error, Unreached)}
            self._over.failed(asked, error, answer)
            return answer
        finally:
            os.close(place.fd)
        self._over.answered(asked, enrolled, {"enrolled": enrolled})
        return {"name": wanted.name, "enrolled": enrolled}

    def _held(self, wanted: Identity, entry: dict[str, t.Any]) -> Place:
        """Open the directory of an identity; only the run that has its lease may."""
        request = self._request
        place = open_place(request.store, self._store_fd, wanted.name)
        if place is None:
            raise Misconfigured(f"host: {wanted.name} is gone from {request.store}; run again")
        try:
            lease.held(place.fd, entry.get("lease") or "", request.now.timestamp())
        except KeysteadError:
            os.close(place.fd)
            raise
        return place


def _means(place: Place, wanted: Identity, secret: str | None) -> Means:
    """Return what there is to enrol with; only the run that has the lease may use it."""
    return Means(_own(place), secret, lambda: keystore(place, wanted.key).staged(), lambda: _workshop(place))


def _own(place: Place) -> Own | None:
    """Return where the current pair is."""
    current = place.current()
    if current is None:
        return None
    below = os.path.join(place.store, place.name, str(current))
    return Own(*(os.path.join(below, FILE_OF[part]) for part in ("fullchain", "private_key")))


@contextlib.contextmanager
def _workshop(place: Place) -> t.Iterator[Path]:
    """Make a directory in that of the identity, and take it away; what a killed run left there goes first."""
    remove_tree(place.fd, ENROLLING)
    directory = open_subdirectory(place.fd, ENROLLING, create_mode=STAGING_MODE)
    try:
        yield Path(place.store, place.name, ENROLLING)
    finally:
        if directory is not None:
            os.close(directory)
        remove_tree(place.fd, ENROLLING)
