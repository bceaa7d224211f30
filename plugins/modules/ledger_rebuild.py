# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: ledger_rebuild
short_description: Make a lost ledger again
version_added: 0.1.0
description:
  - Records in a new ledger what the stores of hosts hold, as far as who signed it confirms it, and then what the
    issuers list and no store holds. Nothing on a host is changed, and nothing is issued or revoked.
  - That the chain of events is broken is recorded first, as an event C(rebuild) with the id of the lost ledger. What
    was recorded afterwards was found, and not witnessed.
  - What only tasks know (C(contact), C(service), C(labels), C(scope)) comes back with the next renewal of an identity,
    and its links with the next run.
  - "The playbook C(keystead.identity.ledger_rebuild) does all of it: it also gives up the claim of the lost
    ledger on each store, so that the next run claims it for the new one."
author:
  - Keystead contributors (@keystead)
requirements:
  - cryptography >= 3.4 on the host
  - cryptography >= 50 on the controller
extends_documentation_fragment:
  - keystead.identity.ledger.rebuild
  - keystead.identity.common
  - keystead.identity.attributes
  - keystead.identity.attributes.actiongroup_identity
attributes:
  diff_mode:
    description: It changes nothing on the host, so there is no difference to show.
    support: none
seealso:
  - module: keystead.identity.ledger_migrate
"""

EXAMPLES = r"""
- name: What the store holds is in the new ledger
  keystead.identity.ledger_rebuild:
    lost_ledger: 0d9e3c5a-9a3c-4c0b-8f0a-2a4f6f1f0b7e
    issuers:
      - local:
          directory: /srv/ca
          authority: issuing
          passphrase_file: /etc/keystead/issuing.pass
  register: rebuilt

- name: Only when all stores are recorded it is known what no host has
  keystead.identity.ledger_rebuild:
    source: issuers
    issuers:
      - local:
          directory: /srv/ca
          authority: issuing
          passphrase_file: /etc/keystead/issuing.pass
  run_once: true
"""

RETURN = r"""
recorded:
  description: The identities that were not in the ledger and are now. With O(source=issuers), their serial numbers.
  type: list
  elements: str
  returned: always
  sample:
    - web
store:
  description: The store as RV(keystead.identity.machine_identity_info#module:store) describes it. Null without one.
  type: dict
  returned: always
  contains:
    taken_over:
      description: Whether it still belongs to O(lost_ledger), so that its C(.keystead.json) is to be removed.
      type: bool
      returned: always
"""
