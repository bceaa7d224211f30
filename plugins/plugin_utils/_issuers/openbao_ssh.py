# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The issuer `openbao_ssh`: the SSH engine of an OpenBao, or of a HashiCorp Vault."""

from __future__ import annotations

import functools
import typing as t

from ...module_utils._core.errors import Denied, Misconfigured
from .._auth.registry import login_of
from .._openbao.address import address, name, path
from .._openbao.client import Client

if t.TYPE_CHECKING:
    from ...module_utils._core.errors import KeysteadError
    from ...module_utils._core.model import Generation
    from ...module_utils._core.ports import Order, Request
    from .._openbao.ssh import Signer

OPTION = "openbao_ssh: issuer.openbao_ssh"


class OpenBaoSshIssuer:
    """Issuer over `{url, mount, role, namespace, auth, ...}`. The engine keeps nothing and can take nothing back.

    Making one reads options alone: a run that has nothing to issue opens no connection and imports no client.
    """

    def __init__(self, options: t.Mapping[str, t.Any]) -> None:
        """Check what can be checked without the server. Raises Misconfigured."""
        where = address(options, OPTION)
        self._mount = path(options["mount"], f"{OPTION}.mount")
        self._role = name(options["role"], f"{OPTION}.role")
        if not self._role:
            raise Misconfigured(f"{OPTION}.role is empty; name the role of the SSH engine that signs")
        self._client = Client(where, login_of(options["auth"]))
        below = f"{where.namespace}/" if where.namespace else ""
        self.id = f"openbao_ssh:{where.url}/v1/{below}{self._mount}"

    @property
    def place(self) -> str:
        """Where the issuer is; its key may change, so it is in neither (ADR 11)."""
        return self.id

    @functools.cached_property
    def _signer(self) -> Signer:
        from .._openbao.ssh import Signer, Target

        return Signer(self._client, Target(self.id, self._mount, self._role))

    def roots(self) -> tuple[bytes, ...]:
        """Return the public key that the engine names, in SSH's own form; nobody has to be logged in."""
        return (self._signer.root(),)

    def begin(self, requests: t.Sequence[Request]) -> list[Generation | Order | KeysteadError]:
        """Have one after the other signed. When the server is gone, those that it signed stay signed."""
        return self._signer.sign(requests)

    def finish(self, orders: t.Sequence[Order]) -> list[Generation | Order | KeysteadError]:
        """Return a refusal for each: this issuer answers at once."""
        return [Denied(f"openbao_ssh: it knows no order {order.reference}; it answers at once") for order in orders]
