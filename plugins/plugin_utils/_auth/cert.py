# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Log in by a TLS certificate of the controller."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ...module_utils._core.errors import Misconfigured
from .._endings import Ending
from .._openbao.errors import Refused
from .registry import granted, unaccepted

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from .registry import Asks, Call, Grant, Options


class CertLogin:
    """Over `{certificate, private_key, name, mount}`."""

    again = True

    def __init__(self, options: Options, option: str) -> None:
        """Keep the paths: the handshake reads them."""
        self.option, self._options = option, options
        self.certificate = (str(options["certificate"]), str(options["private_key"]))

    def check(self) -> None:
        """Do nothing: every connection shows the certificate, also one that asks for a root alone."""

    def login(self, call: Call) -> Grant:
        """Log in over a connection that showed the certificate. Raises LoggedOut."""
        name = self._options.get("name")
        try:
            path = f"auth/{self._options['mount']}/login"
            return granted(call("POST", path, {"name": name} if name else {}), self.option)
        except Refused as refused:
            remedy = f"let {f'role {name}' if name else 'a role'} there trust who signed the certificate, and its names"
            raise unaccepted(refused, self.option, remedy) from None

    def ending(self, call: Asks, token: Mapping[str, t.Any]) -> Ending:  # noqa: ARG002 - the file says it all
        """Tell when the certificate ends. Raises Misconfigured."""
        from cryptography import x509

        path = self.certificate[0]
        try:
            found = x509.load_pem_x509_certificate(Path(path).read_bytes())
        except (OSError, ValueError):
            raise Misconfigured(f"{self.option}.certificate: {path} cannot be read; write that of the login") from None
        remedy = f"renew {path}: it logs the controller in"
        return Ending("login", "", "", remedy, found.not_valid_after_utc, found.not_valid_before_utc)
