# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""The host's half as a module of Ansible: the only place there that knows Ansible."""

from __future__ import annotations

from ansible.module_utils.basic import AnsibleModule

from .._options.wire import WIRE
from .answering import answered


def main() -> None:
    """Run the phase that the controller asks for, and exit with its answer or with one sentence."""
    spec = {name: option.spec() for name, option in WIRE.items()}
    module = AnsibleModule(argument_spec=spec, supports_check_mode=True, no_log=True)
    answer = answered(module.params, check=module.check_mode)
    if "failed" in answer:
        module.fail_json(invocation={}, **answer)
    module.exit_json(changed=False, invocation={}, **answer)
