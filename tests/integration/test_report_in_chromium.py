# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The page of identity_report in a real Chromium: fast with 10,000 identities, harmless, for keys, ears and paper."""

from __future__ import annotations

import itertools
import typing as t
from datetime import timedelta

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._identity_report.figures import figures
from ansible_collections.keystead.identity.plugins.plugin_utils._identity_report.page import FIRST_ROWS, as_html
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.moments import stamp
from ansible_collections.keystead.identity.plugins.plugin_utils._rows.row import Delivery
from ansible_collections.keystead.identity.tests.harness import estate
from ansible_collections.keystead.identity.tests.harness.browser import chromium, opened

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.browser import Seen
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.needs("chromium"), pytest.mark.one_core]

COUNT = 10_000
TABLE = "[data-table=identities]"
LONG = "ip-10-20-30-410.eu-central-1.compute.internal"
MILLISECONDS = """
([selector, value, event]) => {
  const one = document.querySelector(selector);
  const before = performance.now();
  one.value = value;
  one.dispatchEvent(new Event(event, {bubbles: true}));
  document.body.getBoundingClientRect();
  return performance.now() - before;
}
"""
"""How long the page takes to answer a change, until everything has its place again."""
ONE_LINE = """
(all) => all.every((one) => one.offsetHeight < 1.5 * parseFloat(getComputedStyle(one).lineHeight))
"""
PALE = """
() => {
  const light = (rgb) => {
    const linear = (one) => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4;
    const [r, g, b] = rgb.map((one) => linear(one / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const numbers = (colour) => (colour.match(/[\\d.]+/g) || []).map(Number);
  const behind = (one) => {
    for (; one; one = one.parentElement) {
      const found = numbers(getComputedStyle(one).backgroundColor);
      if (found.length === 3) return found;
    }
    return [255, 255, 255];
  };
  const found = new Set();
  for (const one of document.querySelectorAll("main *, header *, nav *, footer *")) {
    const text = [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!text || one.closest("svg, noscript, :disabled, [hidden]")) continue;
    const [a, b] = [light(numbers(getComputedStyle(one).color).slice(0, 3)), light(behind(one))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found.add(`${one.tagName}.${one.className}: ${ratio.toFixed(2)}`);
  }
  return [...found];
}
"""
"""What has less contrast to what is behind it than WCAG 2.2 asks for (1.4.3)."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as one:
        yield one


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("large") / "report.html"
    path.write_bytes(as_html(estate.made(COUNT)))
    return path


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a report of six identities: one that nothing uses, one with long names, all others well."""
    path, fresh = tmp_path_factory.mktemp("few") / "report.html", {"not_before": stamp(estate.NOW - timedelta(days=1))}
    plain = {"contact": "me", "certificate": None, "key_type": "ed25519", **fresh}
    put = (Delivery("/etc/ssl/web.pem", "fullchain"),)
    rows = [one._replace(**plain, deliveries=put) for one in estate.rows(9) if one.managed][:6]
    rows[0] = rows[0]._replace(deliveries=())
    rows[1] = rows[1]._replace(name=LONG, host=LONG, service=LONG, contact=LONG)
    path.write_bytes(as_html(figures(estate.known(rows), estate.NOW)))
    return path


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("small") / "report.html"
    path.write_bytes(as_html(estate.made(300)))
    return path


def told(seen: Seen) -> str:
    """Return what the table of identities says of its rows."""
    return seen.page.locator(f"{TABLE} [role=status]").inner_text()


def cells(seen: Seen, place: int) -> list[str]:
    """Return a column of the identities as they are shown."""
    return seen.page.locator(f"{TABLE} tbody tr:not(.detail) td:nth-child({place})").all_inner_texts()


def test_ten_thousand_identities_are_there_and_a_filter_answers_within_a_second(browser: Browser, large: Path) -> None:
    with opened(browser, large) as seen:
        assert told(seen) == "10,000 in all"
        search, risk = f"{TABLE} input", f"{TABLE} select[data-column=risk]"
        spent = [seen.page.evaluate(MILLISECONDS, [search, "shop1.example.org web", "input"])]
        assert set(cells(seen, 3)) == {"shop1.example.org"}
        spent.append(seen.page.evaluate(MILLISECONDS, [search, "", "input"]))
        spent.append(seen.page.evaluate(MILLISECONDS, [risk, "critical", "change"]))
        assert told(seen) == f"{estate.made(COUNT)['totals']['critical']} of 10,000"
        spent.append(seen.page.evaluate(MILLISECONDS, [search, "nothing like this", "input"]))
        assert "Nothing fits the filter." in seen.page.locator(f"{TABLE} tbody").inner_text()
        assert max(spent) < 1000, spent
        assert seen.said == []
        assert seen.asked_for == [large.as_uri()], "it is all that is ever loaded"


