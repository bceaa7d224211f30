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
from . import lease, listening
from .directories import find_directory, open_directory, open_subdirectory
from .layout import CHALLENGES
from .locks import locked
from .place import open_place
from .request import Request, failed
from .safe_files import facts, read_file, remove, write_file
from .store import open_store

if t.TYPE_CHECKING:
    from .._core.model import Identity

PLACE = ".well-known/acme-challenge"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,512}", re.ASCII)
_CONTENT = re.compile(r"[A-Za-z0-9_.-]{16,1024}", re.ASCII)
_PUBLIC = 0o644
_LOCK, _RECORD = ".lock", ".json"


class Shown(t.NamedTuple):
    """What is shown for one identity: until when, by the controller's clock, where, and contents by their tokens.

    It is below a web root, or a listener on a port shows it.
    """

    until: float
    webroot: str | None
    port: int | None
    contents: t.Mapping[str, str]


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
        with _alone(records):
            clear(records, over=request.now.timestamp())
            for wanted, _known, entry in request.identities():
                answers[wanted.name] = _shown(request, store_fd, records, wanted, entry)
            for port in sorted({answer["port"] for answer in answers.values() if answer.get("port")}):
                _listen(records, port, request, answers)
    finally:
        os.close(store_fd)
    return list(answers.values())


def _shown(
    request: Request, store_fd: int, records: int, wanted: Identity, entry: t.Mapping[str, t.Any]
) -> dict[str, t.Any]:
    """Write the files of one identity, and say on which port a listener is to show what for it."""
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
        port = next((one.port for one in challenges if one.port), None)
        contents = {one.token: one.content for one in challenges}
        before = _read(records, _file(wanted.name))
        shown = Shown(request.now.timestamp() + request.deadline, webroot, port, contents)
        if before is not None and before.webroot:  # of an order that is over: what is written next knows nothing of it
            gone = before.contents if before.webroot != webroot else before.contents.keys() - contents.keys()
            _take_away(before.webroot, gone)
        write_file(records, _file(wanted.name), json.dumps(shown).encode(), mode=0o600)
        if webroot:
            _place(webroot, contents)
    except KeysteadError as error:
        return failed(wanted.name, error)
    return {"name": wanted.name, "port": port}


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


def _listen(records: int, port: int, request: Request, answers: dict[str, dict[str, t.Any]]) -> None:
    """Listen on a port for all identities, those of other runs included; what prevents it is the error of each."""
    from .listener import listen

    try:
        listen(records, port, _on_port(records, port), request.deadline)
    except KeysteadError as error:
        for name, answer in answers.items():
            if answer.get("port") == port:
                answers[name] = failed(name, error)


def withdraw(store_fd: int, names: t.Collection[str]) -> None:
    """Take away what is shown for these identities, and let listeners end that nobody else needs."""
    records = open_subdirectory(store_fd, CHALLENGES)
    if records is None:
        return
    with _alone(records):
        clear(records, names=names)
        for port in listening.ports(records):
            contents, mark = _on_port(records, port), listening.read(records, port)
            if mark is not None and contents:
                listening.write(records, port, mark._replace(contents=contents))
            else:
                remove(records, listening.name(port))


def _on_port(records: int, port: int) -> dict[str, str]:
    """Return what is to be shown on a port, for whomever."""
    found: dict[str, str] = {}
    for _entry, shown in _records(records):
        if shown is not None and shown.port == port:
            found.update(shown.contents)
    return found


def clear(records: int, *, over: float = 0.0, names: t.Collection[str] = ()) -> None:
    """Take away the files of these identities, and of all whose time is over."""
    for entry, shown in _records(records):
        if shown is None or entry[: -len(_RECORD)] in names or shown.until < over:
            if shown is not None and shown.webroot:
                _take_away(shown.webroot, shown.contents)
            remove(records, entry)


def _records(records: int) -> t.Iterator[tuple[str, Shown | None]]:
    for entry in os.listdir(records):
        if entry.endswith(_RECORD) and not entry.startswith("."):
            yield entry, _read(records, entry)


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
        until, webroot, port, contents = json.loads(read_file(records, entry) or b"")
        where = None if webroot is None else str(webroot), None if port is None else int(port)
        return Shown(float(until), *where, {str(token): str(content) for token, content in contents.items()})
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None


def _file(name: str) -> str:
    return f"{name}{_RECORD}"


@contextlib.contextmanager
def _alone(records: int) -> t.Iterator[None]:
    """Have the records for ourselves while several runs may be at work in one store; close them at the end."""
    with _closing(records), locked(records, _LOCK):
        try:
            yield
        finally:
            remove(records, _LOCK)


@contextlib.contextmanager
def _closing(descriptor: int) -> t.Iterator[None]:
    try:
        yield
    finally:
        os.close(descriptor)
