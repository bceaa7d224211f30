# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Reading revocation lists (RFC 5280, 5): what they say of themselves, and whether an authority has signed them."""

from __future__ import annotations

import contextlib
import functools
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

from ...module_utils._core.pki import MALFORMED
from .files import read_if_there

if t.TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from .store import Authority

_UNREADABLE: tuple[type[Exception], ...] = MALFORMED
with contextlib.suppress(NameError):
    _UNREADABLE += (x509.ExtensionNotFound,)


class Facts(t.NamedTuple):
    """What a list says of itself, and how many certificates it has."""

    number: int
    this_update: dt.datetime
    next_update: dt.datetime | None
    entries: int


class List:
    """A list that can be understood, and has a number."""

    def __init__(self, crl: x509.CertificateRevocationList) -> None:
        """Read what it says of itself. Raises what parsing may."""
        number = crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
        crl.issuer.rfc4514_string()
        self.crl, self.facts = crl, Facts(number, crl.last_update_utc, crl.next_update_utc, len(crl))
        self._signed_by: dict[str, bool] = {}

    @functools.cached_property
    def serial_numbers(self) -> frozenset[int]:
        """What it has."""
        return frozenset(entry.serial_number for entry in self.crl)

    @functools.cached_property
    def der(self) -> bytes:
        """The list in DER."""
        return self.crl.public_bytes(Encoding.DER)

    def is_of(self, authority: Authority) -> bool:
        """Say whether an authority has signed it."""
        if authority.id not in self._signed_by:
            self._signed_by[authority.id] = self._is_of(authority.certificate)
        return self._signed_by[authority.id]

    def _is_of(self, authority: x509.Certificate) -> bool:
        if self.crl.issuer != authority.subject:
            return False
        with contextlib.suppress(*MALFORMED):
            return self.crl.is_signature_valid(t.cast("t.Any", authority.public_key()))
        return False


@functools.lru_cache(maxsize=4)  # one of a hundred thousand entries is looked at several times, and takes half a second
def parsed(content: bytes) -> List | None:
    """Return a list (PEM or DER); None for anything else."""
    load = x509.load_pem_x509_crl if b"-----BEGIN" in content else x509.load_der_x509_crl
    try:
        return List(load(content))
    except _UNREADABLE:
        return None


def found(path: Path) -> List | None:
    """Return the list in a file; None where there is none."""
    content = read_if_there(path)
    return None if content is None else parsed(content)
