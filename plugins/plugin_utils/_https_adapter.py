# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How requests, which speaks to servers of ACME and to receivers of checkpoints, is told whom to trust."""

from __future__ import annotations

import contextlib
import typing as t

with contextlib.suppress(ImportError):
    from requests.adapters import HTTPAdapter

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
