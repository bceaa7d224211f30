#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: host_half
short_description: The host's half of every action of this collection
version_added: 0.1.0
description:
  - Internal. Not for use in a playbook. Its options change without notice.
author:
  - Keystead contributors (@keystead)
extends_documentation_fragment:
  - keystead.identity.wire
  - keystead.identity.attributes
"""

EXAMPLES = r"""
- name: Never write this yourself
  keystead.identity.host_half:
    phase: prepare
    format: 1
    now: 1790000000.0
    host: web1
    store: /var/lib/keystead/identities
    identities: []
"""

RETURN = r"""
format:
  description: The version of the wire.
  type: int
  returned: success
now:
  description: The host's clock, in seconds since 1970.
  type: float
  returned: success
versions:
  description: Versions of Python and cryptography on the host.
  type: dict
  returned: success
identities:
  description: An answer for each identity.
  type: list
  elements: dict
  returned: success
"""

import gc

gc.disable()  # the process ends with its answer; collecting while it imports costs a tenth of it

from ..module_utils._host.module import main

if __name__ == "__main__":
    main()
