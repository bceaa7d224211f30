# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: identity_audit
short_description: Prove that the record of machine identities was not altered
version_added: 0.1.0
description:
  - Walks along the record of events that the ledger keeps, in which every event is chained to the one before by its
    SHA-256, and names the first record that is not what was written. A task over a record that was altered fails.
  - Signs checkpoints of a record that was found whole, with a key in a file, in a PKCS#11 token, in the transit engine
    of an OpenBao or in AWS KMS, and ships them to files, syslog servers and HTTPS servers. What was shipped cannot be
    cut off or rewritten in the ledger without being seen, by whoever has all rights there.
  - Exports the record as lines of JSON that anybody can check without this collection, and verifies such a copy.
  - Moves old events out of the ledger into files that prove themselves and what follows them.
  - Verifies the evidence that M(keystead.identity.identity_policy) and M(keystead.identity.identity_incident) have
    written, and certificates of destruction, which M(keystead.identity.host_decommission) has.
  - Nothing is signed, shipped, exported or archived of a record that was altered.
  - It runs on the controller whatever host a play is about, so use C(run_once) when a play has many hosts.
author:
  - Keystead contributors (@keystead)
requirements:
  - PyJWT >= 2.10 on the controller, for checkpoints
  - cryptography >= 50 on the controller
extends_documentation_fragment:
  - keystead.identity.identity_audit
  - keystead.identity.common
  - keystead.identity.attributes
  - keystead.identity.attributes.actiongroup_identity
seealso:
  - module: keystead.identity.ledger_migrate
  - module: keystead.identity.identity_policy
    description: Writes the evidence that O(evidence) verifies, and shows both.
notes:
  - Events after the last checkpoint that was shipped are proved by nothing but the chain. Run it as often as matters.
  - In a ledger in PostgreSQL, whoever only verifies needs the rights of an auditor, whoever signs those of a signer, as
    M(keystead.identity.ledger_migrate) grants them, and whoever archives owns the ledger.
"""

EXAMPLES = r"""
- name: The record is whole
  keystead.identity.identity_audit:
  run_once: true

- name: What is in the record tonight cannot be altered unseen tomorrow
  keystead.identity.identity_audit:
    key:
      file:
        path: /etc/keystead/audit.key
    receivers:
      - file:
          path: /srv/audit/checkpoints.jws
  run_once: true
  register: audited

- name: Its public key is kept where the ledger is not
  ansible.builtin.copy:
    content: "{{ audited.checkpoint.public_key }}"
    dest: /srv/audit/audit.pem
    mode: "0644"

- name: An auditor gets all of it
  keystead.identity.identity_audit:
    export: /srv/audit/record.jsonl.gz
  run_once: true

- name: An auditor compares a copy with what was shipped
  keystead.identity.identity_audit:
    copy: /srv/audit/record.jsonl.gz
    checkpoints: [/srv/audit/checkpoints.jws]
    public_keys: [/srv/audit/audit.pem]
  run_once: true

- name: Events of more than two years ago leave the ledger
  keystead.identity.identity_audit:
    key:
      file:
        path: /etc/keystead/audit.key
    archive:
      directory: /srv/audit
      keep: 730d
  run_once: true
"""

RETURN = r"""
whole:
  description: Whether all of the record, or of O(evidence), is what was written, as far as it was walked along.
  type: bool
  returned: when it could be read
broken:
  description: The first record, or folder, that is not what was written. Null where all is whole.
  type: str
  returned: when it could be read
  sample: event 1234 (issue of web on web1) is not what was written
ledger_id:
  description: The id of the ledger that the record is of.
  type: str
  returned: when it could be read
first_event:
  description: The number of the first event that was verified. It is 1, unless older ones were archived.
  type: int
  returned: when it could be read
  sample: 1
last_event:
  description: The number of the last event that was verified.
  type: int
  returned: when it could be read
  sample: 5120
last_hash:
  description: The SHA-256 that names the last event and, through the chain, all before it.
  type: str
  returned: when it could be read
vouched_until:
  description:
    - The number of the last event that a shipped checkpoint vouches for. What follows could have been cut off, or
      written anew, by whoever may write the ledger.
    - 0 where nothing was compared with.
  type: int
  returned: when it could be read
  sample: 5000
evidence:
  description: >-
    The folders of O(evidence) by C(path), each with what is C(broken), null where nothing is, and of what was signed
    the C(framework), the C(day), when it was written (C(at)), and the number and the C(hash) of the last C(event) of
    the C(ledger) then.
  type: list
  elements: dict
  returned: with O(evidence)
checkpoint:
  description: The last checkpoint that the ledger has; null where it has none, and for a copy.
  type: dict
  returned: when it could be read
  contains:
    event:
      description: The number of the event that it is of.
      type: int
      returned: always
    signed:
      description: The checkpoint, a JSON Web Signature in the compact form (RFC 7515).
      type: str
      returned: always
    public_key:
      description: What it is verified with, in PEM.
      type: str
      returned: always
steps:
  description: What was done, or would be done in check mode, and why.
  type: list
  elements: dict
  returned: when it could be read
  contains:
    action:
      description: One of issue (a checkpoint was signed), publish (it was shipped, or a copy written), withdraw (events
        were archived).
      type: str
      returned: always
      sample: issue
    reason:
      description: Why it was needed.
      type: str
      returned: always
      sample: 512 events happened since the last checkpoint
"""
