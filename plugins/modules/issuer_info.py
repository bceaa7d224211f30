# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: issuer_info
short_description: Ask issuers what they have signed that is still good, and whose it is
version_added: 0.2.0
description:
  - Asks each issuer for its own list of what it has signed, how each certificate stands there, and the ledger whose it
    is. So it shows what was signed past the ledger, and whether an issuer that is to be switched off is empty.
  - Issues and revokes nothing. The ledger is opened read-only, and must be there.
  - Local authorities and OpenBao or Vault PKI can list; a local authority of SSH as well. For any other issuer it says
    that nobody can tell, which is no failure.
author:
  - Keystead contributors (@keystead)
requirements:
  - cryptography >= 50 on the controller
extends_documentation_fragment:
  - keystead.identity.issuer_info
  - keystead.identity.common
  - keystead.identity.attributes
  - keystead.identity.attributes.actiongroup_identity
attributes:
  diff_mode:
    description: It changes nothing, so there is no difference to show.
    support: none
seealso:
  - module: keystead.identity.cert_revoke
  - module: keystead.identity.identity_ledger_info
    description: Asks the ledger alone.
notes:
  - A role of OpenBao with C(no_store) keeps nothing, so nothing of it is listed.
  - It runs on the controller and does the same on behalf of every host of a play, so give it C(run_once=true).
"""

EXAMPLES = r"""
- name: What did the old authority sign that is still good?
  keystead.identity.issuer_info:
    issuer:
      local:
        directory: /srv/ca
        authority: issuing
        passphrase_file: /etc/keystead/issuing.pass
  register: old
  run_once: true

- name: What of it does nobody here manage?
  ansible.builtin.debug:
    msg: "{{ item.serial_number }} {{ item.subject }} until {{ item.not_after }}"
  loop: "{{ old.certificates | rejectattr('managed') }}"
  loop_control:
    label: "{{ item.serial_number }}"
  run_once: true

- name: May it be switched off?
  ansible.builtin.debug:
    msg: "{{ old.issuers[0].good }} of {{ old.issuers[0].signed }} are still good"
  run_once: true
"""

RETURN = r"""
issuers:
  description: Each issuer that was asked.
  type: list
  elements: dict
  returned: always
  contains:
    issuer_id:
      description: Its id, as the ledger has it.
      type: str
      returned: always
      sample: local:issuing:0d2f0c7ea5b94bd2a4ad9a5fc4b34a04
    listed:
      description: Whether it listed what it has signed.
      type: bool
      returned: always
    why:
      description: Why it did not. Null where it did.
      type: str
      returned: always
    signed:
      description: How many certificates it listed. The next three counts are the parts of it.
      type: int
      returned: always
    ended:
      description: How many of them have ended.
      type: int
      returned: always
    revoked:
      description: How many of them it has revoked.
      type: int
      returned: always
    good:
      description: How many of them are still good, or not known to be revoked.
      type: int
      returned: always
    unmanaged:
      description: How many of those that are still good the ledger does not know.
      type: int
      returned: always
    empty:
      description: >-
        Whether nothing that it ever signed is still good. Null where it cannot list, or O(issued_after) hides a part.
      type: bool
      returned: always
    last_end:
      description: >-
        When the last one of all that it listed ends, in UTC. As long as a revoked one has not ended, somebody may ask
        for the revocation list. Null where it listed none.
      type: str
      returned: always
      sample: '2027-02-21T10:40:00Z'
certificates:
  description: Every certificate that is still good, or not known to be revoked, in the order of the lists.
  type: list
  elements: dict
  returned: always
  contains:
    issuer_id:
      description: The id of who signed it.
      type: str
      returned: always
    serial_number:
      description: Its serial number in hexadecimal with colons.
      type: str
      returned: always
      sample: 4a:0b:9c
    fingerprint_sha256:
      description: Its SHA-256 fingerprint.
      type: str
      returned: always
    spki_sha256:
      description: The SHA-256 of its public key (SPKI, DER).
      type: str
      returned: always
    not_before:
      description: From when it is valid, in UTC.
      type: str
      returned: always
    not_after:
      description: Until when it is valid, in UTC.
      type: str
      returned: always
    subject:
      description: Its subject, or the key id of a certificate of SSH.
      type: str
      returned: always
      sample: CN=web.example.org
    dns_names:
      description: Its DNS names.
      type: list
      elements: str
      returned: always
    authority:
      description: Whether it is the certificate of an authority.
      type: bool
      returned: always
    status:
      description: C(good), or C(unknown) where its issuer cannot say.
      type: str
      returned: always
    managed:
      description: Whether the ledger knows it.
      type: bool
      returned: always
    places:
      description: >-
        Each identity that has, or had it, by the ledger, with host, identity, state, in_use and contact.
      type: list
      elements: dict
      returned: always
"""
