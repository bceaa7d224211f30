# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Where the ledger may be, and what is said when it may not."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.location import default_path, path_of
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_ledger

CANARY = "c4nary"


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:////srv/ledger.sqlite", "/srv/ledger.sqlite"),
        ("SQLite:////srv//a/../ledger.sqlite", "/srv/ledger.sqlite"),
        ("sqlite:////srv/with%20space%3F/l%23.db", "/srv/with space?/l#.db"),
        ("sqlite:////srv/a:b@c/ledger", "/srv/a:b@c/ledger"),
    ],
)
def test_an_absolute_path_is_taken(url: str, path: str) -> None:
    assert path_of(url) == Path(path)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("sqlite:///relative.sqlite", "no absolute path"),
        ("sqlite://", "no absolute path"),
        ("sqlite:ledger.sqlite", "no absolute path"),
        ("sqlite://host/srv/ledger.sqlite", "no absolute path"),
        ("sqlite:////srv/l.sqlite?mode=ro", "parameters"),
        ("sqlite:////srv/l%00.sqlite", "no absolute path"),
        ("/srv/ledger.sqlite", "not a URL"),
        ("ledger.sqlite", "not a URL"),
        ("postgresql+psycopg://ledger.example.org/keystead", "a driver of its own, postgresql+psycopg"),
        ("mysql://ledger.example.org/keystead", "unknown scheme mysql"),
        (f"postgresql://keystead:{CANARY}@ledger.example.org/keystead", "password inside its URL"),
        (f"postgresql://:{CANARY}@ledger.example.org/keystead", "password inside its URL"),
        (f"postgresql://ledger.example.org/keystead?user=k&password={CANARY}", "password inside its URL"),
        (f"sqlite://k:{CANARY}@/srv/ledger.sqlite", "password inside its URL"),
        (f"postgresql://k:{CANARY}/with-slash@ledger.example.org/keystead", "password inside its URL"),
        (f"postgresql://k:1?{CANARY}@ledger.example.org/keystead", "password inside its URL"),
        (f"postgresql://k:1#{CANARY}@ledger.example.org/keystead", "password inside its URL"),
        (f"postgres://k:@{CANARY}/keystead", "password inside its URL"),
        (f"POSTGRESQL://ledger.example.org/keystead?sslpassword={CANARY}", "password inside its URL"),
        (f"{CANARY} is not a URL", "not a URL"),
        (f"k:{CANARY}", "unknown scheme k"),
    ],
)
def test_any_other_url_is_refused_with_the_option_and_the_remedy_and_without_a_password(url: str, words: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        open_ledger(url)
    assert words in str(refused.value)
    assert str(refused.value).startswith("ledger: ")
    assert "option ledger" in str(refused.value)
    assert CANARY not in str(refused.value)
    assert "sqlite:////absolute/path" in str(refused.value) or "ledger_password" in str(refused.value)


@pytest.mark.parametrize(
    ("environment", "path"),
    [
        ({"HOME": "/home/ops"}, "/home/ops/.local/state/keystead/ledger.sqlite"),
        ({"HOME": "/home/ops", "XDG_STATE_HOME": "/state"}, "/state/keystead/ledger.sqlite"),
        ({"HOME": "/home/ops", "XDG_STATE_HOME": "relative"}, "/home/ops/.local/state/keystead/ledger.sqlite"),
        (
            {"HOME": "/home/ops", "AWX_ISOLATED_DATA_DIR": "/home/ops/demo/artifacts/1"},
            "/home/ops/.local/state/keystead/ledger.sqlite",
        ),
        (
            {"HOME": "/builds", "container": "docker", "CI": "true", "JOB_ID": "7", "RUNNER_OS": "Linux"},
            "/builds/.local/state/keystead/ledger.sqlite",
        ),
    ],
    ids=["home", "xdg", "relative xdg", "ansible-runner without a container", "the container of a CI job"],
)
def test_the_default_is_in_the_state_directory_of_the_user(environment: dict[str, str], path: str) -> None:
    assert default_path(environment) == Path(path)


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "neither HOME nor XDG_STATE_HOME"),
        ({"HOME": ""}, "neither HOME nor XDG_STATE_HOME"),
        ({"HOME": "/r", "AWX_PRIVATE_DATA_DIR": "/var/awx_7_x"}, "vanish with this AWX job"),
        ({"HOME": "/r", "AWX_ISOLATED_DATA_DIR": "/runner/artifacts/7"}, "vanish with this execution environment"),
        ({"HOME": "/r", "LAUNCHED_BY_RUNNER": "1"}, "vanish with this execution environment"),
    ],
)
def test_the_default_is_refused_where_it_would_vanish(environment: dict[str, str], words: str) -> None:
    with pytest.raises(Misconfigured, match=words) as refused:
        default_path(environment)
    assert "set option ledger to sqlite:////absolute/path" in str(refused.value)


def test_the_default_is_made_for_its_user_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    ledger = open_ledger(None)
    ledger.close()
    place = tmp_path / "state" / "keystead"
    assert place.stat().st_mode & 0o777 == 0o700
    assert (place / "ledger.sqlite").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in place.iterdir()] == ["ledger.sqlite"]


def test_a_default_that_cannot_be_made_names_the_option(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "state").write_text("a file")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    with pytest.raises(Misconfigured, match="option ledger is not set") as refused:
        open_ledger(None)
    assert str(tmp_path) in str(refused.value)


def test_check_mode_makes_no_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    ledger = open_ledger(None, read_only=True)
    assert (ledger.id, ledger.remembered("web1", "/srv")) == (None, {})
    ledger.close()
    assert list(tmp_path.iterdir()) == []
