# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: machine_identity
short_description: What the ledger knows of an identity, and its certificate
version_added: 0.1.0
description:
  - Returns the record of an identity, or its certificate and chain as PEM, from the ledger on the controller.
  - Asks no host and no issuer, issues nothing, and changes nothing. The ledger is opened read-only.
  - The ledger never has a private key, so there is none to return.
author:
  - Keystead contributors (@keystead)
requirements:
  - cryptography >= 50 on the controller
options:
  _terms:
    description: The names of identities.
    type: list
    elements: str
    required: true
extends_documentation_fragment:
  - keystead.identity.machine_identity.lookup
  - keystead.identity.common.plugin
seealso:
  - plugin: keystead.identity.certificate_facts
    plugin_type: filter
  - module: keystead.identity.machine_identity_info
    description: Looks at the host itself, and says what is wrong.
notes:
  - What the ledger says is what the last run that it saw left on the host.
  - Defaults of an action group do not reach a lookup, so O(ledger) is best set by its variable for tasks and lookups
    alike.
"""

EXAMPLES = r"""
- name: When does the certificate of this host end?
  ansible.builtin.debug:
    msg: "{{ lookup('keystead.identity.machine_identity', 'web').certificate.not_after }}"

- name: A client pins the certificate of another host
  ansible.builtin.copy:
    content: "{{ lookup('keystead.identity.machine_identity', 'web', host='web1', part='fullchain') }}"
    dest: /etc/ssl/certs/web1.pem
    mode: "0644"
"""

RETURN = r"""
_raw:
  description:
    - One entry for each name, in their order.
    - With O(part=record), what RV(keystead.identity.machine_identity_info#module:identities) has of C(name),
      C(generation), C(state), C(certificate), C(paths), C(links), C(contact), C(service), C(scope) and C(issuer_id),
      and C(host), C(store), C(kind), C(labels), C(key_type), C(custody), and as C(revoked) the reason if the
      certificate was revoked. An identity that is absent, released or was never published has no certificate, and
      C(generation) is null.
    - Else PEM. The chain of a certificate that a root has signed is empty.
  type: list
  elements: raw
"""

import typing as t

from ..module_utils._options.lookups import IDENTITY
from ..plugin_utils._ledger_lookup import LedgerLookup
from ..plugin_utils._recall import WHO, Asked, recall


class LookupModule(LedgerLookup):
    """Asks the ledger, and nobody else."""

    who = WHO
    accepts = IDENTITY

    def answer(self, names: list[str], given: dict[str, t.Any], here: str) -> list[t.Any]:
        """Return the wanted part of each identity."""
        return recall(self.ledger_options(given), names, Asked(given["host"] or here, given["store"], given["part"]))
