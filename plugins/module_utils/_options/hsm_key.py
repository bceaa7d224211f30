# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What a task may say to hsm_key."""

from __future__ import annotations

from .._core.held import TOKEN_KEY_TYPES, USAGES
from .custody import TOKEN
from .option import Option

OPTIONS = {
    **TOKEN,
    "label": Option("The label of the key (CKA_LABEL). A key that is to be made needs one."),
    "id": Option(
        "The id of the key (CKA_ID) in hexadecimal, for example V(0a1b2c). A key that is made gets 16 random bytes "
        "without it."
    ),
    "uri": Option(
        "A PKCS#11 URI (RFC 7512), in the place of O(label) and O(id). What it says of the token counts where "
        "O(token_label) and O(token_serial) do not."
    ),
    "type": Option(
        "The algorithm. A key that is made is V(ecdsa-p256) without it, and one that is there may be of any type.",
        choices=TOKEN_KEY_TYPES,
    ),
    "usage": Option(
        "What the key is for, and nothing else. RSA can V(sign), V(decrypt) and V(unwrap), ECDSA V(sign) and "
        "V(derive), Ed25519 V(sign); AES can V(encrypt), V(wrap) and V(derive), where the first two mean both "
        "directions. The default is V(sign), and for AES V(encrypt).",
        type="list",
        elements="str",
        choices=USAGES,
    ),
    "extractable": Option(
        "Whether the key may come out of the token, wrapped by another key. The policy must permit V(true).",
        type="bool",
        default=False,
    ),
    "state": Option(
        "V(absent) destroys the key, and looks whether it is gone.", default="present", choices=("present", "absent")
    ),
    "destroy_in_use": Option(
        "Destroy the key although the ledger knows who uses it.", type="bool", default=False
    ),
}
