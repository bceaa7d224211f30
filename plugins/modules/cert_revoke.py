# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: cert_revoke
short_description: Revoke certificates
version_added: 0.1.0
description:
  - Revokes the certificates that its entries select, at whoever signed each, and records it in the ledger. It runs on
    the controller and touches no host.
  - A certificate that is in use stays. As long as one of those selected is delivered somewhere and has no successor,
    nothing is revoked, and the task names host and path of each. What the ledger calls replaced is looked at once more,
    by a TLS handshake with the service that had proved it; one that still shows the certificate keeps it from being
    revoked too. A service that cannot be reached from the controller is a warning.
  - The issuer is asked first. What is revoked already, here or by others, is not revoked again, and the date and the
    reason that its issuer tells are taken over into the ledger. A certificate that has ended is said to have ended, and
    is not revoked.
  - What the ledger calls revoked is looked for in the list of an issuer C(local), where the task names it. A list that
    lacks it, for example since the directory of its authority was restored from a backup, is made good.
  - Afterwards the issuer is asked again, where it can tell, and has to say that the certificate is revoked. The next
    run of M(keystead.identity.machine_identity) replaces what was revoked and is still there.
  - Many certificates are revoked in parts, and each part is recorded before the next one begins, so that a run that was
    cut off is gone on with by the next.
author:
  - Keystead contributors (@keystead)
requirements:
  - cryptography >= 50 on the controller
  - what the issuers need
extends_documentation_fragment:
  - keystead.identity.cert_revoke
  - keystead.identity.common
  - keystead.identity.attributes
  - keystead.identity.attributes.actiongroup_identity
seealso:
  - module: keystead.identity.machine_identity
    description: Replaces what was revoked, and revokes what goes away with C(revoke_on_absent).
notes:
  - O(emergency) needs the leave of the policy, C(emergency_revocation={allow:true}), for the identities that it is
    about. While the ledger is down, an emergency revokes what is named by its text, its file or its number, and signs
    that in a journal on the controller; the next run of any module writes it into the ledger. Otherwise nothing is
    revoked without a ledger.
  - An entry that names a certificate by its numbers, by its file or by its text is an error where nobody knows it. One
    that says who has it, and selects nothing, is a warning.
  - A certificate that several identities have is revoked for all of them.
  - It does the same on behalf of every host of a play, so give it C(run_once=true).
"""

EXAMPLES = r"""
- name: What the web servers had before the incident, once all of it is replaced
  keystead.identity.cert_revoke:
    certificates:
      - identity: web
        issued_before: "2026-03-01T10:40:00Z"
    reason: key_compromise
    issuer:
      local:
        directory: /srv/ca
        authority: issuing
        passphrase_file: /etc/keystead/issuing.pass
  run_once: true

- name: A host that is gone
  keystead.identity.cert_revoke:
    certificates:
      - host: web9.example.org
    reason: cessation_of_operation
    replaced_first: false
    issuer:
      local:
        directory: /srv/ca
        authority: issuing
        passphrase_file: /etc/keystead/issuing.pass
  run_once: true

- name: Exactly one certificate, which somebody sent us
  keystead.identity.cert_revoke:
    certificates:
      - path: /etc/keystead/reported.pem
    expect: 1
    reason: superseded
    issuer:
      local:
        directory: /srv/ca
        authority: issuing
        passphrase_file: /etc/keystead/issuing.pass
  run_once: true

- name: What nobody uses any more; with check mode, it is only listed
  keystead.identity.cert_revoke:
    certificates:
      - orphaned: true
      - superseded: true
        issued_before: "2026-03-01T10:40:00Z"
    reason: superseded
    issuer:
      local:
        directory: /srv/ca
        authority: issuing
        passphrase_file: /etc/keystead/issuing.pass
  run_once: true
"""

RETURN = r"""
certificates:
  description: The certificates that the entries select, each once, in their order.
  type: list
  elements: dict
  returned: success
  contains:
    serial_number:
      description: Its serial number, in hexadecimal with colons.
      type: str
      returned: always
      sample: 4a:0b:9c
    fingerprint_sha256:
      description: Its SHA-256 fingerprint.
      type: str
      returned: always
    status:
      description: >-
        One of good, revoked, expired and unknown, which is what its issuer cannot tell; in check mode, and where it was
        not revoked, as it is now.
      type: str
      returned: always
      sample: revoked
    reason:
      description: Why it was revoked, as its issuer keeps it. Null where it is not.
      type: str
      returned: always
      sample: key_compromise
    revoked_at:
      description: Since when it is revoked, in UTC. Null where it is not.
      type: str
      returned: always
      sample: "2026-03-01T10:52:07Z"
    why:
      description: Why it is of no use any more. Null where the entry asks for neither orphaned nor superseded ones.
      type: str
      returned: always
      sample: "superseded: another one took its place"
    changed:
      description: Whether this run revoked it.
      type: bool
      returned: always
    failed:
      description: Whether it could not be revoked.
      type: bool
      returned: always
    msg:
      description: Why it could not be revoked, or that it has ended.
      type: str
      returned: where there is something to say
    host:
      description: The host that has it. Null where no identity is known to.
      type: str
      returned: always
      sample: web1.example.org
    identity:
      description: The identity that has it.
      type: str
      returned: always
      sample: web
    generation:
      description: Which generation of the identity it is.
      type: int
      returned: always
      sample: 3
    issuer_id:
      description: Who signed it. Null where that was not looked for, since it needs nobody.
      type: str
      returned: always
      sample: local:issuing:0d2f0c7ea5b94bd2a4ad9a5fc4b34a04
matched:
  description: How many certificates the entries select, those included that were revoked or have ended before.
  type: int
  returned: success
  sample: 12
steps:
  description: What was done, or would be done in check mode, and why.
  type: list
  elements: dict
  returned: success
  contains:
    action:
      description: Revoke, or publish for a revocation list that is missing or not what was written.
      type: str
      returned: always
      sample: revoke
    reason:
      description: Which certificate or list, and why.
      type: str
      returned: always
      sample: certificate 4a:0b:9c of web on web1.example.org, generation 3 is to be revoked (key_compromise)
plan:
  description: The plan that was written, or that the run was held to - where it is, its digest, and since when.
  type: dict
  returned: with O(plan), unless it was refused
  sample:
    path: /srv/plans/web1.json
    planned_at: "2026-03-01T10:40:00Z"
    sha256: 60a59af818d3989ad2f685bfb808841112bb817eddc242c898c78b86bad58a66
"""
