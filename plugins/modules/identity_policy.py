# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: identity_policy
short_description: Say what fails by a policy, now or on a day to come, and what to change
version_added: 0.1.0
description:
  - Judges by the O(policy) what is in use on all hosts, as the ledger on the controller has it, and what other systems
    know of certificates, given as O(records). What is selected must have all that the options say, and of the values of
    one option any.
  - With O(as_of), says what fails on a day to come. Dated values of the policy, days from which rules are enforced and
    the ends of waivers are then what they will be on that day. With O(until), returns a calendar of those days.
  - In the place of the ledger, judges O(certificates), or what a task would declare (O(declarations)).
  - With O(compare_with), says what would begin and end to fail if another policy took the place of this one.
  - With O(frameworks), says how the controls of a framework stand - met, breached, or without evidence. With
    O(evidence), writes that into a signed folder of each framework, and nothing else anywhere.
  - Asks no host and no issuer. The ledger is opened read-only, and must be there unless
    something is judged in its place.
author:
  - Keystead contributors (@keystead)
requirements:
  - cryptography >= 50 on the controller
extends_documentation_fragment:
  - keystead.identity.identity_policy
  - keystead.identity.common
  - keystead.identity.attributes
  - keystead.identity.attributes.actiongroup_identity
attributes:
  diff_mode:
    description: Nothing but whole folders of evidence is written, so there is no difference to show.
    support: none
seealso:
  - module: keystead.identity.identity_ledger_info
    description: Returns all that is there, with what is wrong with it today.
  - plugin: keystead.identity.identity_policy
    plugin_type: lookup
notes:
  - A rule of the policy is about what is asked for. That a lifetime is too long on a day says that a task which asks
    for such a certificate is refused then; one that was issued before stays good until its end.
  - It runs on the controller and does the same on behalf of every host of a play, so give it C(run_once=true).
"""

EXAMPLES = r"""
- name: What fails today?
  keystead.identity.identity_policy:
  register: today
  run_once: true

- name: What of the shop fails on 15 March 2035, why, and what to change?
  keystead.identity.identity_policy:
    service: shop
    as_of: '2035-03-15'
  register: then
  run_once: true

- name: One sentence for each
  ansible.builtin.debug:
    msg: "{{ then.fails | map(attribute='msg') }}"
  run_once: true

- name: On which days does something break until 2040, of what another system has as well?
  keystead.identity.identity_policy:
    records:
      - /etc/keystead/appliances.csv
    until: '2040-01-01'
  register: days
  run_once: true

- name: Are there keys that share a factor, or names that are too wide?
  keystead.identity.identity_policy:
    findings: true
  run_once: true

- name: Evidence for the auditor, signed
  keystead.identity.identity_policy:
    frameworks:
      - pci_dss
      - iso_27001
    evidence:
      directory: /srv/audit/evidence
      key:
        file:
          path: /srv/audit/evidence.key
  register: evidence
  run_once: true

- name: Its public key is kept where nobody else writes
  ansible.builtin.copy:
    content: "{{ evidence.evidence[0].public_key }}"
    dest: /srv/audit/evidence.pem
    mode: "0644"

- name: Nobody has changed any of it
  keystead.identity.identity_audit:
    evidence:
      - /srv/audit/evidence
    public_keys:
      - /srv/audit/evidence.pem
  run_once: true

- name: What would another policy change?
  keystead.identity.identity_policy:
    compare_with: /etc/keystead/stricter.yml
  run_once: true

- name: Is a certificate that somebody else put there good enough?
  keystead.identity.identity_policy:
    certificates:
      - /etc/appliance/tls.pem
  run_once: true

- name: What would be refused of this declaration in 2035?
  keystead.identity.identity_policy:
    declarations:
      issuer:
        local:
          directory: /srv/ca
          authority: issuing
      identities:
        - name: web
          dns_names:
            - www.example.org
          key:
            type: rsa-2048
    as_of: '2035-03-15'
"""

RETURN = r"""
as_of:
  description: The moment for which was judged, in UTC. Of a day, that is its end.
  type: str
  returned: success
  sample: "2027-03-15T23:59:59Z"
policy:
  description: The file of the policy, or C(the shipped policy).
  type: str
  returned: success
  sample: /etc/keystead/policy.yml
counts:
  description: How many were judged that are C(managed), C(observed) and C(declared).
  type: dict
  returned: success
  sample: {managed: 10, observed: 2, declared: 0}
