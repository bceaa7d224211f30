# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Links: the paths that consumers read, each a symbolic link to a part of the current generation (W6)."""

from __future__ import annotations

import errno
import os
import stat
import typing as t

from .._core.errors import Misconfigured
from .._core.model import LinkState
from .directories import open_directory
from .layout import CURRENT, FILES_OF, PART_OF, SECRET_FILES, current_path
from .safe_files import facts, name_of_ours, read_file, read_link, remove, replace_link, write_file

if t.TYPE_CHECKING:
    from .._core.model import Identity, Known, Link
    from .copy_record import CopyRecord


def look_at_links(
    store: str,
    wanted: Identity,
    contents: t.Mapping[str, bytes],
    siblings: t.Mapping[str, Identity],
    copied: CopyRecord | None = None,
) -> tuple[LinkState, ...]:
    """Return the state of every declared link; what may not be replaced in its place is an error (W6).

    `siblings` are the identities of the same task, by name: what they no longer declare is free. A file that holds no
    more than the part is, too, where the identity has `adopt`; and so is one that `copied` knows as written here.
    """
    return tuple(_look(store, wanted, link, contents, siblings, copied) for link in wanted.files.links)


def _look(  # noqa: PLR0913, PLR0917 - what a link is judged by
    store: str,
    wanted: Identity,
    link: Link,
    contents: t.Mapping[str, bytes],
    siblings: t.Mapping[str, Identity],
    copied: CopyRecord | None,
) -> LinkState:
    directory, name = _open_parent(link.path)
    try:
        there = facts(directory, name)
        if there is None:
            state = "missing"
        elif stat.S_ISLNK(there.st_mode):
            lead = read_link(directory, name) or ""
            state, other = "elsewhere", identity_behind(store, lead)
            if lead == current_path(store, wanted.name, link.part, wanted.kind):
                state = "ok"
            elif other is None and _is_original(wanted, link, contents):
                state = "original"
            else:
                _refuse_others(wanted, link, (directory, lead), other, siblings)
        elif not stat.S_ISREG(there.st_mode):
            raise Misconfigured(f"host: {link.path} is neither a file nor a link; choose another path for {link.part}")
        else:
            content = read_file(directory, name)
            ours = copied is not None and copied.holds(link.path, content)
            given = not ours and _is_given_up(store, wanted, link, content, siblings)
            state = "copy" if ours or given else _state_of_file(wanted, link, content, contents)
        _check_access(wanted, link, state)
    finally:
        os.close(directory)
    return LinkState(link.path, link.part, state)


def _is_given_up(
    store: str, wanted: Identity, link: Link, content: bytes | None, siblings: t.Mapping[str, Identity]
) -> bool:
    """Tell whether a file is a copy that another identity leaves to us; what it still needs is refused."""
    from .copy_neighbours import gives_up, holder, refuse

    other = holder(store, wanted.name, link.path, content)
    if other is None:
        return False
    return gives_up(link.path, other, siblings) or refuse(link.path, "copy", other)


def _refuse_others(
    wanted: Identity, link: Link, lead: tuple[int, str], other: str | None, siblings: t.Mapping[str, Identity]
) -> None:
    """Refuse to replace a link that somebody else still needs: one that leads nowhere is nobody's."""
    directory, target = lead
    if other == wanted.name or not leads_somewhere(directory, target, other):
        return
    if other is None:
        if not wanted.files.replace_files:
            raise Misconfigured(
                f"host: {link.path} is a link to {target}, and a link for {link.part} would take its place; "
                f"move it away, or say replace_files: true for {wanted.name}"
            )
    elif other not in siblings or link.path in _declared(siblings[other]):
        raise Misconfigured(
            f"host: {link.path} is a link of identity {other}; take it out of one of the two declarations"
        )


def identity_behind(store: str, lead: str) -> str | None:
    """Return whose current generation a link leads to, if it leads into this store."""
    name, _slash, rest = lead[len(store) + 1 :].partition("/")
    return name if lead.startswith(f"{store}/") and rest.startswith(f"{CURRENT}/") else None


def leads_somewhere(directory: int, target: str, other: str | None) -> bool:
    """Tell whether a link, perhaps of another identity, leads to something: else it is nobody's."""
    return _exists(directory, os.path.dirname(target) if other else target)


def _exists(directory: int, target: str) -> bool:
    """Tell whether something is there; what we may not look at is."""
    try:
        os.stat(target, dir_fd=directory)
    except OSError as error:
        return error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
    return True


