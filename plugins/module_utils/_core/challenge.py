# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What an issuer wants to see on a host before it signs, and its power to say so."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from .errors import KeysteadError
    from .ports import Order


class Challenge(t.NamedTuple):
    """What an issuer wants to see by HTTP at a name of the host (RFC 8555, 8.3): `content` under `token`.

    It stands below `webroot`, where the host's web server serves it, or a listener of ours shows it on `port`.
    """

    token: str
    content: str
    webroot: str | None = None
    port: int | None = None


@t.runtime_checkable
class Challenges(t.Protocol):
    """Wants to see something on the host before it goes on with its orders.

    `challenges` returns what, for each order; one execution on the host shows all of it. An order that is gone is
    refused in its place.
    """

    def challenges(self, orders: t.Sequence[Order]) -> list[tuple[Challenge, ...] | KeysteadError]: ...


@t.runtime_checkable
class Shows(t.Protocol):
    """Places something elsewhere itself before it goes on with its orders, and has to find it again in later runs.

    `shown` returns each order with what is going to be placed for it in its reference, or why that cannot be; where
    nothing is, the order as it is. `clear` takes away what was placed for orders that are over, by their references,
    and returns those of which nothing is left.
    """

    def shown(self, orders: t.Sequence[Order]) -> list[Order | KeysteadError]: ...

    def clear(self, references: t.Sequence[str]) -> list[str]: ...
