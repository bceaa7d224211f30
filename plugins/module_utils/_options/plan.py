# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What a task may say of a plan: to have one written, and to be held to it."""

from __future__ import annotations

from .option import Option

PLAN = {
    "plan": Option(
        "The absolute path of a file on the controller, one for each host and task. Check mode writes there the steps, "
        "and what they rest on, as canonical JSON (RFC 8785) without a secret. A run does exactly these steps, once, "
        "or refuses before anything is done: where the file is missing, was planned for another host, module or "
        "declaration, or where what is found or would be done is not what was planned.",
        type="path",
    ),
}
