# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the event source documents is what it accepts, and what the rulebooks say to it is accepted."""

from __future__ import annotations

import ast
import re
import typing as t

import pytest
import yaml
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.plugin_utils._events.event import TYPES
from ansible_collections.keystead.identity.plugins.plugin_utils._events.options import OPTIONS, given
from ansible_collections.keystead.identity.tests.harness.event_source import SOURCE

pytestmark = pytest.mark.one_core

EDA = SOURCE.parents[2]
NAME = "keystead.identity.identity_events"


def constant(name: str) -> t.Any:
    """Return a constant of the source's file, as YAML."""
    for node in ast.parse(SOURCE.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", None) == name:
            return yaml.safe_load(ast.literal_eval(node.value))
    raise AssertionError(name)


def test_what_is_documented_is_what_is_accepted() -> None:
    documented = constant("DOCUMENTATION")["options"]
    assert documented.keys() == OPTIONS.keys()
    for name, entry in spec(OPTIONS).items():
        shown = {key: value for key, value in documented[name].items() if key != "description"}
        assert shown == {key: value for key, value in entry.items() if key != "no_log"}, name
    assert documented["events"]["choices"] == list(TYPES)


def test_the_example_and_what_rulebooks_say_are_accepted() -> None:
    said = [one[NAME] for one in constant("EXAMPLES")]
    for path in sorted((EDA / "rulebooks").glob("*.yml")):
        for ruleset in yaml.safe_load(path.read_text(encoding="utf-8")):
            said += [one[NAME] for one in ruleset["sources"]]
    assert len(said) == 4
    for one in said:
        plain = {name: _rendered(value) for name, value in one.items()}
        assert given({**plain, "cursor": "/srv/cursor"})["interval"]


def _rendered(value: t.Any) -> t.Any:
    """Return what a template of a rulebook is by default; None where its user has to say it."""
    if not isinstance(value, str) or "{{" not in value:
        return value
    found = re.search(r"default\((.*)\) }}", value)
    return ast.literal_eval(found[1]) if found else None
