# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The figures of a report follow from rows and the time alone, and every form of it says the same."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import typing as t
from datetime import timedelta

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._identity_report import charts, page, tables, views
from ansible_collections.keystead.identity.plugins.plugin_utils._identity_report.figures import figures
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.moments import stamp
from ansible_collections.keystead.identity.tests.harness import estate
from ansible_collections.keystead.identity.tests.harness.estate import NOW

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.plugins.plugin_utils._rows.row import Row

pytestmark = pytest.mark.one_core


def well(number: int = 0, **said: t.Any) -> Row:
    """Return a row that nothing is wrong with, but for what is said."""
    ends = {"not_before": stamp(NOW - timedelta(days=1)), "not_after": stamp(NOW + timedelta(days=300))}
    plain = {"key_type": "ecdsa-p256", "contact": "team@example.org", "certificate": None, **ends}
    return estate.rows(number + 1)[number]._replace(**{**plain, **said})


def one(row: Row, *others: Row) -> dict[str, t.Any]:
    """Return the figures of one identity."""
    found = figures(estate.known([row, *others]), NOW)["identities"]
    return next(each for each in found if each["source"] == row.source and each["name"] == row.name)


def ends(days: float, life: int = 365) -> dict[str, str]:
    """Return the ends of a life that has so many days left."""
    end = NOW + timedelta(days=days)
    return {"not_before": stamp(end - timedelta(days=life)), "not_after": stamp(end)}


RISKS: list[tuple[str, dict[str, t.Any], str, list[str]]] = [
    ("nothing is wrong", {}, "none", []),
    ("it has ended", ends(-1), "critical", ["expired"]),
    ("it ended a second ago", ends(-1 / 86400), "critical", ["expired"]),
    ("it ends this week", ends(6), "high", ["ends_this_week"]),
    ("it ends this month", ends(20), "medium", ["expires_soon"]),
    ("it lives for a week by design, and is new", ends(6, 7), "none", []),
    ("it is revoked", {"revoked_at": stamp(NOW), "revocation_reason": "superseded"}, "critical", ["revoked"]),
    ("it is not valid yet", {"not_before": stamp(NOW + timedelta(hours=30))}, "critical", ["not_valid_yet"]),
    ("it is valid from now on", {"not_before": stamp(NOW)}, "none", []),
    ("its key is short", {"key_type": "rsa-1024"}, "high", ["weak_key", "policy"]),
    ("nothing uses it", {"deliveries": ()}, "low", ["delivered_nowhere"]),
]


@pytest.mark.parametrize(("said", "risk", "codes"), [case[1:] for case in RISKS], ids=[case[0] for case in RISKS])
def test_a_risk_is_the_heaviest_of_its_reasons(said: dict[str, t.Any], risk: str, codes: list[str]) -> None:
    found = one(well(**said))
    assert (found["risk"], sorted({each["code"] for each in found["findings"]})) == (risk, sorted(codes))
    assert (found["score"] > 0) == bool(codes)


def test_the_worst_comes_first_and_among_equals_what_ends_first() -> None:
    rows = [well(), well(1, **ends(20)), well(2, **ends(-1)), well(3, **ends(10)), well(5, deliveries=())]
    found = figures(estate.known(rows), NOW)["identities"]
    assert [each["risk"] for each in found] == ["critical", "medium", "medium", "low", "none"]
    assert [each["days_left"] for each in found] == [-1, 10, 20, 300, 300]


def test_totals_add_up_and_every_end_stands_once_in_the_timeline() -> None:
    found = estate.made(1500)
    totals, line = found["totals"], found["timeline"]
    assert totals["identities"] == 1500 == totals["managed"] + totals["observed"]
    assert sum(totals[name] for name in ("critical", "high", "medium", "low", "without_risk")) == 1500
    assert line["ended"] == totals["expired"] > 0
    assert line["ended"] + line["later"] + sum(each["count"] for each in line["months"]) == 1500
    assert sum(each["count"] for each in line["days"][:8]) >= totals["ends_within_7d"] > 0
    assert (len(line["days"]), len(line["months"]), line["months"][0]["month"]) == (91, 24, "2026-11")


def test_nothing_at_all_is_a_report_too() -> None:
    empty = figures(estate.known([]), NOW)
    unknown = {"hosts_without_identity", "identities_without_host", "rogue"}
    assert {name for name, count in empty["totals"].items() if count is None} == unknown, "there was nobody to ask"
    assert set(empty["totals"].values()) == {0, None}
    assert "No identity is in use." in page.as_html(empty).decode()
    assert tables.as_csv(empty)["identities.csv"].count(b"\n") == 1


