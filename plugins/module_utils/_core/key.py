# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What a private key is, and where it lives: the nouns about it, which `model` has beside all others."""

from __future__ import annotations

import typing as t

KEY_TYPES = (
    "ecdsa-p256", "ecdsa-p384", "ed25519", "rsa-2048", "rsa-3072", "rsa-4096", "ml-dsa-44", "ml-dsa-65", "ml-dsa-87",
)
KEY_FORMS = ("pkcs8", "openssh")
KEY_ORIGINS = ("host", "controller")
CUSTODIES = ("file", "pkcs11", "openbao_transit", "aws_kms")


class Token(t.NamedTuple):
    """A PKCS#11 token of the host, by its label or its serial number, and what opens it: one of the three at most.

    `pin` is a secret. The controller never sets it: it joins the token only on its way down.
    """

    module_path: str
    token_label: str | None = None
    token_serial: str | None = None
    pin: str | None = None
    pin_env: str | None = None
    pin_file: str | None = None


class Key(t.NamedTuple):
    """The algorithm of a key, and where it lives.

    Outside files, `label` names the identity's keys there, and `token` is there where that is a token of the host.
    `spent` are the URIs of the keys that earlier generations had: none of them is ever the next one. `origin` is where
    a key for a file is made, `form` how it is written there.
    """

    type: str = "ecdsa-p256"
    custody: str = "file"
    label: str | None = None
    token: Token | None = None
    spent: tuple[str, ...] = ()
    origin: str = "host"
    form: str = "pkcs8"

    @property
    def comes_down(self) -> bool:
        """Tell whether the controller makes the key and sends it to the host, once."""
        return self.origin == "controller"

    @property
    def on_host(self) -> bool:
        """Tell whether the host reaches the key: else the controller makes it and signs with it."""
        return self.custody == "file" or self.token is not None
