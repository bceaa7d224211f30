# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: machine_identity
short_description: Give a host its identities and keep them valid
version_added: 0.1.0
description:
  - Says which identities a host shall have. Each is a private key, a certificate, and who uses them.
  - Looks at the host, decides, acts, and looks again. A second run changes nothing until a credential is due.
  - A private key stays on its host, unless O(identities[].key.origin) and O(policy) let the controller make it. What an
    issuer needs stays on the controller.
  - A generation is published whole or not at all. Where its service does not come up, the one before returns.
  - One identity that fails does not stop its siblings; the task fails at the end, with a record of each.
  - Before anything is touched, O(policy) judges every identity; one finding refuses the task.
author:
  - Keystead contributors (@keystead)
requirements:
  - cryptography >= 3.4 on the host
  - cryptography >= 50 on the controller
extends_documentation_fragment:
  - keystead.identity.machine_identity
  - keystead.identity.common
  - keystead.identity.attributes
  - keystead.identity.attributes.actiongroup_identity
seealso:
  - module: keystead.identity.certificate_authority
  - module: keystead.identity.machine_identity_info
notes:
  - Check mode shows exactly the steps that a run would take, each with its reason, and touches neither host nor issuer.
    With O(plan) it writes them down as well, and a run does these or refuses.
  - Asynchronous execution is refused; use C(serial) and C(throttle).
"""

EXAMPLES = r"""
- name: Every web server proves who it is
  keystead.identity.machine_identity:
    issuer:
      local:
        directory: /srv/ca
        authority: issuing
        passphrase_file: /etc/keystead/issuing.pass
    identities:
      - name: web
        dns_names:
          - "{{ inventory_hostname }}"
          - www.example.org
        lifetime: 30d
        renew_before: 33%
        contact: team-web@example.org
        service: shop
        group: www-data
        mode: "0640"
        links:
          /etc/nginx/tls/web.pem: fullchain
          /etc/nginx/tls/web.key: private_key
        activate:
          unit: nginx.service
        prove:
          port: 443

- name: A mail server and a service that shows itself as a client, with keys of their own
  keystead.identity.machine_identity:
    issuer:
      local:
        directory: /srv/ca
        authority: issuing
        passphrase_file: /etc/keystead/issuing.pass
    scope: mail
    purge: true
    identities:
      - name: smtp
        dns_names:
          - mail.example.org
        key:
          type: rsa-3072
        links:
          /etc/postfix/tls.pem: combined
        activate:
          command: [postfix, reload]
          only_if: [postfix, status]
        prove:
          port: 25
          starttls: smtp
      - name: relay
        uris:
          - spiffe://example.org/relay
        profile: tls_client
        key:
          type: ed25519
        prove:
          command: [/usr/local/bin/relay, --check]
          when: always

- name: Go back to the generation before
  keystead.identity.machine_identity:
    issuer:
      local:
        directory: /srv/ca
        authority: issuing
        passphrase_file: /etc/keystead/issuing.pass
    identities:
      - name: web
        dns_names:
          - www.example.org
        keep_generations: 1
        generation: previous

- name: Take an identity away and revoke its certificate
  keystead.identity.machine_identity:
    issuer:
      local:
        directory: /srv/ca
        authority: issuing
        passphrase_file: /etc/keystead/issuing.pass
    identities:
      - name: web
        state: absent
        revoke_on_absent: true

- name: Take over the pair that the service has, and let its own issuer be replaced when it is due
  keystead.identity.machine_identity:
    issuer:
      local:
        directory: /srv/ca
        authority: issuing
        passphrase_file: /etc/keystead/issuing.pass
    identities:
      - name: imap
        dns_names:
          - imap.example.org
        adopt:
          private_key: /etc/dovecot/imap.key
          certificate: /etc/dovecot/imap.pem
        links:
          /etc/dovecot/imap.key: private_key
          /etc/dovecot/imap.pem: fullchain
        activate:
          unit: dovecot.service

- name: Keep an eye on a certificate that somebody else renews
  keystead.identity.machine_identity:
    identities:
      - name: appliance
        state: observed
        adopt:
          certificate: /etc/appliance/tls.pem

