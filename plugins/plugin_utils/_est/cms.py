# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What EST puts into a body: base64 (RFC 8951, 2), and in it certificates only (RFC 5652, 5.1; RFC 5272, 4.1)."""

from __future__ import annotations

import base64
import binascii
import contextlib
import warnings

with contextlib.suppress(ImportError):
    from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from typing import TYPE_CHECKING

from ...module_utils._core.errors import Unavailable
from ...module_utils._core.pki import LARGEST, MALFORMED
from .address import WHO

if TYPE_CHECKING:
    from cryptography import x509

MOST = 64  # certificates


def decoded(body: bytes) -> bytes:
    """Return what is in a body; raises ValueError for what is no base64."""
    try:
        return base64.b64decode(b"".join(body.split()), validate=True)
    except binascii.Error:
        raise ValueError("no base64") from None


def certificates(body: bytes, what: str) -> list[x509.Certificate]:
    """Return the certificates of a body. Raises Unavailable where there are none, or something else is in it."""
    try:
        with warnings.catch_warnings():  # one for BER, which some authorities write in place of DER
            warnings.simplefilter("ignore")
            found = pkcs7.load_der_pkcs7_certificates(decoded(body))
        whole = 0 < len(found) <= MOST and all(len(one.public_bytes(Encoding.DER)) <= LARGEST for one in found)
    except MALFORMED:
        whole = False
    if not whole:
        raise Unavailable(f"{WHO}: its {what} cannot be understood; run again, and look at url and label")
    return found
