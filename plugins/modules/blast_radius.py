# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: blast_radius
short_description: What an incident touches, and what has to be done about it
version_added: 0.2.0
description:
  - Says of a key that leaked, a host that was broken into, an authority that is distrusted or an algorithm that was
    broken, which identities that touches, where each of them is, who answers for it, how exposed it is, and what helps.
  - What is selected must have all that the options say, and of the values of one option any. When a key leaked, as
    O(reason) says, it goes on from there to every other certificate of that key, on whatever host, and where the key
    is that of an authority, to everything that was signed below that.
  - What has ended or is revoked, and is in use nowhere, is counted as settled. Everything else comes with a sentence
    that says what helps, and with actions in their order.
  - RV(actions) is the order for all of it. People are told who have to act by themselves; what nobody uses is revoked
    at once; then, host by host, the most exposed first, keys are replaced; and what was in use is revoked at the end.
    Give the certificates of a step to M(keystead.identity.cert_revoke) as they are. Whoever signed is told of what
    nobody here can revoke.
  - Fails where nobody answers for something that is touched, unless O(contact_required=false), and returns all the same
    what it found.
  - Asks no host and no issuer, and changes nothing. The ledger is opened read-only, and must be there.
author:
  - Keystead contributors (@keystead)
requirements:
  - cryptography >= 50 on the controller
extends_documentation_fragment:
  - keystead.identity.blast_radius
  - keystead.identity.common
  - keystead.identity.attributes
  - keystead.identity.attributes.actiongroup_identity
attributes:
  diff_mode:
    description: It changes nothing, so there is no difference to show.
    support: none
seealso:
  - module: keystead.identity.identity_ledger_info
    description: Answers questions about the same without an incident.
  - module: keystead.identity.key_rotate
  - module: keystead.identity.cert_revoke
notes:
  - What the ledger says is what the last run that it saw left on the hosts.
  - It runs on the controller and does the same on behalf of every host of a play, so give it C(run_once=true).
"""

EXAMPLES = r"""
- name: A key was found where it should not be
  keystead.identity.blast_radius:
    spki_sha256:
      - 3b7e1b0c5a3f4f0f8d8d4a5a6c7b1d2e9f00112233445566778899aabbccddee
  register: radius
  run_once: true

- name: Who has to do what, in which order
  ansible.builtin.debug:
    msg: "{{ radius.actions }}"
  run_once: true

- name: An authority is distrusted, and no key leaked
  keystead.identity.blast_radius:
    authority:
      - /srv/ca/root/certificate.pem
    reason: cessation_of_operation
    contact_required: false
  register: radius
  run_once: true
"""

RETURN = r"""
affected:
  description: >-
    What is touched and not settled, the most exposed first. Each has what
    RV(keystead.identity.identity_ledger_info#module:rows) has of it, but no findings, and the following.
  type: list
  elements: dict
  returned: always
  contains:
    why:
      description: Why it is touched, as a clause.
      type: str
      returned: always
      sample: it has the key of web on web1.example.org
    exposure:
      description: How exposed it is, by C(in_use), C(places) where it is delivered now, and C(days_left) until it ends.
      type: dict
      returned: always
      sample:
        in_use: true
        places: 2
        days_left: 29
    solution:
      description: What helps, as a sentence.
      type: str
      returned: always
      sample: "Replace it by one with a new key on web1, and prove that; then revoke serial number 4a:0b:9c."
    actions:
      description: >-
        What has to be done, in this order. C(action) is V(tell), V(replace) or V(revoke), with the C(module) that does
        it, the C(contact), and C(host) and C(identity), or the C(certificate) as M(keystead.identity.cert_revoke) is
        told it. V(tell) has the C(issuer) that has to revoke it, where nobody here can.
      type: list
      elements: dict
      returned: always
actions:
  description: >-
    The same for all of them, in order - C(tell) with C(identities) and C(contacts), C(replace) with C(host) and
    C(identities), C(revoke) with C(certificates) and the C(reason). C(tell) has C(issuers) as well where these have to
    revoke, since nobody here can.
  type: list
  elements: dict
  returned: always
totals:
  description: >-
    How many are C(affected), C(in_use), C(observed) (from O(records)) and C(settled), and on how many C(hosts), in how
    many C(services), of how many C(contacts).
  type: dict
  returned: always
  sample:
    affected: 4
    in_use: 3
    observed: 0
    settled: 11
    hosts: 3
    services: 1
    contacts: 1
without_contact:
  description: What is touched and nobody answers for.
  type: list
  elements: str
  returned: always
  sample:
    - web on web1.example.org
"""
