# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A secret goes to a host only where its disk never sees it."""

from __future__ import annotations

import typing as t

from ..module_utils._core.errors import Misconfigured

if t.TYPE_CHECKING:
    from ._action import Task
    from ._declare import Declaration


def refuse_open_way(declared: t.Sequence[Declaration], task: Task) -> None:
    """Raise Misconfigured for a secret of the host where Ansible would write it to the host's disk."""
    if task.pipelines:
        return
    for one in declared:
        if one.secrets:
            raise Misconfigured(
                f"machine_identity: identities[{one.identity.name}]: the connection does not pipeline, so a password "
                f"would touch the disk of {task.host}; set pipelining = true under [connection] of ansible.cfg (and no "
                "ANSIBLE_KEEP_REMOTE_FILES), or keep it there yourself and name it with password_file"
            )
