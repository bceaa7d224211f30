# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the README shows is true: its playbooks run, and what it says is refused is the list of what is refused."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

import yaml
from ansible_collections.keystead.identity.plugins.module_utils._options.planned import PLANNED, Planned
from ansible_collections.keystead.identity.tests.harness import playbook
from ansible_collections.keystead.identity.tests.integration.test_examples import IDENTITY, machine, serving

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
HOST = "web1.example.org"


def plays() -> list[dict[str, t.Any]]:
    """Return the plays of the README; it shows the main thing first, and then the authority that this needs."""
    shown = [yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)]
    return [play for text in reversed(shown) for play in text]


def test_the_playbooks_run_and_change_nothing_the_second_time(tmp_path: Path) -> None:
    root, home = tmp_path / "machine", tmp_path / "home"
    nginx = root / "etc/nginx/tls"
    with serving(nginx / "web.pem", nginx / "web.key") as web:
        exchanged = {"/srv/authorities": str(root / "srv/authorities"), **machine(root, web.port, web.port)}
        (root / "srv/authorities").mkdir()
        (root / "srv/authorities.passphrase").write_text("open sesame\n", encoding="ascii")
        text = yaml.safe_dump(plays(), default_flow_style=None, width=1000)
        for old, new in exchanged.items():
            text = text.replace(old, new)
        group = {"group/keystead.identity.identity": {"ledger": f"sqlite:///{tmp_path}/ledger.db"}}
        defaults = {"module_defaults": {**group, IDENTITY: {"store": str(tmp_path / "store")}}, "gather_facts": False}
        runs = [{**play, "hosts": "all", **defaults} for play in yaml.safe_load(text)]
        first = playbook.run(runs, {HOST: {}}, home=home)
        again = playbook.run(runs, {HOST: {}}, home=home)
    assert first.returncode == 0, first.stdout + first.stderr
    assert (playbook.recap(first)[HOST]["ok"], playbook.recap(first)[HOST]["changed"]) == (3, 3)
    assert (again.returncode, playbook.recap(again)[HOST]["changed"]) == (0, 0)


def test_the_table_names_everything_that_is_refused_by_name() -> None:
    table = README.partition("refuses by name |")[2].partition("\n\n")[0]
    assert not [name for name in sorted(set(_planned(PLANNED))) if not re.search(rf"\b{name}\b", table)]


def test_the_table_names_nothing_as_refused_that_is_built() -> None:
    rows = [line.split("|") for line in README.partition("refuses by name |")[2].partition("\n\n")[0].splitlines()]
    named = [name for row in rows[2:] for name in re.findall(r"`([^`]+)`", row[3])]
    known = {*_planned(PLANNED), *_options(PLANNED)}  # an option, a value, or both as in `reuse: true`
    assert "ca_bundle" in named
    assert not [name for name in named if not set(name.split(": ")) <= {*known, "true"}]


def test_the_requirements_name_every_library() -> None:
    said = README.partition("## Requirements")[2].partition("## ")[0]
    wanted = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert not [name for name in re.findall(r"^([a-z0-9]+)>=", wanted, re.MULTILINE) if name not in said]


def _options(tree: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    """Yield the names of the options of which something is refused, and the way to them."""
    for name, below in tree.items():
        yield name
        if not isinstance(below, Planned):
            yield from _options(below)


def _planned(tree: t.Mapping[str, t.Any]) -> t.Iterator[str]:
    """Yield the names that are refused: values where only some are, else the option."""
    for name, below in tree.items():
        if isinstance(below, Planned):
            yield from (name,) if not below.values or "true" in below.values else below.values
        else:
            yield from _planned(below)
