# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: identity_incident
short_description: When an incident was detected, triaged, contained, recovered and verified, and the evidence of it
version_added: 0.2.0
description:
  - Writes down in the ledger when which stage of an incident was reached, as events of its chain, so that nobody can
    change them later without being seen by M(keystead.identity.identity_audit).
  - Says how long each stage took, and whether the limit was kept by which nothing of it may be good any more.
  - Writes what is known of an incident into a signed folder, without a secret.
  - Does nothing about the incident itself; the role P(keystead.identity.respond#role) does, and uses this module.
author:
  - Keystead contributors (@keystead)
requirements:
  - cryptography >= 50 on the controller
  - PyJWT >= 2.10 on the controller, for O(evidence)
extends_documentation_fragment:
  - keystead.identity.identity_incident
  - keystead.identity.common
  - keystead.identity.attributes
  - keystead.identity.attributes.actiongroup_identity
attributes:
  diff_mode:
    description: What it writes is only ever added, so there is no difference to show.
    support: none
seealso:
  - module: keystead.identity.blast_radius
    description: Says what the incident touches.
  - module: keystead.identity.identity_audit
    description: Verifies the events and the evidence.
notes:
  - It runs on the controller and does the same on behalf of every host of a play, so give it C(run_once=true).
  - Stages are written down as they are told, at the moment of the task. Nobody looks whether they are true.
"""

EXAMPLES = r"""
- name: A host was broken into, and somebody saw it
  keystead.identity.identity_incident:
    name: ir-7
    about:
      host:
        - web1
  run_once: true

- name: It is known what it touches
  keystead.identity.identity_incident:
    name: ir-7
    stage: triaged
    totals:
      affected: 1
  run_once: true

- name: All incidents, and how long it takes to recover from one
  keystead.identity.identity_incident:
  register: all_of_them
  run_once: true

- name: What is known of it is signed
  keystead.identity.identity_incident:
    name: ir-7
    about:
      host:
        - web1
    evidence:
      directory: /srv/audit
      key:
        file:
          path: /etc/keystead/incidents.key
  run_once: true
"""

RETURN = r"""
name:
  description: What the incident is called.
  type: str
  returned: with O(name) or O(about)
  sample: 20270315-4a0b9c11
open:
  description: Whether something may be left to do.
  type: bool
  returned: with O(name) or O(about)
about:
  description: What it is about.
  type: dict
  returned: with O(name) or O(about)
reason:
  description: What happened.
  type: str
  returned: with O(name) or O(about)
times:
  description: >-
    When which stage was reached, in UTC. Of V(detected) and V(triaged) that is the first time, of the others the last.
  type: dict
  returned: with O(name) or O(about)
  sample:
    detected: "2027-03-15T09:00:00Z"
    triaged: "2027-03-15T09:04:00Z"
seconds:
  description: How long after it was detected that was.
  type: dict
  returned: with O(name) or O(about)
  sample:
    detected: 0
    triaged: 240
limit:
  description: >-
    The V(time) that it may take until it is contained, V(until) when that is, and whether it was V(kept). As long as
    nobody can tell, that is null.
  type: dict
  returned: with O(name) or O(about)
  sample:
    time: 1d
    until: "2027-03-16T09:00:00Z"
    kept:
totals:
  description: What was written down last of how much it touches.
  type: dict
  returned: with O(name) or O(about)
incidents:
  description: All of that for every incident that the ledger knows, the oldest first.
  type: list
  elements: dict
  returned: without O(name) and O(about)
mean_seconds_to_recover:
  description: How long it took from V(detected) to V(recovered), on average of those that are over; null without one.
  type: int
  returned: without O(name) and O(about)
evidence:
  description: The C(path) of the folder, whether it was C(changed), and the C(public_key) that proves it, as PEM.
  type: dict
  returned: with O(evidence)
"""
