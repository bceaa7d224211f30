# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which certificates a mount has revoked, by one list of them all: for many, that is quicker than to ask for each."""

from __future__ import annotations

import contextlib
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509

from ...module_utils._core.errors import KeysteadError
from .._serial import with_colons
from .errors import section

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from .client import Client

FEW = 5
"""Certificates that are asked for one by one."""
WORTH = 100
"""Entries of the list that cost no more than to ask for one certificate."""


class RevokedOnes:
    """The list of one mount. Where it cannot be had, or is too long to be worth it, nobody asks for it again."""

    def __init__(self, client: Client, mount: str) -> None:
        """Keep whom to ask."""
        self._client, self._mount, self._dear = client, mount, False

    def among(self, certificates: Sequence[bytes]) -> list[bool] | None:
        """Tell of each certificate (DER) whether the list has it; None where each is to be asked for by itself."""
        if self._dear or len(certificates) <= FEW:
            return None
        listed = self._listed()
        if listed is None:
            self._dear = True
            return None
        self._dear = len(listed) > WORTH * len(certificates)
        numbers = (x509.load_der_x509_certificate(der).serial_number for der in certificates)
        return [with_colons(number) in listed for number in numbers]

    def _listed(self) -> frozenset[str] | None:
        try:
            found = section(self._client.call("LIST", f"{self._mount}/certs/revoked"), "data").get("keys")
        except KeysteadError:  # it has none, this token may not, or it is a Vault of long ago
            return None
        return frozenset(str(one).replace("-", ":") for one in found) if isinstance(found, list) else None