def _declared(wanted: Identity) -> set[str]:
    return {link.path for link in wanted.files.links} if wanted.state == "present" else set()


def _is_original(wanted: Identity, link: Link, contents: t.Mapping[str, bytes]) -> bool:
    """Tell whether a path holds what its part holds, of a pair that was adopted or is to be: itself, or a copy.

    What would be lost with it is named, unless it may be replaced (W6).
    """
    if wanted.adopt is None:
        return False
    from .originals import besides

    more = besides(link.path, contents.get(FILES_OF[wanted.kind][link.part]))
    if more and not wanted.files.replace_files:
        raise Misconfigured(
            f"host: {link.path} holds {', '.join(more)} besides, which a link for {link.part} would lose; "
            f"move that to a file of its own, or say replace_files: true for {wanted.name}"
        )
    return more == ()


def _state_of_file(
    wanted: Identity, link: Link, content: bytes | None, contents: t.Mapping[str, bytes]
) -> str:
    if content is not None and content == contents.get(FILES_OF[wanted.kind][link.part]):
        return "same_bytes"
    if _is_original(wanted, link, contents):
        return "original"
    if wanted.files.replace_files:
        return "file"
    raise Misconfigured(
        f"host: {link.path} is a regular file with other content, and a link for {link.part} would take its place; "
        f"move it away, or say replace_files: true for {wanted.name}"
    )


def _check_access(wanted: Identity, link: Link, state: str) -> None:
    """Let nobody lose a key by its adoption: what comes in the place of the file has other owners."""
    if not wanted.adopt or wanted.files.replace_files or FILES_OF[wanted.kind][link.part] not in SECRET_FILES:
        return
    if state in ("original", "same_bytes"):
        from .originals import check_access

        check_access(link.path, wanted)


def stale_links(store: str, wanted: Identity, known: Known) -> tuple[str, ...]:
    """Return the known links that still lead to this identity and are not declared; all of them when it is to go."""
    declared, kept = {link.path for link in wanted.files.links}, _declared(wanted)
    written = {one.path for one in wanted.publish}  # a file takes the place of the link
    candidates = dict.fromkeys((*known.links, *(sorted(declared) if not kept else ())))
    return tuple(path for path in candidates if path not in kept | written and part_behind(store, wanted.name, path))


def part_behind(store: str, name: str, path: str) -> str | None:
    """Return the part that a link leads to, if it leads to this identity."""
    return PART_OF.get(file_behind(store, name, path) or "")


def file_behind(store: str, name: str, path: str) -> str | None:
    """Return the name of the file of a generation that a link leads to, if it leads to this identity."""
    try:
        directory, entry = _open_parent(path)
    except Misconfigured:  # the directory went away, and the link with it
        return None
    try:
        lead = read_link(directory, entry) or ""
    finally:
        os.close(directory)
    prefix = f"{store}/{name}/{CURRENT}/"
    return lead[len(prefix) :] if lead.startswith(prefix) else None


def make_link(store: str, name: str, path: str, part: str, kind: str) -> None:
    """Let a path lead to a part, by one rename."""
    directory, entry = _open_parent(path)
    try:
        replace_link(directory, entry, current_path(store, name, part, kind), name_of_ours(entry))
    finally:
        os.close(directory)


def remove_link(store: str, name: str, path: str) -> None:
    """Take a link away, if it still leads to this identity."""
    if part_behind(store, name, path) is None:
        return
    directory, entry = _open_parent(path)
    try:
        remove(directory, entry)
    finally:
        os.close(directory)


def bytes_at(path: str) -> bytes | None:
    """Return the content of a regular file that may stand where a link was; None for anything else."""
    try:
        directory, entry = _open_parent(path)
    except Misconfigured:
        return None
    try:
        there = facts(directory, entry)
        return read_file(directory, entry) if there and stat.S_ISREG(there.st_mode) else None
    finally:
        os.close(directory)


def make_plain(path: str, content: bytes, *, mode: int, uid: int, gid: int) -> None:
    """Put a plain file in the place of a link, by one rename."""
    directory, entry = _open_parent(path)
    try:
        write_file(directory, entry, content, mode=mode, uid=uid, gid=gid, temporary=name_of_ours(entry))
    finally:
        os.close(directory)


def _open_parent(path: str) -> tuple[int, str]:
    parent, _slash, name = path.rpartition("/")
    return open_directory(parent or "/"), name
