# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: machine_identity_info
short_description: Look at the identities of a host
version_added: 0.1.0
description:
  - Says which identities a host has, and what is wrong with them. Changes nothing, asks no issuer.
  - Looks at the host itself, and adds what the ledger knows, where there is one. The ledger is opened read-only.
  - An identity or a path that cannot be read has C(failed) and C(msg) in its record. The task goes on.
author:
  - Keystead contributors (@keystead)
requirements:
  - cryptography >= 3.4 on the host
  - cryptography >= 50 on the controller
extends_documentation_fragment:
  - keystead.identity.machine_identity.info
  - keystead.identity.common
  - keystead.identity.attributes
  - keystead.identity.attributes.actiongroup_identity
attributes:
  diff_mode:
    description: It changes nothing, so there is no difference to show.
    support: none
seealso:
  - module: keystead.identity.machine_identity
notes:
  - It compares private keys with their certificates, so it needs the right to read them. Nothing of them is returned.
"""

EXAMPLES = r"""
- name: Look at everything that is there
  keystead.identity.machine_identity_info:
  register: there

- name: Nothing may be wrong
  ansible.builtin.assert:
    that: there.identities | rejectattr('findings', 'equalto', []) | length == 0

- name: Look at one identity, and at a certificate that somebody else put there
  keystead.identity.machine_identity_info:
    names:
      - web
    paths:
      - /etc/ssl/certs/old.pem
  register: web

- name: How long the old one still lives
  ansible.builtin.debug:
    msg: "{{ web.paths[0].certificate.not_after }}"
"""

RETURN = r"""
store:
  description: The directory that holds the identities.
  type: dict
  returned: always
  contains:
    path:
      description: Where it is.
      type: str
      returned: always
      sample: /var/lib/keystead/identities
    exists:
      description: Whether it could be opened.
      type: bool
      returned: always
    host:
      description: The host that it belongs to, as the inventory of its controller names it.
      type: str
      returned: always
      sample: web1
    ledger_id:
      description: The ledger that it belongs to.
      type: str
      returned: always
    failed:
      description: Whether it could not be looked at.
      type: bool
      returned: always
    msg:
      description: Why there is nothing to see.
      type: str
      returned: always
identities:
  description:
    - The records that RV(keystead.identity.machine_identity#module:identities) describes, never with steps, and more.
    - Those of O(names) in their order, or else those that the ledger knows as present, then all others of the store.
  type: list
  elements: dict
  returned: always
  contains:
    state:
      description: What was declared last, present, absent or released. Null where the ledger does not know it.
      type: str
      returned: always
      sample: present
    contact:
      description: Who answers for it, from the ledger.
      type: str
      returned: always
      sample: team-web@example.org
    service:
      description: The service that uses it, from the ledger.
      type: str
      returned: always
      sample: shop
    scope:
      description: The scope that declared it, from the ledger.
      type: str
      returned: always
      sample: mail
    issuer_id:
      description: Who signed it, by the id that stands on the host, else in the ledger.
      type: str
      returned: always
    links:
      description: The paths that the ledger calls live and that really lead to this identity.
      type: list
      elements: str
      returned: always
      sample: [/etc/nginx/tls/web.pem]
    pending:
      description: The generation whose activation or proof was not completed. Null where there is none.
      type: int
      returned: always
    kept_generations:
      description: The complete generations beside the current one.
      type: list
      elements: int
      returned: always
      sample: [2]
    findings:
      description: What is wrong.
      type: list
      elements: dict
      returned: always
      contains:
        code:
          description: What kind of thing is wrong.
          type: str
          choices:
            - missing
            - part_missing
            - part_changed
            - pair_mismatched
            - unreadable
            - policy
            - pending
            - unfinished
            - expired
            - revoked
            - link_missing
          returned: always
          sample: part_changed
        msg:
          description: The same as a sentence.
          type: str
          returned: always
          sample: chain.pem was changed on the host
paths:
  description: What the files of O(paths) hold, in their order.
  type: list
  elements: dict
  returned: always
  contains:
    path:
      description: The file.
      type: str
      returned: always
      sample: /etc/ssl/certs/old.pem
    failed:
      description: Whether no certificate could be read there.
      type: bool
      returned: always
    msg:
      description: Why not.
      type: str
      returned: always
      sample: "host: /etc/ssl/certs/old.pem does not exist; write the path of a PEM file"
    certificate:
      description: The first certificate, as in RV(identities).
      type: dict
      returned: always
    certificates:
      description: How many certificates it holds.
      type: int
      returned: always
      sample: 2
    identity:
      description: The identity that the path is a link to, if it is a link of ours.
      type: str
      returned: always
      sample: web
    part:
      description: The part of it that the path is a link to.
      type: str
      returned: always
      sample: fullchain
"""
