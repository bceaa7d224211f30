# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which authorities of an EST server are trusted: those that the task names, or the one whose fingerprint it pins."""

from __future__ import annotations

import contextlib
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

from ...module_utils._core import pki
from ...module_utils._core.errors import Denied
from ...module_utils._core.pki import MALFORMED
from .._path import signed_by
from .address import WHO

Certificates = t.Sequence["x509.Certificate"]


def leads(named: Certificates, roots: Certificates) -> bool:
    """Tell whether one of what a server names is a root, or was signed by one: who is above all others would be."""
    return any(one in roots or any(signed_by(one, root) for root in roots) for one in named)


def is_authority(certificate: x509.Certificate) -> bool:
    """Tell whether a certificate may sign others (RFC 5280, 4.2.1.9), or cannot be read as far as that."""
    try:
        return bool(certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except x509.ExtensionNotFound:
        return False
    except MALFORMED:
        return True


def pinned_root(named: Certificates, pinned: str) -> x509.Certificate:
    """Return the root with this SHA-256 fingerprint among what a server names. Raises Denied."""
    by_print = {pki.fingerprint(one.public_bytes(Encoding.DER)): one for one in named if signed_by(one, one)}
    if pinned not in by_print:
        found = ", ".join(sorted(by_print)) or "no root at all"
        raise Denied(
            f"{WHO}: its authorities (cacerts) have no root with the fingerprint {pinned}, but {found}; "
            "do not go on before its operator tells you which one is right"
        )
    return by_print[pinned]
