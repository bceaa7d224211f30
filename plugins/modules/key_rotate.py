# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: key_rotate
short_description: Replace keys that are too old
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
  - With O(keys) instead, replaces keys that belong to no identity. A new generation is made like the one before, proved
    by what it is for, and then the active one. What it replaced is tainted, it stays to verify and to decrypt, and is
    destroyed only after O(keys[].grace).
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
  - In a token, each generation has a label of its own, the first one V(release-signing), the next one
    V(release-signing.2). M(keystead.identity.hsm_key) and the lookups mean the active one by the first label.
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

- name: No key that signs releases is older than a year
  keystead.identity.key_rotate:
    max_age: 365d
    keys:
      - custody:
          pkcs11:
            module_path: /usr/lib/softhsm/libsofthsm2.so
            token_label: web
            pin_file: /etc/keystead/web.pin
            label: release-signing
        overlap: 7d
        grace: 730d
"""

RETURN = r"""
identities:
  description: A record of each identity, with all that RV(keystead.identity.machine_identity#module:identities) has.
  type: list
  elements: dict
  returned: with O(identities)
keys:
  description: A record of each key, in the order of O(keys).
  type: list
  elements: dict
  returned: with O(keys)
  contains:
    name:
      description: Its label, name or alias.
      type: str
      returned: always
      sample: release-signing
    backend:
      description: One of pkcs11, openbao_transit, aws_kms.
      type: str
      returned: always
    changed:
      description: Whether something was done, or would be in check mode.
      type: bool
      returned: always
    failed:
      description: Whether it could not be rotated. Other keys of the task are rotated all the same.
      type: bool
      returned: always
    msg:
      description: What went wrong. Empty where nothing did.
      type: str
      returned: always
    uri:
      description: The URI of the active generation.
      type: str
      returned: always
    public_key:
      description: The public key of the active generation, as PEM. Null for a secret key.
      type: str
      returned: always
    type:
      description: Its algorithm.
      type: str
      returned: always
    generations:
      description: All generations that are there, and the last ten that were destroyed.
      type: list
      elements: dict
      returned: always
      contains:
        number:
          description: Its number. Numbers only grow.
          type: int
          returned: always
        uri:
          description: Its URI.
          type: str
          returned: always
        state:
          description: One of prepared, active, tainted, revoked.
          type: str
          returned: always
        since:
          description: Since when, in UTC.
          type: str
          returned: always
        until:
          description: When it leaves this state at the earliest. Null where no run will change it by itself.
          type: str
          returned: always
        public_key:
          description: Its public key, as PEM. Null for a secret key, and for one that is revoked.
          type: str
          returned: always
    findings:
      description: What stays although it was replaced, and why.
      type: list
      elements: dict
      returned: always
      contains:
        code:
          description: >-
            One of tainted (no grace is declared), in_use, grace (it is over by the clock of this run alone; a run that
            is an hour later destroys the key).
          type: str
          returned: always
        msg:
          description: What it is about.
          type: str
          returned: always
    steps:
      description: What was done, or would be done in check mode, and why, with the number of the C(generation).
      type: list
      elements: dict
      returned: always
      contains:
        action:
          description: >-
            One of stage_key (it is made), prove, activate, destroy, adopt (it is recorded), withdraw (it is gone, or
            another key has its name), roll_back.
          type: str
          returned: always
        reason:
          description: Why it was needed.
          type: str
          returned: always
        generation:
          description: Which one it is about.
          type: int
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
