# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One file that a scan found."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

if t.TYPE_CHECKING:
    from ..module_utils._core.model import Credential


@dataclass
class Scanned:
    """What a file holds. `real` is where it is without links, `public_id` its key's or its certificate's SPKI SHA-256.

    `managed` says that it is of our store, `certificate` is its first one (DER), `matches` are the paths of the other
    half of a pair. `fingerprints` are those of all its certificates, `further` labels what else stands in it, `closed`
    says why nothing can be adopted where it is.
    """

    path: str
    real: str
    kind: str
    owner: str
    group: str
    mode: str
    managed: bool
    msg: str
    encrypted: bool
    public_id: str | None
    key_type: str | None
    key_fits: bool
    holds_key: bool
    certificate: bytes
    credential: Credential | None
    certificates: int
    fingerprints: tuple[str, ...] = ()
    further: tuple[str, ...] = ()
    closed: str = ""
    matches: list[str] = field(default_factory=list)
    findings: list[dict[str, str]] = field(default_factory=list)

    @property
    def codes(self) -> set[str]:
        """Return the codes of what is wrong."""
        return {finding["code"] for finding in self.findings}

    @property
    def directory(self) -> str:
        """Return where it stands."""
        return self.path.rpartition("/")[0]

    @property
    def is_link(self) -> bool:
        """Tell whether its path is a link, as the stable paths of renewers are."""
        return self.path != self.real
