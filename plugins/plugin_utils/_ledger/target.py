# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which PostgreSQL database option `ledger` names, and how it is reached. No answer repeats a password."""

from __future__ import annotations

import re
import typing as t
from urllib.parse import parse_qsl

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
    asked = dict(parse_qsl(url.partition("?")[2], keep_blank_values=True))
    _refuse_unknown(asked.keys() - {"ssl"})  # libpq reads ssl=true as an sslmode
    said = _parsed(url)
    _refuse_unknown(said)
    if not re.fullmatch(r"-?[0-9]+", said.get("connect_timeout", "0")):
        raise Misconfigured("ledger: option ledger has a connect_timeout that is no number; write whole seconds")
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


def _refuse_unknown(names: t.Iterable[str]) -> None:
    unknown = sorted(set(names) - set(PARAMETERS))
    if unknown:
        known = ", ".join(PARAMETERS)
        raise Misconfigured(f"ledger: option ledger has the parameter {unknown[0][:40]!r}, which is none of {known}")


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
