# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The list of backends whose keys are rotated by themselves: name, and who makes the port from what a task says."""

from __future__ import annotations

import typing as t

from ansible import constants

from ...module_utils._pkcs11.tries import share
from .._hsm_key.asking import here, of_host

if t.TYPE_CHECKING:
    from datetime import datetime

    from .._host_half import HostHalf
    from .model import Keys
    from .wanted import Options


class Reach(t.NamedTuple):
    """How what is not on the controller is reached, and the time."""

    half: HostHalf
    now: datetime


def _pkcs11(options: Options, reach: Reach) -> Keys:
    from .pkcs11 import TokenKeys

    if options["at"] == "controller":
        share(str(constants.DEFAULT_LOCAL_TMP))  # a PIN that was refused is not tried by the next host
        return TokenKeys(options, here(options["pin"]))
    return TokenKeys(options, of_host(reach.half, options["pin"], reach.now))


def _openbao_transit(options: Options, _reach: Reach) -> Keys:
    from .openbao_transit import TransitKeys

    return TransitKeys(options)


def _aws_kms(options: Options, _reach: Reach) -> Keys:
    from .aws_kms import KmsKeys

    return KmsKeys(options)


BACKENDS: dict[str, t.Callable[[Options, Reach], Keys]] = {
    "pkcs11": _pkcs11, "openbao_transit": _openbao_transit, "aws_kms": _aws_kms,
}  # fmt: skip
