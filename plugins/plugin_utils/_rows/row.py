# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The one shape of what is known of a credential: a generation of the ledger, or a record of another system (ADR 31).

What asks about identities (identity_ledger_info, the inventory) gets these rows, whoever told of them.
"""

from __future__ import annotations

import typing as t

OBSERVED = "observed"
"""The state of every row that came from another system."""
LAST = "~"
"""Stands for the end of what has none, and sorts after every moment."""
NOTHING: t.Mapping[str, tuple[str, ...]] = {}

Key = tuple[str, int, int]


class Delivery(t.NamedTuple):
    """Where a credential was put: a path and the part there, or a place and the publisher; moments as the ledger has.

    It is `live` until `ended_at`, when it was withdrawn or a successor took its place.
    """

    path: str
    part: str
    live: bool = True
    delivered_at: str | None = None
    proved_at: str | None = None
    ended_at: str | None = None


class Row(t.NamedTuple):
    """One credential, or one intent to get one.

    `key` is its place in the order of all rows: its end (or LAST), 0 for the ledger and 1 for a record, and a number;
    it never changes. `in_use` is what is current on a host, or delivered there without a successor; a record is always.
    Moments are `2026-01-31T09:00:00.000Z`; serial number, SPKI and fingerprint are lower-case hex; `names` are by dns,
    ip, uri and email. What is not known is None. `source` is file and line of a record.
    """

    key: Key
    managed: bool
    name: str
    host: str | None
    state: str
    in_use: bool
    kind: str = "x509"
    store: str | None = None
    scope: str | None = None
    service: str | None = None
    contact: str | None = None
    labels: t.Mapping[str, str] = NOTHING  # type: ignore[assignment]
    generation: int | None = None
    issuer_id: str | None = None
    custody: str | None = None
    key_uri: str | None = None
    key_type: str | None = None
    spki: str | None = None
    fingerprint: str | None = None
    serial_number: str | None = None
    issuer: str | None = None
    subject: str | None = None
    names: t.Mapping[str, t.Sequence[str]] = NOTHING
    not_before: str | None = None
    not_after: str | None = None
    issued_at: str | None = None
    revoked_at: str | None = None
    revocation_reason: str | None = None
    profile: str | None = None
    certificate: str | None = None
    deliveries: tuple[Delivery, ...] = ()
    source: str | None = None

    @property
    def live_paths(self) -> tuple[str, ...]:
        """The paths where it is delivered now."""
        return tuple(one.path for one in self.deliveries if one.live)
