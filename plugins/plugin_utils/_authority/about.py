# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What an authority says of itself in authority.json: enough to know who signs, without parsing a certificate."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

from ...module_utils._core.errors import Misconfigured, NotYet
from .files import read, speaking

FORMAT = 1
ABOUT = "authority.json"
_ID_DIGITS = 32


class About(t.NamedTuple):
    """Where an authority is, the SHA-256 of its SPKI in hex, and whether its key has a passphrase."""

    path: Path
    public_id: str
    encrypted: bool

    @property
    def name(self) -> str:
        """What the tasks call it."""
        return self.path.name

    @property
    def id(self) -> str:
        """Who signs: the name and the key, so that another key of the same name is another issuer."""
        return f"local:{self.name}:{self.public_id[:_ID_DIGITS]}"

    @property
    def place(self) -> str:
        """Where the authority stands: its directory on the controller, however the task wrote it."""
        return f"local:{self.path.resolve()}"

    def check_passphrase_is_given(self, passphrase: bytes | None) -> None:
        """Say what is missing without the cost of opening the key."""
        if self.encrypted and passphrase is None:
            raise Misconfigured(
                f"local: the private key of authority {self.name} in {self.path} has a passphrase; "
                "set passphrase or passphrase_file"
            )
        if passphrase is not None and not self.encrypted:
            raise Misconfigured(
                f"local: the private key of authority {self.name} in {self.path} has no passphrase, but one is given; "
                "remove passphrase and passphrase_file, or encrypt the key"
            )


def about(directory: str | Path, name: str) -> About:
    """Return what an authority says of itself; raises Misconfigured where there is none."""
    found = find_about(directory, name)
    if found is None:
        raise NotYet(
            f"local: authority {name} does not exist in {directory}; create it with certificate_authority"
        )
    return found


def find_about(directory: str | Path, name: str) -> About | None:
    """Return what an authority says of itself; None where there is none."""
    path = Path(directory) / checked_name(name)
    with speaking("find", path):
        try:
            path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return None
    try:
        record = json.loads(read(path / ABOUT))
        written = record["format"]
        found = About(path, str(record.get("public_id", "")), bool(record["encrypted"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise damaged(path) from None
    if written != FORMAT:
        raise Misconfigured(
            f"local: {path} has format {written}, this release reads {FORMAT}; use the release that made it"
        )
    return found


def written(public_id: str, *, encrypted: bool) -> bytes:
    """Return the content of authority.json."""
    return json.dumps({"format": FORMAT, "encrypted": encrypted, "public_id": public_id}).encode() + b"\n"


def damaged(path: Path) -> Misconfigured:
    """Return the error for a directory that cannot be understood."""
    return Misconfigured(
        f"local: {path} is not an authority of this collection, or is damaged; restore it from a backup"
    )


def checked_name(name: str) -> str:
    """Return a name that can be a directory; raises Misconfigured."""
    if not name or name.startswith(".") or "/" in name or not name.isprintable():
        raise Misconfigured(
            f"local: name {name!r} cannot be an authority's; use letters, digits, `-` and `_`, for example issuing"
        )
    return name