fails:
  description: >-
    What fails. What is revoked and in use comes first, then what is in use and not valid yet, what breaks the policy,
    and what has ended. Each says which one it is by C(name), C(host), C(store), C(managed), C(service), C(contact),
    C(not_after) in UTC, and of a record C(source), its file and line; what is not known is null.
  type: list
  elements: dict
  returned: success
  contains:
    code:
      description: >-
        C(revoked), C(not_valid_yet), C(policy), or C(ended) for what will have ended by then, unless it is renewed.
      type: str
      returned: always
      sample: policy
    rule:
      description: The id of the rule that it breaks. Null where none gives a leave that is needed, or none is broken.
      type: str
      returned: always
      sample: public-tls-lifetime
    severity:
      description: >-
        With C(enforce), a task that asks for it is refused. With C(warn) it is warned. With C(later), not refused yet.
      type: str
      returned: always
      sample: enforce
    value:
      description: What is wrong.
      type: str
      returned: always
      sample: lifetime 200d
    remedy:
      description: What to change.
      type: str
      returned: always
      sample: declare at most 100d
    note:
      description: Why there is the rule, from when on it is enforced, and until when and by whom it is waived.
      type: str
      returned: always
    msg:
      description: All of it in one sentence.
      type: str
      returned: always
total:
  description: How many fail, whatever the O(limit).
  type: int
  returned: success
by_rule:
  description: How many of them by each rule, and of what breaks none by its code.
  type: dict
  returned: success
findings:
  description: >-
    What else was found, of what is in use and then of what is good and used nowhere, each with C(code) and C(msg), and
    which one it is as in RV(fails). Null without O(findings). The codes are shared_factor, shared_key,
    same_certificate, weak_key, weak_signature, wide_names, wide_usages, not_valid_yet, expires_soon,
    superseded_in_use, superseded_valid (replaced, not revoked, and good for more than 30 days) and never_delivered.
  type: list
  elements: dict
  returned: success
total_findings:
  description: How many there are, whatever the O(limit). Null without O(findings).
  type: int
  returned: success
versions:
  description: >-
    With O(findings), C(controller) has of Python, cryptography, OpenSSL and ansible-core the version C(found), the
    C(least) that is needed, and whether that C(fits). C(hosts) is null, since no ledger has them;
    M(keystead.identity.preflight) asks hosts. Null without O(findings).
  type: dict
  returned: success
controls:
  description: >-
    How each control of O(frameworks) stands, by C(framework), C(control) and C(title). C(state) is C(met), C(breached),
    or C(none) where there is no evidence; C(evidence) says how many pieces there are, C(msg) says it as a sentence.
    C(breaches) has those, C(total) how many there are whatever the O(limit). C(not_enforced) and
    C(total_not_enforced) are the same of what turns no control, since its rule is waived, only warns, or is not
    enforced yet - C(severity) and C(msg) say why, who waived it and until when. C(not_judged) has the rules of the
    control that cannot tell, as RV(not_judged). Null where no framework is asked for.
  type: list
  elements: dict
  returned: success
evidence:
  description: >-
    The folders of O(evidence), each with C(framework), C(path), whether it C(changed), and the C(public_key) in PEM,
    null in check mode where the key is yet to be made. Null without it.
  type: list
  elements: dict
  returned: success
difference:
  description: >-
    What would change if O(compare_with) took the place of O(policy) - what C(begins) and what C(ends) to break it, and
    what C(changes) its severity alone, as RV(fails), C(totals) of them and of what breaks C(both), C(policy), the other
    one, and what of that cannot be judged, as RV(not_judged). Null without it.
  type: dict
  returned: success
calendar:
  description: The days to O(until) on which something changes, the next one first. Empty without it.
  type: list
  elements: dict
  returned: success
  contains:
    day:
      description: The day, in UTC.
      type: str
      returned: always
      sample: "2027-03-15"
    changes:
      description: What becomes different in the policy, as sentences.
      type: list
      elements: str
      returned: always
    fails:
      description: >-
        What breaks the policy from this day on, and did not before. As RV(fails). C(not_judged) is beside it.
      type: list
      elements: dict
      returned: always
    ends:
      description: What ends on this day, unless it is renewed before. As RV(fails).
      type: list
      elements: dict
      returned: always
    totals:
      description: How many entries C(fails) and C(ends) have, whatever the O(limit).
      type: dict
      returned: always
not_judged:
  description: >-
    The rules that cannot tell, since they ask what nobody told, as how a service is told. Where they would be kept
    whatever that is, they are not among them. RV(difference) has those of the other policy in C(not_judged).
  type: list
  elements: dict
  returned: success
  contains:
    rule:
      description: The id of the rule.
      type: str
      returned: always
      sample: host-keys
    asks:
      description: What it asks for.
      type: list
      elements: str
      returned: always
    total:
      description: Of how much it cannot tell, 0 for a rule about what is never looked at, such as authorities.
      type: int
      returned: always
    msg:
      description: All of it in one sentence.
      type: str
      returned: always
"""
