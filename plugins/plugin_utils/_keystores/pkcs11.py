# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A PKCS#11 token that the controller reaches: options as a token, PIN included, which stays here."""

from __future__ import annotations

import typing as t

from ansible import constants

from ...module_utils._core.key import Token
from ...module_utils._keystores.pkcs11 import Pkcs11KeyStore
from ...module_utils._pkcs11.tries import share

if t.TYPE_CHECKING:
    from ...module_utils._core.ports import KeyStore, Slot


def pkcs11_keystore(options: t.Mapping[str, t.Any], slot: Slot) -> KeyStore:
    """Return the key store of a slot in the token that the options of a custody name.

    Every host has a process of its own here. Ansible's directory of this run tells them of a PIN that was refused.
    """
    share(str(constants.DEFAULT_LOCAL_TMP))
    return Pkcs11KeyStore(Token(**{name: options.get(name) for name in Token._fields}), slot)  # type: ignore[arg-type]
