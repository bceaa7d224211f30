# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whom a client of ours trusts in TLS: always somebody, and never whom an environment variable names (T1)."""

from __future__ import annotations

import typing as t

from ..module_utils._core.errors import Misconfigured
from ..module_utils._enrol import tls

if t.TYPE_CHECKING:
    import ssl


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
