# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the ledger remembers of an identity, without a look at its host. Nothing is written, and nobody signs."""

from __future__ import annotations

import contextlib
import difflib
import os
import typing as t

from ..module_utils._core import credentials
from ..module_utils._core.errors import Misconfigured
from ._ledger import queries
from ._ledger.location import default_path
from ._ledger.registry import open_for
from ._report import certificate, paths

if t.TYPE_CHECKING:
    from ._ledger.chain import Readable

WHO = "machine_identity"
MOST_SHOWN = 10

Record = dict[str, t.Any]


class Asked(t.NamedTuple):
    """Which host and store an identity is on (any store of the host when None), what part of it is wanted, who asks."""

    host: str
    store: str | None = None
    part: str = "record"
    who: str = WHO


def recall(options: t.Mapping[str, t.Any], names: t.Sequence[str], asked: Asked) -> list[Record | str]:
    """Return the part of each identity: its record, or PEM. Raises KeysteadError for one that the ledger lacks.

    `options` are `ledger`, `ledger_password` and `ledger_password_file`, as tasks have them.
    """
    with opened(options, asked.who) as ledger:
        return [_part(ledger, found(ledger, name, asked), asked.part) for name in names]


@contextlib.contextmanager
def opened(options: t.Mapping[str, t.Any], who: str) -> t.Iterator[t.Any]:
    """Open the ledger of `options` to be read. Raises Misconfigured where there is none."""
    with contextlib.closing(open_for(options, read_only=True)) as ledger:
        if ledger.id is None:
            where = options.get("ledger") or default_path(os.environ)
            raise Misconfigured(f"{who}: there is no ledger at {where}; set option ledger to the one of your tasks")
        yield ledger


def found(ledger: Readable, name: str, asked: Asked) -> Record:
    """Return the row of one identity. Raises Misconfigured where there is none, or more than one."""
    rows = queries.identities(ledger, host=asked.host, store=asked.store, name=name)
    if len(rows) > 1:
        stores = ", ".join(row["store"] for row in rows)
        where = f"host {asked.host} has identity {name} in {stores}"
        raise Misconfigured(f"{asked.who}: {where}; set option store to one of them")
    if not rows:
        raise Misconfigured(_unknown(ledger, name, asked))
    return rows[0]


def _unknown(ledger: Readable, name: str, asked: Asked) -> str:
    where = f"host {asked.host}" + (f", store {asked.store}" if asked.store else "")
    known = [row["name"] for row in queries.identities(ledger, host=asked.host, store=asked.store)]
    if not known:
        wrong = "set option host as the inventory names it"
        if asked.store:
            wrong += ", and option store as the tasks of that host do"
        return f"{asked.who}: the ledger knows no identity of {where}; {wrong}"
    near = difflib.get_close_matches(name, known, n=1)
    shown = ", ".join(known[:MOST_SHOWN]) + (" and others" if len(known) > MOST_SHOWN else "")
    hint = f"did you mean {near[0]}?" if near else f"it knows {shown}"
    return f"{asked.who}: the ledger knows no identity {name!r} of {where}; {hint}"


def _part(ledger: Readable, row: Record, part: str) -> Record | str:
    found = queries.certificate(ledger, row["host"], row["store"], row["name"])
    if part == "record":
        return _record(ledger, row, found)
    if found is None:
        why = "it was never published" if row["state"] == "present" else f"it is {row['state']}"
        raise Misconfigured(f"{WHO}: identity {row['name']} of host {row['host']} has no {part}: {why}")
    leaf, chain = found
    return {"certificate": leaf, "chain": chain, "fullchain": leaf + chain}[part]


def _record(ledger: Readable, row: Record, found: tuple[str, str] | None) -> Record:
    """Return what machine_identity_info returns of an identity, as far as a ledger can know it, and where it is."""
    return {
        **{fact: row[fact] for fact in ("name", "host", "store", "kind", "state", "generation")},
        "certificate": _facts(found[0]) if found else None,
        "paths": paths(row["store"], row["name"], row["custody"], row["kind"]) if found else {},
        "links": queries.links(ledger, row["host"], row["store"], row["name"]),
        **{fact: row[fact] for fact in ("contact", "service", "scope", "labels", "issuer_id", "key_type", "custody")},
        "revoked": row["revoked"],
    }


def _facts(pem: str) -> Record:
    try:
        return certificate(credentials.credential(credentials.encoded(pem.encode())))
    except ValueError:
        raise Misconfigured("ledger: it holds a certificate that cannot be read; put a backup in its place") from None
