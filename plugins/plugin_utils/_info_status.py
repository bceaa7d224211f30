# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How the certificates stand that are found on a host: asked from the controller, never from there."""

from __future__ import annotations

import typing as t

from ._ledger import revocations
from ._standing import EXPIRED, UNKNOWN, UNKNOWN_TO_LEDGER, Standing, Standings, meant_by, of_row

if t.TYPE_CHECKING:
    from datetime import datetime

    from ..module_utils._core.model import Credential
    from ._ledger.chain import Readable

WHO = "machine_identity_info"
Record = dict[str, t.Any]


class Statuses:
    """Says how certificates stand; with `check_status: live`, whoever can tell is asked, and nothing is recorded."""

    def __init__(self, args: t.Mapping[str, t.Any], ledger: Readable | None) -> None:
        """Ask nobody yet. Raises Misconfigured."""
        self._ledger = ledger
        self._standings = Standings(_asking(args) if args.get("check_status") == "live" else None)

    def of_credential(self, credential: Credential | None, now: datetime) -> Record | None:
        """Return how the credential of an identity stands, of which a host sends no copy: the ledger has that."""
        if credential is None:
            return None
        by = {"credential_id": credential.credential_id}
        rows = revocations.credentials(self._ledger, by) if self._ledger else []
        try:
            standing = self._standings.of(of_row(t.cast("Readable", self._ledger), rows)) if rows else None
        except ValueError:
            standing = Standing(UNKNOWN, why="the ledger holds a certificate of it that cannot be read")
        return (standing or _without_record(credential, now)).record()

    def of_certificate(self, certificate: bytes) -> Record:
        """Return how a certificate (DER) stands."""
        return self._standings.of(meant_by(self._ledger, certificate)).record()


def _without_record(credential: Credential, now: datetime) -> Standing:
    if credential.not_after <= now:
        return Standing(EXPIRED, why=f"it ended on {credential.not_after:%Y-%m-%d %H:%M} UTC")
    return Standing(UNKNOWN, why=f"{UNKNOWN_TO_LEDGER}; name its file in paths, and it is judged by itself")


def _asking(args: t.Mapping[str, t.Any]) -> t.Any:
    from ._asking import asking

    return asking(args, WHO)
