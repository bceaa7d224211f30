# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Reasons to replace a credential of kind ssh_host."""

from __future__ import annotations

import typing as t

from .checks_x509 import key_type_differs, names_differ

if t.TYPE_CHECKING:
    from .checks import Check

CHECKS: tuple[Check, ...] = (names_differ, key_type_differs)
