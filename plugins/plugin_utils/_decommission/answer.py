# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The whole of host_decommission: what a host holds, that it is gone, and what became of it."""

from __future__ import annotations

import contextlib
import typing as t

from ...module_utils._core import credentials, pki
from ...module_utils._core.ports import Good, Revoked
from .._actor import actor
from .._asking import asking
from .._declare import checked_issuer
from .._ledger.port import Batch, Event, Outcome, Withdrawn
from .._ledger.registry import open_for
from .._recall import opened
from .._signers import Signers
from .held import GONE, WHO, held
from .judge import Seen, Status, judged, of_lone_key

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from .._ledger.chain import Readable
    from .._ledger.ledger import SqlLedger
    from .held import Held, Record

Options = t.Mapping[str, t.Any]
_HELD = ("pem", "chain", "row")


class Setting(t.NamedTuple):
    """How the task runs."""

    host: str
    playbook: str | None
    check: bool


def answer(args: Options, setting: Setting, now: datetime) -> dict[str, t.Any]:
    """Return what the task returns. Raises KeysteadError."""
    with _ledger(args, setting) as ledger:
        found = held(ledger, setting.host, now)
        steps = _withdrawn(ledger, found, setting, now) if args["gone"] else []
        if steps and not setting.check:
            found = held(ledger, setting.host, now)
        said: dict[str, t.Any] = {
            "changed": bool(steps),
            "host": setting.host,
            "identities": found.identities,
            "to_revoke": found.to_revoke,
            "revoked": found.revoked,
            "paths": sorted({path for one in found.credentials for path in (*one["paths"], _place(one))}),
            "trusted_by": found.trusted_by,
            "steps": steps,
        }
        if args["evidence"] is None:
            rows = [{name: one[name] for name in one if name not in _HELD} for one in found.credentials]
            return {**said, "credentials": rows, "keys": found.keys, "unnamed": _unnamed(args, found),
                    "evidence": None, "left": []}
        told = _certified(args, ledger, found, setting)
        return {**said, **told, "changed": bool(steps) or bool(told["evidence"] and told["evidence"]["changed"])}


@contextlib.contextmanager
def _ledger(args: Options, setting: Setting) -> Iterator[SqlLedger]:
    """Open the ledger, which must be there; only where a host is gone something is written into it."""
    with opened(args, WHO) as ledger:
        if not args["gone"] or setting.check:
            yield ledger
            return
    with contextlib.closing(open_for(args)) as ledger:
        yield ledger


def _unnamed(args: Options, found: Held) -> list[str]:
    """Return who signed what is to be revoked, and is not named. Raises KeysteadError."""
    signed = dict.fromkeys(one["issuer_id"] for one in found.credentials if one["to_revoke"])
    named = [issuer for one in args["issuers"] or () if (issuer := checked_issuer(one))] if signed else []
    known = {issuer.id for issuer in Signers(named, WHO).all()}
    return [one for one in signed if one not in known]


def _place(one: Record) -> str:
    return f"{one['store']}/{one['identity']}"


def _withdrawn(ledger: SqlLedger, found: Held, setting: Setting, now: datetime) -> list[dict[str, str]]:
    """Write down that what a host had is gone with it; return the steps."""
    there = [one for one in found.identities if one["state"] != "absent"]
    for store in dict.fromkeys(one["store"] for one in there):
        names = [one["name"] for one in there if one["store"] == store]
        outcomes = [Outcome(name, None, (Event("withdraw", GONE),), (Withdrawn(),)) for name in names]
        if not setting.check:
            ledger.record(Batch(setting.host, store, actor(setting.playbook), now), outcomes)
    return [{"action": "withdraw", "identity": one["name"], "store": one["store"], "reason": GONE} for one in there]


def _certified(args: Options, ledger: Readable, found: Held, setting: Setting) -> dict[str, t.Any]:
    """Judge everything, and write the certificate, unless something is left that could still be done."""
    from .document import write

    looked = {(one["store"], one["identity"]): one for one in args["looked"] or ()}
    left_of = {place: one["left"] for place, one in looked.items()}
    copies = frozenset(place for place, one in looked.items() if one["copies"])
    seen = Seen(args["gone"], left_of, frozenset(args["paths_left"] or ()), copies)
    asked = _asked(args)
    pairs = [judged(one, seen, asked) for one in found.credentials]
    left = [sentence for _one, open_ in pairs for sentence in open_]
    keys = [of_lone_key(one, gone=args["gone"]) for one in found.keys]
    judgement = {"credentials": [one for one, _open in pairs], "keys": keys}
    verdicts = [one[part] for one in judgement["credentials"] for part in ("certificate", "key")]
    proved = all(one["proved"] for one in (*verdicts, *(one["key"] for one in judgement["keys"])))
    told = {**judgement, "left": left, "proved": proved, "evidence": None}
    if left:
        more = f" (and {len(left) - 1} more)" if left[1:] else ""
        message = f"{WHO}: no certificate is written, since something can still be done: {left[0]}{more}"
        return {**told, "failed": True, "msg": message}
    about = {"host": setting.host, "gone": args["gone"], "trusted_by": found.trusted_by, "proved": proved}
    written = write(args["evidence"], ledger, {**about, **judgement}, check=setting.check)
    evidence = {"path": written.path, "public_key": written.public_key, "changed": written.changed}
    warnings = {"warnings": written.warnings} if written.warnings else {}
    return {**told, **warnings, "evidence": evidence}


def _asked(args: Options) -> Callable[[Record], Status]:
    """Return what asks how a certificate stands: who signed it, else what is published, whatever the ledger says."""
    who = asking(args, WHO)

    def status(one: Record) -> Status:
        try:
            content = credentials.encoded(one["pem"].encode())
            above = pki.der_certificates(one["chain"].encode()) if one["chain"] else ()
        except ValueError:
            return Status("unknown", "the ledger holds a certificate that cannot be read")
        told = who.status(content, above, one["issuer_id"])
        if isinstance(told.status, Revoked):
            return Status("revoked")
        return Status("good") if isinstance(told.status, Good) else Status("unknown", told.why)

    return status
