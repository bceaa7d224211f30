# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which PostgreSQL database option `ledger` names, and how it is reached. No answer repeats a password."""

from __future__ import annotations

import re
import typing as t

from ...module_utils._core.errors import Misconfigured

FORM = "postgresql://host/database"
REMEDY = f"write option ledger as {FORM}"
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
PARAMETERS = (
    "channel_binding", "connect_timeout", "dbname", "gssencmode", "host", "hostaddr", "port", "require_auth", "sslcert",
    "sslcrl", "sslkey", "sslmode", "sslrootcert", "target_session_attrs", "user",
)  # fmt: skip
CONNECT_SECONDS = 10
_ALWAYS = {
    "connect_timeout": str(CONNECT_SECONDS),
    "fallback_application_name": "keystead.identity",
    "keepalives_idle": "15",
    "keepalives_interval": "5",
    "gssencmode": "disable",  # TLS says who the server is, whatever tickets this user has
    "tcp_user_timeout": "30000",  # milliseconds: a network that swallows everything is noticed
}


class Target(t.NamedTuple):
    """A database: the parameters of libpq, without a password, and how it is called in messages."""

    parameters: t.Mapping[str, str]
    place: str


def is_postgresql(url: str) -> bool:
    """Tell whether a URL names a PostgreSQL database."""
    return re.match(r"postgres(ql)?:", url, re.IGNORECASE) is not None


def target_of(url: str) -> Target:
    """Return the database in `postgresql://[user@]host[:port]/database[?sslmode=...]`, read as libpq reads it.

    TLS is verified, with the host's name, unless the URL says otherwise or the server is on this machine: a ledger
    that anybody could stand in for would be believed (`sslmode=verify-full`, T1).
    """
    said = _parsed(url)
    unknown = sorted(said.keys() - set(PARAMETERS))
    if unknown:
        raise Misconfigured(
            f"ledger: option ledger has the parameter {unknown[0]}, which is none of {', '.join(PARAMETERS)}"
        )
    if said.get("sslmode", "disable") not in SSL_MODES:
        raise Misconfigured(f"ledger: option ledger has an unknown sslmode; write one of {', '.join(SSL_MODES)}")
    if not all(port.isdecimal() for port in said.get("port", "5432").split(",") if port):
        raise Misconfigured(f"ledger: option ledger has a port that is no number; {REMEDY}")
    if not said.get("dbname"):
        raise Misconfigured(f"ledger: option ledger names no database; {REMEDY}")
    hosts = said.get("host", "")
    mode = "prefer" if all(map(_is_local, hosts.split(","))) else "verify-full"
    port = f":{said['port']}" if said.get("port", "").strip(",") else ""
    place = f"PostgreSQL database {said['dbname']} on {hosts or 'this machine'}{port}"
    return Target({**_ALWAYS, "sslmode": mode, **said}, place)


def _parsed(url: str) -> dict[str, str]:
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    _scheme, colon, rest = url.partition(":")
    if not rest.startswith("//"):
        raise Misconfigured(f"ledger: option ledger is not a URL of PostgreSQL; {REMEDY}")
    try:
        said = conninfo_to_dict(f"postgresql{colon}{rest}")
    except psycopg.Error:
        raise Misconfigured(
            f"ledger: option ledger cannot be read as a URL of PostgreSQL; {REMEDY}, special characters as %XX"
        ) from None
    return {name: str(value) for name, value in said.items() if value is not None}


def _is_local(host: str) -> bool:
    """Tell whether a connection stays on this machine: a socket, or the loopback interface."""
    return host in ("", "localhost", "::1") or re.fullmatch(r"[/@].*|127(\.[0-9]{1,3}){3}", host) is not None
