# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whom a task trusts for an issuer: the anchors of what it signs, and who may have signed its TLS certificate."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ..module_utils._core.errors import Misconfigured

_OF_ISSUER = "machine_identity: option issuer.roots"


def declared_roots(options: t.Mapping[str, t.Any], where: str = _OF_ISSUER) -> tuple[bytes, ...]:
    """Return the trust anchors (DER) that option `roots`, called as `where` says, names. Raises Misconfigured."""
    return tuple(der for root in options.get("roots") or () for der in _read(root, where))


def ca_bundle(options: t.Mapping[str, t.Any], who: str) -> str | None:
    """Return what option `ca_bundle` leads to, PEM; None where it says nothing. Raises Misconfigured for `who`."""
    bundle = options.get("ca_bundle")
    if bundle is None:
        return None
    import ssl

    try:
        found = Path(bundle).read_text(encoding="ascii", errors="replace")
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=found)
    except (OSError, ValueError) as error:  # an SSLError is an OSError
        why = None if isinstance(error, (ssl.SSLError, ValueError)) else error.strerror
        told = why or "it holds no certificates in PEM that can be read"
        raise Misconfigured(f"{who}: ca_bundle {bundle}: {told}; write the path of a PEM file") from None
    return found


def _read(root: str, where: str) -> tuple[bytes, ...]:
    """Read an entry of option `roots`: PEM itself, or the path of a PEM file on the controller."""
    from ..module_utils._core import pki

    try:
        pem = root.encode() if "-----BEGIN" in root else Path(root).expanduser().read_bytes()
        found = pki.der_certificates(pem)
    except (OSError, ValueError):
        shown = "the PEM given" if "-----BEGIN" in root else repr(root)
        raise Misconfigured(
            f"{where}: {shown} cannot be read as certificates; write PEM or its path"
        ) from None
    return found
