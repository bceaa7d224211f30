# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What rows tell, and what is due of it: tables of sentence, row, events."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.plugin_utils._events import drift
from ansible_collections.keystead.identity.plugins.plugin_utils._events.due import Told, due
from ansible_collections.keystead.identity.plugins.plugin_utils._events.event import Event, base_of, body, plain
from ansible_collections.keystead.identity.plugins.plugin_utils._events.standing import Known, events
from ansible_collections.keystead.identity.plugins.plugin_utils._events.thresholds import checked, passed
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.moments import stamp
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.load import load
from ansible_collections.keystead.identity.plugins.plugin_utils._rows.alike import Alike
from ansible_collections.keystead.identity.plugins.plugin_utils._rows.row import LAST, Row

pytestmark = pytest.mark.one_core

NOW = datetime(2026, 1, 31, 9, 0, tzinfo=UTC)
LEDGER = "ledger-1"
DAY = timedelta(days=1)


def row(number: int = 1, *, left: float = 20, life: float = 30, **said: t.Any) -> Row:
    """Return an identity in use with so many days left."""
    ends = NOW + left * DAY
    told: dict[str, t.Any] = {
        "name": "web", "host": f"web{number}", "state": "current", "in_use": True, "store": "/srv/store",
        "contact": "me@example.org", "key_type": "ecdsa-p256", "spki": f"{number:064x}", "generation": 1,
        "fingerprint": f"{number + 99:064x}", "serial_number": f"{number:x}", "issuer_id": "local:issuing:00",
        "not_before": stamp(ends - life * DAY), "not_after": stamp(ends),
    }  # fmt: skip
    told["key"] = (stamp(ends), 0, number)
    return Row(managed=True, **{**told, **said})


def record(**said: t.Any) -> Row:
    """Return what another system says of the certificate of the first identity."""
    found = row(state="observed", store=None, generation=None, issuer_id=None, **{"spki": None, **said})
    return found._replace(managed=False, key=(LAST, 1, 1))


def told(*rows: Row, thresholds: tuple[str, ...] = ("33%", "10%"), broken: t.Any = None) -> list[Event]:
    """Return what rows tell, but for what the shipped policy says of them."""
    known = Known(load(None, NOW), Alike(rows), broken or {}, thresholds, NOW)
    return [one for one in events(rows, known) if one.code != "policy"]


def short(found: t.Iterable[Event]) -> list[tuple[str, str | None, str, str | None]]:
    return [(one.type, one.code, one.severity, one.row.host if one.row else None) for one in found]


REVOKED = {"revoked_at": stamp(NOW - DAY), "revocation_reason": "key_compromise"}


@pytest.mark.parametrize(
    ("sentence", "rows", "expected"),
    [
        ("nothing is said of what is well", [row()], []),
        ("a third is left", [row(left=9.9)], [("expiring", "33%", "warning", "web1")]),
        ("a tenth is left, and the third is not told as well", [row(left=2)], [("expiring", "10%", "warning", "web1")]),
        ("it has ended", [row(left=-1)], [("expired", None, "critical", "web1")]),
        ("it is revoked and in use", [row(**REVOKED)], [("revoked", "key_compromise", "critical", "web1")]),
        (
            "it is revoked and not in use",
            [row(state="revoked", in_use=False, **REVOKED)],
            [("revoked", "key_compromise", "notice", "web1")],
        ),
        ("it is revoked and over", [row(left=-1, state="revoked", in_use=False, **REVOKED)], []),
        (
            "two hosts have one key",
            [row(1, spki="ab" * 32), row(2, spki="ab" * 32), row(3)],
            [("duplicate_key", "shared_key", "critical", "web1"), ("duplicate_key", "shared_key", "critical", "web2")],
        ),
        (
            "two hosts have one certificate",
            [row(1), row(1, host="web2", key=(stamp(NOW), 0, 7))],
            [
                ("duplicate_key", "same_certificate", "critical", "web1"),
                ("duplicate_key", "same_certificate", "critical", "web2"),
            ],
        ),
        (
            "its issuer lists it, and no host has it",
            [row(host="", state="orphaned", in_use=False)],
            [("not_in_inventory", "listed", "critical", "")],
        ),
        (
            "a run gave it up",
            [row(state="orphaned", in_use=False)],
            [("not_in_inventory", "orphaned", "warning", "web1")],
        ),
        (
            "its issuer lists it, and a record says who holds it",
            [row(host="", state="orphaned", in_use=False), record()],
            [],
        ),
        ("a run gave it up, and a record says that it is there", [row(state="orphaned", in_use=False), record()], []),
        (
            "a record of another certificate says nothing of it",
            [row(host="", state="orphaned", in_use=False), record(fingerprint="dd" * 32, serial_number="7")],
            [("not_in_inventory", "listed", "critical", "")],
        ),
        ("a run gave up what was never signed", [row(state="orphaned", in_use=False, fingerprint=None)], []),
        ("what was replaced harms nobody", [row(left=-1, state="superseded", in_use=False)], []),
        ("it has no end", [row(not_after=None, not_before=None)], []),
    ],
)
def test_rows_tell(sentence: str, rows: list[Row], expected: list[t.Any]) -> None:
    assert short(told(*rows)) == expected, sentence


