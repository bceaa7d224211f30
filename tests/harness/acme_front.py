# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A front for tests only: it gives a real Pebble what it lacks, renewal information (RFC 9773) and profiles.

Everything else is Pebble's own. `windows` are the suggested windows by what names a certificate, "" for all others;
`orders` are the payloads of new orders, as they came.
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import json
import typing as t

from ansible_collections.keystead.identity.tests.harness import faulty_proxy as faulty

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.tests.harness.issuers import Upstream

PLACE = "/renewal-info"
Window = tuple[dt.datetime, dt.datetime]


class AcmeFront:
    """See above."""

    def __init__(self, proxy: faulty.FaultyProxy) -> None:
        """Stand in the way."""
        self.proxy, self.url = proxy, proxy.url
        self.windows: dict[str, Window] = {}
        self.retry_after = "21600"
        self.without = 404  # the status where there is no window
        self.asked: list[str] = []
        self.orders: list[dict[str, t.Any]] = []
        self.refused: dict[str, str] = {}  # a field of an order that is refused, and the type of the problem
        proxy.fail(self._answer)

    def _answer(self, handler: faulty.Handler) -> None:
        if handler.path == "/dir":
            reply = handler.forward()
            said = json.loads(reply.body)
            said["renewalInfo"] = f"{self.url}{PLACE}"
            said["meta"]["profiles"] = {"classic": "https://example.org/classic", "short": "https://example.org/short"}
            handler.reply(reply._replace(body=json.dumps(said).encode()))
        elif handler.path.startswith(f"{PLACE}/"):
            self._renewal(handler, handler.path.removeprefix(f"{PLACE}/"))
        elif handler.path == "/order-plz" and (field := self._order(handler)):
            problem = {"type": f"urn:ietf:params:acme:error:{self.refused[field]}", "detail": f"no {field}"}
            headers = {"Content-Type": "application/problem+json"}
            handler.reply(faulty.Reply(409, headers, json.dumps(problem).encode()))
        else:
            faulty.pass_on(handler)

    def _order(self, handler: faulty.Handler) -> str | None:
        """Keep the payload of an order; return the field for which it is refused."""
        payload = json.loads(handler.body)["payload"]
        said = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        self.orders.append(said)
        return next((field for field in self.refused if field in said), None)

    def _renewal(self, handler: faulty.Handler, name: str) -> None:
        self.asked.append(name)
        window = self.windows.get(name, self.windows.get(""))
        if window is None:
            faulty.says(self.without, Retry_After="3600")(handler)
            return
        start, end = (one.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for one in window)
        headers = {"Content-Type": "application/json", "Retry-After": self.retry_after}
        body = json.dumps({"suggestedWindow": {"start": start, "end": end}}).encode()
        handler.reply(faulty.Reply(200, headers, body))


@contextlib.contextmanager
def before(upstream: Upstream) -> t.Iterator[AcmeFront]:
    """Stand before a Pebble while it lasts."""
    with faulty.before(*upstream) as proxy:
        yield AcmeFront(proxy)
