# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Common names that old software takes for names of hosts."""

from __future__ import annotations

import re


def is_host_name(common_name: str | None) -> bool:
    """Tell whether old software would take a common name for the name of a host."""
    return common_name is not None and re.fullmatch(r"[A-Za-z0-9*_-]+(\.[A-Za-z0-9_-]+)+\.?", common_name) is not None


def as_host(common_name: str) -> str:
    """Return a common name as old software would take it for the name of a host."""
    name = common_name.lower().removesuffix(".")
    if name.isascii():
        return name
    from ...module_utils._core.errors import Misconfigured
    from .._names import dns_name

    try:
        return dns_name(name)
    except Misconfigured:
        return name
