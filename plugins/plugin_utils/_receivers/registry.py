# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The list of receivers of checkpoints: name, and who makes the port from its options."""

from __future__ import annotations

import typing as t

Options = t.Mapping[str, t.Any]


class Receiver(t.Protocol):
    """Keeps checkpoints where whoever can change the ledger cannot. `place` names it, without any secret."""

    @property
    def place(self) -> str: ...

    def send(self, signed: str) -> None:
        """Ship a checkpoint; it may be repeated. Raises KeysteadError."""


@t.runtime_checkable
class Keeps(t.Protocol):
    """A receiver that can be read again: what it has is compared with, whatever the ledger says that it was sent."""

    def kept(self) -> str | None:
        """Return the text that it has; None where there is none yet. Raises KeysteadError."""


def _file(options: Options) -> Receiver:
    from .file import FileReceiver

    return FileReceiver(options)


def _syslog(options: Options) -> Receiver:
    from .syslog import SyslogReceiver

    return SyslogReceiver(options)


def _https(options: Options) -> Receiver:
    from .https import HttpsReceiver

    return HttpsReceiver(options)


RECEIVERS: dict[str, t.Callable[[Options], Receiver]] = {"file": _file, "syslog": _syslog, "https": _https}
