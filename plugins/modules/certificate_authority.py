# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


DOCUMENTATION = r"""
module: certificate_authority
short_description: Keep a certificate authority on the controller
version_added: 0.1.0
description:
  - Creates a root, or an authority below another one, in a directory on the controller, and keeps its revocation list
    current. It runs on the controller whatever host a play is about, so use C(run_once) when a play has many hosts.
  - The directory is published whole by one rename. A run that is killed leaves either no authority or a complete one,
    and the next run removes what was left; a certificate that the parent gave for it is revoked there.
  - The private key is a file of PKCS#8 with mode 0600, encrypted when a passphrase is given. It never leaves the
    controller and is never returned.
  - With O(key.custody), it is made in a token, a transit engine or a KMS that the controller reaches, and never leaves
    that; no file holds it. It has a name of its own there, and is destroyed with the authority. A run that is killed
    leaves no key that no file here tells of, and the next run takes it. Whoever signs with the authority names the same
    custody, which says how the key is reached.
  - The revocation list is complete, has a number that only grows, and lives as long as O(crl_lifetime) says. A run
    makes it anew when it is due (O(crl_renew_before)), so run this more often than that. Certificates leave it after
    they have ended, not before a list has had them after their end (RFC 5280, 3.3).
  - What was revoked stays so when the directory is restored from a backup, as far as anybody knows of it. The list is
    made of the records in the directory, of the lists that stand there, of what the ledger calls revoked, and of the
    lists in O(crl_seen); its next number is above all that any of them knows. Steps and a warning say what was missing.
  - The list and the certificate stand beside each other in PEM and in DER. DER is what clients fetch; the role
    P(keystead.identity.authority#role) brings both to web servers. What the authority signs says where they are with
    O(crl_url) and O(certificate_url).
  - What is declared is compared with what is there. A difference in subject, key, path length, name constraints or
    parent is refused, since an authority that changes in place takes all its certificates with it; create a new one
    under another name instead. O(lifetime) is used at creation only. O(crl_url), O(certificate_url), O(crl_lifetime)
    and O(crl_renew_before) may change, and count for what is signed from then on.
  - The certificate of an authority is not renewed. A warning is given in the last third of its life.
author:
  - Keystead contributors (@keystead)
extends_documentation_fragment:
  - keystead.identity.certificate_authority
  - keystead.identity.common
  - keystead.identity.attributes
  - keystead.identity.attributes.actiongroup_identity
seealso:
  - module: keystead.identity.machine_identity
"""

EXAMPLES = r"""
- name: There is a root
  keystead.identity.certificate_authority:
    name: root
    directory: /srv/ca
    subject:
      common_name: Example Root
      organization: Example
    key:
      type: ecdsa-p384
    path_length: 1
    passphrase_file: /etc/keystead/root.pass
  run_once: true

- name: An authority below it signs for example.org only
  keystead.identity.certificate_authority:
    name: issuing
    directory: /srv/ca
    parent:
      name: root
      passphrase_file: /etc/keystead/root.pass
    lifetime: 1825d
    name_constraints:
      permitted:
        dns:
          - example.org
        ip:
          - 192.0.2.0/24
    crl_url: http://pki.example.org/issuing.crl
    certificate_url: http://pki.example.org/issuing.cer
    crl_lifetime: 7d
  run_once: true
  register: issuing

- name: A root whose key is in an HSM
  keystead.identity.certificate_authority:
    name: guarded
    directory: /srv/ca
    key:
      type: ecdsa-p384
      custody:
        pkcs11:
          module_path: /usr/lib/softhsm/libsofthsm2.so
          token_label: ca
          pin_file: /etc/keystead/ca.pin
  run_once: true

- name: It signs an authority whose key is a file
  keystead.identity.certificate_authority:
    name: below
    directory: /srv/ca
    parent:
      name: guarded
      custody:
        pkcs11:
          module_path: /usr/lib/softhsm/libsofthsm2.so
          token_label: ca
          pin_file: /etc/keystead/ca.pin
  run_once: true

- name: Its revocation list is served
  ansible.builtin.copy:
    src: "{{ issuing.crl_der_path }}"
    dest: /var/www/html/issuing.crl
    mode: "0644"

- name: What a web server shows
  ansible.builtin.slurp:
    src: /var/www/html/issuing.crl
  register: shown

- name: The directory was restored from a backup, and the list that clients have seen says what it lacks
  keystead.identity.certificate_authority:
    name: issuing
    directory: /srv/ca
    parent:
      name: root
      passphrase_file: /etc/keystead/root.pass
    name_constraints:
      permitted:
        dns:
          - example.org
        ip:
          - 192.0.2.0/24
    crl_seen: ["{{ shown.content }}"]
  run_once: true

- name: An authority that nobody needs any more is revoked by its parent and destroyed
  keystead.identity.certificate_authority:
    name: issuing
    directory: /srv/ca
    parent:
      name: root
      passphrase_file: /etc/keystead/root.pass
    state: absent
  run_once: true
"""

