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

_SSH = (b"ssh-", b"ecdsa-sha2-", b"sk-")  # begin the line of a certificate; the other texts are PEM
_SSH_ENCODED = b"\0\0\0"  # begins the name of its type, which is shorter than 256; DER begins with a SEQUENCE


def is_of_ssh(content: bytes) -> bool:
    """Tell whether these bytes are a certificate of SSH, and not of X.509."""
    return content.startswith(_SSH_ENCODED)


def first_in(text: bytes) -> bytes | None:
    """Return what the first credential of a text encodes, for `credential` to parse; None where there is none."""
    return _ssh().first_in(text) if text.startswith(_SSH) else pki.first_in(text)


def encoded(text: bytes) -> bytes:
    """Return the first credential of a text as bytes; raises ValueError where there is none."""
    return _ssh().encoded(text) if text.startswith(_SSH) else pki.der_certificates(text)[0]


def as_text(content: bytes) -> bytes:
    """Return the text of a credential that was parsed before."""
    return _ssh().as_text(content) if content.startswith(_SSH_ENCODED) else pki.pem_certificate(content)


def public_key(content: bytes) -> bytes:
    """Return the public key of a credential as SubjectPublicKeyInfo in DER (RFC 5280, 4.1.2.7); raises ValueError."""
    return _ssh().public_key(content) if content.startswith(_SSH_ENCODED) else pki.public_key(content)


def credential(content: bytes) -> Credential:
    """Parse a credential; raises ValueError on anything that is not one, or not one that can be understood."""
    return _ssh().credential(content) if content.startswith(_SSH_ENCODED) else pki.credential(content)


def _ssh() -> t.Any:
    """Return the module with the same functions for certificates of SSH, which most hosts never load."""
    from . import ssh

    return ssh