def test_a_weak_key_and_a_breach_of_the_policy_are_findings() -> None:
    weak = {row().key: [{"code": "weak_key", "msg": "its key is rsa-512"}]}
    assert short(told(row(), broken=weak)) == [("finding", "weak_key", "critical", "web1")]
    known = Known(load(None, NOW), Alike([]), {}, (), NOW)
    breaches = [one for one in events([row(key_type="rsa-1024")], known) if one.code == "policy"]
    assert {one.type for one in breaches} == {"finding"}
    assert len({base_of(one, LEDGER) for one in breaches}) == len(breaches) > 0


@pytest.mark.parametrize(
    ("threshold", "left", "expected"),
    [("33%", 10, None), ("33%", 9.9, "33%"), ("14d", 14, "14d"), ("14d", 14.1, None), ("14d", -0.1, None)],
)
def test_a_threshold_is_a_share_of_the_life_or_a_time(threshold: str, left: float, expected: str | None) -> None:
    assert passed(row(left=left), (threshold,), NOW) == expected


def test_a_share_of_a_life_that_nobody_knows_is_never_passed() -> None:
    assert passed(row(left=1, not_before=None), ("99%", "7d"), NOW) == "7d"
    assert passed(row(left=1, not_before=None), ("99%",), NOW) is None


@pytest.mark.parametrize("said", ["0%", "100%", "soon", "-1d", "5"])
def test_what_is_no_threshold_is_refused_by_name(said: str) -> None:
    with pytest.raises(Misconfigured, match=r"option expiring: .* is no threshold"):
        checked([said], "option expiring")


def test_what_was_revoked_and_is_in_use_now_is_another_matter_than_when_it_was_not() -> None:
    (idle,) = told(row(state="revoked", in_use=False, **REVOKED))
    (used,) = told(row(**REVOKED))
    assert base_of(idle, LEDGER) != base_of(used, LEDGER)
    assert base_of(used, LEDGER) == base_of(*told(row(left=19, **REVOKED)), LEDGER)


def test_an_event_has_one_id_in_every_run_and_another_one_for_another_credential_place_or_ledger() -> None:
    (first,) = told(row(left=9))
    (again,) = told(row(left=8))
    assert base_of(first, LEDGER) == base_of(again, LEDGER)
    others = [*told(row(2, left=9)), *told(row(left=9, fingerprint="cc" * 32)), *told(row(left=2))]
    ids = {base_of(first, LEDGER), base_of(first, "ledger-2"), *(base_of(one, LEDGER) for one in others)}
    assert len(ids) == 5


def test_what_was_told_is_due_again_only_when_it_is_in_doubt_or_somebody_wants_to_be_reminded() -> None:
    (event,) = told(row(left=9))
    base, at = base_of(event, LEDGER), stamp(NOW - DAY)

    def asked(before: Told | None, remind: int | None = None) -> list[tuple[int, bool]]:
        found = due([event, event], {} if before is None else {base: before}, LEDGER, NOW, remind)
        return [(one.reminder, one.redelivered) for one in found]

    assert asked(None) == [(0, False)]
    assert asked(Told(0, at, in_doubt=True)) == [(0, True)]
    assert asked(Told(1, at)) == []
    assert asked(Told(1, at), 86401) == []
    assert asked(Told(1, at), 86400) == [(1, False)]
    assert asked(Told(4, at, in_doubt=True), 86400) == [(4, True)]


def test_a_reminder_is_another_event_of_the_same_matter() -> None:
    (event,) = told(row(left=9))
    first, second = (body(event, LEDGER, stamp(NOW), number) for number in (0, 1))
    assert first["id"] == base_of(event, LEDGER) != second["id"]
    assert first["meta"]["uuid"].replace("-", "") == first["id"][:32]
    assert {name for name in first if first[name] != second[name]} == {"id", "reminder", "meta"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a {{ b }}", "a { { b }}"), ("{% if %}", "{ % if %}"), ("{{{", "{ { {"), ("a\nb\u202e", "a b?"), ("{}", "{}")],
)
def test_no_text_begins_a_template(text: str, expected: str) -> None:
    assert plain(text) == expected
    assert "{{" not in expected


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("the mode of private_key.pem is 0644, not 0600", "mode"),
        ("certificate.pem was changed on the host", "part_changed"),
        ("/etc/web.pem leads elsewhere, not to fullchain", "link"),
        ("there is no credential yet", None),
        ("it ends on 2026-02-01 and is due for renewal", None),
    ],
)
def test_a_step_was_taken_because_of_drift_when_its_reason_says_so(reason: str, code: str | None) -> None:
    steps = [drift.Repair(7, "web1", "/srv/store", "web", 1, reason, "ok", stamp(NOW))]
    assert [one.code for one in drift.events(steps)] == ([] if code is None else [code])


def test_drift_that_no_run_can_put_right_is_told_once_a_day() -> None:
    reason = "certificate.pem was changed on the host"
    first = drift.Repair(7, "web1", "/srv/store", "web", 2, reason, "failed", stamp(NOW))
    steps = [first, first._replace(seq=9, at=stamp(NOW + DAY / 24))]
    done = [one._replace(outcome="ok") for one in steps]
    later = [*steps, first._replace(seq=11, at=stamp(NOW + 90 * DAY))]
    assert len({base_of(one, LEDGER) for one in drift.events(steps)}) == 1
    assert len({base_of(one, LEDGER) for one in drift.events(later)}) == 2
    assert len({base_of(one, LEDGER) for one in drift.events(done)}) == 2
