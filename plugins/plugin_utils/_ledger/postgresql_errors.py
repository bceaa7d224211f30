# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What PostgreSQL says when something goes wrong, and what we say then: one sentence with the remedy."""

from __future__ import annotations

import re
import typing as t

from ...module_utils._core.errors import KeysteadError, Misconfigured, Unavailable, first_line

if t.TYPE_CHECKING:
    import psycopg

LOCK_SECONDS = 30
LONGEST = 200
MIGRATE = "run the playbook keystead.identity.ledger_migrate as the role that owns it"
GRANT = f"let its owner grant this role what it needs, as keystead_ledger_convergers: {MIGRATE}, or name another role"
PRIMARY = "name the primary, or add ?target_session_attrs=read-write"
Kind = tuple[type[KeysteadError], str]

BUSY = re.compile(r"too many (clients|connections)|connection slots|starting up|in recovery mode|too many server conn")
"""What passes by itself: then it is tried again for a while."""

_CONNECTING: tuple[tuple[str, type[KeysteadError], str], ...] = (
    (BUSY.pattern, Unavailable, "takes no more connections; use fewer forks, or raise its max_connections"),
    ("password|authentication failed|scram|sasl", Misconfigured,
     "does not let this role in; look at its name in option ledger, and at ledger_password"),
    ('role "" does not exist', Misconfigured, "does not know this role; create it, or write user@ before the host"),
    ('database "" does not exist', Misconfigured,
     f"does not exist; let an administrator create it with an owner of its own, then {MIGRATE}"),
    ("pg_hba|permission denied for database", Misconfigured,
     "does not admit this role from this controller; look at its pg_hba.conf and its CONNECT right"),
    ("ssl|tls|certificate", Misconfigured,
     "cannot be trusted over TLS; name its CA with ?sslrootcert=/path, and the host as its certificate does"),
    ("translate host name|failed to resolve", Misconfigured, "cannot be found; look at the host in option ledger"),
)  # fmt: skip
_QUOTED = re.compile(r""""[^"]*"|'[^']*'""")
_BY_STATE: dict[str, Kind] = {
    "25006": (Misconfigured, f"is a read-only copy; {PRIMARY}"),
    "3D000": (Misconfigured, f"does not exist; create it, then {MIGRATE}"),
    "3F000": (Misconfigured, f"has no ledger in it; {MIGRATE}"),
    "42P01": (Misconfigured, f"has no ledger in it; {MIGRATE}"),
    "42P07": (Misconfigured, "belongs to another application; give the ledger a database of its own"),
    "42703": (Misconfigured, "belongs to another application; give the ledger a database of its own"),
    "42501": (Misconfigured, f"does not permit this; {GRANT}"),
    "53100": (Unavailable, "could not be written, its file system is full; free space there and run again"),
    "55P03": (Unavailable, f"was locked by another run for {LOCK_SECONDS} s; run again"),
    "57014": (Unavailable, "took too long; run again"),
}
_BY_CLASS: dict[str, Kind] = {
    "53": (Unavailable, "has not the means to do it now; run again later"),
    "XX": (Misconfigured, "is damaged; put a backup in its place"),
}


def connecting(place: str, error: psycopg.Error) -> KeysteadError:
    """Return what to say when no connection is made; libpq's messages hold no password."""
    text = first_line(error)[:LONGEST]
    about = _QUOTED.sub('""', first_line(error))  # names of hosts and roles can be any word
    found = ((kind, said) for pattern, kind, said in _CONNECTING if re.search(pattern, about, re.IGNORECASE))
    kind, said = next(found, (Unavailable, "cannot be reached; nothing was touched, run again when it answers"))
    return kind(f"ledger: {place} {said} ({text})")


def working(place: str, error: psycopg.Error) -> KeysteadError:
    """Return what to say when a statement fails, by its SQLSTATE (PostgreSQL, appendix A)."""
    state = error.sqlstate or ""
    kind, said = _BY_STATE.get(state) or _BY_CLASS.get(state[:2]) or (Unavailable, "did not do as it was told")
    if not state or state.startswith(("08", "57P")):
        kind, said = Unavailable, "was lost on the way; run again"
    return kind(f"ledger: {place} {said} ({first_line(error)[:LONGEST]})")
