# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a rulebook may say to the event source, whose own file documents it: no fragment is read there."""

from __future__ import annotations

import os
import typing as t

from ...module_utils._core.errors import Misconfigured
from ...module_utils._options.common import COMMON
from ...module_utils._options.option import Option, spec
from .._durations import seconds
from .._validate import validated
from .cursor import WHO
from .event import TYPES
from .thresholds import checked

LEDGER = ("ledger", "ledger_password_file", "policy")
OPTIONS = {
    **{name: COMMON[name] for name in LEDGER},
    "cursor": Option("", type="path", required=True),
    "events": Option("", type="list", elements="str", choices=TYPES),
    "expiring": Option("", type="list", elements="str", default=["33%", "10%"]),
    "interval": Option("", default="5m"),
    "audit": Option("", default="1h"),
    "remind": Option(""),
    "records": Option("", type="list", elements="path"),
    "public_keys": Option("", type="list", elements="str"),
    "feedback": Option("", type="bool", default=False),
}
_ENVIRONMENT = {"ledger": "KEYSTEAD_LEDGER", "policy": "KEYSTEAD_POLICY"}

Options = dict[str, t.Any]


def given(args: t.Mapping[str, t.Any]) -> Options:
    """Return the arguments of a source as options: durations in seconds, defaults set. Raises Misconfigured."""
    said = {name: value for name, value in args.items() if value not in (None, "")}
    for name, variable in _ENVIRONMENT.items():
        if name not in said and os.environ.get(variable):
            said[name] = os.environ[variable]
    found = validated(said, spec(OPTIONS), module=WHO)
    found["events"] = tuple(found["events"] or TYPES)
    found["expiring"] = checked(found["expiring"], f"{WHO}: option expiring")
    for name in ("interval", "audit", "remind"):
        found[name] = None if found[name] is None else _seconds(found[name], name)
    return found


def _seconds(said: str, name: str) -> int:
    try:
        found = seconds(said)
    except Misconfigured as error:
        raise Misconfigured(f"{WHO}: option {name}: {error}") from None
    if not found:
        raise Misconfigured(f"{WHO}: option {name}: {said} is no time at all; write for example 5m")
    return found
