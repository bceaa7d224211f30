# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The whole of identity_notify: who was not told of an event yet is told, and that is written down."""

from __future__ import annotations

import contextlib
import re
import typing as t

from ...module_utils._core.errors import KeysteadError, Misconfigured
from .._ledger.moments import now
from .receivers import RECEIVERS, WHO
from .sent import Sent

if t.TYPE_CHECKING:
    from .receivers import Event, Notified

_ID = re.compile(r"[!-~]{1,200}", re.ASCII)
_NEEDED = ("id", "type", "severity", "message")
_OURS = ("meta", "redelivered")
"""What is between the source and the rule engine."""

Record = dict[str, t.Any]


def notify(args: t.Mapping[str, t.Any], *, check: bool) -> Record:
    """Tell; return what the task returns. Raises KeysteadError."""
    events = [_checked(one, index) for index, one in enumerate(args["events"])]
    receivers = [RECEIVERS[name](said) for one in args["receivers"] for name, said in one.items()]
    told: list[Record] = []
    failures: list[str] = []
    with contextlib.closing(Sent(args["state"], read_only=check)) as sent:
        for one in receivers:
            for batch in one.batches(events):
                try:
                    told += _tell(one, batch, sent, check=check)
                except KeysteadError as error:  # the others are told all the same
                    failures.append(str(error))
    result: Record = {"changed": bool(told), "sent": told}
    return {**result, "failed": True, "msg": ". ".join(failures)} if failures else result


def _tell(receiver: Notified, batch: t.Sequence[Event], sent: Sent, *, check: bool) -> list[Record]:
    with contextlib.nullcontext() if check else sent.alone():
        new = [one for one in batch if sent.lacks(receiver.place, one["id"])]
        if new and not check:
            receiver.send(new)
            sent.note(receiver.place, [one["id"] for one in new], now())
    return [{"id": one["id"], "receiver": receiver.place} for one in new]


def _checked(event: t.Mapping[str, t.Any], index: int) -> Event:
    lacking = [name for name in _NEEDED if not isinstance(event.get(name), str) or not event[name]]
    if lacking:
        raise Misconfigured(
            f"{WHO}: option events[{index}] has no {', '.join(lacking)}; hand on an event as the event source tells it"
        )
    if not _ID.fullmatch(event["id"]):
        raise Misconfigured(f"{WHO}: option events[{index}].id is none; hand on an event as the event source tells it")
    return {name: value for name, value in event.items() if name not in _OURS}
