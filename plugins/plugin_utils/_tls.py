# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whom a client of ours trusts in TLS: always somebody, and never whom an environment variable names (T1)."""

from __future__ import annotations

import contextlib
import typing as t

with contextlib.suppress(ImportError):
    from requests.adapters import HTTPAdapter

from ..module_utils._core.errors import Misconfigured
from ..module_utils._enrol import tls

if t.TYPE_CHECKING:
    import ssl

IS_THERE = "HTTPAdapter" in globals()


class Verifying(HTTPAdapter if t.TYPE_CHECKING or IS_THERE else object):  # type: ignore[misc]
    """Trusts whom its context trusts, and nobody else: requests would add its own list."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__(pool_connections=1, pool_maxsize=1)

    def init_poolmanager(self, *args: t.Any, **kwargs: t.Any) -> None:
        super().init_poolmanager(*args, **kwargs, ssl_context=self._context)

    def cert_verify(self, conn: t.Any, url: str, verify: t.Any, cert: t.Any) -> None:  # noqa: ARG002 - as it calls us
        conn.cert_reqs = "CERT_REQUIRED"


def context(ca_bundle: str | None, certificate: tuple[str, str] | None = None, *, who: str) -> ssl.SSLContext:
    """Return a context that trusts `ca_bundle` alone, else the system, and shows a certificate. `who` speaks.

    No environment variable has a say. Raises Misconfigured.
    """
    found = tls.client()
    try:
        if ca_bundle is not None:
            found.load_verify_locations(cafile=ca_bundle)
        else:
            tls.trust_the_system(found)
    except OSError as error:  # ssl.SSLError is one
        raise Misconfigured(
            f"{who}: ca_bundle {ca_bundle}: {tls.unreadable(error)}; write the path of PEM certificates"
        ) from None
    if certificate is not None:
        tls.present(found, certificate, f"{who}: auth.cert")
    return found
