# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: spki_sha256
short_description: Which key a certificate, request or public key has
version_added: 0.1.0
description:
  - Returns the SHA-256 of the public key (the SubjectPublicKeyInfo in DER, RFC 5280, 4.1.2.7). It is the same for a
    certificate, its request and its public key, and is C(spki_sha256) in all records of this collection.
  - Of several in one text, the first counts.
  - A text with a private key is refused, and not shown.
author:
  - Keystead contributors (@keystead)
requirements:
  - cryptography >= 50 on the controller
options:
  _input:
    description: A certificate, a certificate request or a public key in PEM.
    type: str
    required: true
seealso:
  - plugin: keystead.identity.certificate_facts
    plugin_type: filter
"""

EXAMPLES = r"""
- name: The key that a client may pin
  ansible.builtin.debug:
    msg: "{{ lookup('file', '/etc/ssl/certs/old.pem') | keystead.identity.spki_sha256 }}"
"""

RETURN = r"""
_value:
  description: 64 digits of lower-case hexadecimal.
  type: str
  sample: 9790dde31d691543a11df52d6b28700e9965c1a66825d1eb95669245ac104a53
"""

import typing as t

from ..plugin_utils._pem import filtered, spki


def spki_sha256(value: t.Any) -> str:
    """Return the SHA-256 of the public key in a PEM text."""
    return filtered("spki_sha256", value, spki)


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return it by name."""
        return {"spki_sha256": spki_sha256}
