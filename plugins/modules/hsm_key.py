# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: hsm_key
short_description: Keep a key in an HSM or a TPM
version_added: 0.1.0
description:
  - Creates, looks up, takes over and destroys one key in a PKCS#11 token. It runs where the token is, on the managed
    host; with C(delegate_to=localhost), in a token that the controller reaches.
  - It looks first. Labels and ids are not unique in a token, so a key is made only where none has the label or the id
    that is asked for, and where several have it, the task says which and touches none.
  - A key is made sensitive and unextractable, and for its O(usage) alone; what the token made is read back. Extractable
    keys need the leave of the policy, C(extractable_keys={allow:true}).
  - A key that is there already, made by anybody, is taken over as it is. Where its type, its usage or that it may come
    out contradicts what is declared, the task fails. Nothing is changed, replaced or destroyed to make it fit. What
    nobody can promise of it any more, such as that it never came out, is among RV(findings).
  - A key that M(keystead.identity.key_rotate) has replaced is still meant by its first label. The task returns the
    active generation, and O(state=absent) destroys all of them.
  - What is made, taken over and destroyed is recorded in the ledger, where the lookup
    P(keystead.identity.hsm_key#lookup) finds it. With O(state=absent), a key that an identity or an authority in the
    ledger uses is refused.
  - The PIN is tried once. One that is wrong is refused by the token once a run, and not tried at all where the token
    says that one more wrong PIN would lock it.
author:
  - Keystead contributors (@keystead)
requirements:
  - python-pkcs11, and cryptography >= 3.4, where the token is, for the Python that Ansible uses there
  - cryptography >= 50 on the controller
extends_documentation_fragment:
  - keystead.identity.hsm_key
  - keystead.identity.common
  - keystead.identity.attributes
  - keystead.identity.attributes.actiongroup_identity
seealso:
  - module: keystead.identity.machine_identity
    description: Keeps its keys in a token by itself, with C(key.custody.pkcs11).
  - plugin: keystead.identity.hsm_key
    plugin_type: lookup
notes:
  - The ledger names keys by their URI, and the host by its name in the inventory, also with C(delegate_to).
  - No attribute of a key is changed. A key with another O(label), O(usage) or O(type) is another key.
"""

EXAMPLES = r"""
- name: There is a key that signs
  keystead.identity.hsm_key:
    module_path: /usr/lib/softhsm/libsofthsm2.so
    token_label: web
    pin_file: /etc/keystead/web.pin
    label: release-signing
    type: ecdsa-p384
  register: signing

- name: Its public key is published
  ansible.builtin.copy:
    content: "{{ signing.public_key }}"
    dest: /var/www/html/release-signing.pub
    mode: "0644"

- name: There is a key that encrypts backups
  keystead.identity.hsm_key:
    module_path: /usr/lib/softhsm/libsofthsm2.so
    token_label: web
    pin_file: /etc/keystead/web.pin
    label: backup
    type: aes-256

- name: A key in the HSM of the controller
  keystead.identity.hsm_key:
    module_path: /usr/lib/softhsm/libsofthsm2.so
    token_label: web
    pin_file: /etc/keystead/web.pin
    label: controller-signing
  delegate_to: localhost

- name: A key that nobody needs any more is destroyed
  keystead.identity.hsm_key:
    module_path: /usr/lib/softhsm/libsofthsm2.so
    token_label: web
    pin_file: /etc/keystead/web.pin
    label: backup
    state: absent
"""

RETURN = r"""
uri:
  description: The URI of the key (RFC 7512). Null where there is none, in check mode also where one would be made.
  type: str
  returned: success
  sample: pkcs11:token=web;serial=5aff67e60fde0837;id=%0A%1B;object=release-signing;type=private
public_key:
  description: Its public key as PEM. Null for a secret key, and where there is no key.
  type: str
  returned: success
  sample: "-----BEGIN PUBLIC KEY-----..."
attributes:
  description: What the token says of the key. Empty where there is none.
  type: dict
  returned: success
  contains:
    label:
      description: Its label (CKA_LABEL).
      type: str
      returned: when there is a key
      sample: release-signing
    id:
      description: Its id (CKA_ID) in hexadecimal.
      type: str
      returned: when there is a key
      sample: 0a1b
    type:
      description: Its algorithm.
      type: str
      returned: when there is a key
      sample: ecdsa-p384
    token:
      description: The C(label), C(serial), C(manufacturer) and C(model) of its token.
      type: dict
      returned: when there is a key
    usage:
      description: What it may do, by the names of the attributes that are true (CKA_SIGN is C(sign)).
      type: list
      elements: str
      returned: when there is a key
      sample: [sign]
    extractable:
      description: Whether it may come out, wrapped by another key. Null where the token does not say, as below.
      type: bool
      returned: when there is a key
    never_extractable:
      description: Whether it never could.
      type: bool
      returned: when there is a key
    sensitive:
      description: Whether it is never shown in the clear.
      type: bool
      returned: when there is a key
    always_sensitive:
      description: Whether it never was.
      type: bool
      returned: when there is a key
    local:
      description: Whether it was made in this token.
      type: bool
      returned: when there is a key
findings:
  description: What nobody can promise of the key, or what its token cannot do.
  type: list
  elements: dict
  returned: success
  contains:
    code:
      description: >-
        One of imported, ever_extractable, not_sensitive, ever_not_sensitive, not_told, more_usages,
        usage_not_restricted, no_public_half.
      type: str
      returned: always
      sample: usage_not_restricted
    msg:
      description: What it is about.
      type: str
      returned: always
steps:
  description: What was done, or would be done in check mode, and why.
  type: list
  elements: dict
  returned: success
  contains:
    action:
      description: One of stage_key (it is made), adopt (it is recorded), destroy, withdraw (the record is put right).
      type: str
      returned: always
      sample: stage_key
    reason:
      description: Why it was needed.
      type: str
      returned: always
      sample: token web has no key with label release-signing
"""
