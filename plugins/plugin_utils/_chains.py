# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What stands above a certificate: the way from its issuer up to a root, and the generation that is made of both."""

from __future__ import annotations

import contextlib
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

from ..module_utils._core import pki
from ..module_utils._core.keys import spki_sha256
from ..module_utils._core.model import Generation, Part
from ._path import signed_by
from ._ways import is_root

if t.TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST = 8


class Above(t.NamedTuple):
    """What stands above all leaves of one issuer: its chain without the root, and the roots, both PEM."""

    chain: bytes
    roots: bytes

    def generation(self, leaf: x509.Certificate, issuer_id: str) -> Generation:
        """Return what one leaf and this make."""
        pem, der = leaf.public_bytes(Encoding.PEM), leaf.public_bytes(Encoding.DER)
        return Generation(
            credential_id=pki.fingerprint(der),
            public_id=spki_sha256(leaf.public_key()),
            not_before=leaf.not_valid_before_utc,
            not_after=leaf.not_valid_after_utc,
            issuer_id=issuer_id,
            parts={
                "certificate": Part(pem),
                "chain": Part(self.chain),
                "fullchain": Part(pem + self.chain),
                "roots": Part(self.roots),
            },
        )


def above(found: list[x509.Certificate], declared: Iterable[bytes]) -> Above | None:
    """Walk from the issuer, the first of those found, up to a root: by the shortest way, where some are cross-signed.

    Where that ends before a root, the declared ones (DER) take its place. Returns None where there are none.
    """
    path = found[:1]
    while not is_root(path[-1]) and len(path) < LONGEST:
        higher = [one for one in found if one not in path and signed_by(path[-1], one)]
        if not higher:
            break
        path.append(next(filter(is_root, higher), higher[0]))
    roots = [one for one in path if is_root(one)] or list(map(x509.load_der_x509_certificate, declared))
    if not roots:
        return None
    chain = b"".join(one.public_bytes(Encoding.PEM) for one in path if not is_root(one))
    return Above(chain, b"".join(one.public_bytes(Encoding.PEM) for one in roots))
