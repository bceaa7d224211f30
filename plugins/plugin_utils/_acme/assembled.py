# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The tools of an issuer, put together from its options."""

from __future__ import annotations

import functools
import typing as t

from .._durations import seconds
from .address import on_host
from .chains import Chains
from .new_order import NewOrders
from .orders import Orders, Tools
from .roots import roots

if t.TYPE_CHECKING:
    from collections.abc import Callable

    from .account import Account
    from .client import Client
    from .dns import Shown

Options = t.Mapping[str, t.Any]


def orders(client: Client, account: Account, options: Options, issuer_id: str, advise: Callable[[str], None]) -> Orders:
    """Return what works on orders. Raises Misconfigured."""
    return Orders(
        Tools(
            account=account,
            begin=NewOrders(client, account, options),
            chains=Chains(lambda: roots(options), options.get("preferred_chain"), advise),
            issuer_id=issuer_id,
            on_host=on_host(options["challenge"]),
            dns=_shown(options["challenge"].get("dns_01")),
            advise=advise,
            patience=client.address.timeout,
        )
    )


def _shown(said: Options | None) -> Shown | None:
    if said is None:
        return None
    from .dns import Shown, writer

    return Shown(functools.partial(writer, said), seconds(said["propagation"]))
