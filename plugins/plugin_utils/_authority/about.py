# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What an authority says of itself in authority.json: enough to know who signs, without parsing a certificate."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

from ...module_utils._core.errors import Misconfigured, NotYet
from .files import read, read_if_there, speaking
from .opening import FILE

if t.TYPE_CHECKING:
    from .opening import Opening

FORMAT, IN_CUSTODY = 1, 2  # a release that knows files only refuses the second, and says so
_REACHED = {
    "pkcs11": "{module_path: ..., token_label: ..., pin_file: ...}",
    "openbao_transit": "{url: ..., name: ..., auth: ...}",
    "aws_kms": "{alias: ..., region: ...}",
}
ABOUT = "authority.json"
_ID_DIGITS = 32


class About(t.NamedTuple):
    """Where an authority is, the SHA-256 of its SPKI in hex, whether its key has a passphrase, and where that lives.

    `key_uri` names the key in its custody, where that is not a file, and `key_label` is what its keys are called there.
    """

    path: Path
    public_id: str
    encrypted: bool
    custody: str = FILE
    key_uri: str | None = None
    key_label: str = ""

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

    def check_fits(self, opening: Opening) -> None:
        """Say what is missing, or too much, without the cost of opening the key. Raises Misconfigured."""
        if self.custody != opening.custody_name:
            raise Misconfigured(
                f"local: the private key of authority {self.name} in {self.path} lives in "
                + (f"a file; remove custody {opening.custody_name}" if self.custody == FILE else self._how(opening))
            )
        self._check_passphrase(opening.passphrase)

    def _how(self, opening: Opening) -> str:
        given = f", not in {opening.custody_name}" if opening.custody else ""
        return f"{self.custody}{given}; write custody {{{self.custody}: {_REACHED[self.custody]}}}, which reaches it"

    def _check_passphrase(self, passphrase: bytes | None) -> None:
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
    return _parsed(path, path, read(path / ABOUT))


def recorded(path: Path, place: Path) -> About | None:
    """Return what is written in `place`, which is or was to be, the authority `path`; None where nothing is."""
    content = read_if_there(place / ABOUT)
    return None if content is None else _parsed(path, place, content)


def _parsed(path: Path, place: Path, content: bytes) -> About:
    try:
        record = json.loads(content)
        written = record["format"]
        found = About(path, str(record.get("public_id", "")), bool(record["encrypted"]))
        if written == IN_CUSTODY:
            uri, label = str(record["key_uri"]), str(record["key_label"])
            found = found._replace(custody=_known(record["custody"]), key_uri=uri, key_label=label)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise damaged(place) from None
    if written not in (FORMAT, IN_CUSTODY):
        raise Misconfigured(
            f"local: {place} has format {written}, this release reads {FORMAT} and {IN_CUSTODY}; "
            "use the release that made it"
        )
    return found


def _known(custody: str) -> str:
    """Return the name of a custody; raises ValueError for any other."""
    if custody not in _REACHED:
        raise ValueError("not the name of a custody")
    return custody


def written(public_id: str, *, encrypted: bool) -> bytes:
    """Return the content of authority.json where the key is a file."""
    return _text({"format": FORMAT, "encrypted": encrypted, "public_id": public_id})


def written_in_custody(public_id: str, custody: str, key_uri: str, key_label: str) -> bytes:
    """Return the content of authority.json where the key is not a file; before there is a key it has no URI."""
    key = {"custody": custody, "key_uri": key_uri, "key_label": key_label}
    return _text({"format": IN_CUSTODY, "encrypted": False, "public_id": public_id, **key})


def _text(record: dict[str, t.Any]) -> bytes:
    return json.dumps(record).encode() + b"\n"


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