def test_each_column_sorts_within_a_second_both_ways_and_says_so(browser: Browser, large: Path) -> None:
    with opened(browser, large) as seen:
        headings = seen.page.locator(f"{TABLE} thead th")
        for number in range(headings.count()):
            for way in ("ascending", "descending"):
                spent = headings.nth(number).evaluate(
                    "(one) => { const before = performance.now(); one.querySelector('button').click();"
                    " document.body.getBoundingClientRect(); return performance.now() - before; }"
                )
                assert spent < 1000
                assert headings.nth(number).get_attribute("aria-sort") == way
        days = seen.page.locator(f"{TABLE} thead th[data-column=days_left] button")
        days.click()
        found = [int(one.replace(",", "")) for one in cells(seen, 6)]
        assert found == sorted(found)
        assert seen.said == []


def test_what_is_pending_stands_between_what_failed_and_what_is_well(browser: Browser, small: Path) -> None:
    with opened(browser, small) as seen:
        seen.page.locator("[data-table=events] th[data-column=outcome] button").click()
        found = seen.page.locator("[data-table=events] td.health").all_inner_texts()
        assert list(dict.fromkeys(found)) == ["failed", "pending", "ok"]
        mark = "(one) => getComputedStyle(one, '::before').backgroundColor"
        marks = {seen.page.locator(f"td .level.{name}").first.evaluate(mark) for name in ("failed", "pending", "ok")}
        assert len(marks) == 3


