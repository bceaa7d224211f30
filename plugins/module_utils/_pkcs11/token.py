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

from .._core.errors import KeysteadError, Misconfigured
from . import library, tries
from .errors import ENDED, LOOK, translated
from .objects import Objects
from .pin import pin, source

if t.TYPE_CHECKING:
    from .._core.key import Token

_WRITE_PROTECTED, _LOGIN_REQUIRED = 0x2, 0x4  # CKF_ of a token (PKCS#11 2.40, 3.2)
_PLACES = 16  # of 27; the rest is for who is using the token when they are gone
_DIES_IN_A_FORK = "libtss2-tcti-tabrmd"  # its connection to the message bus is served by a thread, which a child lacks


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
        self._inherited = False
        self._taken = self._users = 0
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

    def ready(self) -> None:
        """Open it where it is not open, whereupon it knows its names anew; the caller holds the lock.

        A session with too many objects in it is renewed, but never under somebody who is using its handles.
        """
        if self._taken > _PLACES and not self._users:
            self.close()
        _session = self.session

    @contextlib.contextmanager
    def used(self) -> t.Iterator[OpenToken]:
        """Yield it, open, with its lock held; handles hold until the end."""
        with self.lock:
            self.ready()
            self._users += 1
            try:
                yield self
            finally:
                self._users -= 1

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

    def said(self, error: BaseException, doing: str, remedy: str = LOOK) -> KeysteadError:
        """Return an error of the library as ours; one that ends the session is what this process hears from now on."""
        ours = translated(error, self.name, doing, remedy)
        if type(error).__name__ in ENDED:
            self._over = ours
        self._objects = None  # whatever went wrong, what is in the token is asked anew
        return ours

    def check_open(self) -> None:
        """Raise what ended the session, if something did."""
        if self._over is not None:
            raise self._over

    def inherit(self) -> None:
        """Take note that this process was forked from one that had it open."""
        self._inherited = True

    def _open(self) -> t.Any:
        """Open the session and log in, which is tried once."""
        if self._inherited and self.module.manufacturer_id == library.TPM2_PKCS11 and _loaded(_DIES_IN_A_FORK):
            raise Misconfigured(
                f"pkcs11: {self.name} was used by the process that this one was forked from, which its resource "
                "manager tpm2-abrmd does not survive; use that of the kernel: set TPM2_PKCS11_TCTI=device:/dev/tpmrm0"
            )
        if self.epoch:  # what there was before is of another opening, also the token's flags
            self._find()
        flags = int(self.token.flags)
        if not flags & _LOGIN_REQUIRED:
            return self._session_of(None, "opening it")
        secret = pin(self._wanted)
        tries.check(self.name, flags, secret)
        itself = f"{self._wanted.module_path} {self.serial} {self.label}"
        with tries.one_try(itself, self.name, source(self._wanted)):
            return self._session_of(secret, f"logging in with {source(self._wanted)}")

    def _session_of(self, secret: str | None, doing: str) -> t.Any:
        try:
            return self.token.open(rw=not int(self.token.flags) & _WRITE_PROTECTED, user_pin=secret)
        except RuntimeError as error:
            raise translated(error, self.name, doing) from None

    def take(self, places: int) -> None:
        """Say that the token will keep this many more objects loaded; the caller holds the lock.

        tpm2-pkcs11 gives none of them back before the session ends, and a resource manager grants one client 27.
        """
        if self.module.manufacturer_id == library.TPM2_PKCS11:
            self._taken += places

    def forgive(self) -> None:
        """Forget what went wrong: the next one who needs the token may try again."""
        self._over = None

    def wanted_by(self, wanted: Token) -> None:
        """Take the PIN from who needs the token now, unless it is open."""
        if self._session is None:
            self._wanted = wanted

    def close(self) -> None:
        """End the session; whoever needs the token again opens it again."""
        with self.lock:
            session, self._session, self._objects = self._session, None, None
            self.epoch, self._taken = self.epoch + 1, 0
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
    with open_token(wanted).used() as token:
        yield token


def open_token(wanted: Token) -> OpenToken:
    """Return the token that a task names: the same object for whoever names it in this process, by label or serial."""
    asked = (wanted.module_path, wanted.token_label or None, wanted.token_serial or None)
    with _guard:
        if asked not in _tokens:
            found = OpenToken(wanted)
            itself = (wanted.module_path, found.label, found.serial)
            _tokens[asked] = _tokens.setdefault(itself, found)
        _tokens[asked].wanted_by(wanted)
        return _tokens[asked]


def close_tokens() -> None:
    """Log out of every token and leave its module, as at the end of a process. A refused PIN stays refused."""
    with _guard:
        for token in set(_tokens.values()):
            token.close()
        library.leave()


def forget() -> None:
    """Close every token, and know nothing of them any more, as a new process does: a refused PIN is tried again."""
    with _guard:
        close_tokens()
        for token in _tokens.values():
            token.forgive()
        tries.forget()


def _loaded(library_name: str) -> bool:
    """Return whether this process has a shared library in its memory."""
    if not os.path.exists("/proc/self/maps"):  # not Linux, where there is no TPM's resource manager either
        return False
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:
        return any(library_name in line for line in maps)


def _before_fork() -> None:
    _guard.acquire()
    for token in set(_tokens.values()):
        token.lock.acquire()
    close_tokens()


def _after_fork() -> None:
    for token in set(_tokens.values()):
        token.lock.release()
    _guard.release()


def _after_fork_in_child() -> None:
    for token in set(_tokens.values()):
        token.inherit()
    _after_fork()


os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork_in_child)
