# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the house looks like (docs/design.md): each failure names the file that is missing or what does not belong."""

from __future__ import annotations

import ast
import re
import runpy
import statistics
import subprocess
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.keystead.identity.plugins.module_utils._core.key import CUSTODIES
from ansible_collections.keystead.identity.plugins.module_utils._core.publication import (
    FILE_PUBLISHERS,
    REMOTE_PUBLISHERS,
)
from ansible_collections.keystead.identity.plugins.module_utils._keystores.registry import (
    KEYSTORES as ON_HOST_KEYSTORES,
)
from ansible_collections.keystead.identity.plugins.module_utils._options import auth, issuers, publish
from ansible_collections.keystead.identity.plugins.module_utils._options.custody import CUSTODY
from ansible_collections.keystead.identity.plugins.module_utils._publishers.registry import PUBLISHERS as ON_HOSTS
from ansible_collections.keystead.identity.plugins.plugin_utils import _pipe
from ansible_collections.keystead.identity.plugins.plugin_utils._auth.registry import AUTH
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.facts import FACTS, MEANINGS, Facts
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.registry import ISSUERS
from ansible_collections.keystead.identity.plugins.plugin_utils._keystores.registry import KEYSTORES
from ansible_collections.keystead.identity.plugins.plugin_utils._publishers.registry import PUBLISHERS as REMOTE
from ansible_collections.keystead.identity.tests.harness.publishers import BACKENDS

pytestmark = pytest.mark.one_core

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "plugins"
INTERNAL = ("host_half",)
MODULES = sorted(path.stem for path in (PLUGINS / "modules").glob("*.py"))
PUBLIC = [name for name in MODULES if name not in INTERNAL]
SOURCES = sorted(path.relative_to(ROOT).as_posix() for path in PLUGINS.rglob("*.py"))
ON_HOST = [name for name in SOURCES if name.startswith("plugins/module_utils/")]
CORE = [name for name in SOURCES if name.startswith("plugins/module_utils/_core/")]
IMPURE = {
    "ansible",
    "io",
    "os",
    "pathlib",
    "requests",
    "shutil",
    "socket",
    "sqlite3",
    "ssl",
    "subprocess",
    "tempfile",
    "urllib",
}
WORK_ONLY = (
    "activation", "adopt", "command", "consumers", "copies", "copy_before", "copy_file", "copy_neighbours", "handshake",
    "listener", "originals", "pem_bundle", "pkcs12", "pkcs12_mac", "preflight", "proof", "publications", "read",
    "renewers", "respond", "scan", "starttls", "verdict",
)  # fmt: skip
SPEAKS_X509 = ("plugins/module_utils/_host/verdict.py",)  # it is handed in with what proves consumers
LONGEST_FILE, MEDIAN_FILE, LONGEST_FUNCTION, MEDIAN_FUNCTION = 300, 120, 45, 10


def parsed(name: str) -> ast.Module:
    """Return the syntax of a file."""
    return ast.parse((ROOT / name).read_text(encoding="utf-8"), name)


