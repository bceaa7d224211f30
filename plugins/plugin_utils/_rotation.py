# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which keys are too old: by the age they may reach, or by a moment after which they have to be made."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta

from ..module_utils._core.checks import dated_ahead, too_old
from ..module_utils._core.errors import Misconfigured
from ._durations import seconds
from ._recall import Asked, found, opened

WHO = "key_rotate"
Record = dict[str, t.Any]


class Limits(t.NamedTuple):
    """How old a key may be, in seconds, and the moment after which it has to be made: one of both at least."""

    now: datetime
    max_age: int | None = None
    created_before: datetime | None = None

    def before(self, ahead: int = 0) -> datetime:
        """Return the moment, a whole second, from before which keys are replaced; by their age, seconds `ahead`."""
        by_age = None if self.max_age is None else self.now - timedelta(seconds=self.max_age - ahead)
        return max(filter(None, (by_age, self.created_before))).replace(microsecond=0)  # as a host reads it


def limits(said: t.Mapping[str, t.Any], now: datetime) -> Limits:
    """Return what a task says of ages. Raises Misconfigured."""
    by_age, moment = said.get("max_age"), said.get("created_before")
    if by_age is None and moment is None:
        raise Misconfigured(
            f"{WHO}: neither max_age nor created_before says which keys are too old; write max_age: 90d for example"
        )
    return Limits(now, None if by_age is None else _age(by_age), None if moment is None else _moment(moment, now))


def made_before(said: t.Mapping[str, t.Any], now: datetime) -> datetime:
    """Return the moment, a whole second, from before which keys are replaced: the later one of both options.

    Raises Misconfigured.
    """
    return limits(said, now).before()


def check_one_sort(said: t.Mapping[str, t.Any]) -> None:
    """Refuse a task with identities and keys by themselves, or neither: each has its own records. Raises Misconfigured.

    An empty list of identities is one.
    """
    if said["keys"] and said["identities"] is not None:
        raise Misconfigured(f"{WHO}: option keys: identities stand beside it; write a task for each")
    if not said["keys"] and said["identities"] is None:
        raise Misconfigured(f"{WHO}: option identities is missing; write identities, or keys, to say what is rotated")


def check_present(identities: t.Sequence[t.Mapping[str, t.Any]]) -> None:
    """Refuse what ends or goes back: that gets no new key. Raises Misconfigured."""
    for one in identities:
        where = f"{WHO}: identities[{one['name']}]"
        if one["state"] != "present":
            raise Misconfigured(f"{where}.state: {one['state']} gets no new key; declare it with machine_identity")
        if one["generation"] == "previous":
            raise Misconfigured(f"{where}.generation: previous has an older key; leave it out")


def due(
    options: t.Mapping[str, t.Any], names: t.Sequence[str], said: t.Mapping[str, t.Any], here: str
) -> list[Record]:
    """Return whether the key of each identity, or by itself, is too old, as the ledger knows it. Raises KeysteadError.

    `options` lead to the ledger. `said` has `max_age`, `created_before` and `overlap`, and `host` (else it is `here`)
    and `store`.
    """
    from ._key_rotate.recall import Asked as AskedKey  # which asks this file how old is too old
    from ._key_rotate.recall import due_key, known_keys

    allowed = limits(said, datetime.now(UTC))
    asked = Asked(said["host"] or here, said["store"], who=WHO)
    by_itself = AskedKey(allowed, _overlap(said["overlap"]), said["host"], here)
    with opened(options, WHO) as ledger:
        keys = [None if said["store"] else due_key(ledger, name, by_itself) for name in names]
        others = "" if said["store"] else known_keys(ledger, said["host"])
        pairs = zip(names, keys, strict=True)
        return [key or _due(ledger, _found(ledger, name, asked, others), allowed) for name, key in pairs]


def _found(ledger: t.Any, name: str, asked: Asked, others: str) -> Record:
    """Return the row of an identity. Raises Misconfigured, which names keys by themselves as well."""
    try:
        return found(ledger, name, asked)
    except Misconfigured as error:
        raise Misconfigured(f"{error}{others}") from None


def _overlap(text: str) -> int:
    try:
        return seconds(text)
    except Misconfigured as error:
        raise Misconfigured(f"{WHO}: option overlap: {error}") from None


def _due(ledger: t.Any, row: Record, allowed: Limits) -> Record:
    known, before = ledger.remembered(row["host"], row["store"])[row["name"]], allowed.before()
    since = known.key_since if known.generation is not None else None
    ahead = None if since is None else dated_ahead(since, allowed.now)
    is_due = since is not None and (since < before or ahead is not None)
    return {
        **{fact: row[fact] for fact in ("name", "host", "store", "key_type", "custody")},
        "due": is_due,
        "since": f"{since:%Y-%m-%dT%H:%M:%SZ}" if since else None,
        "reason": ahead or (too_old(since, before) if since and is_due else _not_due(row, since, before)),
    }


def _not_due(row: Record, since: datetime | None, before: datetime) -> str:
    if since is None:
        return f"it has no key: it is {row['state']}" if row["state"] != "present" else "it has no key yet"
    return f"its key is from {since:%Y-%m-%d %H:%M}, and only those from before {before:%Y-%m-%d %H:%M} are replaced"


def _age(text: str) -> int:
    try:
        age = seconds(text)
    except Misconfigured as error:
        raise Misconfigured(f"{WHO}: option max_age: {error}") from None
    if not age:
        raise Misconfigured(f"{WHO}: option max_age: {text} would replace every key in every run; write 90d, say")
    return age


def _moment(text: str, now: datetime) -> datetime:
    try:
        at = datetime.fromisoformat(text)
        in_utc = at.astimezone(UTC) if at.tzinfo else None
    except (ValueError, OverflowError):  # in UTC, the first and the last day may be in no year
        in_utc = None
    if in_utc is None:
        raise Misconfigured(
            f"{WHO}: option created_before: {text!r:.60} is no moment with an offset from UTC; write for example "
            f"{now:%Y-%m-%dT%H:%M:%SZ}"
        )
    if in_utc > now:
        raise Misconfigured(
            f"{WHO}: option created_before: {text:.60} is to come, so every run would replace every key until then; "
            "write a moment that has passed"
        )
    return in_utc
