# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whether a server would be asked with success, found out without an order."""

from __future__ import annotations

import typing as t

from ...module_utils._core.ports import Check
from .address import OPTION
from .key_file import load

if t.TYPE_CHECKING:
    from .account import Account
    from .client import Client


def checks(client: Client, account: Account, options: t.Mapping[str, t.Any]) -> t.Iterator[Check]:
    """Yield what is found; raises KeysteadError for what ends it."""
    count = sum(isinstance(url, str) for url in client.directory.values())
    yield Check("acme server", "ok", f"{client.address.url} has a directory of {count} resources")
    if profile := options.get("profile"):
        known = client.meta.get("profiles")
        there = isinstance(known, dict) and profile in known
        found, remedy = ("", "") if there else ("not ", f"correct {OPTION}.profile")
        yield Check("acme profile", "ok" if there else "failed", f"profile {profile} is {found}there", remedy)
    if dns := options["challenge"].get("dns_01"):
        from .dns import writer

        yield Check("acme dns-01", "ok", writer(dns).look())
    path = options["account_key"]
    if load(path) is None:
        bound = options.get("eab") or client.meta.get("externalAccountRequired") is not True
        remedy = "" if bound else f"write {OPTION}.eab: the server binds accounts to those of its customers"
        found = f"{path} is not there yet; the first run makes it"
        yield Check("acme account", "ok" if bound else "failed", found, remedy)
        return
    found = "is known to the server" if account.exists() else "is not known to the server yet; the first run makes it"
    yield Check("acme account", "ok", f"the account of {path} {found}")
