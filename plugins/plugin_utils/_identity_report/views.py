# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the page shows of the figures: tables, each with columns and rows of what a cell can hold."""

from __future__ import annotations

import math
import re
import typing as t

from . import columns
from .columns import Column
from .figures import WITHIN
from .groups import called, has_ended

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from .figures import Figures

LONGEST = 400
"""Characters of one text in the page. JSON has all of it."""
MOST_LISTED = 20
"""Texts of one cell."""

_BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
"""What Python takes for printable and shows nothing: letters without a shape, and what chooses the shape of others."""
_AGAINST = {True: "ready", False: "not ready", None: "unknown"}

Cell = str | int | list[str] | None


class Table(t.NamedTuple):
    """A table: what it is called in the page, what it shows, and its rows, in the order of its columns."""

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: list[list[Cell]]


def tables(figures: Figures) -> list[Table]:
    """Return the tables of the page, by the sections that they stand in."""
    covered = figures["coverage"]
    hosts = [{"host": one} for one in covered["hosts_without_identity"]]
    return [
        _table("findings", "What is wrong, the heaviest first", columns.FINDING, map(_finding, figures["findings"])),
        _table("identities", "Every identity in use, worst first", columns.IDENTITY,
               map(_identity, figures["identities"])),
        _table("services", "Services", columns.SERVICE, map(_ending, figures["services"])),
        _table("contacts", "Contacts", columns.CONTACT, map(_ending, figures["contacts"])),
        _table("backends", "Issuers, custodies and other places", columns.BACKEND, map(_backend, figures["backends"])),
        _table("algorithms", "Types of keys", columns.ALGORITHM, map(_algorithm, figures["algorithms"])),
        _table("signatures", "By what certificates are signed", columns.SIGNATURE,
               map(_signature, figures["signatures"])),
        _table("rogue", "Certificates that only their issuers know", columns.ROGUE, map(_rogue, covered["rogue"])),
        _table("bare", "Hosts without a live identity", (Column("host", "Host"),), hosts),
        _table("homeless", "Identities of hosts that the inventory does not have", columns.WITHOUT_HOST,
               map(_homeless, covered["identities_without_host"])),
        _table("never", "Declared, and never issued", columns.WITHOUT_HOST[:4], covered["never_issued"]),
        _table("events", "The last events, newest first", columns.EVENT, map(_event, figures["events"])),
    ]  # fmt: skip


def _table(name: str, caption: str, shape: tuple[Column, ...], rows: t.Iterable[Mapping[str, t.Any]]) -> Table:
    return Table(name, caption, shape, [[_cell(row.get(column.key)) for column in shape] for row in rows])


def _finding(one: Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {**one, "code": one["code"].replace("_", " ")}


def _identity(one: Mapping[str, t.Any]) -> dict[str, t.Any]:
    certificate = one["certificate"] or {}
    return {
        **one,
        **certificate,
        "not_after": _day(certificate.get("not_after")),
        "signer": signer(one["issuer_id"]) or certificate.get("issuer"),
        "codes": [found["code"].replace("_", " ") for found in one["findings"]],
        "within": [] if has_ended(one) else [f"{days} days" for days in WITHIN if _left(one) < days],
        "because": [found["msg"] for found in one["findings"]],
        "source": one["source"] or "the ledger",
    }


def _left(one: Mapping[str, t.Any]) -> float:
    return math.inf if one["days_left"] is None else one["days_left"]


def _ending(one: Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {**one, "next_end": _day(one["next_end"])}


def _backend(one: Mapping[str, t.Any]) -> dict[str, t.Any]:
    said = {"last": _day(one["last"]), "codes": [each.partition(":")[0] for each in one["remarks"]]}
    return {**one, **said, "name": called(one["name"]), "full": one["name"], "moving": moving(one["moving"])}


def moving(found: Mapping[str, t.Any]) -> str | None:
    """Return in words what it would take to move the identities of a backend."""
    parts = []
    if found["by_renewal"]:
        parts.append(f"{found['by_renewal']:,} by renewal, until {_day(found['until']) or 'no known day'}")
    if found["by_hand"]:
        parts.append(f"{found['by_hand']:,} by hand, which nobody here renews")
    return "; ".join(parts) or None


def _algorithm(one: Mapping[str, t.Any]) -> dict[str, t.Any]:
    against = _AGAINST[one["post_quantum"]]
    return {**one, "percent": f"{one['share']:.1%}", "against": against, "last_end": _day(one["last_end"])}


def _signature(one: Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {**one, "now": "can be forged" if one["weak"] else "holds", "against": _AGAINST[one["post_quantum"]]}


def _rogue(one: Mapping[str, t.Any]) -> dict[str, t.Any]:
    days = {name: _day(one[name]) for name in ("issued_at", "not_after")}
    return {**one, **days, "signer": signer(one["issuer_id"])}


def _homeless(one: Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {**one, "not_after": _day(one["not_after"]), "source": one["source"] or "the ledger"}


def _event(one: Mapping[str, t.Any]) -> dict[str, t.Any]:
    actor = one["actor"]
    who = " on ".join(filter(None, (actor.get("operating_system_user"), actor.get("controller"))))
    return {**one, "at": one["at"].replace("T", " ").rstrip("Z"), "who": who or None, "host": one["host"] or None}


def _day(at: str | None) -> str | None:
    return at[:10] if at else None


def signer(issuer_id: str | None) -> str | None:
    """Return the id of an issuer without the digest of its key, as people say it."""
    short = called(issuer_id or "")
    return issuer_id if short == issuer_id else short.rpartition(":")[0] or None


def _cell(value: t.Any) -> Cell:
    if value is None or isinstance(value, int):
        return value
    if isinstance(value, (list, tuple)):
        left = len(value) - MOST_LISTED
        return [*map(shown, value[:MOST_LISTED]), *([f"and {left} more"] if left > 0 else [])]
    return shown(value)


def shown(value: object) -> str:
    """Return a text that others may have chosen so that it shows what it is: no control, no override of direction."""
    text = str(value)
    cut = text[:LONGEST] + ("..." if len(text) > LONGEST else "")
    if cut.isprintable() and (cut.isascii() or not _BLANK.search(cut)):
        return cut
    return "".join(one if one.isprintable() and not _BLANK.match(one) else f"[U+{ord(one):04X}]" for one in cut)
