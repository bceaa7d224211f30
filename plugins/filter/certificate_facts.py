# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: certificate_facts
short_description: What a certificate says
version_added: 0.1.0
description:
  - Reads a certificate in PEM and returns its facts, the same record as C(certificate) in what
    M(keystead.identity.machine_identity) returns, so that both can be compared.
  - Of several certificates in one text, as in a chain file, the first counts, unless O(bundle) asks for all.
  - A text with a private key is refused, and not shown, also where a certificate stands beside the key. Whatever else
    the text holds is passed over. Nothing is verified.
author:
  - Keystead contributors (@keystead)
requirements:
  - cryptography >= 50 on the controller
options:
  _input:
    description: A text with one or more certificates in PEM.
    type: str
    required: true
  bundle:
    description: Return a list with the facts of every certificate in the text, in their order.
    type: bool
    default: false
seealso:
  - plugin: keystead.identity.spki_sha256
    plugin_type: filter
  - plugin: keystead.identity.machine_identity
    plugin_type: lookup
"""

EXAMPLES = r"""
- name: Whom does this certificate name?
  ansible.builtin.debug:
    msg: "{{ (lookup('file', '/etc/ssl/certs/old.pem') | keystead.identity.certificate_facts).dns_names }}"

- name: Which certificates of a bundle end this year?
  ansible.builtin.debug:
    msg: "{{ facts | selectattr('not_after', 'lt', '2027') | map(attribute='subject') }}"
  vars:
    bundle: "{{ lookup('file', '/etc/ssl/certs/old.pem') }}"
    facts: "{{ bundle | keystead.identity.certificate_facts(bundle=true) }}"
"""

RETURN = r"""
_value:
  description: The facts, or with O(bundle=true) a list of them.
  type: raw
  contains:
    serial_number:
      description: The serial number, in hexadecimal with colons.
      type: str
    fingerprint_sha256:
      description: SHA-256 of the certificate, in lower-case hexadecimal.
      type: str
    spki_sha256:
      description: SHA-256 of its public key, in lower-case hexadecimal.
      type: str
    not_before:
      description: From when it is valid, in UTC.
      type: str
      sample: "2026-11-22T09:00:00Z"
    not_after:
      description: Until when it is valid, in UTC.
      type: str
      sample: "2026-12-22T09:00:00Z"
    issuer:
      description: The name of who signed it (RFC 4514).
      type: str
    subject:
      description: The name of its subject (RFC 4514), empty where it has only alternative names.
      type: str
    dns_names:
      description: Its DNS names.
      type: list
      elements: str
"""

import typing as t

from ..plugin_utils._pem import certificates, filtered


def certificate_facts(value: t.Any, *, bundle: bool = False) -> t.Any:
    """Return the facts of the first certificate in a PEM text, or with `bundle` a list of all of them."""
    found = filtered("certificate_facts", value, certificates)
    return found if bundle else found[0]


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return it by name."""
        return {"certificate_facts": certificate_facts}
