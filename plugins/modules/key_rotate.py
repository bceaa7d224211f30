# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: key_rotate
short_description: Replace the keys of identities that are too old
version_added: 0.1.0
description:
  - Brings the identities of a host to what is declared, as M(keystead.identity.machine_identity) does, and replaces
    each key that is older than O(max_age), or was made before O(created_before), with a new one and a new certificate.
  - So after a leak, one task says that every key from before that moment is to be replaced, and may be run until all
    are. A key that was replaced since is not replaced again.
  - What was in use stays until the new one is in place, its consumer activated and proved. Where that fails, the old
    one returns and the task fails, and with C(serial) the hosts of later batches are not touched.
  - The ledger says how old a key is. One that was made before it was recorded, since it was adopted or the ledger was
    lost, is as old as its certificate at least.
  - Nothing is revoked. Do that once all are replaced.
author:
  - Keystead contributors (@keystead)
requirements:
  - cryptography >= 3.4 on the host
  - cryptography >= 50 on the controller
extends_documentation_fragment:
  - keystead.identity.key_rotate
  - keystead.identity.common
  - keystead.identity.attributes
  - keystead.identity.attributes.actiongroup_identity
seealso:
  - module: keystead.identity.machine_identity
    description: Keeps the same identities valid. Declare them once, as a variable, for both.
  - plugin: keystead.identity.key_rotate
    plugin_type: lookup
notes:
  - Check mode shows exactly the steps that a run would take, each with its reason, and touches neither host nor issuer.
    With O(plan) it writes them down as well, and a run does these or refuses.
  - A key that an earlier run staged, and that was not recorded since O(created_before), gives way to a new one.
  - Keys without an identity, of M(keystead.identity.hsm_key), are not rotated by this module yet.
  - Asynchronous execution is refused; use C(serial) and C(throttle).
"""

EXAMPLES = r"""
- name: No key of this host is older than a year
  keystead.identity.key_rotate:
    max_age: 365d
    issuer:
      local:
        directory: /srv/ca
        authority: issuing
        passphrase_file: /etc/keystead/issuing.pass
    identities:
      - name: web
        dns_names:
          - www.example.org

- name: Every key from before the incident is replaced
  keystead.identity.key_rotate:
    created_before: "2026-11-21T10:40:00Z"
    issuer:
      local:
        directory: /srv/ca
        authority: issuing
        passphrase_file: /etc/keystead/issuing.pass
    identities:
      - name: web
        dns_names:
          - www.example.org
"""

RETURN = r"""
identities:
  description: A record of each identity, with all that RV(keystead.identity.machine_identity#module:identities) has.
  type: list
  elements: dict
  returned: always
plan:
  description: The plan that was written, or that the run was held to - where it is, its digest, and since when.
  type: dict
  returned: with O(plan), unless it was refused
  sample:
    path: /srv/plans/web1.json
    planned_at: "2026-03-01T10:40:00Z"
    sha256: 60a59af818d3989ad2f685bfb808841112bb817eddc242c898c78b86bad58a66
"""
