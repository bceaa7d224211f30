# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is decided about copies, by tables."""

from __future__ import annotations

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.checks import Look
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Finding, Known, Observed, Step
from ansible_collections.keystead.identity.plugins.module_utils._core.plan import decide
from ansible_collections.keystead.identity.plugins.module_utils._core.publication import (
    COPY_STATES,
    CopyState,
    Publication,
    is_copy,
    is_remote,
)
from ansible_collections.keystead.identity.tests.unit.plugins.module_utils._core.test_plan import (
    NOW,
    THERE,
    TOLD,
    TWO,
    WEB,
    credential,
    renewal,
    steps,
)

PATH = "/etc/web.p12"
WANTED = TOLD._replace(publish=(Publication(PATH, "pkcs12"),))
TELL = [("activate", "a published copy changed"), ("prove", "a published copy changed")]


def found(state: str, detail: str = "", there: Observed = THERE) -> Observed:
    return there._replace(copies=(CopyState(PATH, "pkcs12", state, detail),))


def test_a_copy_as_it_should_be_is_left_alone() -> None:
    assert steps(WANTED, found("ok"), credential()) == []


@pytest.mark.parametrize(
    ("state", "detail", "says"),
    [
        ("missing", "", "/etc/web.p12 is not there yet"),
        ("certificate", "", "/etc/web.p12 holds another certificate"),
        ("key", "", "/etc/web.p12 holds another key"),
        ("parts", "", "/etc/web.p12 holds other parts than declared, or in another order"),
        ("order", "", "/etc/web.p12 holds its parts in another order"),
        ("password", "", "/etc/web.p12 does not open with the declared password"),
        ("encryption", "legacy", "the encryption of /etc/web.p12 is not legacy"),
        ("unreadable", "", "/etc/web.p12 cannot be read as pkcs12"),
        ("file", "", "/etc/web.p12 holds something else, which pkcs12 replaces, as replace_files says"),
        ("taken", "old", "/etc/web.p12 was a copy of old, which no longer declares it"),
        ("link", "", "/etc/web.p12 is a link, in whose place a file comes"),
        ("unread", "", "/etc/web.p12 could not be read, and is written where that is possible now"),
    ],
)
def test_another_content_is_put_right_and_its_consumer_told(state: str, detail: str, says: str) -> None:
    assert steps(WANTED, found(state, detail), credential()) == [("publish", says, PATH), *TELL]


@pytest.mark.parametrize(
    ("state", "detail", "says"),
    [
        ("mode", "0644, not 0600", "the mode of /etc/web.p12 is 0644, not 0600"),
        ("owner", "0:0, not web:", "the owner of /etc/web.p12 is 0:0, not web:"),
        ("tags", "shop=web", "/etc/web.p12 lacks the tag shop=web"),
        ("same", "", "/etc/web.p12 holds the same already, and is managed from now on"),
    ],
)
def test_what_a_consumer_does_not_notice_is_put_right_alone(state: str, detail: str, says: str) -> None:
    assert steps(WANTED, found(state, detail), credential()) == [("publish", says, PATH)]


def test_every_state_is_in_these_tables() -> None:
    assert len(COPY_STATES) == 1 + 12 + 4


def test_a_consumer_on_the_host_is_not_told_of_copies_elsewhere() -> None:
    place = "openbao_kv https://bao.example.org/v1/kv/data/web"
    there = THERE._replace(copies=(CopyState(place, "openbao_kv", "missing"),))
    (step,) = decide(Look(TOLD, there, credential(), Known(), NOW))
    assert (step.action, step.about, is_remote(step)) == ("publish", place, True)
    assert not is_remote(Step("publish", "", PATH))


@pytest.mark.parametrize("state", COPY_STATES)
def test_a_renewal_writes_every_copy_whatever_it_is(state: str) -> None:
    damaged = found(state)._replace(damage=(Finding("part_missing", "chain.pem"),))
    stage, issue, publish, destroy = renewal("chain.pem is missing from the current generation")
    copied = ("publish", "/etc/web.p12 gets generation 2", PATH)
    told = [("activate", "generation 2 is new"), ("prove", "generation 2 is new")]
    assert steps(WANTED, damaged, credential()) == [stage, issue, publish, copied, *told, destroy]


def test_the_generation_before_is_copied_when_it_is_asked_for() -> None:
    back = WEB._replace(generation="previous", keep_generations=1)
    assert steps(back, found("ok", there=TWO), credential(), other=credential("c0")) == [
        ("publish", "generation 1 is asked for", "1"),
        ("publish", "/etc/web.p12 gets generation 1", PATH),
    ]


def test_what_is_no_longer_declared_is_withdrawn() -> None:
    stale = THERE._replace(stale_copies=(PATH,))
    assert steps(WEB, stale, credential()) == [("withdraw", "/etc/web.p12 is no longer declared", PATH)]
    assert steps(WEB._replace(state="absent"), stale, credential(), Known(newest=1)) == [
        ("destroy", "the identity is declared absent"),
        ("withdraw", "/etc/web.p12 is of an identity declared absent", PATH),
    ]


@pytest.mark.parametrize(
    ("step", "answer"),
    [
        (Step("publish", "", PATH), True),
        (Step("publish", "", "openbao_kv kv/web"), True),
        (Step("publish", "", "12"), False),
        (Step("publish", ""), False),
        (Step("link", "", PATH), False),
    ],
)
def test_a_step_is_about_a_copy_or_about_a_generation(step: Step, *, answer: bool) -> None:
    assert is_copy(step) is answer