def test_pages_are_turned_and_rows_unfold_by_keys_alone(browser: Browser, small: Path) -> None:
    with opened(browser, small) as seen:
        page = seen.page
        page.locator(f"{TABLE} input").focus()
        page.keyboard.type("example.org")
        for _column in page.locator(f"{TABLE} select").all():
            page.keyboard.press("Tab")
        page.keyboard.press("Tab")  # what shows all again
        for _heading in page.locator(f"{TABLE} thead button").all():
            page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        fold = page.locator(f"{TABLE} .fold").first
        assert fold.evaluate("(one) => one === document.activeElement")
        assert fold.get_attribute("aria-expanded") == "false"
        page.keyboard.press("Enter")
        assert fold.get_attribute("aria-expanded") == "true"
        assert "SHA-256 of the key" in page.locator(f"{TABLE} tr.detail").inner_text()
        page.keyboard.press("Enter")
        assert page.locator(f"{TABLE} tr.detail").count() == 0
        first = cells(seen, 3)
        page.locator(f"{TABLE} .pages button", has_text="Next").press("Enter")
        assert cells(seen, 3) != first
        for _page in range(300 // FIRST_ROWS - 2):
            page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.textContent") == "Previous", "on the last page, not lost"
        assert seen.said == []


def test_figures_and_findings_lead_to_the_identities_that_they_count(browser: Browser, large: Path) -> None:
    with opened(browser, large) as seen:
        seen.page.locator(".tile a", has_text="have ended").click()
        count = estate.made(COUNT)["totals"]["expired"]
        assert told(seen) == f"{count} of 10,000"
        seen.page.locator("[data-table=findings] td.pick a", has_text="shared key").click()
        assert all("shared key" in one for one in cells(seen, 4))
        assert seen.page.locator(f"{TABLE} select[data-column=codes]").input_value() == "shared key"


def test_what_a_figure_narrowed_is_said_and_comes_back(browser: Browser, few: Path) -> None:
    with opened(browser, few) as seen:
        assert not seen.page.locator(f"{TABLE} .tools").is_visible()
        seen.page.locator(".legend a", has_text="low").click()
        assert (len(cells(seen, 1)), told(seen)) == (1, "1 of 6: low")
        seen.page.locator(f"{TABLE} button", has_text="Show all").click()
        assert len(cells(seen, 1)) == 6
        assert not seen.page.locator(f"{TABLE} .tools").is_visible()
        assert seen.page.evaluate("document.activeElement.className") == "scroll", "the focus is not lost"
        assert seen.page.locator(".legend a", has_text="critical").count() == 0, "there is none to show"


def test_tiles_lead_to_what_they_count_wherever_that_is(browser: Browser, large: Path) -> None:
    with opened(browser, large) as seen:
        totals = estate.made(COUNT)["totals"]
        seen.page.locator(".tile a", has_text="end within 7 days").click()
        assert told(seen) == f"{totals['ends_within_7d']} of 10,000"
        seen.page.locator(".tile a", has_text="certificates nobody here knows").click()
        assert seen.page.url.endswith("#coverage")
        seen.page.locator(f"{TABLE} button", has_text="Show all").click()
        assert told(seen) == "10,000 in all"


def test_long_names_can_be_read_to_their_end_without_a_mouse(browser: Browser, few: Path) -> None:
    with opened(browser, few) as seen:
        fold = seen.page.locator(f"{TABLE} .fold", has_text=LONG)
        fold.press("Enter")
        assert seen.page.locator(f"{TABLE} tr.detail dd", has_text=LONG).count() == 4
        issuer, backends = estate.ISSUERS[0][0], seen.page.locator("[data-table=backends]")
        assert issuer not in backends.inner_text()
        backends.locator(".fold", has_text="local:issuing").press("Enter")
        assert issuer in backends.inner_text()
        cut = "(all) => all.filter((one) => one.scrollWidth > one.clientWidth && one.clientWidth).length"
        assert seen.page.locator("[data-table=services] td bdi").evaluate_all(cut) == 0
    with opened(browser, few, java_script_enabled=False) as seen:
        assert seen.page.locator("td bdi").evaluate_all(cut) == 0


def test_hostile_names_are_text_and_do_no_harm(browser: Browser, tmp_path: Path) -> None:
    rows = estate.hostile()
    bad = {**estate.told(rows), "hosts": [*estate.HOSTILE[:3], "db9.example.org"]}
    bad["events"] = [{**one, "host": name, "identity": name, "reason": name, "message": name}
                     for one, name in zip(bad["events"], estate.HOSTILE, strict=False)]  # fmt: skip
    path = tmp_path / "hostile.html"
    title = estate.HOSTILE[0]
    path.write_bytes(as_html(figures(estate.known(rows, **{**bad, "title": title}), estate.NOW)))
    with opened(browser, path) as seen:
        page = seen.page
        for fold in page.locator(".fold").all():
            fold.click()
        assert page.title() == title
        assert page.locator("h1").inner_text() == title
        assert page.locator("img, main script, iframe, object").count() == 0
        assert estate.HOSTILE[1] in page.locator(f"{TABLE} .fold").all_text_contents()
        assert "invoice[U+202E]fdp.exe" in page.locator(f"{TABLE} .fold").all_text_contents()
        width = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert width[0] <= width[1], "a long name does not push the page aside"
        assert (seen.said, seen.asked_for) == ([], [path.as_uri()])


def test_nothing_else_runs_in_the_page_and_it_connects_to_nobody(browser: Browser, small: Path) -> None:
    with opened(browser, small) as seen:
        assert seen.page.evaluate("""
            () => {
              const script = document.createElement("script");
              script.textContent = "document.title = 'harmed'";
              document.body.append(script);
              const markup = "<b style='color: red' onclick=\\"document.title = 'harmed'\\">x</b>";
              document.body.insertAdjacentHTML("beforeend", markup);
              document.body.lastChild.click();
              return [document.title, getComputedStyle(document.body.lastChild).color === "rgb(255, 0, 0)"];
            }
        """) == ["Machine identities", False]
        sent = "fetch('https://127.0.0.1:9/').then(() => 'sent', (error) => error.name)"
        assert seen.page.evaluate(sent) == "TypeError"
        assert len([line for line in seen.said if "Content Security Policy" in line]) >= 4


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_can_be_told_from_what_is_behind_it(browser: Browser, small: Path, scheme: str) -> None:
    with opened(browser, small, color_scheme=scheme) as seen:
        assert seen.page.evaluate(PALE) == []
        before = seen.page.evaluate("getComputedStyle(document.body).backgroundColor")
        seen.page.locator("#theme").click()
        assert seen.page.evaluate("getComputedStyle(document.body).backgroundColor") != before
        assert seen.page.evaluate(PALE) == []


def test_a_screen_reader_gets_names_for_everything(browser: Browser, small: Path) -> None:
    with opened(browser, small) as seen:
        page = seen.page
        assert page.locator("html").get_attribute("lang") == "en"
        levels = page.locator("h1, h2, h3").evaluate_all("(all) => all.map((one) => Number(one.tagName[1]))")
        assert levels[0] == 1
        assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
        assert page.locator("svg:not([role=img][aria-label])").count() == 0
        assert page.get_by_role("columnheader", name="Risk", exact=True).count() == 2, "and no arrow is read"
        nameless = "(all) => all.filter((one) => !one.labels?.length && !one.textContent.trim()).length"
        assert page.locator("button, input, select").evaluate_all(nameless) == 0
        assert page.locator("table:not(.plain) thead th:not([scope=col])").count() == 0
        assert page.locator("[data-table] table:not(:has(caption))").count() == 0
        ids = page.locator("[id]").evaluate_all("(all) => all.map((one) => one.id)")
        assert len(ids) == len(set(ids))


def test_only_what_scrolls_is_stopped_at_by_the_tab_key(browser: Browser, small: Path) -> None:
    stops = "(all) => all.map((one) => [one.tabIndex === 0, one.scrollWidth > one.clientWidth])"
    with opened(browser, small) as seen:
        for width in (1280, 500):
            seen.page.set_viewport_size({"width": width, "height": 900})
            seen.page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
            found = seen.page.locator(".scroll").evaluate_all(stops)
            assert all(stop == scrolls for stop, scrolls in found)
            assert any(scrolls for _stop, scrolls in found) == (width == 500)


def test_on_paper_it_is_light_and_whole_and_has_no_buttons(browser: Browser, small: Path, tmp_path: Path) -> None:
    with opened(browser, small, color_scheme="dark") as seen:
        page = seen.page
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        page.emulate_media(media="print", color_scheme="dark")
        assert len(cells(seen, 1)) == 300, "not one page of the table, but what is found"
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        buttons = page.locator("button:not(.fold, th button), input, select, nav")
        assert not any(one.is_visible() for one in buttons.all())
        assert page.locator(".chart rect").first.is_visible()
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert len(cells(seen, 1)) == FIRST_ROWS
        page.pdf(path=str(tmp_path / "report.pdf"), format="A4")
        assert (tmp_path / "report.pdf").stat().st_size > 10_000


def test_paper_of_a4_has_every_column_and_cuts_no_word(browser: Browser, small: Path) -> None:
    with opened(browser, small, viewport={"width": 703, "height": 1000}) as seen:  # 186 mm between the margins
        seen.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        seen.page.emulate_media(media="print")
        assert seen.page.evaluate("document.documentElement.scrollWidth") == 703
        whole = {"Host", "Ends", "Service", "Identity"}
        columns = [one.partition("\n")[0] for one in seen.page.locator(f"{TABLE} thead th").all_inner_texts()]
        for place in (columns.index(one) + 1 for one in whole):
            assert seen.page.locator(f"{TABLE} tbody td:nth-child({place}) bdi").evaluate_all(ONE_LINE)


def test_paper_says_that_it_has_the_first_thousand(browser: Browser, large: Path) -> None:
    with opened(browser, large) as seen:
        printed = seen.page.locator(f"{TABLE} .printed")
        assert not printed.is_visible()
        seen.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        seen.page.emulate_media(media="print")
        assert printed.inner_text() == "The first 1,000 of 10,000."
        assert len(cells(seen, 1)) == 1000


def test_without_scripts_the_first_rows_are_there_and_said_to_be_the_first(browser: Browser, small: Path) -> None:
    with opened(browser, small, java_script_enabled=False) as seen:
        assert len(cells(seen, 1)) == FIRST_ROWS
        assert f"The first {FIRST_ROWS} of 300" in seen.page.locator(f"{TABLE} noscript").inner_text()
        assert not seen.page.locator("#theme").is_visible()


@pytest.mark.parametrize("pixels", [390, 320])
def test_a_small_screen_shows_all_of_it_without_scrolling_aside(browser: Browser, small: Path, pixels: int) -> None:
    with opened(browser, small, viewport={"width": pixels, "height": 800}) as seen:
        width = seen.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        assert width[0] <= width[1]
