# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What an authority has taken back for SSH: one durable record for each certificate, by its serial number and its key.

Nothing makes the numbers of `ssh-keygen -s -z` unique, so two certificates may have one. A file is called
`NUMBER-KEY.json`, both in hexadecimal, KEY being the beginning of the key's SHA-256. `NUMBER.json` is of every
certificate with that number.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import re
import typing as t

from ...module_utils._core import ssh
from ...module_utils._core.errors import Misconfigured
from ...module_utils._core.ports import Revoked
from .._authority.files import entries, read, read_if_there, write
from .._authority.records import REASONS

if t.TYPE_CHECKING:
    from pathlib import Path

    from ...module_utils._core.revoking import Revocation

WHO = "local_ssh"
OF_THE_KEY = "key_compromise"
"""The reason with which a key is refused, whoever certified it: a reason about an authority says nothing of it."""
_NAME = re.compile("([1-9a-f][0-9a-f]{0,15})(-[0-9a-f]{16})?|0-[0-9a-f]{16}")


class Record(t.NamedTuple):
    """That a certificate was taken back, and its key in SSH's own form where that is listed too."""

    revoked: Revoked
    key: bytes | None = None


class Records:
    """The records of one authority, in a directory."""

    def __init__(self, directory: Path) -> None:
        """Keep where they are."""
        self._directory = directory

    def of(self, said: ssh.Certificate) -> Record | None:
        """Return what is recorded of a certificate. Raises Misconfigured for what is no record."""
        for path in (self._path(said), self._directory / f"{said.serial_number:x}.json"):
            content = read_if_there(path)
            record = None if content is None else _parsed(path, content)
            if record is not None and record.key in (None, said.key):
                return record
        return None

    def take_back(self, said: ssh.Certificate, reason: str, now: dt.datetime) -> None:
        """Write down that a certificate is taken back. The first reason stands, until its key is compromised."""
        before, when = self.of(said), now.replace(microsecond=0)
        if before is not None:
            if reason != OF_THE_KEY or before.key is not None:
                return
            when = before.revoked.when
        record = {"reason": reason, "when": when.isoformat()}
        if reason == OF_THE_KEY:
            record["key"] = ssh.as_text(said.key).decode().strip()
        write(self._path(said), json.dumps(record).encode() + b"\n")

    def lacking(self, known: t.Iterable[Revocation]) -> list[Revocation]:
        """Return what somebody else knows to be taken back and nothing here tells of, or not of its key.

        Where the certificate is not known, its number counts; without either there is nothing that a record could tell.
        """
        there = entries(self._directory, ".json") if self._directory.is_dir() else ()
        numbers = {0, *map(_serial_number, there)}
        return [one for one in known if (self._lacks(one) if one.certificate else one.serial_number not in numbers)]

    def _lacks(self, one: Revocation) -> bool:
        record, of_the_key = self.of(ssh.parsed(one.certificate or b"")), one.revoked.reason == OF_THE_KEY
        if record is None:
            return bool(one.serial_number) or of_the_key
        return of_the_key and record.key is None

    def restore(self, one: Revocation) -> None:
        """Write down again what somebody else knows to be taken back, with its reason and moment."""
        reason = one.revoked.reason if one.revoked.reason in REASONS else "unspecified"
        if one.certificate is not None:
            self.take_back(ssh.parsed(one.certificate), reason, one.revoked.when)
        else:
            when = one.revoked.when.replace(microsecond=0).isoformat()
            record = json.dumps({"reason": reason, "when": when}).encode()
            write(self._directory / f"{one.serial_number:x}.json", record + b"\n")

    def all(self) -> list[tuple[int, Record]]:
        """Return every record with its serial number. Raises Misconfigured for what is none."""
        if not self._directory.is_dir():
            return []
        return [(_serial_number(path), _parsed(path, read(path))) for path in entries(self._directory, ".json")]

    def _path(self, said: ssh.Certificate) -> Path:
        return self._directory / f"{said.serial_number:x}-{hashlib.sha256(said.key).hexdigest()[:16]}.json"


def _serial_number(path: Path) -> int:
    if not _NAME.fullmatch(path.stem):
        raise Misconfigured(f"{WHO}: {path} is not named after a serial number and a key; move it away")
    return int(path.stem.partition("-")[0], 16)


def _parsed(path: Path, content: bytes) -> Record:
    with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError, RecursionError):
        said = json.loads(content)
        when = dt.datetime.fromisoformat(said["when"])
        if said["reason"] in REASONS and when.tzinfo is not None:
            key = ssh.encoded(said["key"].encode()) if "key" in said else None
            return Record(Revoked(said["reason"], when), key)
    raise Misconfigured(f"{WHO}: {path} is not a revocation record; restore it from a backup")
