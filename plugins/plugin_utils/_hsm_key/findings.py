# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is to be said of a key that is there: what nobody can promise of it any more, and what its token cannot do."""

from __future__ import annotations

import typing as t

from ...module_utils._core.held import Held, Seen, capabilities
from .._findings import finding
from .decide import name_of

if t.TYPE_CHECKING:
    from .wanted import Wanted

_OF_PAIRS = ("sign", "decrypt", "unwrap", "derive")
_OF_SECRETS = ("sign", "verify", "encrypt", "decrypt", "wrap", "unwrap", "derive")
_COPY = "so a copy of it may be elsewhere"
Finding = dict[str, str]


def findings(wanted: Wanted, key: Held, seen: Seen) -> list[Finding]:
    """Return the findings about a key that is as declared otherwise."""
    return [*_of_origin(wanted, key), *_of_usage(wanted, key, seen), *_of_halves(key)]


def _of_origin(wanted: Wanted, key: Held) -> t.Iterator[Finding]:
    if "local" in key.lacks:
        yield finding("imported", f"it was made elsewhere and brought into the token (CKA_LOCAL is false), {_COPY}")
    if "never_extractable" in key.lacks and not wanted.extractable:
        yield finding("ever_extractable", f"it could come out once (CKA_NEVER_EXTRACTABLE is false), {_COPY}")
    if "sensitive" in key.lacks:
        yield finding("not_sensitive", "the token may show it in the clear if it can come out (CKA_SENSITIVE is false)")
    elif "always_sensitive" in key.lacks:
        yield finding("ever_not_sensitive", f"it could be shown once (CKA_ALWAYS_SENSITIVE is false), {_COPY}")
    silent = [name for name in ("extractable", "sensitive") if name not in (*key.has, *key.lacks)]
    if silent:
        names = " and ".join(f"CKA_{name.upper()}" for name in silent)
        yield finding("not_told", f"the token does not say {names}, so nobody here knows whether it can come out")


def _of_usage(wanted: Wanted, key: Held, seen: Seen) -> t.Iterator[Finding]:
    declared = wanted.used_for(key.type)
    looked_at = _OF_SECRETS if "secret" in key.halves else _OF_PAIRS
    more = [name for name in looked_at if name in key.has and name not in capabilities(key.type, declared)]
    if not more:
        return
    may = f"it may also {', '.join(more)}, declared is usage {', '.join(declared)}"
    if seen.restricts:
        yield finding("more_usages", may)
    else:
        yield finding("usage_not_restricted", f"{may}; {name_of(seen)} cannot make a key for one usage alone")


def _of_halves(key: Held) -> t.Iterator[Finding]:
    if key.halves == ("private",):
        known = "is known from its private half" if key.public_key else "is not known"
        yield finding("no_public_half", f"its public half is not in the token, and {known}")
