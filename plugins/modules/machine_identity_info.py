# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: machine_identity_info
short_description: Look at the identities of a host
version_added: 0.1.0
description:
  - Says which identities a host has, and what is wrong with them. Changes nothing, asks no issuer by default.
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
  - plugin: keystead.identity.cert_status
    plugin_type: lookup
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

- name: Is anything revoked that nobody here heard of?
  keystead.identity.machine_identity_info:
    check_status: live
    issuers: [{local: {directory: /srv/ca, authority: issuing, passphrase_file: /etc/keystead/issuing.pass}}]
  register: asked
  failed_when: asked.identities | selectattr('status.status', 'equalto', 'revoked') | length > 0

- name: Find the keys and certificates that are there already
  keystead.identity.machine_identity_info:
    scan:
      - /etc/dovecot
      - /etc/letsencrypt
  register: old

- name: What could be adopted, ready to be pasted into identities
  ansible.builtin.debug:
    var: old.proposals

- name: How long the old one still lives
  ansible.builtin.debug: {var: "web.paths[0].certificate.not_after"}
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
      description:
        - What was declared last, present, absent, released or observed. Null where the ledger does not know it.
      type: str
      returned: always
      sample: present
    contact:
      description: Who answers for it, from the ledger.
      type: str
      returned: always
    service:
      description: The service that uses it, from the ledger.
      type: str
      returned: always
    scope:
      description: The scope that declared it, from the ledger.
      type: str
      returned: always
    issuer_id:
      description: Who signed it, by the id that stands on the host, else in the ledger.
      type: str
      returned: always
    status:
      description: How its certificate stands, as a record of P(keystead.identity.cert_status#lookup). Null without one.
      type: dict
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
            [missing, part_missing, part_changed, pair_mismatched, unreadable, policy, pending, unfinished, expired,
             revoked, link_missing]
          returned: always
          sample: part_changed
        msg:
          description: The same as a sentence.
          type: str
          returned: always
          sample: chain.pem was changed on the host
scan:
  description:
    - The files below O(scan) that hold a private key, a certificate of somebody, or PKCS#12. Certificates of
      authorities are left out, but for those that signed one of the others. Public facts only.
  type: list
  elements: dict
  returned: always
  contains:
    path:
      description: The file, or the link to it.
      type: str
      returned: always
    kind:
      description: What it holds; C(pair) is a key and its certificate in one file.
      type: str
      choices: [private_key, certificate, pair, pkcs12]
      returned: always
    mode:
      description: Its mode.
      type: str
      returned: always
    managed:
      description: Whether it is a file of the store, or leads to one.
      type: bool
      returned: always
    failed:
      description: Whether what it holds cannot be read.
      type: bool
      returned: always
    msg:
      description: Why not.
      type: str
      returned: always
    encrypted:
      description: Whether it needs a passphrase. Of PKCS#12 with a password, nothing else is known.
      type: bool
      returned: always
    key_type:
      description: The type of its key.
      type: str
      returned: always
    spki_sha256:
      description: The SHA-256 digest of its public key, by which keys and certificates are matched.
      type: str
      returned: always
    certificate:
      description: Its first certificate, as in RV(identities).
      type: dict
      returned: always
    certificates:
      description: How many certificates it holds.
      type: int
      returned: always
    matches:
      description: The files with the certificates for its key, or with the key for its certificate.
      type: list
      elements: str
      returned: always
    findings:
      description: What is wrong.
      type: list
      elements: dict
      returned: always
      contains:
        code:
          description: What kind of thing is wrong.
          type: str
          choices: [encrypted, pair_mismatched, expired, weak_key, weak_signature, key_readable, snake_oil,
            no_certificate, foreign_directory, further_blocks, shared_key, certbot, certmonger, acme_sh]
          returned: always
        msg:
          description: The same as a sentence.
          type: str
          returned: always
proposals:
  description:
    - An entry for O(keystead.identity.machine_identity#module:identities) for each key in PEM that no identity has yet
      and whose certificate names somebody. It can be pasted as it stands.
  type: list
  elements: dict
  returned: always
scan_complete:
  description: Whether nothing was left out of the scan. What was is named in a warning.
  type: bool
  returned: always
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
    status:
      description: How that stands, as RV(identities[].status). Null where there is none.
      type: dict
      returned: always
    certificates:
      description: How many certificates it holds.
      type: int
      returned: always
    identity:
      description: The identity that the path is a link to, if it is a link of ours.
      type: str
      returned: always
      sample: web
    part:
      description: The part of it that the path is a link to.
      type: str
      returned: always
"""
