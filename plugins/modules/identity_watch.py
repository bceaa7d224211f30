# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: identity_watch
short_description: Watch everything that machine identities depend on
version_added: 0.2.0
description:
  - Looks at what identities depend on, as at identities themselves, and says of each thing how it stands, what helps,
    and when it ends.
  - Of each of O(issuers), whether it would sign now, as M(keystead.identity.preflight) finds out - a sealed or
    unreachable server is critical - and when its authorities and its revocation list end. Of OpenBao and Vault, when
    the token, the SecretID, the certificate or the JSON Web Token ends that logs in. Of ACME, how the account stands.
    With an authority on the controller, all authorities and lists of its directory.
  - Of the ledger, whether it can be read and is whole, as M(keystead.identity.identity_audit) finds out, how old its
    last checkpoint is, and when the authorities end that are in the chains of what is in use.
  - Of identities, those in use that somebody has to do something about; M(keystead.identity.identity_report) has all.
  - Something is a warning when less than O(warning) is left of it, and critical when less than O(critical) is left.
    What lives so briefly that this would always be so is judged by a third and a tenth of its life.
  - Asks no host, and changes nothing but the files that it is told to write. It does not fail for what it finds.
  - It logs in at an issuer as a run does, which counts as a use of a SecretID or a token. What opens only once, a
    wrapped SecretID, is left as it is.
author:
  - Keystead contributors (@keystead)
requirements:
  - PyJWT >= 2.10 on the controller
  - cryptography >= 50 on the controller
extends_documentation_fragment:
  - keystead.identity.identity_watch
  - keystead.identity.common
  - keystead.identity.attributes
  - keystead.identity.attributes.actiongroup_identity
attributes:
  diff_mode:
    description: What was found is in its files.
    support: none
seealso:
  - module: keystead.identity.identity_report
  - module: keystead.identity.identity_audit
  - module: keystead.identity.preflight
notes:
  - When it was found out is a part of the files, so they are written in every run, each by one rename. The task has
    changed something where anything else in a file differs from what was there.
  - To know when a SecretID ends, the policy of its login needs the capability C(update) on
    C(auth/approle/role/NAME/secret-id/lookup).
  - It runs on the controller whatever host a play is about, so use C(run_once) when a play has many hosts.
"""

EXAMPLES = r"""
- name: Is the ledger whole, and does anybody have to do something?
  keystead.identity.identity_watch:
  register: found
  run_once: true

- name: And everything around it, for Prometheus and for programs
  keystead.identity.identity_watch:
    issuers:
      - local:
          directory: /srv/ca
          authority: issuing
          passphrase_file: /etc/keystead/issuing.pass
    json: /srv/report/watch.json
    metrics: /srv/report/keystead_watch.prom
  register: found
  run_once: true

- name: Nothing is critical
  ansible.builtin.assert:
    that: found.totals.critical == 0
    fail_msg: "{{ found.alerts }}"
  run_once: true
"""

RETURN = r"""
watched:
  description: Everything that was looked at, the worst first.
  type: list
  elements: dict
  returned: success
  contains:
    what:
      description: >-
        One of C(issuer), C(authority), C(list) (of revocations), C(login), C(secret_id), C(account) (of ACME),
        C(ledger), C(checkpoint), C(identity).
      type: str
      returned: always
      sample: secret_id
    name:
      description: Which one it is. A login, a list and an account are called as their issuer.
      type: str
      returned: always
      sample: openbao:https://bao.example.org:8200/v1/pki
    state:
      description: How it stands. What nobody could find out is C(unknown).
      type: str
      choices: [ok, unknown, warning, critical]
      returned: always
      sample: warning
    found:
      description: What was found.
      type: str
      returned: always
      sample: it ends on 2027-03-15 at 06:00 UTC
    remedy:
      description: What helps. Empty where it is in order.
      type: str
      returned: always
      sample: make another secret_id for the role, and destroy this one
    expires_at:
      description: When it ends, in UTC. Null where it does not, or nobody knows.
      type: str
      returned: always
      sample: "2027-03-15T06:00:00Z"
alerts:
  description: Those of RV(watched) that are not C(ok), the worst first.
  type: list
  elements: dict
  returned: success
totals:
  description: How many there are in each state.
  type: dict
  returned: success
  sample: {ok: 7, unknown: 0, warning: 1, critical: 0}
files:
  description: What was written, or would be in check mode, each with its C(path) and whether it C(changed).
  type: list
  elements: dict
  returned: success
  sample:
    - path: /srv/report/watch.json
      changed: true
"""
