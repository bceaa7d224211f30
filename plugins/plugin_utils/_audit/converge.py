# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Verify, then sign, ship, export and archive: nothing of a record that is not whole is vouched for."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ...module_utils._core.errors import Denied, KeysteadError, Misconfigured
from .._ledger import writing
from .._ledger.registry import open_for, open_to
from .._ledger.walk import Broken
from .._receivers.registry import RECEIVERS, Keeps
from . import archive, copy, files, records, verify
from .checkpoint import WHO, found_in
from .key import signing_key
from .vouched import Vouched, id_of, public_keys

if t.TYPE_CHECKING:
    from .._ledger.ledger import SqlLedger
    from .._ledger.sql import Connection
    from .._ledger.walk import Point
    from .._receivers.registry import Receiver
    from .records import Signed
    from .verify import Verified

Options = t.Mapping[str, t.Any]
_OF_LEDGERS = ("key", "receivers", "export", "archive", "archives")


class Setting(t.NamedTuple):
    """How the task runs."""

    check: bool
    playbook: str | None


def audit(args: Options, setting: Setting) -> dict[str, t.Any]:
    """Do what validated options say; return what the task returns. Raises KeysteadError."""
    warnings: list[str] = []
    if args["evidence"] is not None:
        return _of_evidence(args)
    if args["copy"] is not None:
        return _of_copy(args, warnings)
    receivers = [RECEIVERS[name](said) for one in args["receivers"] or () for name, said in one.items()]
    ledger = open_for(args, read_only=True)
    try:
        if ledger.id is None:
            raise Misconfigured(f"{WHO}: there is no ledger at the place of option ledger; correct it")
        if args["ledger_id"] not in (None, ledger.id):
            raise Denied(
                f"{WHO}: this is ledger {ledger.id}, and option ledger_id says {args['ledger_id']}; find out who put "
                "another one in its place"
            )
        return _Audit(args, setting, ledger, receivers, warnings).done()
    finally:
        ledger.close()


def _of_copy(args: Options, warnings: list[str]) -> dict[str, t.Any]:
    for option in _OF_LEDGERS:
        if args[option]:
            raise Misconfigured(f"{WHO}: option {option} is for a ledger, and copy verifies a copy; leave one out")
    vouched = Vouched(public_keys(args["public_keys"] or ()), warnings)
    for path in args["checkpoints"] or ():
        vouched.read(Path(path))
    return _told(verify.of_copy(Path(args["copy"]), vouched), vouched, warnings)


def _of_evidence(args: Options) -> dict[str, t.Any]:
    from .evidence import verified

    for option in (*_OF_LEDGERS, "copy", "checkpoints", "ledger_id"):
        if args[option]:
            raise Misconfigured(f"{WHO}: option {option} is for a record, and evidence is none; leave one out")
    return verified(args["evidence"], public_keys(args["public_keys"] or ()))


def _told(found: Verified, vouched: Vouched, warnings: list[str]) -> dict[str, t.Any]:
    result = {
        "changed": False,
        "whole": found.broken is None,
        "broken": found.broken,
        "ledger_id": found.ledger,
        "first_event": found.first.seq + 1,
        "last_event": found.last.seq,
        "last_hash": found.last.hash,
        "vouched_until": vouched.until,
        "checkpoint": None,
        "steps": [],
        "warnings": warnings,
    }
    if found.broken is not None:
        result |= {"failed": True, "msg": f"{WHO}: the record was altered: {found.broken}"}
    return result


