# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a task of trust_bundle declares: which anchors, and where."""

from __future__ import annotations

import re
import typing as t

from ...module_utils._core.errors import Misconfigured
from ...module_utils._core.trust import DEFAULT_DIRECTORY, TrustErrand
from .._consumers import activation
from .._paths import absolute
from .anchors import Anchor, declared
from .words import WHO

if t.TYPE_CHECKING:
    from ...module_utils._core.model import Activation

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}", re.ASCII)
_OPTION = f"{WHO}: option "


class Wanted(t.NamedTuple):
    """One bundle. Without a `path` it is in the system's store. `drops` tells that no peer keeps an anchor."""

    name: str
    path: str | None
    anchors: tuple[Anchor, ...]
    present: bool
    drops: bool
    is_default: bool = False
    activate: Activation | None = None

    @property
    def where(self) -> str:
        """What is changed, in sentences and in the ledger."""
        return self.path or "the system's store"

    def errand(self, what: str, anchors: t.Iterable[Anchor] = (), seen: str = "") -> TrustErrand:
        """Return what goes down."""
        ders = tuple(one.der for one in anchors)
        return TrustErrand(what, self.name, self.path, ders, seen, self.is_default, self.activate)


def wanted(args: t.Mapping[str, t.Any]) -> tuple[Wanted, list[str]]:
    """Read validated options, and say what is odd about them. Raises Misconfigured."""
    name, path, present = args["name"], args["path"], args["state"] == "present"
    if not _NAME.fullmatch(name) or ".." in name:
        raise Misconfigured(
            f"{_OPTION}name: {name[:80]!r} cannot name a file; write up to 63 of a-z, 0-9, '.', '_' and '-', a letter "
            "or digit first, and no '..'"
        )
    if path is not None and args["system"]:
        raise Misconfigured(f"{_OPTION}path: the system's store has its own place; write path, or system: true")
    if path is not None:
        try:
            absolute(path)
        except Misconfigured as error:
            raise Misconfigured(f"{_OPTION}path: {error}") from None
    if present and not args["anchors"]:
        raise Misconfigured(f"{_OPTION}anchors: none is named; write whom the host shall trust, or state: absent")
    anchors, warnings = declared(args["anchors"] or ()) if present else ((), [])
    default = None if args["system"] else f"{DEFAULT_DIRECTORY}/{name}.pem"
    is_default = path is None and default is not None
    told = _activation(args["activate"])
    return Wanted(name, path or default, anchors, present, args["drop_in_use"], is_default, told), warnings


def _activation(said: t.Mapping[str, t.Any] | None) -> Activation | None:
    try:
        return activation(said)
    except Misconfigured as error:
        raise Misconfigured(f"{_OPTION}{error}") from None
