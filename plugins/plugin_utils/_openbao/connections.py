# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The connections of one client: one for each call that is made at the same time, kept open for the next ones."""

from __future__ import annotations

import contextlib
import os
import threading
import typing as t

from ...module_utils._core.errors import KeysteadError

if t.TYPE_CHECKING:
    import ssl
    from collections.abc import Iterator

    from .address import Address
    from .transport import Transport


class Connections:
    """Lends connections, also to threads. `certificate` is our own: the paths of it and its key."""

    def __init__(self, address: Address, certificate: tuple[str, str] | None) -> None:
        """Keep where; nothing is connected, read or imported before the first call."""
        self._address, self._certificate = address, certificate
        self._idle: list[Transport] = []
        self._context: ssl.SSLContext | None = None
        self._process = 0  # whose connections they are: a child opens others
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def one(self) -> Iterator[Transport]:
        """Lend a connection that nobody else uses. It is not used again after an error. Raises Misconfigured."""
        lent = self._taken()
        try:
            yield lent
        except KeysteadError:
            lent.close()
            raise
        self._idle.append(lent)

    def close(self) -> None:
        """End those that nobody uses; the next call opens another."""
        while self._idle:
            self._idle.pop().close()

    def _taken(self) -> Transport:
        with self._lock:
            if self._process != os.getpid():
                self._idle, self._process = [], os.getpid()
            return self._idle.pop() if self._idle else self._opened()

    def _opened(self) -> Transport:
        from .transport import Transport, trusting

        if self._context is None:
            self._context = trusting(self._address, self._certificate)
        return Transport(self._address, self._context)