def imported(name: str) -> list[str]:
    """Return what a file imports anywhere: absolute names as they are, ours as paths without a suffix."""
    here, found = Path(name).parts[:-1], []
    for node in ast.walk(parsed(name)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found += [str(node.module)]
        elif isinstance(node, ast.ImportFrom):
            base = [*here[: len(here) - node.level + 1], *(node.module or "").split(".")]
            path = "/".join(filter(None, base))
            found += [path, *(f"{path}/{alias.name}" for alias in node.names)]
    return found


def shipped(module: str) -> set[str]:
    """Return the files that ansible-core sends with a module: what an import anywhere in a file names, and so on."""
    todo, found = [f"plugins/modules/{module}.py"], set[str]()
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += [f"{path}.py" for path in imported(name) if (ROOT / f"{path}.py").is_file()]
    return found


def functions(name: str) -> t.Iterator[tuple[str, int]]:
    """Yield the functions of a file with their lengths."""
    for node in ast.walk(parsed(name)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield f"{name}: {node.name}", (node.end_lineno or node.lineno) - node.lineno + 1


def its_tests(name: str) -> list[Path]:
    """Return the test files of a plugin."""
    return list((ROOT / "tests").rglob(f"test_{name}.py"))


@pytest.mark.parametrize("module", PUBLIC)
def test_a_module_has_an_action_options_tests_and_a_place_in_the_action_group(module: str) -> None:
    assert (PLUGINS / "action" / f"{module}.py").is_file()
    documentation = yaml.safe_load(_constant(f"plugins/modules/{module}.py", "DOCUMENTATION"))
    assert documentation["module"] == module
    assert "keystead.identity.common" in documentation["extends_documentation_fragment"]
    assert yaml.safe_load(_constant(f"plugins/modules/{module}.py", "EXAMPLES"))
    assert its_tests(module)
    groups = yaml.safe_load((ROOT / "meta" / "runtime.yml").read_text(encoding="utf-8"))["action_groups"]
    assert module in groups["identity"]


def _constant(name: str, constant: str) -> str:
    for node in parsed(name).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", None) == constant:
            return str(ast.literal_eval(node.value))
    raise AssertionError(f"{name} has no {constant}")


def test_an_action_has_a_module_and_only_internal_modules_have_code() -> None:
    assert sorted(path.stem for path in (PLUGINS / "action").glob("*.py")) == PUBLIC
    for module in PUBLIC:
        code = [node for node in parsed(f"plugins/modules/{module}.py").body if not isinstance(node, ast.Assign)]
        assert all(isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in code), module


@pytest.mark.parametrize("kind", ["callback", "filter", "inventory", "lookup"])
def test_a_plugin_that_is_no_module_has_documentation_and_is_named_in_a_test(kind: str) -> None:
    tests = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    names = [path.stem for path in (PLUGINS / kind).glob("*.py")]
    assert names
    for name in names:
        assert yaml.safe_load(_constant(f"plugins/{kind}/{name}.py", "DOCUMENTATION"))["name"] == name
        assert re.search(rf"(plugins\.{kind}\.|{kind}\('keystead\.identity\.){name}\b", tests)


@pytest.mark.parametrize(
    ("folder", "page", "registered", "options", "harness"),
    [
        ("plugins/plugin_utils/_issuers", "issuer", ISSUERS, issuers.ISSUERS, True),
        ("plugins/plugin_utils/_auth", "", AUTH, auth.AUTH, False),  # they share page and harness of openbao
        ("plugins/module_utils/_publishers", "publish", ON_HOSTS, {n: publish.PUBLISHERS[n] for n in ON_HOSTS}, False),
        ("plugins/plugin_utils/_publishers", "publish", REMOTE, {n: publish.PUBLISHERS[n] for n in REMOTE}, False),
    ],
    ids=["issuers", "auth", "publishers on hosts", "publishers"],
)
def test_a_backend_has_a_file_options_a_page_and_a_harness(
    folder: str, page: str, registered: t.Mapping[str, t.Any], options: t.Mapping[str, t.Any], *, harness: bool
) -> None:
    pages = ROOT / "docs" / "docsite" / "rst"
    assert not page or not [name for name in registered if not (pages / f"{page}_{name}.rst").is_file()]
    files = {path.stem for path in (ROOT / folder).glob("*.py")} - {"__init__", "facts", "registry"}
    assert files == set(registered) == set(options)
    if harness:
        assert not [name for name in registered if not (ROOT / "tests" / "harness" / f"{name}.py").is_file()]


def test_a_custody_has_a_file_options_and_a_page() -> None:
    folders = (PLUGINS / "module_utils" / "_keystores", PLUGINS / "plugin_utils" / "_keystores")
    files = {path.stem for folder in folders for path in folder.glob("*.py")} - {"__init__", "registry", "private_key"}
    assert files == {*ON_HOST_KEYSTORES, *KEYSTORES} == set(CUSTODY) == set(CUSTODIES)
    pages = ROOT / "docs" / "docsite" / "rst"
    assert not [name for name in CUSTODY if not (pages / f"custody_{name}.rst").is_file()]


def test_an_issuer_has_facts_that_the_documentation_shows() -> None:
    assert set(ISSUERS) == set(FACTS)
    assert list(MEANINGS) == list(Facts._fields)
    rendered = runpy.run_path(str(ROOT / "tools" / "issuers_table.py"))
    assert rendered["PAGE"].read_text(encoding="utf-8") == rendered["page"](), "run tools/issuers_table.py"


def test_what_travels_to_a_host_never_imports_what_stays_on_the_controller() -> None:
    stays = [f"{name}: {what}" for name in ON_HOST for what in imported(name) if "plugin_utils" in what]
    assert not stays


def test_the_core_knows_no_ansible_no_network_and_no_files() -> None:
    assert not [f"{name}: {what}" for name in CORE for what in imported(name) if what.split(".")[0] in IMPURE]


def test_imports_inside_plugins_are_relative() -> None:
    assert not [name for name in SOURCES if any(what.startswith("ansible_collections") for what in imported(name))]


def test_the_hosts_half_loads_cryptography_by_way_of_the_core_only() -> None:
    found = [
        name
        for name in ON_HOST
        if "/_host/" in name and any(what.startswith("cryptography.") for what in _at_top(parsed(name).body))
    ]
    assert not set(found) - set(SPEAKS_X509)


def _at_top(body: t.Iterable[ast.stmt]) -> t.Iterator[str]:
    """Yield what is imported when a file is loaded."""
    for node in body:
        if isinstance(node, ast.Import):
            yield from (f"{alias.name}." for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield f"{node.module}."
        elif isinstance(node, (ast.With, ast.Try)):
            yield from _at_top(node.body)


def test_the_module_and_the_piped_program_bring_the_same_code() -> None:
    by_module, by_pipe = shipped("host_half"), set(_pipe.sources())
    assert not [name for name in by_module if not name.startswith(("plugins/modules/", "plugins/module_utils/"))]
    on_host = [name for name in by_module if Path(name).parts[2] in _pipe.SHIPPED and Path(name).stem != "module"]
    assert {name.removeprefix("plugins/").removesuffix(".py").replace("/", ".") for name in on_host} <= {
        name.removeprefix("keystead.") for name in by_pipe
    }
    assert {Path(name).stem for name in on_host} > set(WORK_ONLY)


def test_no_file_and_no_function_is_too_long(capsys: pytest.CaptureFixture[str]) -> None:
    files = {name: len((ROOT / name).read_text(encoding="utf-8").splitlines()) for name in SOURCES}
    lengths = dict(pair for name in SOURCES for pair in functions(name))
    medians = statistics.median(files.values()), statistics.median(lengths.values())
    with capsys.disabled():
        print(f"\nplugins: {len(files)} files, median {medians[0]:g} lines; {len(lengths)} functions, {medians[1]:g}")  # noqa: T201
    assert not {name: lines for name, lines in files.items() if lines > LONGEST_FILE}
    assert not {name: lines for name, lines in lengths.items() if lines > LONGEST_FUNCTION}
    assert medians <= (MEDIAN_FILE, MEDIAN_FUNCTION)


def test_plugins_assert_nothing_and_pass_over_nothing() -> None:
    nodes = [(name, node) for name in SOURCES for node in ast.walk(parsed(name))]
    assert not [name for name, node in nodes if isinstance(node, ast.Assert)]
    handlers = [(name, node) for name, node in nodes if isinstance(node, ast.ExceptHandler)]
    assert not [name for name, node in handlers if _is_broad(node.type) and _passes(node.body)]
    suppressed = re.compile(r"suppress\((Base)?Exception\)")
    assert not [name for name in SOURCES if suppressed.search((ROOT / name).read_text(encoding="utf-8"))]


def _is_broad(caught: ast.expr | None) -> bool:
    return caught is None or getattr(caught, "id", None) in ("Exception", "BaseException")


def _passes(body: list[ast.stmt]) -> bool:
    return all(isinstance(node, ast.Pass) for node in body)


def test_no_file_names_the_machine_that_it_was_written_on() -> None:
    listed = ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(listed, check=False, capture_output=True, text=True)
    names = done.stdout.split("\0")[:-1] or [str(path.relative_to(ROOT)) for path in _sources_without_git()]
    assert len(names) > 200
    place = re.compile(
        "|".join(map("".join, (("/wor", "k/"), ("far", "m-"), ("bash", "_jobs"))))
    )  # not to be found here
    texts = {
        name: (ROOT / name).read_text(encoding="utf-8", errors="replace") for name in names if (ROOT / name).is_file()
    }
    assert not [name for name, text in texts.items() if place.search(text) or f"{ROOT}/" in text]


def _sources_without_git() -> list[Path]:
    hidden = ("build", ".git", "__pycache__")
    return [path for path in ROOT.rglob("*") if path.is_file() and not set(path.relative_to(ROOT).parts) & set(hidden)]


def test_every_publisher_is_in_the_list_of_options_and_in_the_contract_suite() -> None:
    assert {*ON_HOSTS, *REMOTE} == set(publish.PUBLISHERS) <= set(BACKENDS)
    assert (set(ON_HOSTS), set(REMOTE)) == (set(FILE_PUBLISHERS), set(REMOTE_PUBLISHERS))
