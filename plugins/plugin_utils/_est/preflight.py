# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whether an EST server would sign, as far as can be told without a request: the standard has no way to ask."""

from __future__ import annotations

import typing as t

from ...module_utils._core.ports import Check

if t.TYPE_CHECKING:
    from .client import Client
    from .signer import Signer


def checks(client: Client, signer: Signer) -> t.Iterator[Check]:
    """Yield what was found; an error ends it."""
    try:
        count = signer.check()
        yield Check("server", "ok", "it answers over verified TLS")
        yield Check("authority", "ok", f"its authorities lead to what is trusted: {count} root{'s' * (count > 1)}")
        wanted = client.wanted()
        yield Check("requests", "ok", f"it wants {len(wanted) or 'no'} attributes in requests")
    finally:
        client.close()
