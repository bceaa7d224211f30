# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a task declares of keys that belong to no identity: where each is, and how it is to be rotated."""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import Misconfigured
from .._durations import seconds, shown
from .decide import WHO

if t.TYPE_CHECKING:
    from .._rotation import Limits

Options = t.Mapping[str, t.Any]

_NAMES = {"pkcs11": "label", "openbao_transit": "name", "aws_kms": "alias"}
"""What a key is called in each backend: the option."""
_AT_ONCE = ("openbao_transit",)
"""Backends that use a new generation as soon as there is one."""


class Wanted(t.NamedTuple):
    """One key: where it is, with the options of that backend, and how long generations stay; in seconds.

    Without a `grace`, what was replaced is never destroyed.
    """

    backend: str
    options: Options
    overlap: int = 0
    grace: int | None = None
    destroy_in_use: bool = False

    @property
    def name(self) -> str:
        """What the key is called in its backend, in the ledger, and by the policy."""
        return str(self.options[_NAMES[self.backend]])


def wanted(keys: t.Sequence[Options], limits: Limits) -> tuple[Wanted, ...]:
    """Read validated options. Raises Misconfigured."""
    found = []
    for index, one in enumerate(keys):
        if one["custody"] is None:
            raise Misconfigured(f"{WHO}: option keys[{index}].custody is missing; name where the key is")
        ((backend, options),) = one["custody"].items()
        where = f"{WHO}: option keys[{options[_NAMES[backend]][:80] or index}]."
        if not options[_NAMES[backend]]:
            option = f"custody.{backend}.{_NAMES[backend]}"
            raise Misconfigured(f"{where}{option}: it is empty; write what the key is called")
        overlap = _duration(one["overlap"], f"{where}overlap")
        grace = None if one["grace"] is None else _duration(one["grace"], f"{where}grace")
        _check_overlap(backend, overlap, limits, where)
        found.append(Wanted(backend, options, overlap, grace, one["destroy_in_use"]))
    return tuple(found)


def _duration(text: str, where: str) -> int:
    try:
        return seconds(text)
    except Misconfigured as error:
        raise Misconfigured(f"{where}: {error}") from None


def _check_overlap(backend: str, overlap: int, limits: Limits, where: str) -> None:
    if overlap and backend in _AT_ONCE:
        raise Misconfigured(
            f"{where}overlap: {backend} uses a new version as soon as there is one, so none can be prepared; leave it "
            "out, and let readers fetch the public keys when they meet a new version"
        )
    if limits.max_age is not None and overlap * 2 > limits.max_age:
        raise Misconfigured(
            f"{where}overlap: {shown(overlap)} is more than half of max_age, {shown(limits.max_age)}, so the next key "
            "would be due when this one begins; write a shorter one"
        )
