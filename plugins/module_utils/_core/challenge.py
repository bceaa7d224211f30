# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What an issuer wants to see on a host before it signs."""

from __future__ import annotations

import typing as t


class Challenge(t.NamedTuple):
    """What an issuer wants to see by HTTP at a name of the host (RFC 8555, 8.3): `content` under `token`.

    It stands below `webroot`, where the host's web server serves it, or a listener of ours shows it on `port`.
    """

    token: str
    content: str
    webroot: str | None = None
    port: int | None = None