class _Audit:
    """One run over one ledger."""

    def __init__(
        self, args: Options, setting: Setting, ledger: SqlLedger, receivers: list[Receiver], warnings: list[str]
    ) -> None:
        archive.check(args)
        self.args, self.setting, self.ledger = args, setting, ledger
        self.receivers = {one.place: one for one in receivers}
        self.warnings, self.steps = warnings, list[dict[str, str]]()
        self.key = signing_key(args["key"], ledger, make=not setting.check) if args["key"] else None
        self.vouched = Vouched(public_keys(args["public_keys"] or (), self.key), warnings)
        # Before a receiver is read: what another run ships meanwhile is then no loss.
        self.sent = records.shipped(ledger)
        self.signed: Signed | None = None
        """What this run has signed."""

    def done(self) -> dict[str, t.Any]:
        for path in self.args["checkpoints"] or ():
            self.vouched.read(Path(path))
        self._read_receivers()
        found = verify.of_ledger(self.ledger, [Path(one) for one in self.args["archives"] or ()], self.vouched)
        result = _told(found, self.vouched, self.warnings)
        if found.broken is None:
            self._check_kept()
            try:
                self._act(found.last)
            except Broken as broken:
                result |= {"failed": True, "msg": f"{WHO}: the record was altered meanwhile: {broken}"}
            except KeysteadError as error:
                result |= {"failed": True, "msg": str(error)}
        last = self._last()
        shown = last and {"event": last.seq, "signed": last.signed, "public_key": last.public_key}
        return {**result, "changed": bool(self.steps), "checkpoint": shown, "steps": self.steps}

    def _read_receivers(self) -> None:
        """Read what receivers have, whatever the ledger says that they were sent. Raises Misconfigured."""
        for place, one in self.receivers.items():
            text = one.kept() if isinstance(one, Keeps) else None
            if text is not None:
                self.vouched.read_text(text, place)

    def _check_kept(self) -> None:
        """Raise Misconfigured where a receiver that can be read has not got any more what it was sent."""
        known = self._believed()
        for place in [place for place, one in self.receivers.items() if isinstance(one, Keeps)]:
            lost = [it.seq for it in known if (it.seq, place) in self.sent and not self.vouched.has(it.signed)]
            if lost:
                raise Misconfigured(
                    f"{WHO}: {place} has not got the checkpoint of event {lost[0]} any more, which was shipped to it; "
                    "restore it, or name in checkpoints where it is now"
                )

    def _believed(self) -> list[Signed]:
        """Return the checkpoints in the ledger that our keys have signed."""
        return [one for one in records.all_signed(self.ledger) if id_of(one) in self.vouched.keys]

    def _last(self) -> Signed | None:
        return next(reversed(self._believed() if self.vouched.keys else records.all_signed(self.ledger)), None)

    def _act(self, last: Point) -> None:
        self._sign(last)
        last = self._archive() or last
        self._ship()
        self._export(last)

    def _sign(self, last: Point) -> None:
        before = max((one.seq for one in self._believed()), default=0)
        if not self.args["key"] or last.seq <= before:
            return
        if self.key is not None and not self.setting.check:
            archived = records.start(self.ledger).seq
            one = records.signed(str(self.ledger.id), last, self.key, archived=archived)
            self._write(lambda connection: self._note_signed(connection, one))
            if self.signed is None:
                return
        self._step("issue", f"{last.seq - before} events happened since the last checkpoint")

    def _note_signed(self, connection: Connection, one: Signed) -> None:
        """Write a checkpoint down, unless another run did meanwhile: it may have shipped its own already."""
        there = records.signed_at(connection, one.seq)
        if there is None or id_of(there) not in self.vouched.keys:
            records.note_signed(connection, one)
            self.signed = one

    def _ship(self) -> None:
        """Ship the last checkpoint, which covers all before it, to whoever has not got it."""
        last, foreseen = self._last(), self.setting.check and bool(self.steps)
        if last is None and not foreseen:
            return
        sent, errors = records.shipped(self.ledger), list[KeysteadError]()
        for place, receiver in self.receivers.items():
            if last is not None and not foreseen and self._has(receiver, last, sent):
                continue
            try:
                if not self.setting.check and last is not None:
                    self._send(receiver, last)
            except KeysteadError as error:
                errors.append(error)
            else:
                self._step("publish", f"{place} has not got the last checkpoint yet")
        if errors:
            raise errors[0]

    def _has(self, receiver: Receiver, last: Signed, sent: set[tuple[int, str]]) -> bool:
        """Tell whether a receiver has a checkpoint: one that was signed just now, nobody has, whoever says so."""
        if isinstance(receiver, Keeps):
            return last.signed in found_in(receiver.kept() or "")
        return last != self.signed and (last.seq, receiver.place) in sent

    def _send(self, receiver: Receiver, one: Signed) -> None:
        receiver.send(one.signed)
        self._write(lambda connection: records.note_shipped(connection, one.seq, receiver.place))

    def _export(self, last: Point) -> None:
        if self.args["export"] is None:
            return
        path = Path(self.args["export"])
        if _is_copy_of(path, str(self.ledger.id), last):
            return
        if not self.setting.check:
            files.write_copy(self.ledger, path, last.seq)
        self._step("publish", f"{path} has not got all events up to {last.seq}")

    def _archive(self) -> Point | None:
        """Archive what is old; return the last event then, where something was."""
        wanted = archive.planned(self.ledger, self.args["archive"])
        if wanted is None:
            return None
        last = None
        if not self.setting.check:
            last = archive.move(self.ledger, wanted, archive.Mover(self.args, self.setting.playbook, self.key))
            self.signed = self._last()
        self._step("withdraw", wanted.reason)
        return last

    def _write(self, work: t.Callable[[t.Any], None]) -> None:
        owned = open_to(writing.SIGN, self.args)
        try:
            with owned.transaction() as connection:
                work(connection)
        finally:
            owned.close()

    def _step(self, action: str, reason: str) -> None:
        self.steps.append({"action": action, "reason": reason})


def _is_copy_of(path: Path, ledger: str, last: Point) -> bool:
    try:
        found = copy.read(path, lambda _ledger: {})
    except (OSError, Broken):
        return False
    return (found.ledger, found.end) == (ledger, last)
