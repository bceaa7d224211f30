# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the guides show is true: every playbook of docs/docsite/rst runs as it stands there, and again without a change.

A page is read from top to bottom, after the playbook of the first hour that makes the authorities. YAML that is not run
says what it is: `:class: variables` is what a page's playbooks presuppose, and is given to them; `:class: fragment` is
a piece of something. What a page says of a machine is exchanged as in test_examples.py.
"""

from __future__ import annotations

import re
import textwrap
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.keystead.identity.tests.harness import playbook
from ansible_collections.keystead.identity.tests.integration.test_examples import IDENTITY, INFO, machine, serving

SITE = Path(__file__).resolve().parents[2] / "docs" / "docsite"
PAGES = sorted(path.stem for path in (SITE / "rst").glob("*.rst"))
FIRST = "first_hour"
HOST = "web1.example.org"
BLOCK = re.compile(r"^\.\. code-block:: (?:yaml|yaml\+jinja)\n((?: +:.*\n)*)\n((?: .*\n|\n)+)", re.MULTILINE)
LABEL = "ansible_collections.keystead.identity.docsite."
DIRECTORIES = ("/srv/keystead",)


class Block(t.NamedTuple):
    """One example in YAML: how it is marked, and its text."""

    mark: str
    text: str


def blocks(page: str) -> list[Block]:
    """Return the examples of a page in their order."""
    text = (SITE / "rst" / f"{page}.rst").read_text(encoding="utf-8")
    shown = BLOCK.findall(text)
    found = [Block("".join(re.findall(r":class: (\w+)", said)), textwrap.dedent(code)) for said, code in shown]
    assert len(found) == text.count(":: yaml"), "a block has another form than this test can read"
    return found


def marked(page: str, mark: str) -> list[t.Any]:
    """Return the examples with a mark, parsed."""
    return [yaml.safe_load(block.text) for block in blocks(page) if block.mark == mark]


def plays(page: str) -> list[dict[str, t.Any]]:
    """Return the plays of a page; the first one of the first hour makes what all others need."""
    own = [play for shown in marked(page, "") for play in shown]
    return own if page == FIRST else [marked(FIRST, "")[0][0], *own]


def exchanged(value: t.Any, pairs: dict[str, str]) -> t.Any:
    """Return YAML with what it says of a machine exchanged."""
    text = yaml.safe_dump(value, default_flow_style=None, width=1000)
    for old, new in pairs.items():
        text = text.replace(old, new)
    return yaml.safe_load(text)


def prepared(play: dict[str, t.Any], store: Path) -> dict[str, t.Any]:
    """Return a play for the host of this test, with a store that it may write."""
    stores = {module: {"store": str(store)} for module in (IDENTITY, INFO)}
    tasks = [{name: said for name, said in task.items() if name != "become"} for task in play["tasks"]]
    changed = {"hosts": "all", "module_defaults": {**stores, **play.get("module_defaults", {})}, "tasks": tasks}
    return {**{name: said for name, said in play.items() if name != "become"}, **changed}


def test_every_page_is_in_the_table_of_contents_and_shows_something() -> None:
    sections = yaml.safe_load((SITE / "extra-docs.yml").read_text(encoding="utf-8"))["sections"]
    assert sorted(page for section in sections for page in section["toctree"]) == PAGES
    assert not [page for page in PAGES if not marked(page, "")]


def test_a_page_leads_to_pages_that_there_are() -> None:
    texts = {page: (SITE / "rst" / f"{page}.rst").read_text(encoding="utf-8") for page in PAGES}
    for page, text in texts.items():
        assert f"\n.. _{LABEL}{page}:\n" in text
        assert set(re.findall(rf"{re.escape(LABEL)}(\w+)", text)) <= set(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_what_is_not_run_says_so(page: str) -> None:
    assert {block.mark for block in blocks(page)} <= {"", "variables", "fragment"}
    for shown in marked(page, ""):
        assert isinstance(shown, list), "a piece of something is marked with :class: fragment"
        assert all({"name", "hosts", "tasks"} <= play.keys() for play in shown)
    assert all(marked(page, "fragment")) or not marked(page, "fragment")


@pytest.mark.parametrize("page", PAGES)
def test_the_playbooks_of_a_page_run_and_change_nothing_the_second_time(tmp_path: Path, page: str) -> None:
    root, home = tmp_path / "machine", tmp_path / "home"
    nginx = root / "etc/nginx/tls"
    with serving(nginx / "web.pem", nginx / "web.key") as web:
        pairs = {**machine(root, web.port, web.port), **{one: str(root / one[1:]) for one in DIRECTORIES}}
        (root / "srv/keystead").mkdir(parents=True)
        (root / "srv/keystead/passphrase").write_text("open sesame\n", encoding="ascii")
        variables: dict[str, t.Any] = {}
        for said in marked(FIRST, "variables"):
            variables.update(exchanged(said, pairs))
        runs = [prepared(play, tmp_path / "store") for play in exchanged(plays(page), pairs)]
        _presuppose(root)
        done = playbook.run([play for play in runs for _twice in range(2)], {HOST: variables}, home=home)
    assert done.returncode == 0, done.stdout + done.stderr
    results = iter(playbook.results(home, HOST))
    for play in runs:
        first, again = ([next(results) for _task in play["tasks"]] for _run in range(2))
        assert not [result for result in again if result.get("changed")], play["name"]
        assert not [result for result in first + again if result.get("failed")]
    assert next(results, None) is None


def _presuppose(root: Path) -> None:
    """Put what a page finds on a host where it looks: an old pair, which nobody here manages."""
    fixture = Path(__file__).resolve().parents[1] / "fixtures" / "0.1.0" / "store" / "web" / "1"
    for name, part in (("old.pem", "certificate.pem"), ("old.key", "private_key.pem")):
        (root / "etc/nginx/tls" / name).write_bytes((fixture / part).read_bytes())
