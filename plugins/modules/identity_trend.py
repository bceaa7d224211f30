# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: identity_trend
short_description: Keep what an audit found, signed, and compare it with the last one
version_added: 0.2.0
description:
  - Compares findings and counts with those of the last run, and says what is new, what is gone, and what rose or fell.
  - Keeps each run in a folder of its own that is named by its moment, with O(findings) (C(findings.json)), O(counts)
    (C(counts.json)), what became different (C(trend.json)), and O(files). It is written whole or not at all, for this
    user alone, signed as evidence is, and never rewritten. O(keystead.identity.identity_audit#module:evidence) verifies
    all folders of O(directory).
  - The last run has to be what was signed; where it was altered, the task fails.
  - A second run on the same day that finds the same, and no event in the ledger since, changes nothing.
  - The role P(keystead.identity.audit#role) gathers what there is to find.
author:
  - Keystead contributors (@keystead)
requirements:
  - PyJWT >= 2.10 on the controller
  - cryptography >= 50 on the controller
extends_documentation_fragment:
  - keystead.identity.identity_trend
  - keystead.identity.common
  - keystead.identity.attributes
  - keystead.identity.attributes.actiongroup_identity
attributes:
  diff_mode:
    description: What became different is returned.
    support: none
seealso:
  - module: keystead.identity.identity_policy
  - module: keystead.identity.identity_report
  - module: keystead.identity.identity_audit
notes:
  - It runs on the controller whatever host a play is about, so use C(run_once) when a play has many hosts.
"""

EXAMPLES = r"""
- name: What fails tonight?
  keystead.identity.identity_policy:
    findings: true
  register: found
  run_once: true

- name: What of it is new?
  keystead.identity.identity_trend:
    directory: /srv/audit
    key:
      file:
        path: /etc/keystead/trend.key
    findings: "{{ found.fails + found.findings }}"
    counts: "{{ found.by_rule }}"
    keep: 730d
  register: kept
  run_once: true

- name: Say it
  ansible.builtin.debug:
    msg: "{{ kept.trend.sentence }}"
  run_once: true
"""

RETURN = r"""
path:
  description: The folder of this run, or of the last one where that found the same today.
  type: str
  returned: success
  sample: /srv/audit/runs/2027-03-15T060000Z-3b7e1b0c5a3f
trend:
  description: What became different.
  type: dict
  returned: success
  contains:
    previous:
      description: The name of the run before. Null in the first one.
      type: str
      returned: always
    new:
      description: The findings that were not there. Empty in the first run.
      type: list
      elements: dict
      returned: always
    gone:
      description: The findings that are not there any more.
      type: list
      elements: dict
      returned: always
    findings:
      description: How many there were C(before), and are C(now).
      type: dict
      returned: always
      sample: {before: 4, now: 3}
    counts:
      description: The same of each of O(counts).
      type: dict
      returned: always
    sentence:
      description: All of it in one sentence.
      type: str
      returned: always
      sample: 3 findings, 0 of them new and 1 gone since 2027-03-14T060000Z-9d2f00c1a7e4; expired fell from 1 to 0
public_key:
  description: What the run is verified with, in PEM. Null in check mode where the key is yet to be made.
  type: str
  returned: success
removed:
  description: The runs that were removed, or would be in check mode, since they are older than O(keep).
  type: list
  elements: str
  returned: success
"""
