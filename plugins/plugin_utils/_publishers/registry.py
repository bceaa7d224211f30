# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The list of publishers that the controller runs: name, and who makes one from its options."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from ...module_utils._core.publication import CopyState
    from .._copy_entry import Owner

Options = t.Mapping[str, t.Any]


class Remote(t.Protocol):
    """A Publisher that also says `where` it writes, in one line without a secret, which begins with its name.

    `mends` are the states, of COPY_STATES, out of which it brings a copy without having the private key at hand, which
    then stands among the parts by its SPKI alone (`_copy_entry.stand_in`).
    """

    where: str
    mends: t.ClassVar[tuple[str, ...]]

    def is_at(self, where: str) -> bool:
        """Tell whether what was once written `where` is the same entry, whatever its server was called."""

    def read(self, parts: t.Mapping[str, bytes] | None) -> CopyState: ...

    def write(self, parts: t.Mapping[str, bytes]) -> None: ...

    def delete(self) -> None: ...


@t.runtime_checkable
class Guarded(t.Protocol):
    """What others may depend on: `check_free` raises Denied, and names them, where they would lose it by `delete`."""

    def check_free(self) -> None: ...


def _openbao_kv(options: Options, owner: Owner) -> Remote:
    from .openbao_kv import OpenBaoKv

    return OpenBaoKv(options, owner)


def _aws_secrets_manager(options: Options, owner: Owner) -> Remote:
    from .aws_secrets_manager import AwsSecretsManager

    return AwsSecretsManager(options, owner)


def _aws_acm(options: Options, owner: Owner) -> Remote:
    from .aws_acm import AwsAcm

    return AwsAcm(options, owner)


PUBLISHERS: dict[str, t.Callable[[Options, Owner], Remote]] = {
    "openbao_kv": _openbao_kv, "aws_secrets_manager": _aws_secrets_manager, "aws_acm": _aws_acm,
}  # fmt: skip
