# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""The list of custodies that the controller reaches: name, and who makes a key store from its options and a slot."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from ...module_utils._core.ports import KeyStore, Slot

Options = t.Mapping[str, t.Any]


def _aws_kms(options: Options, slot: Slot) -> KeyStore:
    from .aws_kms import AwsKmsKeyStore

    return AwsKmsKeyStore(options, slot)


def _openbao_transit(options: Options, slot: Slot) -> KeyStore:
    from .openbao_transit import OpenBaoTransitKeyStore

    return OpenBaoTransitKeyStore(options, slot)


def _pkcs11(options: Options, slot: Slot) -> KeyStore:
    from .pkcs11 import pkcs11_keystore

    return pkcs11_keystore(options, slot)


KEYSTORES: dict[str, t.Callable[[Options, Slot], KeyStore]] = {
    "pkcs11": _pkcs11, "openbao_transit": _openbao_transit, "aws_kms": _aws_kms,
}  # fmt: skip
