# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: hsm_key
short_description: The public key, or the URI, of a key in a token
version_added: 0.1.0
description:
  - Returns the public key, or the URI (RFC 7512), of a key that the ledger on the controller knows. That is a key which
    M(keystead.identity.hsm_key) made or took over, by its label or its URI, or the key of an identity, by its name.
  - With O(module_path), it asks a token that the controller reaches instead.
  - Makes no key and changes nothing. No private key is returned, since none comes out.
author:
  - Keystead contributors (@keystead)
requirements:
  - cryptography >= 50 on the controller
  - python-pkcs11 for the Python that runs Ansible, with O(module_path)
options:
  _terms:
    description: Labels or URIs of keys, or names of identities. In a token, labels or URIs.
    type: list
    elements: str
    required: true
extends_documentation_fragment:
  - keystead.identity.hsm_key.lookup
  - keystead.identity.common.plugin
seealso:
  - module: keystead.identity.hsm_key
  - plugin: keystead.identity.machine_identity
    plugin_type: lookup
notes:
  - What the ledger says is what the last task that it saw left in the token.
  - A token is asked anew by every template that has this lookup, and each logs in. A PIN that was refused is not tried
    again in the same run.
"""

EXAMPLES = r"""
- name: The public key that releases are signed with
  ansible.builtin.copy:
    content: "{{ lookup('keystead.identity.hsm_key', 'release-signing') }}"
    dest: /var/www/html/release-signing.pub
    mode: "0644"

- name: A program is told where its key is
  ansible.builtin.debug:
    msg: "{{ lookup('keystead.identity.hsm_key', 'release-signing', part='uri') }}"

- name: What a token of the controller has
  ansible.builtin.debug:
    msg: "{{ lookup('keystead.identity.hsm_key', 'release-signing', module_path='/usr/lib/softhsm/libsofthsm2.so',
             token_label='web', pin_file='/etc/keystead/web.pin') }}"
"""

RETURN = r"""
_raw:
  description:
    - One text for each term, in their order. A public key is PEM (RFC 7468).
  type: list
  elements: str
"""

import typing as t

from ..module_utils._options.lookups import HSM_KEY
from ..plugin_utils._key_recall import WHO, of_ledger, of_token
from ..plugin_utils._ledger_lookup import LedgerLookup


class LookupModule(LedgerLookup):
    """Asks the ledger, or a token of the controller."""

    who = WHO
    accepts = HSM_KEY

    def answer(self, names: list[str], given: dict[str, t.Any], here: str) -> list[t.Any]:
        """Return the wanted part of each key."""
        if given["module_path"] is not None:
            return of_token(given, names)
        return of_ledger({**given, **self.ledger_options(given)}, names, here)
