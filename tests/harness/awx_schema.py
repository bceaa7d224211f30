# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What AWX takes: objects by the options of the modules of awx.awx, surveys and credential types by AWX's own checks.

Written from the documentation of awx.awx and from what awx/main/fields.py and awx/api/views refuse.
"""

from __future__ import annotations

import typing as t

import jinja2
import jinja2.sandbox
import jsonschema

Object = dict[str, t.Any]
NAME = "^[a-zA-Z_]+[a-zA-Z0-9_]*$"  # of fields, variables and environment variables
TEXT, BOOL, NUMBER = {"type": "string"}, {"type": "boolean"}, {"type": "integer", "minimum": 0}
NAMED = {"type": "string", "minLength": 1, "maxLength": 512}
NAMES = {"type": "array", "items": NAMED}


def _object(required: str, /, **properties: Object) -> Object:
    return {"type": "object", "properties": properties, "required": required.split(), "additionalProperties": False}


QUESTION = _object(
    "question_name question_description required type variable default",
    question_name=NAMED, question_description=TEXT, required=BOOL, default=TEXT,
    type={"enum": ["text", "textarea", "password", "integer", "float", "multiplechoice", "multiselect"]},
    variable={"type": "string", "pattern": NAME}, choices={"type": "array", "items": TEXT, "minItems": 1},
)  # fmt: skip
SURVEY: Object = {
    "survey_enabled": BOOL,
    "survey_spec": _object(
        "name description spec", name=TEXT, description=TEXT, spec={"type": "array", "items": QUESTION, "minItems": 1}
    ),
}
NODE = _object(
    "identifier",
    identifier=NAMED, unified_job_template=NAMED, lookup_organization=NAMED, success_nodes=NAMES,
    approval_node=_object("name", name=NAMED, description=TEXT, timeout=NUMBER),
)  # fmt: skip
KINDS: dict[str, Object] = {
    "controller_credential_types": _object(
        "name kind inputs injectors",
        name=NAMED, description=TEXT, kind={"enum": ["cloud", "net"]}, inputs={"type": "object"},
        injectors={"type": "object"},
    ),
    "controller_execution_environments": _object(
        "name image", name=NAMED, description=TEXT, organization=NAMED, image=NAMED
    ),
    "controller_inventories": _object("name organization", name=NAMED, description=TEXT, organization=NAMED),
    "controller_inventory_sources": _object(
        "name inventory source",
        name=NAMED, inventory=NAMED, organization=NAMED, source={"enum": ["scm"]}, source_project=NAMED,
        source_path=NAMED, credential=NAMED, execution_environment=NAMED, overwrite=BOOL, overwrite_vars=BOOL,
        update_on_launch=BOOL, update_cache_timeout=NUMBER,
    ),
    "controller_projects": _object(
        "name organization scm_type scm_url",
        name=NAMED, description=TEXT, organization=NAMED, scm_type={"enum": ["git"]}, scm_url=NAMED, scm_branch=TEXT,
        scm_update_on_launch=BOOL,
    ),
    "controller_schedules": _object(
        "name unified_job_template rrule",
        name=NAMED, organization=NAMED, unified_job_template=NAMED, rrule=NAMED, enabled=BOOL,
    ),
    "controller_templates": _object(
        "name job_type organization project playbook inventory execution_environment credentials",
        name=NAMED, description=TEXT, job_type={"enum": ["run", "check"]}, organization=NAMED, project=NAMED,
        playbook=NAMED, inventory=NAMED, execution_environment=NAMED, credentials=NAMES, become_enabled=BOOL,
        diff_mode=BOOL, ask_limit_on_launch=BOOL, ask_job_type_on_launch=BOOL, job_slice_count=NUMBER, **SURVEY,
    ),
    "controller_workflows": _object(
        "name organization simplified_workflow_nodes",
        name=NAMED, description=TEXT, organization=NAMED, simplified_workflow_nodes={"type": "array", "items": NODE},
        **SURVEY,
    ),
}  # fmt: skip
INPUTS = _object(
    "fields required",
    required={"type": "array", "items": TEXT},
    fields={
        "type": "array",
        "items": _object(
            "id label type",
            id={"type": "string", "pattern": NAME, "not": {"const": "tower"}}, label=NAMED, help_text=TEXT,
            type={"enum": ["string", "boolean"]}, format={"enum": ["ssh_private_key", "url"]}, multiline=BOOL,
            secret=BOOL, default={}, choices=NAMES,
        ),
    },
)  # fmt: skip


def _templates(names: str, **also: t.Any) -> Object:
    return {"type": "object", "patternProperties": {names: {**TEXT, **also}}, "additionalProperties": False}


INJECTORS: Object = {
    "type": "object",
    "properties": {
        "file": _templates(r"^template(\.[a-zA-Z_]+[a-zA-Z0-9_]*)?$"),
        "env": _templates(r"^(?!ANSIBLE_)[a-zA-Z_]+[a-zA-Z0-9_]*$", pattern="^[\x00-\x7f]*$"),
        "extra_vars": _templates(NAME),
    },
    "additionalProperties": False,
}


def check(objects: dict[str, list[Object]]) -> None:
    """Raise where AWX, or the modules of awx.awx, would refuse an object."""
    jsonschema.validate(objects, {"type": "object", "required": [*KINDS], "additionalProperties": {"type": "array"}})
    for kind, found in objects.items():
        for one in found:
            jsonschema.validate(one, KINDS[kind])
            _check_survey(one.get("survey_spec", {"spec": []})["spec"])
        names = [one["name"] for one in found]
        assert len(set(names)) == len(names), kind
    for one in objects["controller_credential_types"]:
        _check_credential_type(one["inputs"], one["injectors"])


def _check_survey(questions: list[Object]) -> None:
    variables = [one["variable"] for one in questions]
    assert len(set(variables)) == len(variables)
    for one in questions:
        assert ("choices" in one) == one["type"].startswith("multi"), one
        assert one["default"] in ("", *one.get("choices", [one["default"]])), one


def _check_credential_type(inputs: Object, injectors: Object) -> None:
    jsonschema.validate(inputs, INPUTS)
    jsonschema.validate(injectors, INJECTORS)
    ids = [one["id"] for one in inputs["fields"]]
    assert len(set(ids)) == len(ids)
    assert set(inputs["required"]) <= set(ids)
    files = injectors.get("file", {})
    assert "template" not in files or len(files) == 1
    names = {name.partition(".")[2]: "/a/file" for name in files}
    said = dict.fromkeys(ids, "said") | {"tower": {"filename": names.get("", names)}}
    strict = jinja2.sandbox.ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined)
    for templates in injectors.values():
        for template in templates.values():
            strict.from_string(template).render(**said)
