# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: key_rotate
short_description: Whether a key is due, since when it has been in use, and why
version_added: 0.1.0
description:
  - Says of each identity what M(keystead.identity.key_rotate) with the same O(max_age) and O(created_before) would find
    too old, from the ledger on the controller.
  - Says the same of keys that belong to no identity, by what they are called or by their URI. Of such a key that was
    there before it was recorded, the module may know more than the ledger, where its backend says when it was made.
  - Asks no host and no issuer, issues nothing, and changes nothing. The ledger is opened read-only.
author:
  - Keystead contributors (@keystead)
requirements:
  - cryptography >= 50 on the controller
options:
  _terms:
    description: The names of identities, and names or URIs of keys that belong to none.
    type: list
    elements: str
    required: true
extends_documentation_fragment:
  - keystead.identity.key_rotate.lookup
  - keystead.identity.common.plugin
seealso:
  - module: keystead.identity.key_rotate
notes:
  - Defaults of an action group do not reach a lookup, so O(ledger) is best set by its variable for tasks and lookups
    alike.
"""

EXAMPLES = r"""
- name: How old is the key of this host?
  ansible.builtin.debug:
    msg: "{{ lookup('keystead.identity.key_rotate', 'web', max_age='90d') }}"

- name: How old is the key that signs releases?
  ansible.builtin.debug:
    msg: "{{ lookup('keystead.identity.key_rotate', 'release-signing', max_age='365d') }}"
"""

RETURN = r"""
_raw:
  description:
    - One entry for each name, in their order, with C(name), C(host), C(store), C(due), C(since), C(key_type),
      C(custody) and C(reason).
    - C(due) tells whether the key would be replaced, C(since) is since when it has been in use, in UTC, and C(reason)
      says why it is due, or is not.
    - An identity without a key is not due, and its C(since) is null.
    - A key that belongs to no identity has no C(store), but a C(uri), that of its active generation. Its C(custody) is
      its backend.
  type: list
  elements: dict
  sample:
    - name: web
      host: web1
      store: /var/lib/keystead/identities
      due: true
      since: "2026-07-01T09:00:00Z"
      key_type: ecdsa-p256
      custody: file
      reason: its key is from 2026-07-01 09:00, and those from before 2026-08-24 09:00 are replaced
"""

import typing as t

from ..module_utils._options.key_rotate import LOOKUP
from ..plugin_utils._ledger_lookup import LedgerLookup
from ..plugin_utils._rotation import WHO, due


class LookupModule(LedgerLookup):
    """Asks the ledger, and nobody else."""

    who = WHO
    accepts = LOOKUP

    def answer(self, names: list[str], given: dict[str, t.Any], here: str) -> list[t.Any]:
        """Return whether the key of each identity is due."""
        return due(self.ledger_options(given), names, given, here)
