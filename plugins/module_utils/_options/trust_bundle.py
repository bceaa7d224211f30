# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What a task may say to trust_bundle."""

from __future__ import annotations

from .._core.trust import DEFAULT_DIRECTORY
from .machine_identity import ACTIVATE
from .option import Option

OPTIONS = {
    "name": Option(
        "The name of the bundle, unique on the host: lower-case letters, digits, C(.), C(_), C(-).", required=True
    ),
    "anchors": Option(
        "The certificates of the authorities that the host shall trust: PEM itself, or paths of PEM files on the "
        "controller; relative ones begin in the directory that Ansible was started in, and the lookup "
        "P(ansible.builtin.file#lookup) finds files of a playbook. Needed with O(state=present). Nothing but "
        "certificates of authorities may stand in them. One that has ended is refused where it would be added, and a "
        "warning where the host has it.",
        type="list",
        elements="str",
    ),
    "path": Option(
        f"The absolute path of the file on the host, in a directory that is there. The default is C(NAME.pem) in "
        f"C({DEFAULT_DIRECTORY}), which is made."
    ),
    "system": Option(
        "Have the anchors in the system's store instead of a file, by C(update-ca-certificates) or C(update-ca-trust). "
        "Everything on the host that trusts what the system trusts then trusts them.",
        type="bool",
        default=False,
    ),
    "drop_in_use": Option(
        "Drop an anchor although identities in the ledger still need it, or although it is not known who does. This is "
        "for one whose key got into wrong hands.",
        type="bool",
        default=False,
    ),
    "activate": Option(
        "How the service that reads the anchors is told of a change: exactly one of C(unit) and C(command). It is told "
        "in the same task, so that no handler is needed, which a play that fails would not run. Where that was cut off "
        "or failed, the task says so, the anchors stay as they are declared, and the next run tells the service "
        "although nothing else is left to do.",
        type="dict",
        options=ACTIVATE,
    ),
    "state": Option(
        "V(absent) removes the bundle, and is refused while identities in the ledger need what is in it, or it is not "
        "known who does. O(anchors) is not looked at then.",
        default="present",
        choices=("present", "absent"),
    ),
}
