# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whom a task trusts for an issuer: the anchors of what it signs, and who may have signed its TLS certificate."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ..module_utils._core.errors import Misconfigured


def declared_roots(options: t.Mapping[str, t.Any], backend: str) -> tuple[bytes, ...]:
    """Return the trust anchors (DER) that option `roots` of an issuer names. Raises Misconfigured."""
    return named_roots(options, f"{backend}: issuer.{backend}.roots")


def named_roots(options: t.Mapping[str, t.Any], where: str) -> tuple[bytes, ...]:
    """Return the trust anchors (DER) that option `roots`, called as `where` says, names. Raises Misconfigured."""
    return certificates(options.get("roots") or (), where)


def certificates(named: t.Iterable[str], where: str) -> tuple[bytes, ...]:
    """Return certificates (DER) that are named by PEM or a path. Raises Misconfigured for the option `where`."""
    return tuple(der for one in named for der in _read(one, where))


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
    """Read an entry of an option: PEM itself, or the path of a PEM file on the controller."""
    from ..module_utils._core import pki

    said = "-----BEGIN" in root
    shown, remedy = "the PEM given" if said else repr(root), "write PEM or its path"
    try:
        return pki.der_certificates(root.encode() if said else Path(root).expanduser().read_bytes())
    except OSError as error:
        raise Misconfigured(f"{where}: {shown} cannot be read: {error.strerror}; {remedy}") from None
    except ValueError:
        raise Misconfigured(f"{where}: {shown} cannot be read as certificates; {remedy}") from None
