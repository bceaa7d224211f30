# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a server of an enrolment protocol over HTTP means by a status other than 200, whoever heard it."""

from __future__ import annotations

import base64
import html
import math
import typing as t
from urllib.parse import quote, quote_plus

from ..module_utils._core import wire
from ..module_utils._core.errors import Denied, KeysteadError, Misconfigured, Pending, Unavailable, printable
from ..module_utils._enrol.https import KEPT, Answer
from ._openbao.errors import LONGEST
from ._retry_after import retry_after

Remedies = t.Mapping[int, tuple[type[Denied], str, str]]
_SHORTEST_SECRET = 4


def answer(told: t.Mapping[str, t.Any]) -> Answer:
    """Return an answer of HTTP that came up; raises ValueError, TypeError or LookupError for what is none."""
    headers = {name: wire.text(told["headers"][name]) for name in KEPT if name in told["headers"]}
    return Answer(wire.count(told["status"]), headers, wire.binary(told["body"]))


def plain_text(answer: Answer, secrets: t.Iterable[str]) -> str:
    """Return what a server says in plain text, unless it repeats what we said in confidence."""
    if not answer.headers.get("content-type", "").startswith("text/plain"):
        return ""
    told = " ".join(printable(answer.body[: 4 * LONGEST].decode("utf-8", "replace")).split())[:LONGEST]
    heard, kept = told.casefold(), [form.casefold() for one in secrets for form in _forms(one)]
    hidden = any(len(one) >= _SHORTEST_SECRET and one in heard for one in kept)
    return "it repeated a credential" if hidden else told


def _forms(secret: str) -> tuple[str, ...]:
    """Return what a secret may look like in an answer: as it is, as a URL or a form has it, in base64 and in hex."""
    raw = secret.encode()
    coded = (base64.b64encode(raw), base64.urlsafe_b64encode(raw), base64.b16encode(raw))
    plain = (secret, quote(secret), quote(secret, safe=""), quote_plus(secret), html.escape(secret))
    return tuple(one.rstrip("=") for one in (*plain, *(one.decode() for one in coded)))


def failure(who: str, answer: Answer, operation: str, said: str, remedies: Remedies) -> KeysteadError:
    """Return the error of an answer that is none; `remedies` are the kind, the words and the remedy by status."""
    status, about = answer.status, f" ({said})" if said else ""
    if status in remedies:
        kind, told, remedy = remedies[status]
        return kind(f"{who}: {told.format(operation)}{about}; {remedy}")
    if status == 429:
        seconds = retry_after({"Retry-After": answer.headers.get("retry-after", "")})
        return Pending(f"{who}: it has too much to do{about}; run again in {math.ceil(seconds)} s", seconds)
    if 300 <= status < 400:
        there = printable(answer.headers.get("location", "").partition("?")[0])[:LONGEST]
        told = f" to {there}" if there and "@" not in there else ""
        return Misconfigured(
            f"{who}: it redirects {operation}{told}, which is not followed; write in url where it really is, by https"
        )
    if status >= 500 or status < 300:
        return Unavailable(f"{who}: it answers {operation} with status {status}{about}; see its log and run again")
    return Denied(f"{who}: it refuses {operation}{about or f' with status {status}'}; see its log")
