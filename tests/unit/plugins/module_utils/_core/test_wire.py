# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""The nouns as JSON and back, and everything else refused with ValueError."""

from __future__ import annotations

import json
import typing as t
from datetime import UTC, datetime

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core import model, wire
from ansible_collections.keystead.identity.plugins.module_utils._core.key import KEY_FORMS, KEY_ORIGINS, Key, Token
from ansible_collections.keystead.identity.plugins.module_utils._core.publication import (
    COPY_STATES,
    CopyState,
    Publication,
)
from hypothesis import given
from hypothesis import strategies as st

NOUNS = (
    model.Subject,
    Key,
    model.Link,
    model.Files,
    model.Activation,
    model.Proof,
    model.Adopt,
    model.Identity,
    model.Known,
    model.Finding,
    model.LinkState,
    model.X509Facts,
    model.Credential,
    model.Original,
    model.Observed,
    model.Step,
    model.Done,
    Publication,
    CopyState,
)
TEXT = st.text(st.characters(exclude_categories=("C", "Z")), max_size=20)
TEXTS = st.lists(TEXT, max_size=3).map(tuple)
COUNT = st.integers(0, 10**12)
MAYBE = st.none() | TEXT
BINARY = st.none() | st.binary(max_size=100)
NUMBER = st.integers(-(10**12), 10**12) | st.floats(-1e12, 1e12, allow_nan=False)
SUBJECT = st.builds(model.Subject, MAYBE, TEXTS, TEXTS, TEXTS, TEXTS)
TOKEN = st.builds(Token, TEXT, *[st.none() | TEXT] * 5)
KEY = st.builds(
    Key, TEXT, TEXT, st.none() | TEXT, st.none() | TOKEN, TEXTS, st.sampled_from(KEY_ORIGINS),
    st.sampled_from(KEY_FORMS),
)
LINK = st.builds(model.Link, TEXT, TEXT)
FILES = st.builds(model.Files, MAYBE, MAYBE, TEXT, st.lists(LINK, max_size=2).map(tuple), st.booleans())
ACTIVATION = st.builds(model.Activation, MAYBE, TEXTS, TEXTS, NUMBER)
PROOF = st.builds(
    model.Proof, TEXT, st.none() | COUNT, MAYBE, MAYBE, st.booleans(), TEXTS, NUMBER, st.sampled_from(["changed"])
)
ADOPT = st.builds(model.Adopt, TEXT, MAYBE, MAYBE, TEXT)
PUBLICATION = st.builds(Publication, TEXT, TEXT, TEXTS, MAYBE, MAYBE, TEXT, TEXT, MAYBE, MAYBE)
KIND = st.sampled_from(model.KINDS)
IDENTITY = st.builds(
    model.Identity,
    TEXT, KIND, TEXT, SUBJECT, TEXT, KEY, COUNT, TEXT, FILES, st.none() | ACTIVATION, st.none() | PROOF, COUNT,
    MAYBE, MAYBE, st.none() | ADOPT, st.lists(PUBLICATION, max_size=2).map(tuple),
)  # fmt: skip
REVOKED = st.lists(st.tuples(TEXT, TEXT), max_size=2).map(tuple)
FINDING = st.builds(model.Finding, TEXT, TEXT, TEXT)
LINK_STATE = st.builds(model.LinkState, TEXT, TEXT, st.sampled_from(model.LINK_STATES))
FINDINGS = st.lists(FINDING, max_size=2).map(tuple)
MOMENT = st.integers(0, 253402300799).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
ROTATION = st.builds(model.Rotation, MOMENT, MAYBE, st.none() | MOMENT, MAYBE)
KNOWN = st.builds(
    model.Known, REVOKED, TEXTS, COUNT, MAYBE, st.booleans(), *[MAYBE] * 4, st.none() | MOMENT, st.none() | ROTATION
)
FACTS = st.builds(model.X509Facts, SUBJECT, TEXT, st.integers(0, 2**160), TEXT, TEXT, is_ca=st.booleans(), usages=TEXTS)
CREDENTIAL = st.builds(model.Credential, TEXT, TEXT, MOMENT, MOMENT, FACTS, KIND)
ORIGINAL = st.builds(
    model.Original, st.binary(max_size=99), CREDENTIAL, st.lists(st.binary(max_size=9), max_size=2).map(tuple), FINDINGS
)
COPY = st.builds(CopyState, TEXT, TEXT, st.sampled_from(COPY_STATES), TEXT)
OBSERVED = st.builds(
    model.Observed,
    TEXT, st.none() | COUNT, COUNT, st.lists(COUNT, max_size=3).map(tuple), BINARY, st.none() | CREDENTIAL,
    st.none() | CREDENTIAL, MAYBE, MAYBE, FINDINGS, FINDINGS,
    st.lists(LINK_STATE, max_size=2).map(tuple), TEXTS, st.booleans(), st.none() | COUNT, MAYBE,
    st.none() | ORIGINAL, MAYBE, st.sampled_from((None, *KEY_ORIGINS)), MAYBE, TEXTS, MAYBE, st.booleans(),
    st.lists(COPY, max_size=2).map(tuple), TEXTS, TEXTS,
)  # fmt: skip
STEP = st.builds(model.Step, st.sampled_from(model.ACTIONS), TEXT, TEXT)
DONE = st.builds(model.Done, st.sampled_from(model.ACTIONS), TEXT, NUMBER, MAYBE)
EVERY = st.one_of(
    SUBJECT, KEY, LINK, FILES, ACTIVATION, PROOF, IDENTITY, KNOWN, FINDING, LINK_STATE, CREDENTIAL, OBSERVED, STEP,
    DONE, ADOPT, ORIGINAL, PUBLICATION, COPY,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(EVERY)
def test_every_noun_comes_back_as_it_went(noun: t.Any) -> None:
    back = wire.unpack(type(noun), json.loads(json.dumps(wire.pack(noun))))
    assert (type(back), back) == (type(noun), noun)


def test_a_noun_with_its_defaults_is_almost_nothing_on_the_wire() -> None:
    assert wire.pack(model.Identity("web")) == {"name": "web"}
    assert wire.pack(model.Known()) == {}


@given(st.sampled_from(NOUNS), JSON)
def test_anything_else_is_refused_with_a_value_error(noun: type, said: t.Any) -> None:
    try:
        found = wire.unpack(noun, said)
    except ValueError:
        return
    assert isinstance(found, noun)


@given(st.sampled_from(NOUNS), st.data())
def test_a_field_of_another_form_is_refused_with_a_value_error(noun: type, data: st.DataObject) -> None:
    names = getattr(noun, "_fields", ())
    said = data.draw(st.dictionaries(st.sampled_from(names), JSON, min_size=1))
    told = ""
    try:
        assert isinstance(wire.unpack(noun, said), noun)
    except ValueError as error:
        told = str(error)
    assert len(told) < 200, "a message repeats nothing that the other side wrote"


@pytest.mark.parametrize(
    ("noun", "said"),
    [
        (model.Observed, {"name": "web", "generation": 1.5}),
        (model.Observed, {"name": "web", "generation": -1}),
        (model.Observed, {"name": "web", "newest": True}),
        (model.Observed, {"name": "web", "newest": float("nan")}),
        (model.Observed, {"name": "web", "newest": 10**30}),
        (model.Observed, {"name": "web", "others": [1, "2"]}),
        (model.Observed, {"name": "web", "others": [0] * 5000}),
        (model.Observed, {"name": "web", "certificate": "not base64!"}),
        (model.Observed, {"name": "web", "certificate": "A" * 200_000}),
        (model.Observed, {"name": "web", "certificate": "\ud800"}),
        (model.Observed, {"name": "web\n"}),
        (model.Observed, {"name": "\x1b[31mweb"}),
        (model.Observed, {"name": "w" * 5000}),
        (model.Observed, {"name": "web", "served": 1}),
        (model.Observed, {"name": "web", "links": [{"path": "/a", "part": "chain", "state": "odd"}]}),
        (model.Observed, {"name": "web", "links": {"path": "/a"}}),
        (model.Observed, {"name": "web", "__class__": "x"}),
        (model.Observed, {"generation": 1}),
        (model.Observed, []),
        (model.Done, {"action": "format_disk", "reason": ""}),
        (model.Done, {"action": "publish", "reason": "", "seconds": float("inf")}),
        (model.Done, {"action": ["publish"], "reason": ""}),
        (model.Step, {"action": None, "reason": ""}),
    ],
)
def test_what_a_hostile_half_could_say_is_refused(noun: type, said: t.Any) -> None:
    with pytest.raises(ValueError, match=r"^[a-z.]+(_[a-z]+)* (is|has|lacks) "):
        wire.unpack(noun, said)
