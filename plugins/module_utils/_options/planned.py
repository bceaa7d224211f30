# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What the interface promises and this version does not build: refused by name, never accepted and ignored."""

from __future__ import annotations

import typing as t

from .._core.errors import Misconfigured

VERSION = "keystead.identity 0.1.0"
EXACTLY_ONE = ("issuer", "issuers", "custody")
TRUE = ("true", "yes", "on", "1", "y", "t")


class Planned(t.NamedTuple):
    """What to write instead. With `values`, only these (in lower case) are not built; else every value is."""

    instead: str
    values: tuple[str, ...] = ()


Tree = t.Mapping[str, t.Any]  # of Planned or another Tree

_OUT = Planned("leave it out")
_MADE_THERE = Planned("use origin host", ("controller",))
_COMMON: Tree = {}
_RECORDS: Tree = {"records": _OUT}
_ISSUER: Tree = {
    "local_ssh": {"ca_bundle": Planned("leave it out: local_ssh speaks to no server")},
    "local": {"ca_bundle": Planned("leave it out: local speaks to no server")},
    "aws_pca": {"ca_bundle": Planned("leave it out, and set AWS_CA_BUNDLE: boto3 reads that")},
}
_KEY: Tree = {
    "reuse": Planned("leave it out: every renewal makes a new key", TRUE),
}
_IDENTITY: Tree = {
    "key": _KEY,
    "issuer": _ISSUER,
}
_TASK: Tree = {
    **_COMMON,
    "issuer": _ISSUER,
    "issuers": _ISSUER,
    "approvals": _OUT,
    **_RECORDS,
    "identities": _IDENTITY,
}
PLANNED: t.Mapping[str, Tree] = {
    "machine_identity": _TASK,
    "machine_identity_info": {**_COMMON, **_RECORDS, "issuers": _ISSUER},
    "preflight": {**_COMMON, "issuer": _ISSUER, "issuers": _ISSUER},
    "certificate_authority": {**_COMMON, "key": {**_KEY, "origin": _MADE_THERE}},
    "hsm_key": {**_COMMON},
    "cert_revoke": {
        **_COMMON,
        "issuer": _ISSUER,
        "issuers": _ISSUER,
        "reason": Planned("use another reason: a hold is no end", ("certificate_hold", "remove_from_crl")),
        "approvals": _OUT,
    },
    "identity_policy": {**_COMMON, "declarations": {"issuer": _ISSUER, "identities": _IDENTITY}},
    "key_rotate": _TASK,
    "identity_report": {**_COMMON, "issuers": _ISSUER},
    "issuer_info": {**_COMMON, "issuer": _ISSUER, "issuers": _ISSUER},
    "host_decommission": {**_COMMON, "issuers": _ISSUER},
    "identity_watch": {**_COMMON, "issuers": _ISSUER},
    "ledger_rebuild": {**_COMMON, "issuers": _ISSUER},
}


def refuse_planned(args: t.Mapping[str, t.Any], module: str) -> None:
    """Raise Misconfigured for the first thing in `args` that is not built, before any validation. Null is absent."""
    _refuse(args, PLANNED.get(module, _COMMON), f"{module}: option ")


def _refuse(given: t.Any, tree: Tree, path: str) -> None:
    if not isinstance(given, dict):
        return
    for name, planned in tree.items():
        value, where = given.get(name), path + name
        if value is None:
            continue
        if isinstance(planned, Planned):
            _refuse_value(value, planned, where)
            continue
        several = isinstance(value, list)
        for index, one in enumerate(value if several else [value]):
            if name not in EXACTLY_ONE or _count(one) == 1:  # validation names those found, where there are more
                _refuse(one, planned, where + (_which(one, index) if several else "") + ".")


def _refuse_value(value: t.Any, planned: Planned, where: str) -> None:
    shown = str(value).lower()
    if planned.values and shown not in planned.values:
        return
    what = f"{where} {shown}" if planned.values else where
    raise Misconfigured(f"{what} is not built yet in {VERSION}; {planned.instead}")


def _which(one: t.Any, index: int) -> str:
    name = one.get("name") if isinstance(one, dict) else None
    return f"[{name if isinstance(name, str) else index}]"


def _count(value: t.Any) -> int:
    return sum(one is not None for one in value.values()) if isinstance(value, dict) else 0
