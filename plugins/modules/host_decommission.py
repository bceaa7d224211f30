# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: host_decommission
short_description: What a host that goes holds, and a signed certificate of what became of it
version_added: 0.2.0
description:
  - Says what the ledger knows of one host, whatever a playbook declares - its identities, every credential that it ever
    had, keys of no identity, paths where something was put, and who trusts it as a peer.
  - With O(gone), its identities are withdrawn in the ledger without the host, which is there no longer.
  - With O(evidence), judges what became of each certificate and key. Who signed is asked whether a certificate is
    revoked, whatever the ledger says; whether a key was destroyed, O(looked) and the ledger say. What is proved and
    what is not, and why not, is written into a signed certificate of destruction, once nothing can be done any more.
  - It removes nothing from a host and revokes nothing. The role C(decommission) does all of it, in order.
author:
  - Keystead contributors (@keystead)
requirements:
  - cryptography >= 50 on the controller
  - PyJWT >= 2.10 on the controller, for O(evidence)
extends_documentation_fragment:
  - keystead.identity.host_decommission
  - keystead.identity.common
  - keystead.identity.attributes
  - keystead.identity.attributes.actiongroup_identity
seealso:
  - module: keystead.identity.machine_identity
    description: Removes identities from a host that is there.
  - module: keystead.identity.cert_revoke
    description: Is told RV(to_revoke).
  - module: keystead.identity.identity_audit
    description: Verifies certificates of destruction.
notes:
  - The certificate of a host is written again only when something in it has changed.
  - It runs on the controller and touches no host.
"""

EXAMPLES = r"""
- name: What does this host hold?
  keystead.identity.host_decommission:
  register: held

- name: Who has to know
  ansible.builtin.debug:
    msg: "{{ held.trusted_by }}"

- name: It burnt, and nothing of it comes back
  keystead.identity.host_decommission:
    gone: true
  register: held

- name: Its certificates are revoked
  keystead.identity.cert_revoke:
    certificates: "{{ held.to_revoke + held.revoked }}"
    reason: cessation_of_operation
    replaced_first: false
    issuer:
      local:
        directory: /srv/ca
        authority: issuing
        passphrase_file: /etc/keystead/issuing.pass
  when: (held.to_revoke + held.revoked) | length > 0

- name: What became of it is written down and signed
  keystead.identity.host_decommission:
    gone: true
    issuers:
      - local:
          directory: /srv/ca
          authority: issuing
          passphrase_file: /etc/keystead/issuing.pass
    evidence:
      directory: /srv/audit/decommissioned
      key:
        file:
          path: /etc/keystead/audit.key
"""

RETURN = r"""
host:
  description: The host.
  type: str
  returned: success
  sample: web1.example.org
identities:
  description: >-
    Its identities with C(store), C(name), C(kind), C(state), C(service), and the C(custody) of the last key; also those
    that are absent.
  type: list
  elements: dict
  returned: always
  sample:
    - store: /var/lib/keystead/identities
      name: web
      kind: x509
      state: present
      service: shop
      custody: file
credentials:
  description: >-
    Every generation of them, with C(store), C(identity), C(generation), C(issuer_id), C(serial_number),
    C(fingerprint_sha256), C(spki_sha256), C(not_after), C(custody), C(key_uri), C(paths) and C(copies). With
    O(evidence), C(certificate) and C(key) say of each what was C(done), when (C(at)), whether it is C(proved), and
    C(why_not).
  type: list
  elements: dict
  returned: always
keys:
  description: >-
    Keys of no identity that were recorded for the host, as M(keystead.identity.hsm_key) makes them, with the
    C(token_label) and C(token_serial) of their token, and their C(origin), C(made) or C(adopted).
  type: list
  elements: dict
  returned: always
paths:
  description: Where something was put on the host, and where each identity is. Nothing may be there any more.
  type: list
  elements: str
  returned: always
to_revoke:
  description: >-
    What is still good and ours to revoke, as O(keystead.identity.cert_revoke#module:certificates). What another host
    uses as well is not in it, and neither is what its issuer cannot revoke.
  type: list
  elements: dict
  returned: always
revoked:
  description: >-
    What is revoked and has not ended, in the same form. Told it as well, M(keystead.identity.cert_revoke) puts it back
    on the list of an authority that lost it.
  type: list
  elements: dict
  returned: always
unnamed:
  description: >-
    Who signed what is in RV(to_revoke), and is not among O(issuers), by their ids. M(keystead.identity.cert_revoke)
    revokes nothing as long as one of them is not named.
  type: list
  elements: str
  returned: without O(evidence)
trusted_by:
  description: >-
    Identities of other hosts that named a C(service) of this host, or an C(issuer) of its certificates, as a peer, each
    with C(host) and C(identity).
  type: list
  elements: dict
  returned: always
steps:
  description: What O(gone) withdrew, or would in check mode, each with C(action), C(identity), C(store) and C(reason).
  type: list
  elements: dict
  returned: always
left:
  description: What can still be done, as sentences. As long as there is something, no certificate is written.
  type: list
  elements: str
  returned: always
proved:
  description: Whether everything is proved.
  type: bool
  returned: with O(evidence)
evidence:
  description: >-
    The C(path) of the folder with the certificate, as C(certificate.json) and C(certificate.md); whether it was written
    now (C(changed)); and the C(public_key) that verifies it, in PEM.
  type: dict
  returned: with O(evidence)
"""
