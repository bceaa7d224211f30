# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: preflight_table
short_description: What preflight found on many hosts, as one table
version_added: 0.1.0
description:
  - Returns the lines of a table. What must be mended comes first, then warnings, then what is in order.
  - What several hosts found alike on the controller is one line.
author:
  - Keystead contributors (@keystead)
options:
  _input:
    description: What M(keystead.identity.preflight) returned for each host.
    type: list
    elements: dict
    required: true
seealso:
  - module: keystead.identity.preflight
"""

EXAMPLES = r"""
- name: Look
  keystead.identity.preflight:
  register: found
  failed_when: false

- name: Show it
  ansible.builtin.debug:
    msg: "{{ [found] | keystead.identity.preflight_table }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
  sample: ["ok       controller  cryptography  cryptography 50.0.2"]
"""

import typing as t

from ansible.errors import AnsibleFilterError

COLUMNS = ("state", "where", "check")
ORDER = ("failed", "warning", "ok")


def preflight_table(results: t.Iterable[t.Mapping[str, t.Any]]) -> list[str]:
    """Return the lines of a table of all checks, each different one once."""
    try:
        told = [row for one in results for row in one["checks"]]
        found = [tuple(str(row[name]) for name in (*COLUMNS, "found", "remedy")) for row in told]
        rows = sorted(dict.fromkeys(found), key=lambda row: ORDER.index(row[0]))
    except (TypeError, KeyError, ValueError):
        message = "preflight_table: the input is no list of what keystead.identity.preflight returned; register it"
        raise AnsibleFilterError(message) from None
    widths = [max((len(row[index]) for row in rows), default=0) for index in range(len(COLUMNS))]
    return [_line(row, widths) for row in rows]


def _line(row: t.Sequence[str], widths: t.Sequence[int]) -> str:
    columns = [text.upper() if text == "failed" else text for text in row]
    padded = [text.ljust(width) for text, width in zip(columns, widths, strict=False)]
    return "  ".join((*padded, f"{row[3]}; {row[4]}" if row[4] else row[3]))


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return it by name."""
        return {"preflight_table": preflight_table}
