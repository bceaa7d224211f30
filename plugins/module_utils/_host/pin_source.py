# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""The key of a token as nginx names it: OpenSSL's engine `pkcs11`, which reads the PIN from a file (RFC 7512, 2.4)."""

from __future__ import annotations

import typing as t

from .._core.errors import Misconfigured
from .os_errors import said

if t.TYPE_CHECKING:
    from .._core.key import Token
    from .._core.model import Identity

INCLUDE = "nginx_tls"


def engine_key(uri: str, token: Token) -> str:
    """Return what stands behind `ssl_certificate_key`; quoted, since a URI has semicolons."""
    source = f"?pin-source=file:{token.pin_file}" if token.pin_file else ""
    return f'"engine:pkcs11:{uri}{source}"'


def refuse_other_lines(wanted: Identity) -> None:
    """Refuse a PIN file that the engine would misread: it takes all of it for the PIN, and tries that at every start.

    A few such tries lock a token.
    """
    token = wanted.key.token
    if token is None or token.pin_file is None or not any(link.part == INCLUDE for link in wanted.files.links):
        return
    with said(token.pin_file), open(token.pin_file, "rb") as file:
        content = file.read()
    if content != content.partition(b"\n")[0].rstrip(b"\r"):
        raise Misconfigured(
            f"host: pin_file {token.pin_file} has a line feed after the PIN, and the engine pkcs11, which nginx uses, "
            "takes that for a part of it; write the file without one, as printf %s does"
        )
