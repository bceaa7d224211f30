# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which versions there are, and which are needed at least; what runs on the hosts, no ledger knows."""

from __future__ import annotations

import importlib.metadata
import platform
import re
import typing as t

LEAST = {"python": "3.11", "cryptography": "50", "openssl": "3.0", "ansible-core": "2.18"}


def of_controller() -> dict[str, dict[str, t.Any]]:
    """Return of each: the version that is there, the least one, and whether that fits; null where it is not there."""
    there = {
        "python": platform.python_version(),
        "cryptography": _distribution("cryptography"),
        "openssl": _openssl(),
        "ansible-core": _distribution("ansible-core"),
    }
    return {name: {"found": found, "least": LEAST[name], "fits": _fits(found, name)} for name, found in there.items()}


def _fits(found: str | None, name: str) -> bool:
    return found is not None and _numbers(found) >= _numbers(LEAST[name])


def _distribution(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _openssl() -> str | None:
    """Return the version of the OpenSSL that cryptography was linked with."""
    from cryptography.hazmat.backends.openssl.backend import backend

    found = re.search(r"\d+(\.\d+)+", backend.openssl_version_text())
    return found[0] if found else None


def _numbers(version: str) -> list[int]:
    return [int(one) for one in re.findall(r"\d+", version)[:3]]
