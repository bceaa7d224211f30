# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The issuer `local_ssh`: an authority in a directory on the controller, which signs for SSH."""

from __future__ import annotations

import datetime as dt
import functools
import typing as t

from ...module_utils._core.errors import Denied
from .._authority.about import about
from .._authority.opening import opening

if t.TYPE_CHECKING:
    from pathlib import Path

    from ...module_utils._core.errors import KeysteadError
    from ...module_utils._core.model import Generation
    from ...module_utils._core.ports import Check, Good, IssuedRecord, Order, Request, Revoked, Unknown
    from ...module_utils._core.revoking import Revocation
    from .._ssh.local import Signer


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class LocalSshIssuer:
    """Issuer, and each further power, over `{directory, authority, passphrase | ... | custody}`.

    Making one reads who signs, and no certificate: a run that has nothing to issue needs no cryptography here.
    """

    def __init__(self, options: t.Mapping[str, t.Any], now: t.Callable[[], dt.datetime] = _utc_now) -> None:
        """Find the authority. Raises Misconfigured where it is unknown or what opens its key is missing."""
        self._about = about(options["directory"], options["authority"])
        self._opening = opening(options, options.get("custody"), f"authority {options['authority']}")
        self._about.check_fits(self._opening)
        self._now = now
        self._told: list[str] = []

    @property
    def id(self) -> str:
        """Who signs: `local_ssh:AUTHORITY:` and the start of its key's SPKI SHA-256."""
        return self._about.id.replace("local:", "local_ssh:", 1)

    @property
    def place(self) -> str:
        """Where the authority stands: its directory on the controller, however the task wrote it."""
        return self._about.place.replace("local:", "local_ssh:", 1)

    @functools.cached_property
    def _signer(self) -> Signer:
        from .._ssh.local import Signer

        return Signer(self._about, self._opening, self.id, self._now, self._told.append)

    def roots(self) -> tuple[bytes, ...]:
        """Return the public key of the authority, in SSH's own form."""
        return (self._signer.public_key,)

    def begin(self, requests: t.Sequence[Request]) -> list[Generation | Order | KeysteadError]:
        """Sign what name constraints permit, and write all of it down before it is handed out."""
        return self._signer.sign(requests)

    def finish(self, orders: t.Sequence[Order]) -> list[Generation | Order | KeysteadError]:
        """Return a refusal for each: this issuer answers at once."""
        name = self._about.name
        return [Denied(f"local_ssh: authority {name} knows no order {order.reference}") for order in orders]

    def advice(self) -> list[str]:
        """Return what signing could not mend, once."""
        told = [*self._told]
        self._told.clear()
        return told

    def revoke(self, certificates: t.Sequence[bytes], reason: str) -> list[Revoked | KeysteadError]:
        """Take certificates of this authority back and publish one new list.

        The first reason stands, until a key is compromised: then that is the reason, and the key is listed.
        """
        return self._signer.revoke(certificates, reason)

    def lacks(self, known: t.Sequence[Revocation]) -> t.Container[int]:
        """Return the serial numbers of what is known to be revoked that the list does not have, or not its key."""
        return self._signer.lacks(known)

    def restore(self, known: t.Sequence[Revocation]) -> None:
        """Take back again what is known to be revoked, and write a list that has it. Raises NotConverged."""
        self._signer.restore(known)

    def publish_list(self) -> None:
        """Make the list anew where it lacks a revocation: one that a run which was cut off wrote down."""
        self._signer.publish_list()

    def list_due(self) -> str | None:
        """Say why the list has to be written anew; one that never had to be there has not."""
        return self._signer.list_due() if self.list_path.parent.is_dir() else None

    def lists_key(self, certificate: bytes) -> bool:
        """Tell whether the key of a certificate of this authority is to be listed, whoever certified it."""
        return self._signer.lists_key(certificate)

    def listed_keys(self) -> t.Container[str]:
        """Return what the keys are called that are to be listed: their public ids."""
        return self._signer.listed_keys()

    @property
    def list_path(self) -> Path:
        """Where the key revocation list is."""
        return self._about.path / "ssh" / "revoked.krl"

    def status(self, certificate: bytes) -> Good | Revoked | Unknown:
        """Say what the records of this authority know of a certificate."""
        return self._signer.status(certificate)

    def preflight(self) -> t.Iterator[Check]:
        """Say whether the authority could sign now."""
        from .._authority.preflight import checks

        self.roots()  # raises where its key is none for SSH
        return checks(self._about, self._opening, self._now())

    def issued(self, since: dt.datetime) -> t.Iterator[IssuedRecord]:
        """Yield everything that was signed for SSH since then."""
        return self._signer.issued(since)
