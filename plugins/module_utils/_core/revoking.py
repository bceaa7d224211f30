# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What an issuer that revokes may be able to do for many certificates at once."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from datetime import datetime

    from .ports import Revoked


class Revocation(t.NamedTuple):
    """A certificate that was taken back, as somebody beside its issuer knows; `not_after` is None where nobody does.

    `certificate` is it, encoded, where that is known, `public_id` is what its key is called; only lists that name keys
    have a use for them.
    """

    serial_number: int
    revoked: Revoked
    not_after: datetime | None = None
    certificate: bytes | None = None
    public_id: str | None = None


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


@t.runtime_checkable
class KeepsList(t.Protocol):
    """Keeps its revocation list as a file that others can take away or exchange, and can say what it lacks.

    `list_due` returns why the list has to be published anew, as a sentence; None where it is as it should be.
    """

    def list_due(self) -> str | None: ...


@t.runtime_checkable
class ListsKeys(t.Protocol):
    """Its list names keys as well as certificates: a compromised key is refused, whoever certified it, or nobody.

    So to take a certificate back because of its key counts also where it was taken back for another reason before.
    """

    def lists_key(self, certificate: bytes) -> bool: ...

    def listed_keys(self) -> t.Container[str]:
        """Return what the keys are called that it lists: their public ids."""


@t.runtime_checkable
class RestoresLists(t.Protocol):
    """Makes its revocation list of records of its own, which may come from a backup and lack what was revoked since."""

    def lacks(self, known: t.Sequence[Revocation]) -> t.Container[int]:
        """Return the serial numbers of those that its list does not have."""

    def restore(self, known: t.Sequence[Revocation]) -> None:
        """Have the list tell of them again, with their reasons and moments. Raises NotConverged where it does not."""
