# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""A file that holds a copy of parts: whole or not there, and never in the place of somebody else's (W1, W2, W6)."""

from __future__ import annotations

import os
import stat
import typing as t

from .._core.errors import Misconfigured, Unavailable
from .._core.publication import CopyState
from .directories import find_directory, open_directory
from .links import identity_behind, leads_somewhere
from .ownership import uid_gid
from .safe_files import facts, name_of_ours, read_link, read_with_facts, remove, write_file

if t.TYPE_CHECKING:
    from .._core.model import Identity
    from .._core.publication import Publication
    from .copy_record import CopyRecord

Parts = t.Mapping[str, bytes]


class Form(t.Protocol):
    """How parts become the content of a file, and how a content differs from them: a state, empty where not at all."""

    def content(self, parts: Parts) -> bytes: ...

    def difference(self, content: bytes, parts: Parts) -> tuple[str, str]: ...


class Owner(t.NamedTuple):
    """Whose file it is, in which store, and whether it may take the place of others.

    `siblings` are the identities of the same task, by name: what they no longer declare is free.
    """

    store: str
    name: str
    replaces: bool
    siblings: t.Mapping[str, Identity] = {}


class CopyFile:
    """One file. It is a Publisher (`_core/ports.py`); `record` knows which files are ours."""

    def __init__(self, publication: Publication, form: Form, owner: Owner, record: CopyRecord) -> None:
        """Keep what is declared."""
        self._publication, self._form, self._owner, self._record = publication, form, owner, record
        self._parent, _slash, self._name = publication.path.rpartition("/")

    def read(self, parts: Parts | None) -> CopyState:
        """Compare the file with the parts."""
        directory = open_directory(self._parent or "/")
        try:
            state, detail = self._look(directory, parts)
        finally:
            os.close(directory)
        return CopyState(self._publication.path, self._publication.publisher, state, detail)

    def write(self, parts: Parts) -> None:
        """Write a new file with the parts in its place, and read it again."""
        self.read(parts)  # somebody may have put another one there since it was decided
        declared, content = self._publication, self._form.content(parts)
        if not content:
            raise Misconfigured(
                f"host: {declared.path} would be empty, since the issuer of {self._owner.name} sends no chain; "
                "leave it out, or add certificate to its parts"
            )
        directory = open_directory(self._parent or "/")
        try:
            self._record.note(declared, content, _content(directory, self._name))
            (uid, gid), temporary = self._ids(), name_of_ours(self._name)
            how = {"mode": int(declared.mode, 8), "uid": uid, "gid": gid}
            write_file(directory, self._name, content, temporary=temporary, **how)
        finally:
            os.close(directory)
        found = self.read(parts)
        if found.state in ("ok", "same"):
            self._record.complete(declared.path)
        else:
            raise Unavailable(
                f"host: {declared.path} does not hold what was written ({found.state}); "
                "look at the disk and at who else writes there, then run again"
            )

    def delete(self) -> None:
        """Remove the file, if it still holds what was written last, and what a killed run left beside it."""
        path = self._publication.path
        directory = find_directory(self._parent or "/")
        if directory is not None:
            try:
                remove(directory, name_of_ours(self._name))
                if self._may_go(_content(directory, self._name)):
                    remove(directory, self._name)
                    if facts(directory, self._name) is not None:
                        raise Unavailable(f"host: {path} is there again; look at who else writes it, then run again")
            finally:
                os.close(directory)
        self._record.forget(path)

    def _may_go(self, content: bytes | None) -> bool:
        """Tell whether this is what was written last, and nobody else took it over with the same content."""
        path, owner = self._publication.path, self._owner
        if not self._record.holds(path, content):
            return False
        from .copy_neighbours import holder

        return holder(owner.store, owner.name, path, content, exactly=True) is None

    def _look(self, directory: int, parts: Parts | None) -> tuple[str, str]:
        there = facts(directory, self._name)
        if there is None:
            return "missing", ""
        if stat.S_ISLNK(there.st_mode):
            return self._judge_link(directory)
        path = self._publication.path
        if not stat.S_ISREG(there.st_mode):
            what = self._publication.publisher
            raise Misconfigured(f"host: {path} is neither a file nor a link; choose another path for {what}")
        found = read_with_facts(directory, self._name)
        if found is None:
            return "missing", ""
        differs = ("certificate", "") if parts is None else self._form.difference(found.content, parts)
        if not self._record.is_ours(path, found.content):
            return self._judge_foreign(differs[0], found.content)
        if differs[0]:
            return differs
        return self._drift(there) if self._record.is_whole(path) else ("same", "")

    def _judge_foreign(self, differs: str, content: bytes) -> tuple[str, str]:
        """Take a file that is not ours only where nothing is lost by it, or where that is said (W6)."""
        from .copy_neighbours import gives_up, holder, refuse

        owner, path = self._owner, self._publication.path
        other = holder(owner.store, owner.name, path, content)
        if other is not None:
            return ("taken", other) if gives_up(path, other, owner.siblings) else refuse(path, "copy", other)
        if not differs:
            return "same", ""
        if self._owner.replaces:
            return "file", ""
        declared = self._publication
        raise Misconfigured(
            f"host: {declared.path} is a regular file with other content, and {declared.publisher} would take its "
            f"place; move it away, or say replace_files: true for {self._owner.name}"
        )

    def _judge_link(self, directory: int) -> tuple[str, str]:
        """Take the place of a link of this identity, or of one that leads nowhere."""
        path, owner = self._publication.path, self._owner
        lead = read_link(directory, self._name) or ""
        other = identity_behind(owner.store, lead)
        if other == owner.name or not leads_somewhere(directory, lead, other):
            return "link", ""
        if other is not None:
            from .copy_neighbours import gives_up, refuse

            return ("link", "") if gives_up(path, other, owner.siblings) else refuse(path, "link", other)
        if owner.replaces:
            return "link", ""
        raise Misconfigured(
            f"host: {path} is a link to {lead}, and {self._publication.publisher} would take its place; "
            f"move it away, or say replace_files: true for {owner.name}"
        )

    def _ids(self) -> tuple[int, int]:
        """Return who is to own the file; of one with the key that is always somebody, and by default who writes it."""
        declared = self._publication
        uid, gid = uid_gid(declared.owner, declared.group)
        if "private_key" in declared.parts:
            return os.geteuid() if uid == -1 else uid, os.getegid() if gid == -1 else gid
        return uid, gid

    def _drift(self, there: os.stat_result) -> tuple[str, str]:
        declared, (uid, gid) = self._publication, self._ids()
        mode, wanted = stat.S_IMODE(there.st_mode), int(declared.mode, 8)
        if mode != wanted:
            return "mode", f"{mode:04o}, not {wanted:04o}"
        if uid not in (-1, there.st_uid) or gid not in (-1, there.st_gid):
            wanted_ids = (declared.owner or uid, declared.group or gid)
            said = ":".join("" if one == -1 else str(one) for one in wanted_ids)
            return "owner", f"{there.st_uid}:{there.st_gid}, not {said}"
        return "ok", ""


def _content(directory: int, name: str) -> bytes | None:
    """Return what a regular file holds; None for anything else, which is not ours."""
    there = facts(directory, name)
    found = read_with_facts(directory, name) if there and stat.S_ISREG(there.st_mode) else None
    return found and found.content
