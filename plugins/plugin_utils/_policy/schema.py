# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The JSON Schema of a policy (draft 2020-12), of the vocabulary; docs/policy.schema.json is the same, for editors."""

from __future__ import annotations

import typing as t

from .vocabulary import DATE, END, ISSUER, OF_LEAVE, ONLY, REQUIRED, RULES, Kind, Schema

FORMAT = 1
_DAY: Schema = {"type": "string", "pattern": DATE, "description": "a day, for example 2027-03-15"}
_TEXT: Schema = {"type": "string", "minLength": 1, "maxLength": 1000, "description": "a text"}
_ID: Schema = {
    "type": "string",
    "pattern": "^[a-z0-9][a-z0-9._-]{0,62}" + END,
    "description": "up to 63 of a-z, 0-9, '.', '_' and '-', a letter or digit first",
}


def _table(kinds: t.Mapping[str, Kind], required: t.Sequence[str] = ()) -> Schema:
    table: Schema = {
        "type": "object",
        "properties": {name: kind.schema for name, kind in kinds.items()},
        "additionalProperties": False,
    }
    if required:
        table["required"] = list(required)
    return table


def _says(name: str, kinds: t.Mapping[str, Kind]) -> Schema:
    """Return the schema of what a rule says; one that says nothing would pass for a rule and be none."""
    table = _table(kinds, REQUIRED.get(name, ()))
    return table if name == "contact" else {**table, "minProperties": 1}


def _rule() -> Schema:
    return {
        "type": "object",
        "properties": {
            "id": _ID,
            "because": _TEXT,
            "severity": {"enum": ["enforce", "warn"]},
            "enforce_from": _DAY,
            "only": _table(ONLY),
            **{name: _says(name, kinds) for name, kinds in RULES.items()},
        },
        "required": ["id"],
        "additionalProperties": False,
        "oneOf": [{"required": [name]} for name in RULES],
    }


def _waiver() -> Schema:
    return {
        "type": "object",
        "properties": {
            "rule": _ID,
            "identities": ONLY["identities"].schema,
            "hosts": ONLY["hosts"].schema,
            "contact": _TEXT,
            "until": _DAY,
            "because": _TEXT,
        },
        "required": ["rule", "contact", "until"],
        "additionalProperties": False,
    }


def schema() -> Schema:
    """Return the schema."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A policy of keystead.identity",
        "type": "object",
        "properties": {
            "format": {"const": FORMAT},
            "rules": {"type": "array", "items": {"$ref": "#/$defs/rule"}},
            "waivers": {"type": "array", "items": {"$ref": "#/$defs/waiver"}},
        },
        "required": ["format", "rules"],
        "additionalProperties": False,
        "$defs": {"rule": _rule(), "waiver": _waiver(), "issuer": ISSUER, **OF_LEAVE},
    }
