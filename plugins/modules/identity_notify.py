# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: identity_notify
short_description: Tell a webhook or Alertmanager what happens to machine identities, each of it once
version_added: 0.2.0
description:
  - Hands on events of the event source C(keystead.identity.identity_events) to webhooks and to Alertmanager. Who
    was told of an event is not told of it again.
  - It is for a rulebook, or for a job of your own that found something, as a nightly run in check mode.
  - It runs on the controller, and touches no host, no ledger and no issuer.
author:
  - Keystead contributors (@keystead)
requirements:
  - requests >= 2.31 on the controller
extends_documentation_fragment:
  - keystead.identity.identity_notify
  - keystead.identity.common
  - keystead.identity.attributes
  - keystead.identity.attributes.actiongroup_identity
notes:
  - An alert keeps its labels as long as the matter is the same, so that Alertmanager sees one alert, whatever the id of
    the event is. They are C(alertname), as C(MachineIdentityExpiring), C(type), C(severity), C(host), C(store),
    C(identity), C(service) and C(contact), and for some types C(code), or C(issuer_id) and C(serial_number).
  - TLS is verified, a redirect is not followed, and O(receivers[].webhook.timeout) is a deadline for all of a request.
  - Where a run is killed between an answer and the note of it, the receiver is told once more, by the same
    C(Idempotency-Key) or the same labels.
"""

EXAMPLES = r"""
- name: Whoever is on duty knows
  keystead.identity.identity_notify:
    events:
      - id: 3b7e1b0c
        type: finding
        severity: warning
        message: web on web1.example.org would be changed by the nightly check
        host: web1.example.org
        identity: web
    receivers:
      - alertmanager:
          url: https://alerts.example.org:9093
          ca_bundle: /etc/keystead/ca.pem
      - webhook:
          url: https://hooks.example.org/identities
          token_file: /etc/keystead/hook.token
          ca_bundle: /etc/keystead/ca.pem
    state: /etc/keystead/notified.db
"""

RETURN = r"""
sent:
  description: Who was told of which event now, or would be in check mode.
  type: list
  elements: dict
  returned: always
  contains:
    id:
      description: The id of the event.
      type: str
      returned: always
    receiver:
      description:
        - Who was told, by the kind and the server, and a number that follows from the whole address and from what says
          who we are there. The rest of an address may be a secret, and is not repeated.
      type: str
      returned: always
      sample: "alertmanager https://alerts.example.org:9093 #4d967a30111b"
"""
