# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: identity_report
short_description: Show every machine identity in one page
version_added: 0.1.0
description:
  - Makes a report of what the ledger on the controller knows of all hosts, and of O(records) of other systems - what
    there is, what ends when, how much harm is near for each identity, with the reasons, who answers for what, how
    the backends are used and how they are, how far the way to post-quantum keys is, and what happened last.
  - Compares it with the inventory of the play, and with what O(issuers) say that they signed, where they can say -
    hosts without a live identity, identities of hosts that are gone, and certificates that nobody here knows.
  - O(html) is one page that opens without a network, in any browser. It loads nothing, sends nothing, can be sorted,
    narrowed and printed, and works with a keyboard and with a screen reader. O(json) and O(csv) have the same figures,
    O(cbom) has them as a cryptography bill of materials, and O(metrics) for Prometheus.
  - Asks no host, and nobody but O(issuers), and changes nothing but the files that it is told to write. The ledger is
    opened read-only, and must be there.
author:
  - Keystead contributors (@keystead)
requirements:
  - cryptography >= 50 on the controller
extends_documentation_fragment:
  - keystead.identity.identity_report
  - keystead.identity.common
  - keystead.identity.attributes
  - keystead.identity.attributes.actiongroup_identity
attributes:
  diff_mode:
    description: What a report says is in its files.
    support: none
seealso:
  - module: keystead.identity.identity_ledger_info
    description: Answers single questions about the same.
notes:
  - When a report was made is a part of it, so its files are written in every run, each by one rename. The task has
    changed something where anything else in a file differs from what was there.
  - It runs on the controller whatever host a play is about, so use C(run_once) when a play has many hosts.
"""

EXAMPLES = r"""
- name: Everything in one page
  keystead.identity.identity_report:
    html: /srv/report/identities.html
  run_once: true

- name: And what issuers signed that nobody here knows
  keystead.identity.identity_report:
    html: /srv/report/identities.html
    issuers:
      - local:
          directory: /srv/ca
          authority: issuing
          passphrase_file: /etc/keystead/issuing.pass
  run_once: true

- name: The same for programs, with what an appliance has
  keystead.identity.identity_report:
    json: /srv/report/identities.json
    csv: /srv/report/tables
    records:
      - /etc/keystead/appliances.csv
  register: made
  run_once: true

- name: For Prometheus, and for whoever collects bills of materials
  keystead.identity.identity_report:
    metrics: /srv/report/keystead.prom
    cbom: /srv/report/identities.cdx.json
  run_once: true

- name: Nothing has ended, and nothing that is revoked is in use
  ansible.builtin.assert:
    that: made.totals.expired + made.totals.revoked == 0
  run_once: true
"""

RETURN = r"""
totals:
  description:
    - How many identities are in use (C(identities)), C(managed) and C(observed), on how many C(hosts), of how many
      C(services) and C(contacts), how many have C(expired), end within 7, 30 and 90 days (C(ends_within_7d)), are
      C(revoked) or C(not_valid_yet), are at C(critical), C(high), C(medium) and C(low) risk or C(without_risk), how
      many C(findings) there are, and how many there are of C(hosts_without_identity), C(identities_without_host) and
      C(rogue).
    - What nobody could tell is null - the first two without an inventory, and C(rogue) where none was found, and no
      issuer was asked or one of them did not say all that it signed. C(issuers_silent) counts those of O(issuers) that
      did not answer, cannot list what they signed, or did not list all of it. A warning names each.
  type: dict
  returned: success
  sample:
    identities: 240
    expired: 1
    critical: 1
files:
  description: What was written, or would be in check mode, each with its C(path) and whether it C(changed).
  type: list
  elements: dict
  returned: success
  sample:
    - path: /srv/report/identities.html
      changed: true
"""
