#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: host_half_full
short_description: The host's half, with what activates and proves consumers
version_added: 0.1.0
description:
  - Internal. Not for use in a playbook. Its options change without notice.
  - Runs in the place of M(keystead.identity.host_half) where an identity declares a consumer, or a store is read.
    Ansible compiles whatever a module ships in each run, so what is not needed is not shipped.
author:
  - Keystead contributors (@keystead)
extends_documentation_fragment:
  - keystead.identity.wire
  - keystead.identity.attributes
"""

EXAMPLES = r"""
- name: Never write this yourself; keystead.identity.host_half shows what it would be
"""

RETURN = r"""
format:
  description: The version of the wire. What follows is what M(keystead.identity.host_half) returns.
  type: int
  returned: success
"""

import gc

gc.disable()  # the process ends with its answer; collecting while it imports costs a tenth of it

from ..module_utils._host.module import answer
from ..module_utils._host.phases import run


def main() -> None:
    """Run one phase."""
    answer(run)


if __name__ == "__main__":
    main()
