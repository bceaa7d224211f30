# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A plan as a file: canonical, whole, and nothing else is taken for one."""

from __future__ import annotations

import json
import typing as t

import pytest
import rfc8785
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Step
from ansible_collections.keystead.identity.plugins.plugin_utils._plan.document import (
    Entry,
    Plan,
    digest,
    plain,
    unpacked,
)

WEB = Entry("web", {"generation": 3, "links": ["/a: ok"]}, (Step("publish", "mode", ""), Step("destroy", "old", "2")))
PLAN = Plan("machine_identity", "web1", "/store", {"identities[web]": "00", "issuer": "01"}, (WEB,), "then")
REVOCATION = Plan("cert_revoke", "web1", "", {"reason": "02"}, (Entry("ab" * 32, {}, ()),), "then")


@pytest.mark.parametrize("plan", [PLAN, REVOCATION])
def test_a_plan_comes_back_as_it_was_written(plan: Plan) -> None:
    assert unpacked(plan.packed()) == plan
    assert plan.packed() == rfc8785.dumps(json.loads(plan.packed()))


def test_what_is_planned_at_another_time_is_another_plan() -> None:
    assert PLAN.digest != PLAN._replace(at="later").digest
    assert json.loads(PLAN.packed())["observed_sha256"] == json.loads(PLAN._replace(at="x").packed())["observed_sha256"]


def test_certificates_are_listed_by_their_fingerprints() -> None:
    assert [one["fingerprint_sha256"] for one in json.loads(REVOCATION.packed())["certificates"]] == ["ab" * 32]


def changed(**said: t.Any) -> bytes:
    return json.dumps({**json.loads(PLAN.packed()), **said}).encode()


@pytest.mark.parametrize(
    "content",
    [
        changed(format=2),
        changed(format="1"),
        changed(module=1),
        changed(identities=None),
        changed(identities=[{"name": "web"}]),
        changed(identities=[{"name": "web", "observed": 1, "steps": []}]),
        changed(identities=[{"name": "web", "observed": {}, "steps": [{"action": "steal", "reason": "x"}]}]),
        changed(declaration=[]),
        changed(host="a\nb"),
        b"",
        b"null",
        b'{"a": NaN}',
    ],
)
def test_what_is_no_plan_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="holds no plan of this version"):
        unpacked(content)


@pytest.mark.parametrize(
    "content",
    [
        changed(host="web2", more=1),
        changed(observed_sha256="00"),
        changed(declaration={"options": {}, "sha256": "00"}),
        changed(identities=[{"name": "web", "observed": {"generation": 4}, "steps": []}]),
    ],
)
def test_what_was_changed_by_hand_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="was changed since it was written"):
        unpacked(content)


def test_what_json_cannot_hold_is_written_in_another_way() -> None:
    assert plain({"a": ("\ud800", 2**60, -(2**60), 5, True, None)}) == {
        "a": ["?", str(2**60), str(-(2**60)), 5, True, None]
    }
    assert digest(plain({1: "x"})) == digest({"1": "x"})
