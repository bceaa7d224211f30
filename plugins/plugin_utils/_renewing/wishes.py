# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What of an identity's declaration says when it is renewed, as far as the whole fleet is looked at."""

from __future__ import annotations

import datetime as dt
import typing as t

from ...module_utils._core.errors import Misconfigured
from ...module_utils._core.renewal import margin
from ...module_utils._options.machine_identity import OPTIONS
from .._durations import lifetime, renew_before, seconds, shown

_SAID = OPTIONS["identities"].options or {}
_PRESENT = "present"


class Wish(t.NamedTuple):
    """One declared identity: how long it shall live, and how long before its end it is due."""

    host: str
    name: str
    lifetime: dt.timedelta
    renew_before: str

    @property
    def margin(self) -> dt.timedelta:
        """Return how long before its end it is due, as it is declared."""
        return margin(self.renew_before, self.lifetime)

    @property
    def said(self) -> str:
        """Return the declaration as a user writes it."""
        before = self.renew_before if self.renew_before.endswith("%") else shown(int(self.renew_before))
        return f"renew_before {before} of {shown(int(self.lifetime.total_seconds()))}"


def wishes(declared: t.Any) -> list[Wish]:
    """Return what hosts declare, `{host: [identity, ...]}`, without what shall not be there. Raises Misconfigured."""
    if not isinstance(declared, t.Mapping):
        raise Misconfigured("declared: it is no dictionary of hosts; write {web1: [{name: web, lifetime: 30d}]}")
    return [_wish(str(host), one) for host, all_of in declared.items() for one in all_of or () if _is_renewed(one)]


def _is_renewed(one: t.Any) -> bool:
    return not isinstance(one, t.Mapping) or (one.get("state") or _PRESENT) == _PRESENT


def _wish(host: str, one: t.Any) -> Wish:
    if not isinstance(one, t.Mapping) or not isinstance(one.get("name"), str):
        raise Misconfigured(f"declared: {host} has an identity without a name; write it as for machine_identity")
    try:
        life = lifetime(str(one.get("lifetime") or _SAID["lifetime"].default))
        before = renew_before(str(one.get("renew_before") or _SAID["renew_before"].default), life)
    except Misconfigured as error:
        raise Misconfigured(f"declared: {one['name']} of {host}: {error}") from None
    return Wish(host, str(one["name"]), dt.timedelta(seconds=life), before)


def floor_of(said: str, life: dt.timedelta) -> dt.timedelta:
    """Return how much of a life has to be left, said as a share or a duration. Raises Misconfigured."""
    try:
        return margin(said if said.endswith("%") and renew_before(said, 1) else str(seconds(said)), life)
    except Misconfigured as error:
        raise Misconfigured(f"floor: {error}") from None
