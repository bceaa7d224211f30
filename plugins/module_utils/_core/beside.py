# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What stands beside the current generation of a store, for a ledger that was lost or put back from a backup."""

from __future__ import annotations

import typing as t


class Beside(t.NamedTuple):
    """A complete generation that is not the current one: its certificate, encoded, who signed it, and its key's URI."""

    number: int
    certificate: bytes
    issuer_id: str
    key_uri: str | None = None
