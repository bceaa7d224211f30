# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Certificates taken back by the account that ordered them (RFC 8555, 7.6)."""

from __future__ import annotations

import base64
import datetime as dt
import typing as t

from ...module_utils._core.errors import Denied, KeysteadError, Misconfigured, Unavailable
from ...module_utils._core.ports import Revoked
from .address import WHO
from .errors import LoggedOut, Refused

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .account import Account
    from .client import Client

REASONS = {  # RFC 5280, 5.3.1
    "unspecified": 0, "key_compromise": 1, "ca_compromise": 2, "affiliation_changed": 3, "superseded": 4,
    "cessation_of_operation": 5, "certificate_hold": 6, "remove_from_crl": 8, "privilege_withdrawn": 9,
    "aa_compromise": 10,
}  # fmt: skip


class Revocations:
    """Takes certificates back. What it took back itself it remembers, since no server of ACME tells."""

    def __init__(self, client: Client, account: Account, advise: Callable[[str], None]) -> None:
        """Keep whom to ask."""
        self._client, self._account, self._advise = client, account, advise
        self._done: dict[bytes, Revoked] = {}

    def revoke(self, certificates: Sequence[bytes], reason: str) -> list[Revoked | KeysteadError]:
        """Take certificates (DER) back, one after the other; the first reason stands."""
        answers: list[Revoked | KeysteadError] = []
        for one in certificates:
            try:
                answers.append(self._revoked(one, reason))
            except (LoggedOut, Misconfigured, Unavailable):
                raise
            except KeysteadError as error:
                answers.append(Denied(str(error)) if isinstance(error, Denied) else error)
        return answers

    def _revoked(self, certificate: bytes, reason: str) -> Revoked:
        if certificate in self._done:
            return self._done[certificate]
        shown = base64.urlsafe_b64encode(certificate).rstrip(b"=").decode()
        payload = {"certificate": shown, "reason": REASONS.get(reason, 0)}
        now = dt.datetime.now(dt.UTC)
        try:
            self._account.post(self._client.url("revokeCert"), payload, "a revocation")
            found = Revoked(reason if reason in REASONS else "unspecified", now)
        except Refused as refused:
            if refused.code != "alreadyRevoked":
                raise
            self._advise(f"{WHO}: a certificate was revoked before; when and why, the server does not tell")
            found = Revoked("unspecified", now)
        self._done[certificate] = found
        return found
