# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: trust_bundle
short_description: Keep the certificates of the authorities that a host trusts
version_added: 0.1.0
description:
  - Keeps a file of PEM, or what the system's store has under a name, with exactly the anchors that are declared, and
    those that are not declared any more and that somebody still needs.
  - An anchor is added at once. One that is no longer declared leaves when no identity in the ledger needs it, that is,
    when nobody's certificate in use leads to it and to none of the declared ones. Until then it is retained, and
    RV(anchors[].why) names who needs it. What is not known keeps an anchor too. A certificate that was replaced counts
    until O(keystead.identity.machine_identity#module:identities[].prove) showed that its service uses another one; a
    ledger that knows no certificate that has not ended drops nothing, and neither does a run while the clocks of the
    host and of the controller differ by more than five minutes.
  - So an authority is exchanged by declaring the new one beside the old one everywhere, then replacing the
    certificates, then declaring the new one alone.
  - Whose certificates count, the identities of the host say by C(trusts) of M(keystead.identity.machine_identity).
    Where one of them does not, or where the host has none, everybody counts whose certificate the ledger has.
  - Who reads the bundle is told by O(activate), in the same task. That it is to be told is noted on the host before
    anything is changed, and forgotten when it was told, so a run that was killed in between and a reload that failed
    are made good by the next run, which has V(activate) among its RV(steps).
  - The file is replaced by one rename. One that somebody else made is taken over only where everything in it is
    declared. In the system's store, only files with the name of the bundle are ever written or removed.
author:
  - Keystead contributors (@keystead)
requirements:
  - cryptography >= 3.4 on the managed host, for the Python that Ansible uses there
  - cryptography >= 50 on the controller
extends_documentation_fragment:
  - keystead.identity.trust_bundle
  - keystead.identity.common
  - keystead.identity.attributes
  - keystead.identity.attributes.actiongroup_identity
seealso:
  - module: keystead.identity.machine_identity
  - module: keystead.identity.certificate_authority
notes:
  - A service reads its anchors when it starts or is reloaded. A handler is not told again by a later play where the one
    that notified it failed; O(activate) is. What several services read is activated by one O(activate.command).
  - Where the service could not be told, the task fails, and the anchors stay as they are declared; a bundle that goes
    back would trust again what was dropped, or would turn away who was just added.
  - The note is a link beside the file, C(.NAME.pem.keystead-pending), or with O(system=true) one in
    C(/var/lib/keystead/trust).
  - What the ledger does not know, it cannot keep an anchor for. A peer whose certificate this collection did not issue,
    adopt or observe is trusted as long as its authority is declared.
  - What is revoked or has ended keeps no anchor.
  - OpenSSL, and what is built on it, takes an anchor that does not sign itself only beside the one that signed it. So
    a root stays as long as only an authority below it is declared, or has to be dropped by O(drop_in_use=true).
"""

EXAMPLES = r"""
- name: There is a new authority
  keystead.identity.certificate_authority:
    name: new
    directory: /srv/ca

- name: Both authorities are trusted while certificates are replaced
  keystead.identity.trust_bundle:
    name: shop
    path: /etc/nginx/tls/peers.pem
    activate: {unit: nginx.service}
    anchors:
      - /srv/ca/root/certificate.pem
      - "{{ lookup('ansible.builtin.file', '/srv/ca/new/certificate.pem') }}"

- name: The old one leaves when nobody needs it any more
  keystead.identity.trust_bundle:
    name: shop
    path: /etc/nginx/tls/peers.pem
    anchors: [/srv/ca/new/certificate.pem]
  register: trusted

- name: Who keeps the old one
  ansible.builtin.debug:
    msg: "{{ trusted.anchors | selectattr('retained') | map(attribute='why') | list }}"

- name: Its key got into wrong hands, and nobody waits for its peers
  keystead.identity.trust_bundle:
    name: shop
    path: /etc/nginx/tls/peers.pem
    anchors: [/srv/ca/new/certificate.pem]
    drop_in_use: true

- name: The service is gone
  keystead.identity.trust_bundle:
    name: shop
    path: /etc/nginx/tls/peers.pem
    state: absent
"""

RETURN = r"""
anchors:
  description: The anchors of the bundle, in the order of their fingerprints; in check mode those that it would have.
  type: list
  elements: dict
  returned: success
  contains:
    subject:
      description: Whom it names (RFC 4514).
      type: str
      returned: always
      sample: CN=Authority B
    fingerprint_sha256:
      description: The SHA-256 of the certificate in lower-case hexadecimal.
      type: str
      returned: always
    not_after:
      description: When it ends (RFC 3339).
      type: str
      returned: always
      sample: "2036-11-22T10:00:00Z"
    retained:
      description: Whether it is no longer declared, and stays for who needs it.
      type: bool
      returned: always
    why:
      description: Who needs it, or what is not known, and what to do about that. Null where it is declared.
      type: str
      returned: always
      sample: web on web2 and web on web3 still need it
    needed_by:
      description:
        - The C(host), C(store) and C(identity) of each that needs it. Empty where it is declared, and where it is
          retained for nobody in particular.
      type: list
      elements: dict
      returned: always
path:
  description: The file. Null where there is none, or with O(system=true).
  type: str
  returned: success
  sample: /etc/shop/peers.pem
steps:
  description: What was done, or would be done in check mode, and why.
  type: list
  elements: dict
  returned: success
  contains:
    action:
      description: >-
        One of publish (an anchor is added, or the file written again), withdraw (one is dropped), adopt, activate.
      type: str
      returned: always
      sample: withdraw
    reason:
      description: Why it was needed.
      type: str
      returned: always
      sample: CN=Authority A (0123456789abcdef) is not declared any more, and nobody in the ledger needs it
"""
