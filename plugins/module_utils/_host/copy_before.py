# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What stood in the place of a copy before this run, kept in memory so that a consumer that refuses gets it back."""

from __future__ import annotations

import os
import stat
import typing as t

from .directories import find_directory, open_directory
from .safe_files import facts, name_of_ours, read_link, read_with_facts, remove, replace_link, write_file

if t.TYPE_CHECKING:
    from .copy_record import CopyRecord, Entry


class Before(t.NamedTuple):
    """A regular file with its facts, a link with its target, or nothing; and what the record said of the path."""

    path: str
    entry: Entry | None
    content: bytes | None = None
    facts: os.stat_result | None = None
    target: str | None = None

    def put_back(self, record: CopyRecord) -> None:
        """Put it back as it was. The file comes first: until the record forgets what was written, it can be removed."""
        parent, _slash, name = self.path.rpartition("/")
        directory = open_directory(parent or "/")
        try:
            there = facts(directory, name)
            if _same(there, self.facts):  # writing it did not succeed
                pass
            elif self.content is not None and self.facts is not None:
                there = self.facts
                how = {"mode": stat.S_IMODE(there.st_mode), "uid": there.st_uid, "gid": there.st_gid}
                write_file(directory, name, self.content, temporary=name_of_ours(name), **how)
            elif self.target is not None:
                replace_link(directory, name, self.target, name_of_ours(name))
            else:
                remove(directory, name)
        finally:
            os.close(directory)
        record.put_back(self.path, self.entry)


def _same(there: os.stat_result | None, before: os.stat_result | None) -> bool:
    """Tell whether nobody wrote since: a file that is written is another one. Of what was no file, nobody knows."""
    return None not in (there, before) and os.path.samestat(
        t.cast("os.stat_result", there), t.cast("os.stat_result", before)
    )


def remember(path: str, record: CopyRecord) -> Before:
    """Look at a path that is going to be written."""
    parent, _slash, name = path.rpartition("/")
    directory, before = find_directory(parent or "/"), Before(path, record.entry(path))
    if directory is None:
        return before
    try:
        there = facts(directory, name)
        if there is None:
            return before
        if stat.S_ISLNK(there.st_mode):
            return before._replace(target=read_link(directory, name))
        found = read_with_facts(directory, name)
        return before._replace(content=found.content, facts=found.facts) if found else before
    finally:
        os.close(directory)
