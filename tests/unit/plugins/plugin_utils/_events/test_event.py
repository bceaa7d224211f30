# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""No text of an event is code where a rulebook hands it on: Ansible itself, of any release, is asked."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible import template
from ansible.parsing.dataloader import DataLoader
from ansible_collections.keystead.identity.plugins.plugin_utils._events.event import Event, body, plain
from ansible_collections.keystead.identity.plugins.plugin_utils._rows.row import Row

HEADER = "#jinja2:variable_start_string:'[[',variable_end_string:']]',trim_blocks:True"
CODE = f"{HEADER}#[[ 6 * 7 ]]{{{{ 6 * 7 }}}}"
"""One line, as an event is: to ansible-core 2.18 header and text in one, since a value there may end with a comment."""
HOSTILE = (CODE, f"{HEADER}\n[[ 6 * 7 ]]", "#jinja2:", "#" + CODE, "{{ 6 * 7 }}", "{#jinja2: {# x #}", "{{#jinja2:{{")


def rendered(text: str) -> t.Any:
    """Return what Ansible makes of a text that it trusts, as it trusts extra variables; and it sees no template."""
    trusted = getattr(template, "trust_as_template", str)(text)
    templar = template.Templar(loader=DataLoader(), variables={})
    assert not templar.is_possibly_template(trusted)
    return templar.template(trusted)


@pytest.mark.parametrize("text", HOSTILE)
def test_ansible_renders_nothing_of_a_text_whoever_wrote_it(text: str) -> None:
    assert rendered(plain(text)) == plain(text)
    for before in (" ", "\n", "\t", "\ufeff"):
        said = plain(before + text)
        assert rendered(said) == said
        assert rendered(said.strip()) == said.strip()


@pytest.mark.parametrize("text", HOSTILE)
def test_every_text_of_an_event_is_plain_at_any_depth(text: str) -> None:
    row = Row(
        key=("", 0, 1), managed=True, name=text, host=text, state=text, in_use=True, kind=text, store=text,
        service=text, contact=text, issuer_id=text, spki=text, fingerprint=text, not_before=text, not_after=text,
    )  # fmt: skip
    event = body(Event(text, (text,), text, text, text, row), text, text)
    found = list(strings(event))
    assert len(found) > len(event)
    assert [rendered(one) for one in found] == found
    assert json.loads(json.dumps(event)) == event


def strings(of: t.Any) -> t.Iterator[str]:
    """Yield every string, the keys as well."""
    if isinstance(of, str):
        yield of
    elif isinstance(of, dict):
        for name, value in of.items():
            yield from (name, *strings(value))
    elif isinstance(of, list):
        for value in of:
            yield from strings(value)
