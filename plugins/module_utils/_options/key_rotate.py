# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What a task may say to key_rotate, and a template to the lookup of that name."""

from __future__ import annotations

from .custody import key_custody
from .lookups import IDENTITY
from .machine_identity import DURATION
from .machine_identity import OPTIONS as MACHINE_IDENTITY
from .option import Option

AGE = {
    "max_age": Option(f"Keys that have been in use for longer are replaced: {DURATION}."),
    "created_before": Option(
        "Keys that were made before this moment are replaced: ISO 8601 with its offset from UTC, for example "
        "V(2026-11-21T10:40:00Z). A moment to come is refused."
    ),
}
KEY = {
    "custody": key_custody(),
    "overlap": Option(
        f"How long a new key is prepared before it is used, {DURATION}, so that those who verify can fetch its public "
        "half first. By O(max_age), it is made so much earlier. At most half of that.",
        default="0s",
    ),
    "grace": Option(
        f"How long a key that was replaced stays, to verify and to decrypt, {DURATION}; then a later run destroys it. "
        "Without it, none is ever destroyed."
    ),
    "destroy_in_use": Option(
        "Destroy it after its grace although the ledger knows who uses it.", type="bool", default=False
    ),
}
OPTIONS = {
    **AGE,
    "keys": Option(
        "Keys that belong to no identity, made by M(keystead.identity.hsm_key) or in any other way. In the place of "
        "O(identities).",
        type="list",
        elements="dict",
        options=KEY,
    ),
    **{name: option for name, option in MACHINE_IDENTITY.items() if name != "purge"},
    "identities": MACHINE_IDENTITY["identities"]._replace(
        help="The identities whose keys are to be young enough, declared as for M(keystead.identity.machine_identity). "
        "Each has O(identities[].state=present). Exactly one of this and O(keys) is needed.",
        required=False,
    ),
    "scope": MACHINE_IDENTITY["scope"]._replace(
        help="The scope that M(keystead.identity.machine_identity) declares them in. The default is the recorded one."
    ),
}
LOOKUP = {
    **AGE,
    "overlap": KEY["overlap"]._replace(
        help=f"How long a new key is prepared before it is used, {DURATION}, as the task says it of keys that belong "
        "to no identity. By O(max_age), such a key is due so much earlier."
    ),
    **{name: IDENTITY[name] for name in ("host", "store")},
}
