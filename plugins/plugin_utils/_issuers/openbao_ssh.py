# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The issuer `openbao_ssh`: the SSH engine of an OpenBao, or of a HashiCorp Vault."""

from __future__ import annotations

import functools
import typing as t

from ...module_utils._core.errors import Denied, KeysteadError, Misconfigured
from .._auth.registry import login_of
from .._openbao.address import address, name, path
from .._openbao.client import Client

if t.TYPE_CHECKING:
    from ...module_utils._core.model import Generation, X509Facts
    from ...module_utils._core.ports import Order, Request
    from .._endings import Ending
    from .._openbao.ssh import Signer

OPTION = "openbao_ssh: issuer.openbao_ssh"


class OpenBaoSshIssuer:
    """Issuer and Remedy over `{url, mount, role, namespace, issuer_ref, auth, ...}`.

    The engine keeps nothing and can take nothing back.

    Making one reads options alone: a run that has nothing to issue opens no connection and imports no client.
    """

    def __init__(self, options: t.Mapping[str, t.Any]) -> None:
        """Check what can be checked without the server. Raises Misconfigured."""
        where = address(options, OPTION)
        self._mount = path(options["mount"], f"{OPTION}.mount")
        self._role = name(options["role"], f"{OPTION}.role")
        self._reference = name(options.get("issuer_ref"), f"{OPTION}.issuer_ref")
        if not self._role:
            raise Misconfigured(f"{OPTION}.role is empty; name the role of the SSH engine that signs")
        self._login = login_of(options["auth"])
        self._client = Client(where, self._login)
        above = f"{where.namespace}/" if where.namespace else ""
        below = f"/issuer/{self._reference}" if self._reference else ""
        self.id = f"openbao_ssh:{where.url}/v1/{above}{self._mount}{below}"

    @property
    def place(self) -> str:
        """Where the issuer is; its key may change, so it is in neither (ADR 11)."""
        return self.id

    @functools.cached_property
    def _signer(self) -> Signer:
        from .._openbao.ssh import Signer, Target

        return Signer(self._client, Target(self.id, self._mount, self._role, self._reference))

    def roots(self) -> tuple[bytes, ...]:
        """Return the public key that the engine names, in SSH's own form; nobody has to be logged in."""
        return (self._signer.root(),)

    def remedy(self, found: X509Facts, request: Request) -> str:  # noqa: ARG002 - it is the same for all
        """Say what to change where another key of the mount has signed than the one that is looked for."""
        from ...module_utils._core import ssh

        try:
            is_ours = found.issuer == ssh.fingerprint(self._signer.root())
        except KeysteadError:
            return ""
        return "" if is_ours else "name in issuer.openbao_ssh.issuer_ref the issuer whose key the role signs with"

    def endings(self) -> t.Iterator[Ending]:
        """Yield when the login ends; raises KeysteadError for what cannot be asked."""
        from .._openbao.endings import of_login

        return of_login(self._client, self._login, self.id)

    def begin(self, requests: t.Sequence[Request]) -> list[Generation | Order | KeysteadError]:
        """Have one after the other signed. When the server is gone, those that it signed stay signed."""
        return self._signer.sign(requests)

    def finish(self, orders: t.Sequence[Order]) -> list[Generation | Order | KeysteadError]:
        """Return a refusal for each: this issuer answers at once."""
        return [Denied(f"openbao_ssh: it knows no order {order.reference}; it answers at once") for order in orders]
