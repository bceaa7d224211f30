# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""A host enrols itself at an EST server (RFC 7030, 4.2): it sends the request that the controller has checked.

It reads nothing of what the server answers: that is the controller's, who judges it before anything is installed.
"""

from __future__ import annotations

import base64
import typing as t

from .._core.errors import Unavailable, Unreached
from .deadline import within
from .https import Answer, Connection, Server, packed
from .trust import lead_to

if t.TYPE_CHECKING:
    from .means import Own

WHO = "est"
_HEADERS = {"Content-Type": "application/pkcs10", "Content-Transfer-Encoding": "base64"}


def enrol(said: t.Mapping[str, t.Any], secret: str | None, own: Own | None) -> dict[str, t.Any]:
    """Return the server's `answer`, and the `authorities` that it names, as they came. Raises KeysteadError.

    Without authorities that can be read and lead to one of the `roots` nothing is asked, and there is no `answer`.

    `said` has `host`, `port`, `path`, `timeout`, `authorities`, `operation`, the trusted `roots` (DER) and the request
    `csr` in base64, and who the host is: `username` for a password, or `pair`, which is `own`, or two paths.
    """
    pair = said.get("pair")
    if pair == "own":
        pair = own
    server = Server(
        WHO, said["host"], said["port"], said["timeout"], said.get("authorities"), tuple(pair) if pair else None,
        said.get("named") or "its own pair",
    )  # fmt: skip
    connection = Connection(server, within)
    try:
        named = _named(connection, f"{said['path']}/cacerts")
        if named.status != 200 or not lead_to(named.body, said["roots"]):
            return {"authorities": packed(named)}  # the controller says what is wrong with them
        connection.close()  # a server may end this one without a word, and a request is not sent twice
        headers = {**_HEADERS, **_authorization(said.get("username"), secret)}
        answer = connection.ask("POST", f"{said['path']}/{said['operation']}", headers, said["csr"].encode())
    finally:
        connection.close()
    return {"authorities": packed(named), "answer": packed(answer)}


def _named(connection: Connection, path: str) -> Answer:
    """Return what /cacerts answers. Raises Unreached where it does not: nobody was asked to sign."""
    try:
        return connection.ask("GET", path, {})
    except Unavailable as error:
        raise Unreached(str(error)) from None


def _authorization(username: str | None, password: str | None) -> dict[str, str]:
    if not username or password is None:
        return {}
    return {"Authorization": f"Basic {base64.b64encode(f'{username}:{password}'.encode()).decode()}"}
