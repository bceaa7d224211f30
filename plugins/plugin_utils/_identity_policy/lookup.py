# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The lookup identity_policy: what fails of each thing that its terms mean."""

from __future__ import annotations

import datetime as dt
import typing as t

from ...module_utils._core.errors import Misconfigured
from .._given import is_certificate
from .._ledger.rows import select
from .._policy.load import load
from .._recall import Asked, found, opened
from .._rows.selection import IN_USE, Selection
from .answer import moment_of
from .failure import failures, said
from .given import certificate, declared
from .not_judged import not_judged
from .subject import WHO, of_rows

if t.TYPE_CHECKING:
    from .._inventory import Place
    from .._ledger.chain import Readable
    from .subject import Subject

Said = t.Mapping[str, t.Any]


def tell(options: Said, terms: t.Sequence[str], given: Said, where: Place) -> list[list[t.Any]]:
    """Return what fails of each term, then of each declared identity; without any, of the whole ledger at once.

    `options` lead to the ledger; `given` are those of the lookup; `where` is the host of the template. Raises
    KeysteadError.
    """
    now = dt.datetime.now(dt.UTC)
    at = moment_of(given["as_of"], "as_of", now) if given["as_of"] is not None else now
    policy = load(given["policy"], at)
    place = where._replace(host=given["host"] or where.host)
    several = _named(options, terms, given, place)
    several += [[one] for one in (declared(given["declarations"], place, WHO) if given["declarations"] else ())]
    if given["part"] == "not_judged":
        return [[one["msg"] for one in not_judged(policy, subjects)] for subjects in several]
    found_of = [[said(one) for one in failures(subjects, policy, at)] for subjects in several]
    return found_of if given["part"] == "record" else [[one["msg"] for one in each] for each in found_of]


def _named(options: Said, terms: t.Sequence[str], given: Said, place: Place) -> list[list[Subject]]:
    if all(map(is_certificate, terms)) and (terms or given["declarations"]):
        return [[certificate(one, number, WHO)] for number, one in enumerate(terms)]
    with opened(options, WHO) as ledger:
        if not terms:
            return [of_rows(select(ledger, Selection(states=(IN_USE,))))]
        asked = Asked(place.host, given["store"], who=WHO)
        return [_of(one, number, ledger, asked) for number, one in enumerate(terms)]


def _of(term: str, number: int, ledger: Readable, asked: Asked) -> list[Subject]:
    if is_certificate(term):
        return [certificate(term, number, WHO)]
    known = found(ledger, term, asked)
    rows = select(ledger, Selection(hosts=(asked.host,), identities=(term,), states=(IN_USE,)))
    current = [one for one in rows if one.store == known["store"]]
    if not current:
        raise Misconfigured(f"{WHO}: identity {term} of host {asked.host} has nothing in use; run its task first")
    return of_rows(current)
