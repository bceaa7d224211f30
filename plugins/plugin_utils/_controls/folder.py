# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Folders of evidence, one a framework, day and state: whole or not at all, for this user alone, and never replaced.

What is signed is a JSON Web Signature in the compact form (RFC 7515) over the digests of all other files, so that
anybody's tools see what was changed, added or removed.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tempfile
import typing as t
from pathlib import Path

from ...module_utils._core.errors import Misconfigured, printable
from ...module_utils._core.keys import public_pem, spki
from .._audit.checkpoint import Refused, opened, signed, signer_of
from .._canonical import canonical
from .._durable import check_can_hold, sync_names
from .._ledger.moments import now

if t.TYPE_CHECKING:
    from .._audit.checkpoint import Keys

MANIFEST, PUBLIC_KEY = "manifest.jws", "public_key.pem"
TYPE = "keystead-evidence"
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_THERE = (errno.ENOTEMPTY, errno.EEXIST)
_SHOWN = 3

Files = t.Mapping[str, bytes]
Manifest = dict[str, t.Any]


class Altered(Exception):
    """What of a folder is not what was signed, as a sentence."""


def rendered(value: t.Any) -> bytes:
    """Return a value as JSON that people can read."""
    return (json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode("utf-8", "backslashreplace")


def manifest(about: Manifest, files: Files) -> Manifest:
    """Return what is signed: what a folder is about, and the SHA-256 of each of its files."""
    return {**about, "files": {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}}


def name_of(wanted: Manifest, who: str) -> str:
    """Return the name of the folder that holds this, and nothing else ever."""
    return f"{wanted['day']}-{hashlib.sha256(canonical(wanted, who)).hexdigest()[:12]}"


def signers(directory: Path, who: str) -> set[str]:
    """Return by which keys the folders of all frameworks say that they were signed: the digests of their SPKI.

    Raises Misconfigured.
    """
    try:
        return {signer_of(path.read_text("ascii", "replace"), who) for path in directory.glob(f"*/[!.]*/{MANIFEST}")}
    except OSError as error:
        raise Misconfigured(
            f"{who}: option evidence.directory: {error.filename} cannot be read ({error.strerror}); let this user read "
            "what is there"
        ) from None


def check(folder: Path, keys: Keys, who: str) -> Manifest:
    """Return what one of these keys has signed of a folder in which nothing is different since. Raises Altered."""
    try:
        said: Manifest = json.loads(opened((folder / MANIFEST).read_text("ascii"), keys, TYPE, who))
        found = {path.name: _digest(path) for path in folder.iterdir() if path.name != MANIFEST}
    except Refused as why:
        raise Altered(f"{MANIFEST}: {why}") from None
    except ValueError:
        raise Altered(f"{MANIFEST}: its signature is not that of its key, or it is damaged") from None
    except OSError as error:
        raise Altered(f"{Path(error.filename or folder).name} cannot be read ({error.strerror})") from None
    wrong = sorted(dict(found.items() ^ said["files"].items()))
    if wrong:
        more = f", and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise Altered(", ".join(_differs(name, found, said["files"]) for name in wrong[:_SHOWN]) + more)
    return said


def is_there(folder: Path, wanted: Manifest, keys: Keys, who: str) -> bool:
    """Tell whether there is a folder, which then holds what is wanted. Raises Altered."""
    if not os.path.lexists(folder):
        return False
    said = check(folder, keys, who)
    same = all(said.get(name) == value for name, value in wanted.items() if name != "files")
    if not same or not wanted["files"].items() <= said["files"].items():
        raise Altered("it is the evidence of something else")
    return True


def check_can_be_written(directory: Path, who: str) -> None:
    """Raise Misconfigured where no folder could be written."""
    try:
        check_can_hold(next(one for one in (directory, *directory.parents) if os.path.lexists(one)))
    except OSError as error:
        raise _cannot(directory, error, who) from None


def write(folder: Path, wanted: Manifest, files: Files, key: t.Any, who: str) -> bool:
    """Write a folder, signed by a key now, unless somebody was quicker; return whether. Raises KeysteadError."""
    whole = {**files, PUBLIC_KEY: public_pem(spki(key.public_key())).encode()}
    said = manifest({**wanted, "at": now()}, whole)
    whole[MANIFEST] = signed(canonical(said, who), key, TYPE, who).encode()
    staged = None
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        staged = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        for name, content in whole.items():
            with os.fdopen(os.open(staged / name, _CREATE, 0o600), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        sync_names(staged)
        staged.rename(folder)
        sync_names(folder.parent)
    except OSError as error:
        if error.errno in _THERE and folder.is_dir():
            return False
        raise _cannot(folder, error, who) from None
    finally:
        if staged is not None:
            shutil.rmtree(staged, ignore_errors=True)
    return True


def _cannot(path: Path, error: OSError, who: str) -> Misconfigured:
    return Misconfigured(
        f"{who}: option evidence.directory: {path} cannot be written ({error.strerror or error}); create the directory "
        "above it, and let this user write there"
    )


def _differs(name: str, found: t.Mapping[str, t.Any], said: t.Mapping[str, t.Any]) -> str:
    how = "is missing" if name not in found else "was added" if name not in said else "was changed"
    return f"{printable(name)} {how}"


def _digest(path: Path) -> str | None:
    """Return the SHA-256 of a file, in hex; None for what is no file."""
    if path.is_symlink() or not path.is_file():
        return None
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
