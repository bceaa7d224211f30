# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What an issuer that revokes may be able to do for many certificates at once."""

from __future__ import annotations

import typing as t


@t.runtime_checkable
class TellsMany(t.Protocol):
    """Can say at once of many certificates (DER), all of them its own, whether each is revoked.

    None means that asking for one after the other is quicker, or the only way.
    """

    def revoked_among(self, certificates: t.Sequence[bytes]) -> list[bool] | None: ...


@t.runtime_checkable
class PublishesLists(t.Protocol):
    """Publishes its revocation list at times of its own, and can be told to do it now: once, after many revocations."""

    def publish_list(self) -> None: ...
