# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Who is told of events: any webhook, one event a request, and Alertmanager, all of them in one."""

from __future__ import annotations

import hashlib
import ipaddress
import json
import typing as t
from urllib.parse import urlsplit

from ...module_utils._core.errors import Misconfigured
from .._durations import timeout
from .._posting import Address, is_url, post
from .._secrets import credential, given
from .alert import alert

WHO = "identity_notify"
Options = t.Mapping[str, t.Any]
Event = t.Mapping[str, t.Any]


class Notified(t.Protocol):
    """Is told of events. `place` names it, without any secret."""

    @property
    def place(self) -> str: ...

    def batches(self, events: t.Sequence[Event]) -> t.Iterable[t.Sequence[Event]]:
        """Return what is sent in one request each."""

    def send(self, events: t.Sequence[Event]) -> None:
        """Send what belongs to one request; it may be repeated. Raises KeysteadError."""


class Webhook:
    """Any server that takes JSON by POST."""

    def __init__(self, options: Options) -> None:
        """Check what can be checked without the server. Raises Misconfigured."""
        self._to, self._headers = _address(options, "webhook", "")
        self.place = self._to.place

    def batches(self, events: t.Sequence[Event]) -> t.Iterable[t.Sequence[Event]]:
        """Return each event by itself."""
        return [[one] for one in events]

    def send(self, events: t.Sequence[Event]) -> None:
        """Send one event, with its id as the key by which a server knows one that it has already."""
        for one in events:
            headers = {**self._headers, "Idempotency-Key": str(one["id"])}
            post(self._to, json.dumps(one).encode("ascii"), headers, f"event {one['id'][:12]}")


class Alertmanager:
    """The API of Alertmanager, version 2."""

    def __init__(self, options: Options) -> None:
        """Check what can be checked without the server. Raises Misconfigured."""
        self._to, self._headers = _address(options, "alertmanager", "/api/v2/alerts")
        self._lasts = timeout(options["lasts"])
        self.place = self._to.place

    def batches(self, events: t.Sequence[Event]) -> t.Iterable[t.Sequence[Event]]:
        """Return all events together."""
        return [events]

    def send(self, events: t.Sequence[Event]) -> None:
        """Send alerts. One that it has already, by its labels, only gets another end."""
        content = json.dumps([alert(one, self._lasts) for one in events]).encode("ascii")
        post(self._to, content, self._headers, f"{len(events)} alerts")


RECEIVERS: dict[str, t.Callable[[Options], Notified]] = {"webhook": Webhook, "alertmanager": Alertmanager}


def _address(options: Options, name: str, below: str) -> tuple[Address, dict[str, str]]:
    option, url = f"{WHO}: option receivers[].{name}", str(options["url"])
    if not is_url(url) and not (is_url(url, ("http",)) and _is_here(url)):
        raise Misconfigured(
            f"{option}.url is no address like https://alerts.example.org; write one, with what says who we are in "
            "token_file; http is for this machine alone, as http://127.0.0.1:9093"
        )
    headers = {"Content-Type": "application/json"}
    found = given(options, ("token", "token_file"), option, required=False)
    if found:
        headers["Authorization"] = f"Bearer {credential(options, found, option)}"
    full = url.rstrip("/") + below if below else url
    place = f"{name} {_where(url)} #{_mark(full, *(str(options[one]) for one in (found,) if one))}"
    return Address(full, options["ca_bundle"], float(timeout(options["timeout"])), option, place, WHO), headers


def _where(url: str) -> str:
    """Return scheme, host and port alone: what follows may say who we are."""
    found = urlsplit(url)
    return f"{found.scheme}://{found.netloc}"


def _mark(*of: str) -> str:
    """Return what tells receivers of one server apart, and not what makes them different."""
    return hashlib.sha256(json.dumps(of).encode("ascii")).hexdigest()[:12]


def _is_here(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
