# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How the ledger stands: that it can be read and is whole, how old its last checkpoint is, and the chains in it."""

from __future__ import annotations

import contextlib
import os
import typing as t

from ...module_utils._core import pki
from ...module_utils._core.errors import KeysteadError
from ...module_utils._options.identity_audit import OPTIONS as OF_AUDIT
from .._audit.converge import Setting, audit
from .._chain_endings import of_chain
from .._endings import Ending
from .._ledger.location import default_path
from .._ledger.moments import moment
from .._recall import opened
from .judged import WHO, duration, worded

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime, timedelta

    from .._ledger.chain import Readable

COMPARED = ("checkpoints", "public_keys", "ledger_id")
"""What a task may say of it as in identity_audit."""
_CHAINS = """
SELECT DISTINCT x.chain FROM x509 x JOIN generations g ON g.id = x.generation WHERE g.state = 'current'
"""
_LAST = "SELECT seq, signed_at FROM checkpoints ORDER BY seq DESC LIMIT 1"
_TAMPERED = "find out who changed it, and put a backup in its place; the guide Auditing says how"

Options = t.Mapping[str, t.Any]


def place(args: Options) -> str:
    """Return where the ledger is, as a task says it; it holds no password."""
    return str(args["ledger"] or default_path(os.environ))


def endings(args: Options, now: datetime) -> Iterator[Ending]:
    """Yield what is found of the ledger. Raises Misconfigured where an option is wrong."""
    name = place(args)
    longest = duration(args, "checkpoint_age") if args["checkpoint_age"] is not None else None
    asked = {**dict.fromkeys(OF_AUDIT), **args, **{one: args[one] for one in COMPARED}}
    try:
        found = audit(asked, Setting(check=True, playbook=None))
        if found.get("failed"):
            yield Ending("ledger", name, str(found["msg"]), _TAMPERED, state="critical")
        else:
            yield Ending("ledger", name, f"ledger {found['ledger_id']} is whole up to event {found['last_event']}")
        with opened(args, WHO) as ledger:
            yield from _checkpoint(ledger, name, found["last_event"], longest, now)
            for (chain,) in ledger.read(_CHAINS):
                yield from of_chain(_parsed(str(chain).encode()))
    except KeysteadError as error:
        yield Ending("ledger", name, *worded(error), state="critical")


def _parsed(chain: bytes) -> tuple[bytes, ...]:
    """Return the authorities (DER) of a chain; none where it is one of SSH, or cannot be read."""
    with contextlib.suppress(*pki.MALFORMED):
        return pki.der_certificates(chain)
    return ()


def _checkpoint(
    ledger: Readable, name: str, last: int, longest: timedelta | None, now: datetime
) -> Iterator[Ending]:
    """Yield how the last checkpoint stands; nothing where none was signed and nobody wants one."""
    remedy = "run identity_audit with key and receivers, on a timer"
    rows = list(ledger.read(_LAST))
    if not rows:
        if longest is not None:
            yield Ending("checkpoint", name, "no checkpoint was ever signed", remedy, state="critical")
        return
    ((seq, signed_at),) = rows
    found = f"the last checkpoint is of event {seq}, signed on {signed_at[:16].replace('T', ' at ')} UTC"
    if longest is None or seq >= last or now - moment(signed_at) <= longest:
        yield Ending("checkpoint", name, found)
    else:
        yield Ending("checkpoint", name, f"{found}, and {last - seq} events followed", remedy, state="warning")


def known(args: Mapping[str, t.Any]) -> bool:
    """Tell whether there is a ledger that can be read."""
    try:
        with opened(args, WHO):
            return True
    except KeysteadError:
        return False
