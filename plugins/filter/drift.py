# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: drift
short_description: Whether a host still has what it declares, in one sentence
version_added: 0.2.0
description:
  - Says of what M(keystead.identity.machine_identity) returned in check mode whether the host has drifted from its
    declaration, could not be looked at because of an error, or could not be reached at all.
author:
  - Keystead contributors (@keystead)
options:
  _input:
    description: What M(keystead.identity.machine_identity) returned in check mode.
    type: dict
    required: true
seealso:
  - module: keystead.identity.machine_identity
"""

EXAMPLES = r"""
- name: What would a run do?
  keystead.identity.machine_identity:
    issuer:
      local:
        directory: /srv/ca
        authority: issuing
        passphrase_file: /etc/keystead/issuing.pass
    identities:
      - name: web
        dns_names: [www.example.org]
  check_mode: true
  changed_when: false
  register: found

- name: Say it
  ansible.builtin.debug:
    msg: "{{ (found | keystead.identity.drift).sentence }}"
"""

RETURN = r"""
_value:
  description:
    - C(state) is V(declared), V(drift), V(error) or V(unreachable), and C(sentence) says why. Drift comes before an
      error, for what would change is known whatever else failed.
  type: dict
  sample:
    state: drift
    sentence: web would be issued again (it ends within its last third)
"""

import typing as t

from ansible.errors import AnsibleFilterError

MOST = 3
"""Identities that a sentence names."""


def drift(result: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Return the state of a host and a sentence about it."""
    if not isinstance(result, dict):
        raise AnsibleFilterError("drift: the input is not what machine_identity returned; register it")
    if result.get("unreachable"):
        return {"state": "unreachable", "sentence": f"it cannot be reached: {_line(result.get('msg'))}"}
    records = result.get("identities")
    if not isinstance(records, list):
        return {"state": "error", "sentence": _line(result.get("msg")) or "it was not looked at"}
    changed = [f"{one['name']} would change ({_why(one)})" for one in records if one["changed"]]
    failed = [_line(one["msg"]) for one in records if one["failed"]]
    if changed:
        return {"state": "drift", "sentence": "; ".join([*_first(changed), *_first(failed)])}
    if failed or result.get("failed"):
        return {"state": "error", "sentence": "; ".join(_first(failed)) or _line(result.get("msg"))}
    return {"state": "declared", "sentence": "everything is as it is declared"}


def _why(record: t.Mapping[str, t.Any]) -> str:
    return next((f"{step['action']}: {step['reason']}" for step in record["steps"]), "no reason was told")


def _first(said: list[str]) -> list[str]:
    return said[:MOST] + ([f"and {len(said) - MOST} more"] if len(said) > MOST else [])


def _line(said: t.Any) -> str:
    return " ".join(str(said or "").split())


class FilterModule:
    """The filter."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        """Return it by name."""
        return {"drift": drift}
