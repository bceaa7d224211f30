# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which issuers are below an authority, by the certificates and chains that the ledger has of what they signed."""

from __future__ import annotations

import contextlib
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509

from ...module_utils._core.keys import spki_sha256
from ...module_utils._core.pki import MALFORMED
from .._path import signed_by

if t.TYPE_CHECKING:
    from collections.abc import Container, Iterator, Sequence

    from .._ledger.chain import Readable

_SIGNED = """
SELECT g.issuer_id, x.chain, min(x.certificate) FROM generations g JOIN x509 x ON x.generation = g.id
WHERE x.certificate IS NOT NULL GROUP BY g.issuer_id, x.chain
"""


class Below(t.NamedTuple):
    """An issuer, by its id, and what the authority at or above it is called."""

    issuer_id: str
    above: str


def below(ledger: Readable, keys: Container[str], authorities: Sequence[x509.Certificate]) -> Iterator[Below]:
    """Yield the issuers at or below authorities that have one of these keys, or are one of these certificates.

    Keys are SHA-256 of the SPKI, in lower-case hex. A root, which no chain has, is found by what it signed.
    """
    for issuer_id, chain, leaf in ledger.read(_SIGNED):
        with contextlib.suppress(*MALFORMED):
            first, *above = x509.load_pem_x509_certificates(f"{leaf}\n{chain or ''}".encode())
            last = [one for one in authorities if signed_by((above or [first])[-1], one)]
            named = [one for one in above if one in authorities or spki_sha256(one.public_key()) in keys]
            for one in (*named, *last):
                yield Below(issuer_id, one.subject.rfc4514_string())