- name: Leave the files where they are and stop managing them
  keystead.identity.machine_identity:
    identities:
      - name: smtp
        state: released
"""

RETURN = r"""
identities:
  description: A record of each identity, in the order of the task; those that were purged follow.
  type: list
  elements: dict
  returned: always
  contains:
    name:
      description: The name of the identity.
      type: str
      returned: always
      sample: web
    changed:
      description: Whether something was done, or would be in check mode. To write down what was found is no change.
      type: bool
      returned: always
    failed:
      description: Whether something went wrong. The last complete generation is then still in place.
      type: bool
      returned: always
    msg:
      description: What went wrong, or why a consumer was left alone. Empty when there is nothing to say.
      type: str
      returned: always
      sample: "local: authority issuing does not exist in /srv/ca; create it with certificate_authority"
    generation:
      description: The number of the generation that is current; null where there is none.
      type: int
      returned: always
      sample: 3
    steps:
      description:
        - What was done, or would be in check mode, and why.
        - Of an identity that failed, the steps as far as they were taken.
      type: list
      elements: dict
      returned: always
      contains:
        action:
          description:
            - What was done.
          type: str
          returned: always
          sample: issue
        reason:
          description: Why it was needed.
          type: str
          returned: always
          sample: the certificate is due
    certificate:
      description: The certificate that is current.
      type: dict
      returned: when there is one
      contains:
        serial_number:
          description: The serial number, in hexadecimal with colons.
          type: str
          returned: always
          sample: 5e:0f:0c:3a:5a:b9:4e:9a:8b:1c:51:a6:f5:f5:f2:d0:a1:b2:c3:d4
        fingerprint_sha256:
          description: The SHA-256 digest of the certificate, in hexadecimal.
          type: str
          returned: always
        spki_sha256:
          description: The SHA-256 digest of its public key (SubjectPublicKeyInfo), in hexadecimal.
          type: str
          returned: always
        not_before:
          description: When it began, in UTC.
          type: str
          returned: always
          sample: "2026-11-21T09:00:00Z"
        not_after:
          description: When it ends, in UTC.
          type: str
          returned: always
          sample: "2026-12-21T09:00:00Z"
        issuer:
          description: Who signed it (RFC 4514).
          type: str
          returned: always
          sample: CN=issuing
        subject:
          description: Whom it names (RFC 4514).
          type: str
          returned: always
          sample: CN=www.example.org
        dns_names:
          description: The DNS names in it.
          type: list
          elements: str
          returned: always
          sample: [www.example.org]
        principals:
          description: The names and addresses in a host certificate of SSH.
          type: list
          elements: str
          returned: for O(identities[].kind=ssh_host)
          sample: [web1.example.org]
    findings:
      description:
        - What is to be said of a credential that was adopted or is observed. The next renewal puts most of it right.
      type: list
      elements: dict
      returned: always
      contains:
        code:
          description: What kind of thing it is.
          type: str
          choices: [differs, shared_key, key_readable, weak_key, other_copies, missing, certbot, certmonger, acme_sh]
          returned: always
          sample: shared_key
        msg:
          description: The same as a sentence. For a renewer that still owns the pair, with the command that stops it.
          type: str
          returned: always
          sample: its key is also that of web of web2; the first renewal of each makes its own
    custody:
      description: Where the private key of the current generation lives.
      type: str
      returned: when there is a generation
      sample: file
    key_uri:
      description: What names the private key where that is no file, for a token as in RFC 7512.
      type: str
      returned: when there is a generation
      sample: pkcs11:token=hsm;id=%01%02;type=private
    paths:
      description: Where a service finds the parts of whatever generation is current, by part. They stay the same.
      type: dict
      returned: when there is a generation
      sample:
        fullchain: /var/lib/keystead/identities/web/current/fullchain.pem
        private_key: /var/lib/keystead/identities/web/current/private_key.pem
plan:
  description: The plan that was written, or that the run was held to - where it is, its digest, and since when.
  type: dict
  returned: with O(plan), unless it was refused
  sample:
    path: /srv/plans/web1.json
    planned_at: "2026-03-01T10:40:00Z"
    sha256: 60a59af818d3989ad2f685bfb808841112bb817eddc242c898c78b86bad58a66
"""
