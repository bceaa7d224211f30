# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""The power of an issuer to say when it wants what it signed renewed."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from datetime import datetime


class Schedule(t.NamedTuple):
    """When an issuer wants a certificate renewed, None where it does not say, and when it is to be asked again."""

    renew_at: datetime | None
    ask_again: datetime


@t.runtime_checkable
class Scheduler(t.Protocol):
    """Says when it wants what it signed renewed (RFC 9773). Equal answers of it give equal times, whoever asks."""

    def schedule(self, certificate: bytes) -> Schedule: ...
