# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whether a host that is to prove an identity by a handshake could verify it: ML-DSA needs OpenSSL 3.5 there."""

from __future__ import annotations

import contextlib
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509

from ..module_utils._core import pki
from ..module_utils._core.errors import Denied
from ..module_utils._core.keys import key_type_of
from ..module_utils._core.pki import UNREADABLE
from ..module_utils._core.ports import Chained

if t.TYPE_CHECKING:
    from ..module_utils._core.model import Generation
    from ._work import Work

_BY = {f"2.16.840.1.101.3.4.3.{last}": f"ml-dsa-{size}" for last, size in ((17, 44), (18, 65), (19, 87))}  # RFC 9881


def check_before(work: Work, anchors: t.Sequence[bytes]) -> None:
    """Raise Denied where what is known above a leaf, without asking anybody to sign, tells that it would not do."""
    if work.found is not None and work.found.openssl is not None:
        _check(work, needed_above(work.issuer.chain() if isinstance(work.issuer, Chained) else (), anchors))


def check_after(work: Work, answer: Generation, anchors: t.Sequence[bytes]) -> None:
    """Raise Denied where a host could not verify what was signed."""
    if work.found is not None and work.found.openssl is not None:
        _check(work, needed_by(answer, anchors))


def _check(work: Work, needed: str | None) -> None:
    if needed is not None and work.found is not None and work.issuer is not None:
        raise Denied(
            f"host: this host's {work.found.openssl} cannot verify the signatures by {needed} on what "
            f"{work.issuer.id.partition(':')[0]} signs for {work.name}; use prove.command, or another issuer"
        )


def needed_above(chain: t.Sequence[bytes], anchors: t.Sequence[bytes]) -> str | None:
    """Return the ML-DSA that a leaf cannot be verified without, by the chain above it, its issuer first (DER).

    Where no chain is known, the anchors tell if all of them have such keys.
    """
    with contextlib.suppress(*UNREADABLE):
        roots = [_key_type(one) for one in anchors]
        if roots and all(one.startswith("ml-dsa-") for one in roots):
            return roots[0]
        if chain and _key_type(chain[0]).startswith("ml-dsa-"):
            return _key_type(chain[0])
        return _signed(chain, anchors)
    return None


def needed_by(answer: Generation, anchors: t.Sequence[bytes]) -> str | None:
    """Return the ML-DSA that an answer cannot be verified without."""
    with contextlib.suppress(*UNREADABLE):
        return _signed(pki.der_certificates(answer.parts["fullchain"].content), anchors)
    return None


def _signed(path: t.Sequence[bytes], anchors: t.Sequence[bytes]) -> str | None:
    """Return the first ML-DSA that something is signed with on the way to an anchor; its own signature is not."""
    for der in path:
        if der in anchors:
            return None
        oid = x509.load_der_x509_certificate(der).signature_algorithm_oid.dotted_string
        if oid in _BY:
            return _BY[oid]
    return None


def _key_type(der: bytes) -> str:
    return key_type_of(x509.load_der_x509_certificate(der).public_key())