RETURN = r"""
name:
  description: The name of the authority.
  type: str
  returned: success
  sample: issuing
steps:
  description: What was done, or would be done in check mode, and why.
  type: list
  elements: dict
  returned: success
  contains:
    action:
      description: One of stage_key, issue, publish, revoke, destroy.
      type: str
      returned: always
      sample: publish
    reason:
      description: Why it was needed.
      type: str
      returned: always
      sample: the revocation list ends on 2026-11-24 and is due
certificate:
  description: The certificate of the authority as PEM.
  type: str
  returned: when the authority exists
  sample: "-----BEGIN CERTIFICATE-----..."
crl_path:
  description: Where its revocation list is on the controller, as PEM.
  type: str
  returned: when the authority exists
  sample: /srv/ca/issuing/crl.pem
crl_der_path:
  description: Where its revocation list is on the controller in DER, as clients fetch it (RFC 5280, 4.2.1.13).
  type: str
  returned: when the authority exists
  sample: /srv/ca/issuing/crl.der
certificate_der_path:
  description: Where its certificate is on the controller in DER, as clients fetch it (RFC 5280, 4.2.2.1).
  type: str
  returned: when the authority exists
  sample: /srv/ca/issuing/certificate.der
crl_url:
  description: Where the certificates that it signs say that its revocation list is. It is null where they do not.
  type: str
  returned: when the authority exists
  sample: http://pki.example.org/issuing.crl
certificate_url:
  description: Where the certificates that it signs say that its own certificate is. It is null where they do not.
  type: str
  returned: when the authority exists
  sample: http://pki.example.org/issuing.cer
crl:
  description: What its revocation list says. It is null in check mode as long as there is none.
  type: dict
  returned: when the authority exists
  contains:
    number:
      description: Its number (RFC 5280, 5.2.3), which is higher than that of every list before.
      type: int
      returned: always
      sample: 12
    this_update:
      description: When it was made, in UTC, as in RFC 3339.
      type: str
      returned: always
      sample: "2026-11-21T12:00:00Z"
    next_update:
      description: Until when it counts, in UTC, as in RFC 3339.
      type: str
      returned: always
      sample: "2026-11-28T12:00:00Z"
    entries:
      description: How many certificates it has.
      type: int
      returned: always
      sample: 3
issuer_id:
  description: Who signs, as it is recorded with every certificate. It holds the start of the SHA-256 of the key.
  type: str
  returned: when the authority exists
  sample: local:issuing:9c56cc51b374c3ba189210d5b6d4bf57
custody:
  description: Where its private key lives, one of the names in O(key.custody).
  type: str
  returned: when the authority exists
  sample: file
key_uri:
  description:
    - What names its private key in its custody, for example a PKCS#11 URI (RFC 7512). It is null for a file.
  type: str
  returned: when the authority exists
  sample: pkcs11:token=ca;serial=5a1d2c;object=keystead%20authority%20issuing%201b2c3d4e;type=private
certificate_facts:
  description: What its certificate says.
  type: dict
  returned: when the authority exists
  contains:
    serial_number:
      description: Its serial number, in hexadecimal with colons.
      type: str
      returned: always
    fingerprint_sha256:
      description: The SHA-256 of the certificate, in hexadecimal.
      type: str
      returned: always
    spki_sha256:
      description: The SHA-256 of the public key, in hexadecimal.
      type: str
      returned: always
    not_before:
      description: When it begins, in UTC, as in RFC 3339.
      type: str
      returned: always
      sample: "2026-11-21T12:00:00Z"
    not_after:
      description: When it ends, in UTC, as in RFC 3339.
      type: str
      returned: always
      sample: "2031-11-20T12:00:00Z"
    issuer:
      description: Who signed it (RFC 4514).
      type: str
      returned: always
      sample: CN=Example Root,O=Example
    subject:
      description: Whom it names (RFC 4514).
      type: str
      returned: always
      sample: CN=issuing
"""
