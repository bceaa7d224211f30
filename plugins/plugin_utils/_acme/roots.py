# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which roots an answer may lead to: the declared ones, else those that the system of the controller trusts."""

from __future__ import annotations

import contextlib
import functools
import ssl
import typing as t
from pathlib import Path

from ...module_utils._core import pki
from ...module_utils._core.errors import Misconfigured
from .._roots import declared_roots
from .address import OPTION


def roots(options: t.Mapping[str, t.Any]) -> tuple[bytes, ...]:
    """Return the roots (DER). Raises Misconfigured where there are none."""
    found = declared_roots(options, "acme") or _of_the_system()
    if not found:
        raise Misconfigured(f"{OPTION}.roots is missing, and this system trusts nobody; name the root of the authority")
    return found


@functools.cache
def _of_the_system() -> tuple[bytes, ...]:
    """Return what OpenSSL was built to trust; no environment variable has a say."""
    places = ssl.get_default_verify_paths()
    found: dict[bytes, None] = {}
    for path in _files(places.openssl_cafile, places.openssl_capath):
        with contextlib.suppress(OSError, ValueError):
            found.update(dict.fromkeys(pki.der_certificates(path.read_bytes())))
    return tuple(found)


def _files(cafile: str, capath: str) -> list[Path]:
    bundles = [path for path in (Path(cafile), Path(capath) / "ca-certificates.crt") if path.is_file()]
    return bundles[:1] or (sorted(Path(capath).glob("*.0")) if Path(capath).is_dir() else [])
