# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""One table describes an option: what is valid and what ansible-doc prints both come from it."""

from __future__ import annotations

import typing as t


class Option(t.NamedTuple):
    """One option. With `one_of`, exactly one member of `options` may be given, and a null member counts as absent."""

    help: str
    type: str = "str"
    required: bool = False
    default: t.Any = None
    choices: tuple[str, ...] = ()
    elements: str | None = None
    no_log: bool | None = None
    options: Table | None = None
    one_of: bool = False

    def spec(self) -> dict[str, t.Any]:
        """Return the entry of an argument spec. `one_of` is ours: AnsibleModule does not know it."""
        entry = self._shared()
        if self.no_log is not None:
            entry["no_log"] = self.no_log
        if self.options is not None:
            entry["options"] = spec(self.options)
        if self.one_of:
            entry["one_of"] = True
        return entry

    def doc(self) -> dict[str, t.Any]:
        """Return the entry that ansible-doc reads."""
        entry = {"description": [self.help], **self._shared()}
        if self.options is not None:
            entry["suboptions"] = doc(self.options)
        return entry

    def _shared(self) -> dict[str, t.Any]:
        entry: dict[str, t.Any] = {"type": self.type}
        if self.required:
            entry["required"] = True
        if self.default is not None:
            entry["default"] = self.default
        if self.elements:
            entry["elements"] = self.elements
        if self.choices:
            entry["choices"] = list(self.choices)
        return entry


Table = t.Mapping[str, Option]


def spec(*tables: Table) -> dict[str, dict[str, t.Any]]:
    """Return one argument spec of all the tables."""
    return {name: option.spec() for table in tables for name, option in table.items()}


def doc(*tables: Table) -> dict[str, dict[str, t.Any]]:
    """Return the `options` (or `suboptions`) of the tables, as ansible-doc reads them."""
    return {name: option.doc() for table in tables for name, option in table.items()}
