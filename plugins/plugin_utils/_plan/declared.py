# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a task declares, as digests by its options: enough to say which one is another than when it was planned.

Secrets are left out, since a digest of a short one can be guessed; so is how a task logs in, which is no part of what
is to be done: a job that only plans may do so with lesser rights.
"""

from __future__ import annotations

import typing as t

from .document import digest, plain

if t.TYPE_CHECKING:
    from ...module_utils._options.option import Option, Table

LEFT_OUT = ("plan", "wait", "auth")


def declared(args: t.Mapping[str, t.Any], table: Table) -> dict[str, str]:
    """Return the digests of validated options: of each, and of each entry where one is a list of dictionaries."""
    said = _public(args, table)
    found = {}
    for name, value in said.items():
        if isinstance(value, list) and value and all(isinstance(one, dict) for one in value):
            found.update({f"{name}[{_name(one, index)}]": digest(one) for index, one in enumerate(value)})
        else:
            found[name] = digest(value)
    return found


def _public(args: t.Mapping[str, t.Any], table: Table) -> dict[str, t.Any]:
    """Return what is said without what is secret; null counts as absent."""
    return {
        name: _value(args[name], option)
        for name, option in table.items()
        if args.get(name) is not None and not option.no_log and name not in LEFT_OUT
    }


def _value(value: t.Any, option: Option) -> t.Any:
    if option.options is None:
        return plain(value)
    if isinstance(value, dict):
        return _public(value, option.options)
    return [_public(one, option.options) for one in value]


def _name(one: dict[str, t.Any], index: int) -> str:
    return str(one.get("name", index))
