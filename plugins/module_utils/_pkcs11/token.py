# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""A token that this process has open: one session and one login, whoever in it needs the token, and a lock around it.

A fork ends them before it happens (PKCS#11 2.40, 6.6.1: a child cannot use what its parent opened), so that parent and
child each open the token anew when they need it again. `epoch` says which opening a handle belongs to.
"""

from __future__ import annotations

import contextlib
import os
import threading
import typing as t

from .._core.errors import Denied, KeysteadError, Misconfigured
from . import library
from .errors import ENDED, translated
from .objects import Objects
from .pin import pin, source

if t.TYPE_CHECKING:
    from .._core.model import Token

# PKCS#11 2.40, 3.2: what a token says of itself
_WRITE_PROTECTED, _LOGIN_REQUIRED, _FINAL_TRY, _LOCKED = 0x2, 0x4, 0x20000, 0x40000


class OpenToken:
    """One token. `lock` is held by whoever speaks to it; what it says wrong is told by `said`."""

    def __init__(self, wanted: Token) -> None:
        """Find the token; it is opened when it is needed."""
        self.lock = threading.RLock()
        self.epoch = 0
        self._wanted = wanted
        self._session: t.Any = None
        self._objects: Objects | None = None
        self._over: KeysteadError | None = None
        self._find()

    def _find(self) -> None:
        """Find the token, also where it is another one than before."""
        path = self._wanted.module_path
        self.module = library.load(path)
        try:
            self.token = library.find(self.module, self._wanted)
        except RuntimeError as error:
            raise translated(error, f"the module {path}", "looking for tokens") from None
        self.label: str = self.token.label
        self.serial = library.serial(self.token)
        self.name = f"token {self.label or self.serial}"

    @property
    def session(self) -> t.Any:
        """The session, logged in; the caller holds the lock. Raises KeysteadError."""
        if self._over is not None:
            raise self._over
        if self._session is None:
            try:
                self._session = self._open()
            except KeysteadError as error:
                self._over = error
                raise
        return self._session

    @property
    def slot(self) -> t.Any:
        """The slot of the open token, which knows its mechanisms; the caller holds the lock."""
        return self.session.token.slot

    @property
    def objects(self) -> Objects:
        """What is in the token, read once; the caller holds the lock."""
        session = self.session
        if self._objects is None:
            try:
                self._objects = Objects(session)
            except RuntimeError as error:
                raise self.said(error, "listing its keys") from None
        return self._objects

    def said(self, error: BaseException, doing: str) -> KeysteadError:
        """Return an error of the library as ours; one that ends the session is what this process hears from now on."""
        ours = translated(error, self.name, doing)
        if type(error).__name__ in ENDED:
            self._over = ours
        return ours

    def _open(self) -> t.Any:
        """Open the session and log in, which is tried once."""
        if self.epoch:  # what there was before is of another opening, also the token's flags
            self._find()
        flags = int(self.token.flags)
        secret = pin(self._wanted) if flags & _LOGIN_REQUIRED else None
        if flags & _LOGIN_REQUIRED:
            self._check(flags, secret)
        try:
            return self.token.open(rw=not flags & _WRITE_PROTECTED, user_pin=secret)
        except RuntimeError as error:
            ours = translated(error, self.name, f"logging in with {source(self._wanted)}" if secret else "opening it")
            raise ours from None

    def _check(self, flags: int, secret: str | None) -> None:
        """Refuse a login that cannot succeed, or could lock the token if it did not."""
        if not secret:
            raise Misconfigured(f"pkcs11: {self.name} needs its user PIN; set pin_file, pin_env or pin")
        if flags & _LOCKED:
            raise Denied(
                f"pkcs11: {self.name} has locked its PIN; unlock it as its security officer before you run again"
            )
        if flags & _FINAL_TRY:
            raise Denied(
                f"pkcs11: {self.name} would lock its PIN if one more login failed, so none is tried; log in once with "
                "the right PIN, with pkcs11-tool --login for example, and run again"
            )

    def forgive(self) -> None:
        """Forget what went wrong: the next one who needs the token may try again."""
        self._over = None

    def close(self) -> None:
        """End the session; whoever needs the token again opens it again."""
        with self.lock:
            session, self._session, self._objects = self._session, None, None
            self.epoch += 1
            try:
                if session is not None:
                    session.close()
            except RuntimeError:  # it is over, which was wanted
                return


_tokens: dict[tuple[str | None, ...], OpenToken] = {}
_guard = threading.RLock()


@contextlib.contextmanager
def using(wanted: Token) -> t.Iterator[OpenToken]:
    """Yield the token that a task names, open, with its lock held. Raises KeysteadError."""
    token = open_token(wanted)
    with token.lock:
        token.session  # noqa: B018 - it is opened, and knows its names anew
        yield token


def open_token(wanted: Token) -> OpenToken:
    """Return the token that a task names: the same object for whoever names it in this process, by label or serial."""
    asked = (wanted.module_path, wanted.token_label or None, wanted.token_serial or None)
    with _guard:
        if asked not in _tokens:
            found = OpenToken(wanted)
            itself = (wanted.module_path, found.label, found.serial)
            _tokens[asked] = _tokens.setdefault(itself, found)
        return _tokens[asked]


def close_tokens() -> None:
    """Log out of every token and leave its module, as at the end of a process. A refused PIN stays refused."""
    with _guard:
        every = set(_tokens.values())
        for token in every:
            token.close()
        for module in {id(token.module): token.module for token in every}.values():
            _leave(module)


def forget() -> None:
    """Close every token, and know nothing of them any more, as a new process does: a refused PIN is tried again."""
    with _guard:
        close_tokens()
        for token in _tokens.values():
            token.forgive()


def _leave(module: t.Any) -> None:
    """Finalise a module (python-pkcs11 < 0.8 cannot)."""
    try:
        if hasattr(module, "finalize"):
            module.finalize()
    except RuntimeError:  # it is not initialised, which was wanted
        return


def _before_fork() -> None:
    _guard.acquire()
    for token in set(_tokens.values()):
        token.lock.acquire()
    if _tokens:
        close_tokens()


def _after_fork() -> None:
    for token in set(_tokens.values()):
        token.lock.release()
    _guard.release()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)
