# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How an account stands at its server, found out without making or changing one."""

from __future__ import annotations

import typing as t

from .._endings import Ending
from .key_file import load

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from .account import Account


def endings(account: Account, path: str, issuer_id: str) -> Iterator[Ending]:
    """Yield whether the server still has the account of a key file. Raises KeysteadError where it refuses it."""
    if load(path) is None:
        remedy = "issue something, or correct account_key"
        yield Ending("account", issuer_id, f"{path} is not there yet", remedy, state="unknown")
        return
    status = account.status()
    if status is None:
        remedy = "restore the key of the account, or let the next run make another account"
        found = f"the server does not know the account of {path}"
        yield Ending("account", issuer_id, found, remedy, state="warning")
    elif status != "valid":
        remedy = "ask who runs the server, or let another account_key make another account"
        yield Ending("account", issuer_id, f"the account of {path} is {status}", remedy, state="critical")
    else:
        yield Ending("account", issuer_id, f"the account of {path} is valid")
