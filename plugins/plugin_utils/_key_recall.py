# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which key the ledger means by a name, or a token of the controller has: its public key, or its URI.

Nothing is written and no key is made. The ledger knows two sorts: keys of identities, by the identity's name, and keys
that are in a token by themselves, by their label or their URI.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import typing as t

from ansible import constants

from ..module_utils._core import credentials
from ..module_utils._core.errors import Misconfigured
from ..module_utils._core.held import Seen
from ..module_utils._core.keys import public_pem
from ..module_utils._core.wire import unpack
from ..module_utils._host.token_keys import run_here
from ..module_utils._pkcs11.tries import share
from ..module_utils._pkcs11.uri import Uri, parse
from ._hsm_key.decide import chosen, name_of
from ._hsm_key.record import pem_of
from ._hsm_key.wanted import wanted
from ._key_rotate.history import in_use
from ._ledger import queries
from ._ledger.location import default_path
from ._ledger.registry import open_for

if t.TYPE_CHECKING:
    from ._ledger.chain import Readable

WHO = "hsm_key"
MOST_SHOWN = 10
_SCHEME = "pkcs11:"
_LOOKS = {"type": None, "usage": None, "extractable": False, "state": "absent", "destroy_in_use": False}
Options = t.Mapping[str, t.Any]


def of_token(options: Options, terms: t.Sequence[str]) -> list[str]:
    """Return the part of each key in a token that this controller reaches. Raises KeysteadError.

    Every template has a login of its own; Ansible's directory of this run tells them of a PIN that was refused.
    """
    share(str(constants.DEFAULT_LOCAL_TMP))
    return [_of_token(options, term) for term in terms]


def _of_token(options: Options, term: str) -> str:
    named = {"label": None, "id": None, "uri": None, "uri" if term.startswith(_SCHEME) else "label": term}
    asked = wanted({**_LOOKS, **options, **named})
    seen = unpack(Seen, run_here(asked.errand("look"), options["pin"]))
    key = chosen(asked, seen)
    if key is None:
        raise Misconfigured(f"{WHO}: {name_of(seen)} has no key with {asked.called}; the module hsm_key makes one")
    return key.uri if options["part"] == "uri" else _public(pem_of(key), term)


def of_ledger(options: Options, terms: t.Sequence[str], here: str) -> list[str]:
    """Return the part of each key that the ledger knows; `here` is the host of the template."""
    with contextlib.closing(open_for(options, read_only=True)) as ledger:
        if ledger.id is None:
            where = options.get("ledger") or default_path(os.environ)
            raise Misconfigured(f"{WHO}: there is no ledger at {where}; set option ledger to the one of your tasks")
        return [_of_ledger(ledger, options, term, here) for term in terms]


def _of_ledger(ledger: Readable, options: Options, term: str, here: str) -> str:
    keys = [] if options["store"] else _keys(ledger, options, term, here)
    identities = [] if _names_token(options) else _identities(ledger, options, term, here)
    if len(keys) + len(identities) > 1:
        raise Misconfigured(f"{WHO}: {term!r} is {_told(keys, identities)}; {_how(keys, identities)}")
    if keys:
        return str(keys[0]["uri"]) if options["part"] == "uri" else _public(keys[0]["public_key"], term)
    if identities:
        return _of_identity(ledger, identities[0], options["part"])
    raise Misconfigured(_unknown(ledger, options, term, here))


def _names_token(options: Options) -> bool:
    return bool(options["token_label"] or options["token_serial"])


def _keys(ledger: Readable, options: Options, term: str, here: str) -> list[queries.Record]:
    """Return the keys by themselves that are meant; of several, those of this host."""
    label = None if term.startswith(_SCHEME) else term
    rows = [row for row in queries.backend_keys(ledger, label=label, host=options["host"]) if _fits(row, options)]
    rows = in_use(rows) if label is not None else [row for row in rows if row["uri"] == term]
    nearer = [row for row in rows if row["host"] == here]
    return nearer if len(rows) > 1 and nearer else rows


def _fits(row: queries.Record, options: Options) -> bool:
    if row["place"].startswith(queries.AUTHORITIES):  # an authority's own: its place is where that stands
        place = parse(row["uri"]) if row["uri"].startswith(_SCHEME) else Uri(type="")
    else:
        place = parse(row["place"])
    there = {"token_label": place.token, "token_serial": place.serial}
    return all(options[name] in (None, value) for name, value in there.items())


def _identities(ledger: Readable, options: Options, term: str, here: str) -> list[queries.Record]:
    return queries.identities(ledger, host=options["host"] or here, store=options["store"], name=term)


def _told(keys: list[queries.Record], identities: list[queries.Record]) -> str:
    told = [f"the key {row['uri']} of {row['host']}" for row in keys]
    told += [f"an identity in {row['store']}" for row in identities]
    return " and ".join(told[:MOST_SHOWN])


def _how(keys: list[queries.Record], identities: list[queries.Record]) -> str:
    means = "set option store to mean the identity" if identities else "set option host"
    return f"{means}, or token_label or token_serial to mean that key, or ask for its URI" if keys else means


def _of_identity(ledger: Readable, row: queries.Record, part: str) -> str:
    where = (row["host"], row["store"], row["name"])
    said = f"{WHO}: identity {row['name']} of host {row['host']}"
    found, leaf = queries.key_of(ledger, *where), queries.certificate(ledger, *where)
    if found is None or leaf is None:
        raise Misconfigured(f"{said} has no key that is in use: it is {row['state']}; ask for another one")
    if part == "public_key":
        return public_pem(credentials.public_key(credentials.encoded(leaf[0].encode())))
    if found[1] is not None and queries.is_destroyed(ledger, found[1]):
        raise Misconfigured(f"{said} had the key {found[1]}, which was destroyed; machine_identity makes another one")
    if found[1] is None:
        raise Misconfigured(f"{said} has its key in custody {found[0]}, where it has no URI; ask for part public_key")
    return found[1]


def _public(pem: str | None, term: str) -> str:
    if pem is None:
        raise Misconfigured(f"{WHO}: {term} has no public key: it is a secret key; ask for part uri")
    return pem


def _unknown(ledger: Readable, options: Options, term: str, here: str) -> str:
    host = options["host"] or here
    rows = [] if options["store"] else queries.backend_keys(ledger, host=options["host"])
    known = [row["label"] for row in rows if _fits(row, options)]
    if not _names_token(options):
        known += [row["name"] for row in queries.identities(ledger, host=host, store=options["store"])]
    near = difflib.get_close_matches(term, known, n=1)
    shown = ", ".join(known[:MOST_SHOWN]) + (" and others" if len(known) > MOST_SHOWN else "")
    hint = f"did you mean {near[0]}?" if near else f"it knows {shown or 'none'}"
    return f"{WHO}: the ledger knows no key {term!r} in a token, and no identity of that name on host {host}; {hint}"
