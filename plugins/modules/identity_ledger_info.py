# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: identity_ledger_info
short_description: Ask the ledger which identities there are, and where
version_added: 0.1.0
description:
  - Returns what the ledger on the controller knows of identities and their certificates, of all hosts, soonest end
    first. What is selected must have all that the options say, and of the values of one option any.
  - Says of each where it is delivered, and what is wrong with it - that it ends soon or has ended, that it is revoked,
    that the same certificate or the same key is elsewhere too, and what the O(policy) says of it today.
  - What other systems know comes in as O(records), and is returned and judged in the same way.
  - Asks no host and no issuer, and changes nothing. The ledger is opened read-only, and must be there.
author:
  - Keystead contributors (@keystead)
requirements:
  - cryptography >= 50 on the controller
extends_documentation_fragment:
  - keystead.identity.ledger_info
  - keystead.identity.common
  - keystead.identity.attributes
  - keystead.identity.attributes.actiongroup_identity
attributes:
  diff_mode:
    description: It changes nothing, so there is no difference to show.
    support: none
seealso:
  - module: keystead.identity.machine_identity_info
    description: Looks at a host itself.
  - plugin: keystead.identity.ledger
    plugin_type: inventory
notes:
  - What the ledger says is what the last run that it saw left on the hosts.
  - It runs on the controller and does the same on behalf of every host of a play, so give it C(run_once=true).
"""

EXAMPLES = r"""
- name: Where is this certificate?
  keystead.identity.identity_ledger_info:
    serial_number: '4a:0b:9c'
  register: found
  run_once: true

- name: Hosts and paths
  ansible.builtin.debug:
    msg: "{{ item.host }} {{ item.state }} {{ item.deliveries | map(attribute='path') }}"
  loop: "{{ found.rows }}"
  run_once: true

- name: What of the shop ends within a month?
  keystead.identity.identity_ledger_info:
    service: shop
    expires_within: 30d
  register: soon
  run_once: true

- name: The same of what another system has, and of nothing else
  keystead.identity.identity_ledger_info:
    records:
      - /etc/keystead/appliances.csv
    managed: false
  register: appliances
  run_once: true

- name: Who still has RSA keys, a hundred at a time
  keystead.identity.identity_ledger_info:
    key_type:
      - rsa-2048
      - rsa-3072
    limit: 100
    after: "{{ page.next | default(omit, true) }}"
  register: page
  run_once: true
"""

RETURN = r"""
rows:
  description: What is selected, soonest end first; what has no end comes last.
  type: list
  elements: dict
  returned: success
  contains:
    managed:
      description: Whether it is in the ledger. What comes from O(records) is not.
      type: bool
      returned: always
    name:
      description: The name of the identity, or what the other system calls it.
      type: str
      returned: always
      sample: web
    host:
      description: The host that has it. Null where a record names none, empty where only the issuer knows of it.
      type: str
      returned: always
      sample: web1.example.org
    store:
      description: The store on the host. Null for a record.
      type: str
      returned: always
      sample: /var/lib/keystead/identities
    kind:
      description: C(x509) or C(ssh_host).
      type: str
      returned: always
      sample: x509
    state:
      description: The state of the generation in the ledger, or C(observed).
      type: str
      returned: always
      sample: current
    in_use:
      description: Whether it is current on its host, or delivered there without a successor. A record always is.
      type: bool
      returned: always
    generation:
      description: Which generation of the identity it is. Null for a record.
      type: int
      returned: always
      sample: 3
    service:
      description: The service that it belongs to.
      type: str
      returned: always
      sample: shop
    contact:
      description: Who answers for it.
      type: str
      returned: always
      sample: team-web@example.org
    scope:
      description: The scope that declared it.
      type: str
      returned: always
    labels:
      description: Its labels.
      type: dict
      returned: always
    issuer_id:
      description: The id of who signed. Null for a record.
      type: str
      returned: always
      sample: local:issuing:0d2f0c7ea5b94bd2a4ad9a5fc4b34a04
    key_type:
      description: The type of its key.
      type: str
      returned: always
      sample: ecdsa-p256
    custody:
      description: Where its key lives. Null for a record.
      type: str
      returned: always
      sample: file
    key_uri:
      description: The URI of a key that is in no file.
      type: str
      returned: always
    certificate:
      description: >-
        What is known of the certificate, with serial_number, fingerprint_sha256, spki_sha256, not_before, not_after,
        issuer, subject and dns_names; moments in UTC, and null for what is not known. Null where there is none.
      type: dict
      returned: always
    revoked:
      description: Why it was revoked, as far as the ledger knows. Null where it is not.
      type: str
      returned: always
    revoked_at:
      description: Since when it is revoked, in UTC.
      type: str
      returned: always
    paths:
      description: The paths, and the places of copies, where it is delivered now.
      type: list
      elements: str
      returned: always
      sample:
        - /etc/nginx/tls/web.pem
    deliveries:
      description: >-
        Every delivery, with path, part, live, delivered_at, proved_at and ended_at, which is when it was withdrawn or
        its successor was proved; also those that have ended, so that it is known where a certificate was.
      type: list
      elements: dict
      returned: always
    findings:
      description: >-
        What is wrong with what is in use, each with C(code) and C(msg). The codes are not_valid_yet, expired,
        expires_soon (less than 30 days, and less than a quarter of its life), revoked, same_certificate, shared_key,
        weak_key, weak_signature and policy.
      type: list
      elements: dict
      returned: always
    source:
      description: File and line of a record. Null for what the ledger has.
      type: str
      returned: always
      sample: /etc/keystead/appliances.csv:2
total:
  description: How many rows are selected, on all pages.
  type: int
  returned: success
  sample: 12
counts:
  description: How many of them are C(managed), and how many C(observed).
  type: dict
  returned: success
  sample:
    managed: 10
    observed: 2
next:
  description: What O(after) asks for the next page with. Null where there is none.
  type: str
  returned: success
  sample: 2026-03-15T09:00:00.000Z/0/1234
"""
