# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What names a version of a key in a transit engine, for ever.

No standard has a URI for it, so the form is ours: `openbao-transit:`, where the API reads the key (server, `/v1/`,
namespace if there is one, mount, `keys`, name), and which of its versions is meant:

    openbao-transit:https://bao.example.org:8200/v1/team/transit/keys/web?version=3

A key is the same when only its server is called otherwise: that may move, or have another name. So what follows the
server is compared, and the server is not.
"""

from __future__ import annotations

import re
import typing as t
from urllib.parse import urlsplit

if t.TYPE_CHECKING:
    from .address import Address

_URI = re.compile(r"openbao-transit:https://[!-.0->@-~]+(/[!->@-~]+)\?version=([1-9][0-9]{0,8})", re.ASCII)


class Place(t.NamedTuple):
    """The address of a key in a transit engine, all its versions included."""

    address: Address
    mount: str
    name: str

    @property
    def url(self) -> str:
        """Where the API reads it."""
        namespace = f"{self.address.namespace}/" if self.address.namespace else ""
        return f"{self.address.url}/v1/{namespace}{self.mount}/keys/{self.name}"

    @property
    def key(self) -> str:
        """What names the key with all its versions."""
        return f"openbao-transit:{self.url}"

    def uri(self, version: int) -> str:
        """Return what names one version."""
        return f"{self.key}?version={version}"

    def version(self, uri: str | None) -> int | None:
        """Return which version of this key a URI names; None where it names something else."""
        found = _URI.fullmatch(uri or "")
        return int(found[2]) if found and found[1] == urlsplit(self.url).path else None

    def __str__(self) -> str:
        """Say which key it is, as a message does."""
        return f"key {self.name} of mount {self.mount}"
