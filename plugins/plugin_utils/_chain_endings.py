# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""When authorities end, as their certificates say: those of an issuer, and those in the chains of the ledger."""

from __future__ import annotations

import contextlib
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes

from ..module_utils._core.pki import MALFORMED
from ._endings import Ending

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

REMEDY = "make another authority in time and name it in the issuer; what it signed ends with it"
_DIGITS = 8


def authority_ending(certificate: x509.Certificate) -> Ending:
    """Return when an authority ends. Its name has the start of its fingerprint: another one may have its subject."""
    subject = certificate.subject.rfc4514_string() or "an authority without a name"
    name = f"{subject} ({certificate.fingerprint(hashes.SHA256()).hex()[:_DIGITS]})"
    ends, begins = certificate.not_valid_after_utc, certificate.not_valid_before_utc
    return Ending("authority", name, "", REMEDY, ends, begins)


def of_chain(chain: Iterable[bytes]) -> Iterator[Ending]:
    """Yield when each authority (DER) of a chain ends; what cannot be read is passed over."""
    for der in chain:
        with contextlib.suppress(*MALFORMED):
            yield authority_ending(x509.load_der_x509_certificate(der))
