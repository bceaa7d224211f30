# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What a proof is about."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from .._core.model import Proof, Subject


class Target(t.NamedTuple):
    """What a consumer must be seen to use.

    `certificate` is our leaf, encoded, `public_id` the SHA-256 of its SPKI (lower-case hex), `roots` the trust anchors
    (PEM; without any, only the leaf and its name are checked). The paths lead to what `client_auth` presents.
    """

    name: str
    proof: Proof
    subject: Subject
    certificate: bytes
    public_id: str
    roots: bytes
    client_certificate: str | None = None
    client_key: str | None = None
    kind: str = "x509"
