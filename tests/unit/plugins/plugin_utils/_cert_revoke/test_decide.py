# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is revoked, and what keeps all of it from being revoked: tables without a ledger, an issuer or a service."""

from __future__ import annotations

import datetime as dt
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied, Unavailable
from ansible_collections.keystead.identity.plugins.module_utils._core.ports import Revoked
from ansible_collections.keystead.identity.plugins.plugin_utils._cert_revoke.decide import (
    Found,
    check_expected,
    decide,
)
from ansible_collections.keystead.identity.plugins.plugin_utils._cert_revoke.kept import Holder, Kept, Target
from ansible_collections.keystead.identity.plugins.plugin_utils._cert_revoke.wanted import Wanted

pytestmark = pytest.mark.one_core

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
WANTED = Wanted((), "key_compromise", replaced_first=True, emergency=False, justification=None, expect=None)
SINCE = Revoked("superseded", NOON)


def found(fingerprint: str = "aa", status: str = "good", **said: t.Any) -> Found:
    holder = Holder("web1", "/store", "web", 1)
    kept = Kept(fingerprint, "bb", "4a", NOON, NOON)
    return Found(Target(kept, (holder,), "certificates[0]"), None, status, **said)


STANDING: dict[str, tuple[Found, bool, bool]] = {
    "good": (found(), True, False),
    "nobody can tell": (found(status="unknown"), True, False),
    "revoked, and recorded": (found(status="revoked", revoked=SINCE, recorded=True), False, False),
    "revoked elsewhere": (found(status="revoked", revoked=SINCE), False, True),
    "it has ended": (found(status="expired"), False, False),
    "its issuer did not answer": (found(status="unknown", error=Unavailable("openbao: gone")), False, False),
}


@pytest.mark.parametrize("case", STANDING)
def test_only_what_may_still_be_of_use_is_revoked(case: str) -> None:
    one, revoke, record = STANDING[case]
    steps, warnings = decide(WANTED, [one], {}, {})
    assert (one.to_revoke, one.to_record, bool(steps), warnings) == (revoke, record, revoke, [])


def test_a_step_says_which_certificate_and_why() -> None:
    ((step,), _warnings) = decide(WANTED, [found()], {}, {})
    said = "certificate 4a of web on web1, generation 1 is to be revoked (key_compromise)"
    assert (step.action, step.reason, step.about) == ("revoke", said, "aa")


@pytest.mark.parametrize(
    ("live", "served", "expected"),
    [
        ({"aa": ["/a.pem on web1"]}, {}, "still delivered, and not replaced: certificate 4a .*: /a.pem on web1"),
        ({}, {"aa": ["192.0.2.7:443, which proved web of web1"]}, "still served, .*192.0.2.7:443, which proved web"),
        ({"aa": ["/a.pem on web1"]}, {"aa": ["192.0.2.7:443"]}, "still delivered"),
    ],
)
def test_one_that_is_in_use_keeps_all_of_them(
    live: dict[str, list[str]], served: dict[str, list[str]], expected: str
) -> None:
    with pytest.raises(Denied, match=f"nothing is revoked, since this is {expected}"):
        decide(WANTED, [found("cc"), found("aa")], live, served)


def test_what_is_revoked_or_has_ended_may_be_in_use() -> None:
    places = {"aa": ["/a.pem on web1"]}
    for one in (found(status="expired"), found(status="revoked", revoked=SINCE)):
        assert decide(WANTED, [one], places, places) == ((), [])


@pytest.mark.parametrize(
    ("said", "why", "because"),
    [
        ({"replaced_first": False}, "replaced_first is false", ""),
        ({"emergency": True, "justification": "on a pastebin"}, "emergency", "; emergency: on a pastebin"),
    ],
)
def test_what_is_revoked_although_it_is_in_use_is_warned_of(said: dict[str, t.Any], why: str, because: str) -> None:
    ((step,), (warning,)) = decide(WANTED._replace(**said), [found()], {"aa": ["/a.pem on web1"]}, {})
    assert step.reason.endswith(f"(key_compromise){because}")
    assert warning == (
        f"cert_revoke: in use, and revoked since {why}: certificate 4a of web on web1, generation 1: /a.pem on web1"
    )


def test_many_places_are_counted_and_not_all_named() -> None:
    places = {"aa": [f"/{number}.pem on web1" for number in range(14)]}
    with pytest.raises(Denied) as raised:
        decide(WANTED, [found()], places, {})
    assert "/9.pem on web1; and 4 more; replace it there first" in str(raised.value)


@pytest.mark.parametrize(("expect", "matched", "fine"), [(None, 7, True), (7, 7, True), (7, 6, False), (0, 1, False)])
def test_another_number_than_expected_is_refused(expect: int | None, matched: int, *, fine: bool) -> None:
    if fine:
        check_expected(WANTED._replace(expect=expect), matched)
        return
    with pytest.raises(Denied, match=f"{expect} certificates were expected, and the entries select {matched}"):
        check_expected(WANTED._replace(expect=expect), matched)
