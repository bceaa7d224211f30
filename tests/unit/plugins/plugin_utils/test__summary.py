# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the end of a run tells of identities."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._summary import WIDTH, Summary

NEW = "there is no credential yet"
DUE = "it ends on 2026-12-01 10:00 and is due for renewal"


def record(name: str = "web", reason: str = "", *, days: float = 30, **said: t.Any) -> dict[str, t.Any]:
    """Return the record of an identity; with a reason, it was issued for it."""
    end = datetime.now(UTC) + timedelta(days=days, minutes=1)
    number = 2 if reason == DUE else 1
    place = "takes the place of 1" if reason == DUE else "is the first"
    steps = [
        {"action": "stage_key", "reason": reason},
        {"action": "issue", "reason": reason},
        {"action": "publish", "reason": f"generation {number} {place}"},
    ]
    return {
        "name": name,
        "changed": bool(reason),
        "failed": False,
        "msg": "",
        "generation": number,
        "steps": steps if reason else [],
        "certificate": {"not_after": f"{end:%Y-%m-%dT%H:%M:%SZ}"},
        **said,
    }


def lines(*results: tuple[str, dict[str, t.Any]], check: bool = False, ignored: bool = False) -> list[str]:
    """Return what is told of results, without the nearest expiry."""
    summary = Summary()
    for host, result in results:
        summary.add(host, result, check=check, ignored=ignored)
    return [line for line in summary.lines() if not line.startswith("nearest expiry")]


def test_nothing_is_told_when_no_task_told_of_an_identity() -> None:
    assert Summary().lines() == []


def test_counts_come_with_their_reasons_and_unchanged_needs_none() -> None:
    result = {"identities": [record("a", NEW), record("b", DUE), record("c"), record("d")]}
    assert lines(("web1", result)) == [
        "web1: issued 1, renewed 1, unchanged 2",
        f"  issued a: {NEW}",
        f"  renewed b: {DUE}",
    ]


def test_a_change_without_a_new_credential_is_told_by_its_first_reason() -> None:
    step = {"action": "link", "reason": "/x does not lead to chain yet"}
    changed = record(changed=True, steps=[step, {"action": "activate", "reason": "a link changed"}])
    assert lines(("web1", {"identities": [changed]})) == [
        "web1: changed 1", "  changed web: /x does not lead to chain yet",
    ]


def test_check_mode_tells_what_would_be_done_and_failures_as_they_are() -> None:
    result = {"identities": [record("a", NEW), record("b"), record("c", failed=True, msg="c: no")]}
    assert lines(("web1", result), check=True) == [
        "web1: would be issued 1, unchanged 1, failed 1", f"  would be issued a: {NEW}", "  failed c: c: no",
    ]


def test_hosts_with_the_same_story_share_it_and_a_total_follows() -> None:
    result = {"identities": [record(reason=NEW)]}
    other = {"identities": [record()]}
    assert lines(("web3", result), ("web1", result), ("web2", other)) == [
        "web1, web3: issued 1", f"  issued web: {NEW}", "web2: unchanged 1",
        "total of 3 hosts: issued 2, unchanged 1",
    ]


def test_many_names_are_not_all_told() -> None:
    result = {"identities": [record(f"n{number}", NEW) for number in range(120)]}
    assert lines(("web1", result))[1] == f"  issued n0, n1, n2, n3 and 116 more: {NEW}"


def test_the_items_of_a_loop_count_and_skipped_ones_do_not() -> None:
    items = [{"identities": [record("a", NEW)]}, {"skipped": True}, {"identities": [record("b")]}, {"msg": "no"}]
    assert lines(("web1", {"results": items}))[0] == "web1: issued 1, unchanged 1, failed 1"


def test_a_task_without_records_failed_as_a_whole() -> None:
    told = lines(("web1", {"msg": "machine_identity: option issuer is unknown"}), ignored=True)
    assert told == [
        "web1: failed 1", "  failed (ignored) the whole task: machine_identity: option issuer is unknown",
    ]


def test_what_no_log_hides_is_said_and_not_counted() -> None:
    hidden = {"censored": "the output has been hidden", "changed": True}
    assert lines(("web1", {"results": [hidden, hidden]})) == ["not counted: what no_log hides"]


@pytest.mark.parametrize(("days", "left"), [(30, "in 30 days"), (1, "in 24 hours"), (-3, "past")])
def test_the_nearest_expiry_names_identity_and_host(days: float, left: str) -> None:
    summary = Summary()
    summary.add("web1", {"identities": [record("late", days=90), record("none", certificate=None)]}, check=False)
    summary.add("web2", {"identities": [record("soon", days=days)]}, check=False)
    assert summary.lines()[-1].startswith("nearest expiry: soon on web2, ")
    assert summary.lines()[-1].endswith(f" UTC, {left}")


def test_no_line_is_wider_than_a_screen() -> None:
    long = record(failed=True, msg="host: " + "a command said something long; " * 40)
    summary = Summary()
    for number in range(9):
        summary.add(f"a-host-with-a-long-name-{number}.example.org", {"identities": [long]}, check=False)
    assert max(map(len, summary.lines())) <= WIDTH
    assert len(summary.lines()) < 12
