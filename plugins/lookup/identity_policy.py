# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: identity_policy
short_description: What fails by a policy, of identities, certificates and declarations, now or on a day to come
version_added: 0.1.0
description:
  - Says of each identity of the ledger on the controller, of each certificate and of each declared identity what fails
    by the O(policy), why, and what to change, as M(keystead.identity.identity_policy) does.
  - Asks no host and no issuer, and changes nothing. The ledger is opened read-only.
author:
  - Keystead contributors (@keystead)
requirements:
  - cryptography >= 50 on the controller
options:
  _terms:
    description:
      - The names of identities. PEM, or the path of a file on the controller, which has a slash, means the first
        certificate in it, and needs no ledger.
      - Without terms and O(declarations), all that the ledger has in use on all hosts is meant.
    type: list
    elements: str
extends_documentation_fragment:
  - keystead.identity.identity_policy.lookup
  - keystead.identity.common.plugin
seealso:
  - module: keystead.identity.identity_policy
    description: Has also a calendar, and the difference of two policies.
notes:
  - Defaults of an action group do not reach a lookup, so O(ledger) is best set by its variable for tasks and lookups
    alike.
"""

EXAMPLES = r"""
- name: What fails today of what this host has as web?
  ansible.builtin.debug:
    msg: "{{ lookup('keystead.identity.identity_policy', 'web') }}"

- name: A certificate of somebody else would still be good enough in 2035
  ansible.builtin.assert:
    that: lookup('keystead.identity.identity_policy', '/etc/appliance/tls.pem', as_of='2035-03-15', part='record')
      | rejectattr('code', 'eq', 'ended') | length == 0
"""

RETURN = r"""
_raw:
  description:
    - One entry for each term, in their order, and then for each identity of O(declarations). Without any of them, one
      entry for the whole ledger.
    - Each entry is a list of what fails, and empty where nothing does.
  type: list
  elements: list
  sample:
    - - "web on web1.example.org: rule public-tls-lifetime: lifetime 200d; declare at most 100d"
"""

import typing as t

from ..module_utils._options.identity_policy import LOOKUP
from ..plugin_utils._identity_policy.lookup import tell
from ..plugin_utils._identity_policy.subject import WHO
from ..plugin_utils._inventory import place
from ..plugin_utils._ledger_lookup import LedgerLookup


class LookupModule(LedgerLookup):
    """Judges by a policy."""

    who = WHO
    accepts = LOOKUP

    def answer(self, names: list[str], given: dict[str, t.Any], here: str) -> list[t.Any]:
        """Return what fails of each."""
        return tell(self.ledger_options(given), names, given, place(self._variables)._replace(host=here))
