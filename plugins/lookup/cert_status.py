# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: cert_status
short_description: Whether certificates are good, revoked, expired or unknown
version_added: 0.1.0
description:
  - Says how each certificate stands, by the ledger on the controller, or with O(check_status=live) by whoever can tell
    now, or with O(check_status=published) as its clients see it.
  - What nobody tells, what is signed by somebody else and what was said too long ago is V(unknown), and never V(good).
  - Changes nothing and records nothing. A revocation list is fetched once in a call, however many certificates it is
    about, so give many certificates to one call.
author:
  - Keystead contributors (@keystead)
requirements:
  - cryptography >= 50 on the controller
options:
  _terms:
    description:
      - Which certificates. The name of an identity means the one that it has. A serial number with colons, or a SHA-256
        fingerprint, means one that the ledger knows.
      - PEM, or the path of a file on the controller, which has a slash, means the first certificate in it; a file may
        hold a certificate of SSH in place of PEM. The ledger need not know it; without O(ledger) and its other sources,
        there need be none.
    type: list
    elements: str
    required: true
extends_documentation_fragment:
  - keystead.identity.cert_status.lookup
  - keystead.identity.common.plugin
seealso:
  - module: keystead.identity.machine_identity_info
    description: Has the same of what is on a host.
  - module: keystead.identity.cert_revoke
notes:
  - An authority above a certificate that is known to be revoked makes it V(unknown). That nobody tells of an authority
    does not count.
  - Defaults of an action group do not reach a lookup, so O(ledger) is best set by its variable for tasks and lookups
    alike.
"""

EXAMPLES = r"""
- name: Is the certificate of this host still good?
  ansible.builtin.debug:
    msg: "{{ lookup('keystead.identity.cert_status', 'web') }}"

- name: Nobody uses what was revoked elsewhere
  ansible.builtin.assert:
    that: lookup('keystead.identity.cert_status', '/etc/ssl/certs/old.pem', check_status='live') != 'revoked'

- name: What clients are told of it, whatever the ledger has
  ansible.builtin.debug:
    msg: "{{ lookup('keystead.identity.cert_status', '/etc/ssl/certs/old.pem', check_status='published') }}"

- name: Who says so, and until when that holds
  ansible.builtin.debug:
    msg: "{{ lookup('keystead.identity.cert_status', 'web', part='record', check_status='live') }}"
"""

RETURN = r"""
_raw:
  description:
    - One entry for each term, in their order.
    - With O(part=status), V(good), V(revoked), V(expired) or V(unknown).
    - With O(part=record), a dictionary. C(status) is that word, C(reason) and C(revoked_at) are why and since when it
      is revoked, C(source) is who says so (V(ledger), V(issuer), V(ocsp) or V(crl)), C(this_update) and C(next_update)
      say from when to when what is signed holds, and C(why) is why it is unknown, or that it ended, or with
      O(check_status=published) why nobody but who signed it could tell. What is not known is null. Moments are in UTC.
      With O(check_status=published), C(places) are the responders and lists that it names.
  type: list
  elements: raw
  sample:
    - status: revoked
      reason: key_compromise
      revoked_at: "2026-03-01T10:41:07Z"
      source: crl
      this_update: "2026-03-01T11:00:00Z"
      next_update: "2026-03-02T11:00:00Z"
      why:
"""

import typing as t

from ..module_utils._options.cert_status import LOOKUP
from ..plugin_utils._cert_status import WHO, tell
from ..plugin_utils._ledger_lookup import LedgerLookup


class LookupModule(LedgerLookup):
    """Asks the ledger, and whoever can tell now."""

    who = WHO
    accepts = LOOKUP

    def answer(self, names: list[str], given: dict[str, t.Any], here: str) -> list[t.Any]:
        """Return how each certificate stands."""
        return tell(self.ledger_options(given), names, given, here)