def test_json_and_csv_say_the_same_as_the_figures() -> None:
    found = estate.made(300)
    assert json.loads(tables.as_json(found)) == found
    files = tables.as_csv(found)
    rows = list(csv.DictReader(io.StringIO(files["identities.csv"].decode())))
    assert [(row["host"], row["risk"], int(row["days_left"])) for row in rows] == [
        (each["host"], each["risk"], each["days_left"]) for each in found["identities"]
    ]
    totals = {row["name"]: int(row["count"]) for row in csv.DictReader(io.StringIO(files["totals.csv"].decode()))}
    assert totals == found["totals"]


def test_a_cell_that_begins_like_a_formula_is_text_to_a_spreadsheet() -> None:
    found = figures(estate.known(estate.hostile()), NOW)
    cells = [cell for row in csv.reader(io.StringIO(tables.as_csv(found)["identities.csv"].decode())) for cell in row]
    assert any(cell.startswith("'=HYPERLINK") for cell in cells)
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@", "-", "\t", "\r"))]


def test_the_page_has_the_same_rows_as_data_and_the_first_ones_as_a_table() -> None:
    found = estate.made(80)
    text = page.as_html(found).decode()
    island = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert island
    data = json.loads(island[1])["identities"]
    host = [column["key"] for column in data["columns"]].index("host")
    assert [row[host] for row in data["rows"]] == [each["host"] for each in found["identities"]]
    assert text.count('<td class="risk">') > page.FIRST_ROWS
    assert f'<time id="made" datetime="{found["made_at"]}">' in text


def test_hostile_names_are_text_wherever_they_stand() -> None:
    found = figures(estate.known(estate.hostile(), title=estate.HOSTILE[0]), NOW)
    text = page.as_html(found).decode()
    assert "<script>document" not in text
    assert "<img" not in text
    assert not re.search("[\u202e\u2028\0\x1b]", text)
    assert "[U+202E]fdp.exe" in text
    assert len(text) < 1 << 20, "a name of 10 kB is cut"
    assert html.escape("{{ 7 * 7 }}{% raw %}") in text


def test_what_cannot_be_seen_is_shown_by_its_number_and_what_is_long_is_cut() -> None:
    assert views.shown("a\u202eb\u200bc\x07") == "a[U+202E]b[U+200B]c[U+0007]"
    for blank in "\u2800\u3164\u115f\u034f\ufe0f\U000e0100":
        assert views.shown(f"a{blank}b") == f"a[U+{ord(blank):04X}]b"
    assert views.shown("münchen 東京 ☃") == "münchen 東京 ☃"
    assert views.shown("x" * 10_000) == "x" * views.LONGEST + "..."


def test_a_cell_that_a_spreadsheet_would_split_has_no_formula_after_the_split() -> None:
    evil = "x;=1+1\n@y\t-z"
    found = figures(estate.known([well(contact=evil, names={"dns": ("a", "=b")})]), NOW)
    text = tables.as_csv(found)["identities.csv"].decode()
    assert "x;'=1+1\n'@y\t'-z" in text
    assert "a; '=b" in text
    assert not re.search(r"(?:^|[;\t\n]) *[-=+@]", text)


def test_an_issuer_is_called_without_the_digest_of_its_key() -> None:
    assert views.signer("local:issuing:0d2f0c7ea5b94bd2a4ad9a5fc4b34a04") == "local:issuing"
    assert views.signer("acme:https://acme.example.org/directory") == "acme:https://acme.example.org/directory"
    assert views.signer(None) is None


@pytest.mark.parametrize(("most", "top"), [(0, 2), (1, 2), (3, 4), (7, 8), (9, 10), (11, 12), (220, 240), (2500, 3000)])
def test_an_axis_ends_at_an_even_number_that_is_easy_to_read(most: int, top: int) -> None:
    assert charts.nice(most) == top


def test_the_parts_of_a_whole_fill_their_room_and_little_ones_stay_seen() -> None:
    parts = charts.shares([("critical", 1), ("high", 0), ("low", 9), ("none", 99_990)])
    assert [part.label for part in parts] == ["critical", "low", "none"]
    assert min(part.width for part in parts) == 6
    assert parts[-1].x + parts[-1].width == pytest.approx(1000, abs=0.1)
