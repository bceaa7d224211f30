# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What was signed below an authority, by the certificates and chains that the ledger has.

An issuer keeps its id when its authority gets another key, so that what it signed may be below several.
"""

from __future__ import annotations

import contextlib
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509

from ...module_utils._core.keys import spki_sha256
from ...module_utils._core.pki import MALFORMED
from .._path import signed_by

if t.TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from .._ledger.chain import Readable

_SIGNED = """
SELECT g.issuer_id, x.chain, min(x.certificate), min(g.credential_id)
FROM generations g JOIN x509 x ON x.generation = g.id
WHERE x.certificate IS NOT NULL GROUP BY g.issuer_id, x.chain, CASE WHEN x.chain = '' THEN g.credential_id END
"""
_OF_GROUP = """
SELECT g.credential_id FROM generations g JOIN x509 x ON x.generation = g.id WHERE g.issuer_id = ? AND x.chain = ?
"""


class Below(t.NamedTuple):
    """Certificates of one issuer, by its id and their fingerprints, and what the authority above them is called."""

    issuer_id: str
    above: str
    fingerprints: frozenset[str]


def below(ledger: Readable, keys: Container[str], authorities: Sequence[x509.Certificate]) -> list[Below]:
    """Return what is below authorities that have one of these keys, or are one of these certificates.

    What has no chain is looked at one by one. Keys are SHA-256 of the SPKI, in lower-case hex. A root, which no chain
    has, is found by what it signed.
    """
    touched: dict[tuple[str, str], set[str]] = {}
    for issuer_id, chain, leaf, fingerprint in ledger.read(_SIGNED):
        with contextlib.suppress(*MALFORMED):
            first, *above = x509.load_pem_x509_certificates(f"{leaf}\n{chain or ''}".encode())
            last = [one for one in authorities if signed_by((above or [first])[-1], one)]
            named = [one for one in above if one in authorities or spki_sha256(one.public_key()) in keys]
            found = [*named, *last]
            group = [row[0] for row in ledger.read(_OF_GROUP, (issuer_id, chain))] if found and chain else [fingerprint]
            for one in found:
                touched.setdefault((issuer_id, one.subject.rfc4514_string()), set()).update(group)
    return [Below(*of, frozenset(group)) for of, group in touched.items()]
