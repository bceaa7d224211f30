# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Phase `respond`: show by HTTP what an issuer wants to see at the names of this host (RFC 8555, 8.3).

What is shown is written down before it is, below `.challenges` in the store: the install of the same identity takes it
away, and so does the next `respond` of anybody when its time is over.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import typing as t

from .._core import wire
from .._core.challenge import Challenge
from .._core.errors import Denied, KeysteadError, Misconfigured
from . import lease
from .directories import find_directory, open_directory, open_subdirectory
from .layout import CHALLENGES
from .place import open_place
from .request import Request, failed
from .safe_files import facts, read_file, remove, write_file
from .store import open_store

if t.TYPE_CHECKING:
    from .._core.model import Identity

LISTENER = "listening"
PLACE = ".well-known/acme-challenge"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,512}", re.ASCII)
_CONTENT = re.compile(r"[A-Za-z0-9_.-]{16,1024}", re.ASCII)
_PUBLIC = 0o644


class Shown(t.NamedTuple):
    """What is shown for one identity: until when, by the controller's clock, below which web root, and which tokens."""

    until: float
    webroot: str | None
    tokens: tuple[str, ...]


def respond(request: Request) -> list[dict[str, t.Any]]:
    """Show everything; return a name for each identity, and an error for what could not be shown."""
    store_fd = open_store(request.store, host=request.host, ledger_id=request.ledger_id, create=False)
    answers: dict[str, dict[str, t.Any]] = {}
    if store_fd is None:
        raise Misconfigured(f"host: {request.store} does not exist any more; run again")
    try:
        records = open_subdirectory(store_fd, CHALLENGES, create_mode=0o755)
        if records is None:
            raise Misconfigured(f"host: {request.store}/{CHALLENGES} cannot be made; look who may write there")
        with _closing(records):
            clear(records, over=request.now.timestamp())
            by_port: dict[int, dict[str, str]] = {}
            for wanted, _known, entry in request.identities():
                answers[wanted.name] = _shown(request, store_fd, records, wanted, entry, by_port)
            for port, contents in by_port.items():
                _listen(records, port, contents, request, answers)
    finally:
        os.close(store_fd)
    return list(answers.values())


def _shown(  # noqa: PLR0913, PLR0917 - where, what and for whom
    request: Request,
    store_fd: int,
    records: int,
    wanted: Identity,
    entry: t.Mapping[str, t.Any],
    by_port: dict[int, dict[str, str]],
) -> dict[str, t.Any]:
    """Write the files of one identity, and note what a listener is to show for it."""
    try:
        challenges = tuple(wire.unpack(Challenge, one) for one in entry["challenges"])
    except (KeyError, TypeError, ValueError):
        return failed(wanted.name, Denied("host: what the controller says is refused; use one version of both halves"))
    try:
        _check_lease(request, store_fd, wanted.name, entry)
        for one in challenges:
            if not (_TOKEN.fullmatch(one.token) and _CONTENT.fullmatch(one.content)):
                raise Denied("host: a challenge has another form than RFC 8555 permits; look at the issuer")
        webroot = next((one.webroot for one in challenges if one.webroot), None)
        tokens = tuple(one.token for one in challenges if one.webroot)
        shown = Shown(request.now.timestamp() + request.deadline, webroot, tokens)
        write_file(records, _file(wanted.name), json.dumps(shown).encode(), mode=0o600)
        if webroot:
            _place(webroot, {one.token: one.content for one in challenges if one.webroot})
        for one in challenges:
            if one.port:
                by_port.setdefault(one.port, {})[one.token] = one.content
    except KeysteadError as error:
        return failed(wanted.name, error)
    return {"name": wanted.name, "port": next((one.port for one in challenges if one.port), None)}


def _check_lease(request: Request, store_fd: int, name: str, entry: t.Mapping[str, t.Any]) -> None:
    place = open_place(request.store, store_fd, name)
    if place is None:
        raise Denied("host: the directory of this identity is gone; run again")
    with _closing(place.fd):
        lease.held(place.fd, str(entry.get("lease")), request.now.timestamp())


def _place(webroot: str, contents: t.Mapping[str, str]) -> None:
    """Put files where the web server of this host serves them: by rules W1 and W2."""
    os.close(open_directory(webroot))  # it has to be there; what is below it is made
    directory = open_directory(f"{webroot.rstrip('/')}/{PLACE}", create_mode=0o755)
    with _closing(directory):
        for token, content in contents.items():
            write_file(directory, token, content.encode(), mode=_PUBLIC)


def _listen(
    records: int, port: int, contents: dict[str, str], request: Request, answers: dict[str, dict[str, t.Any]]
) -> None:
    """Listen on a port for all identities; what prevents it is the error of each."""
    from .listener import listen

    try:
        listen(records, port, contents, request.deadline)
    except KeysteadError as error:
        for name, answer in answers.items():
            if answer.get("port") == port:
                answers[name] = failed(name, error)


def withdraw(store_fd: int, names: t.Collection[str]) -> None:
    """Take away what is shown for these identities, and let listeners end."""
    records = open_subdirectory(store_fd, CHALLENGES)
    if records is None:
        return
    with _closing(records):
        clear(records, names=names)
        for entry in os.listdir(records):
            if entry.startswith(LISTENER):
                remove(records, entry)


def clear(records: int, *, over: float = 0.0, names: t.Collection[str] = ()) -> None:
    """Take away the files of these identities, and of all whose time is over."""
    for entry in os.listdir(records):
        name, dot, _rest = entry.rpartition(".json")
        if not dot or entry.startswith("."):
            continue
        shown = _read(records, entry)
        if shown is None or name in names or shown.until < over:
            if shown is not None and shown.webroot:
                _take_away(shown.webroot, shown.tokens)
            remove(records, entry)


def _take_away(webroot: str, tokens: t.Iterable[str]) -> None:
    with contextlib.suppress(KeysteadError):  # a web root that is gone, or not ours any more, has nothing of ours
        directory = find_directory(f"{webroot.rstrip('/')}/{PLACE}")
        if directory is None:
            return
        with _closing(directory):
            for token in tokens:
                if _TOKEN.fullmatch(token) and facts(directory, token) is not None:
                    remove(directory, token)


def _read(records: int, entry: str) -> Shown | None:
    try:
        until, webroot, tokens = json.loads(read_file(records, entry) or b"")
        return Shown(float(until), None if webroot is None else str(webroot), tuple(map(str, tokens)))
    except (ValueError, TypeError, RecursionError):
        return None


def _file(name: str) -> str:
    return f"{name}.json"


@contextlib.contextmanager
def _closing(descriptor: int) -> t.Iterator[None]:
    try:
        yield
    finally:
        os.close(descriptor)
