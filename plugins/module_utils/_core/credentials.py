# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Credentials of whatever kind: as text, which stands in files, as bytes, which travel, and parsed.

Of which kind one is, it says itself, so nobody has to carry that along with it.
"""

from __future__ import annotations

import typing as t

from . import pki

if t.TYPE_CHECKING:
    from .model import Credential


def first_in(text: bytes) -> bytes | None:
    """Return what the first credential of a text encodes, for `credential` to parse; None where there is none."""
    return pki.first_in(text)


def encoded(text: bytes) -> bytes:
    """Return the first credential of a text as bytes; raises ValueError where there is none."""
    return pki.der_certificates(text)[0]


def as_text(content: bytes) -> bytes:
    """Return the text of a credential that was parsed before."""
    return pki.pem_certificate(content)


def public_key(content: bytes) -> bytes:
    """Return the public key of a credential as SubjectPublicKeyInfo in DER (RFC 5280, 4.1.2.7); raises ValueError."""
    return pki.public_key(content)


def credential(content: bytes) -> Credential:
    """Parse a credential; raises ValueError on anything that is not one, or not one that can be understood."""
    return pki.credential(content)
