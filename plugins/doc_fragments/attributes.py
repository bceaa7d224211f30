# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations


class ModuleDocFragment:
    """What the modules support."""

    DOCUMENTATION = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check_mode and return changed status prediction without modifying target.
    support: full
  diff_mode:
    description: Will return details on what has changed (or possibly needs changing in check_mode), when in diff mode.
    support: full
  idempotent:
    description: Run twice in a row outside check mode with the same arguments, the second run changes nothing.
    support: full
  platform:
    description: Target OS families that can be operated against.
    support: full
    platforms: posix
"""

    ACTIONGROUP_IDENTITY = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/keystead.identity.identity) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - keystead.identity.identity
"""
