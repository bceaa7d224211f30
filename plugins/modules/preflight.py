# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: preflight
short_description: Whether a run could do its work
version_added: 0.1.0
description:
  - Looks at everything that M(keystead.identity.machine_identity) needs, and says of each thing whether it is there and
    what helps where it is not. Changes nothing, signs nothing, makes no store and no ledger.
  - On the controller it looks at libraries, the policy, the ledger, and each issuer. On the host it looks at Python,
    cryptography, the clock, pipelining, and whether the store can be made and written.
  - It logs in at an issuer as a run does, which counts as a use of a SecretID or a token. What opens only once, a
    wrapped SecretID, is left as it is, and so are the rights behind it.
  - Fails when something must be mended. A host that cannot be reached is one of these things.
  - The playbook C(keystead.identity.preflight) runs this on many hosts and shows one table.
author:
  - Keystead contributors (@keystead)
requirements:
  - cryptography >= 3.4 on the host
  - cryptography >= 50 on the controller
extends_documentation_fragment:
  - keystead.identity.machine_identity.preflight
  - keystead.identity.common
  - keystead.identity.attributes
  - keystead.identity.attributes.actiongroup_identity
attributes:
  diff_mode:
    description: It changes nothing, so there is no difference to show.
    support: none
seealso:
  - module: keystead.identity.machine_identity
  - module: keystead.identity.machine_identity_info
notes:
  - Say the same here as in the tasks that follow, C(become) included; else it looks at something that they do not need.
"""

EXAMPLES = r"""
- name: Nothing may stand in the way
  keystead.identity.preflight:
    issuer:
      local:
        directory: /srv/ca
        authority: issuing
        passphrase_file: /etc/keystead/issuing.pass
"""

RETURN = r"""
checks:
  description: What was found, the controller first.
  type: list
  elements: dict
  returned: always
  contains:
    where:
      description: Where that was, C(controller) or the host as the inventory names it.
      type: str
      returned: always
      sample: web1
    check:
      description: What was looked at.
      type: str
      returned: always
      sample: store
    state:
      description: Whether a run can do its work.
      type: str
      choices: [ok, warning, failed]
      returned: always
      sample: failed
    found:
      description: What was found.
      type: str
      returned: always
      sample: user www-data may not write in /var/lib
    remedy:
      description: What helps. Empty where nothing must be mended.
      type: str
      returned: always
      sample: "use become: true, or set option store to a directory of this user"
msg:
  description: What must be mended, in one line.
  type: str
  returned: always
"""
