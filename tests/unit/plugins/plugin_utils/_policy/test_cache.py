# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A policy is compiled once. The cache is its user's alone, and whatever is odd about it only costs time."""

from __future__ import annotations

import json
import os
import typing as t
from datetime import UTC, datetime
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied, Misconfigured
from ansible_collections.keystead.identity.plugins.module_utils._core.keys import spki_sha256
from ansible_collections.keystead.identity.plugins.plugin_utils._policy import cache
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.load import load
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.weak_lists import known_weak
from ansible_collections.keystead.identity.tests.harness import local as make
from ansible_collections.keystead.identity.tests.harness.in_process import World, web

pytestmark = pytest.mark.one_core

NOW = datetime(2026, 11, 22, tzinfo=UTC)
TEXT = "format: 1\nrules:\n  - id: who\n    contact: {}\n"


@pytest.fixture
def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "policy.yml"
    path.write_text(TEXT, encoding="utf-8")
    return path


def kept(policy: Path) -> Path:
    """Return the one file in the cache."""
    (path,) = (policy.parent / "cache" / "keystead" / "policy").iterdir()
    return path


def rules(policy: Path) -> list[str]:
    return [rule.id for rule in load(str(policy), NOW).rules]


def test_what_was_compiled_is_kept_for_its_user_alone_and_found_again(policy: Path) -> None:
    assert rules(policy) == ["who"]
    path = kept(policy)
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    before = path.stat()
    assert rules(policy) == ["who"]
    assert path.stat() == before


def test_a_changed_policy_takes_the_place_of_the_old_one(policy: Path) -> None:
    assert rules(policy) == ["who"]
    policy.write_text(TEXT.replace("who", "whom"), encoding="utf-8")
    assert rules(policy) == ["whom"]
    assert json.loads(kept(policy).read_text())["policy"]["rules"][0]["id"] == "whom"


def test_two_policies_are_kept_beside_each_other(policy: Path) -> None:
    other = policy.with_name("other.yml")
    other.write_text(TEXT.replace("who", "other"), encoding="utf-8")
    assert (rules(policy), rules(other), rules(policy)) == (["who"], ["other"], ["who"])
    assert len(list(policy.parent.joinpath("cache", "keystead", "policy").iterdir())) == 2


def lax(path: Path) -> None:
    """Take the rules out, with the sum that fits: what somebody would write who may write there."""
    said = json.loads(path.read_text())
    said["policy"]["rules"] = []
    said["sum"] = cache._sum(said["policy"])
    path.write_text(json.dumps(said))


def without_rules(path: Path) -> None:
    said = json.loads(path.read_text())
    said["policy"]["rules"] = []
    path.write_text(json.dumps(said))


def writable_by_others(path: Path) -> None:
    lax(path)
    path.chmod(0o666)


def a_link(path: Path) -> None:
    lax(path)
    path.rename(path.with_suffix(".elsewhere"))
    path.symlink_to(path.with_suffix(".elsewhere"))


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


ODD: dict[str, t.Callable[[Path], object]] = {
    "cut": lambda path: path.write_text(path.read_text()[:40]),
    "empty": lambda path: path.write_text(""),
    "not JSON": lambda path: path.write_bytes(b"\xff\x00"),
    "another JSON": lambda path: path.write_text("[]"),
    "nested": lambda path: path.write_text("[" * 100_000),
    "without its rules": without_rules,
    "writable by others": writable_by_others,
    "a link": a_link,
    "a pipe": a_pipe,
    "a directory": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize("what", ODD)
def test_an_odd_file_in_the_cache_is_not_used(policy: Path, what: str) -> None:
    assert rules(policy) == ["who"]
    ODD[what](kept(policy))
    assert rules(policy) == ["who"]
    assert rules(policy) == ["who"]


@pytest.mark.needs("root")
def test_a_file_of_another_user_in_the_cache_is_not_used(policy: Path) -> None:
    assert rules(policy) == ["who"]
    lax(kept(policy))
    assert rules(policy) == [], "else this test would see nothing: one's own file is believed"
    os.chown(kept(policy), 12345, -1)
    assert rules(policy) == ["who"]


def test_a_cache_that_cannot_be_written_costs_only_time(policy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nothing")
    assert rules(policy) == ["who"]
    monkeypatch.setenv("XDG_CACHE_HOME", str(policy))
    assert rules(policy) == ["who"]
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.delenv("HOME", raising=False)
    assert rules(policy) == ["who"]


def test_a_cache_directory_that_others_may_write_is_not_used(policy: Path) -> None:
    directory = policy.parent / "cache" / "keystead" / "policy"
    directory.mkdir(parents=True)
    directory.chmod(0o777)
    assert rules(policy) == ["who"]
    assert list(directory.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read (No such file or directory); correct the path, or leave policy out"),
        (b"\xff\xfe", "is not text in UTF-8; save it as such"),
        (b"#" * ((1 << 20) + 1), "bytes, more than 1048576; shorten it"),
    ],
)
def test_a_file_that_cannot_be_a_policy_is_named_with_the_remedy(
    policy: Path, content: bytes | None, words: str
) -> None:
    policy.unlink() if content is None else policy.write_bytes(content)
    with pytest.raises(Misconfigured) as wrong:
        load(str(policy), NOW)
    assert str(wrong.value).startswith("policy: ")
    assert str(policy) in str(wrong.value)
    assert words in str(wrong.value)


@pytest.mark.parametrize("make_it", [Path.mkdir, os.mkfifo])
def test_what_is_no_file_is_not_waited_for(policy: Path, make_it: t.Callable[[Path], object]) -> None:
    policy.unlink()
    make_it(policy)
    with pytest.raises(Misconfigured, match="is no regular file; name a YAML file"):
        load(str(policy), NOW)


def test_a_list_of_weak_keys_is_data(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(f"# Debian\n{'A' * 64} openssl rsa-2048\n\n", encoding="ascii")
    (tmp_path / "b.txt").write_text(f"{'b' * 64}\n", encoding="ascii")
    assert known_weak([str(tmp_path / "a.txt"), str(tmp_path / "b.txt")]) == {"a" * 64, "b" * 64}


def test_a_list_of_weak_keys_that_is_missing_or_no_list_is_an_error(policy: Path) -> None:
    wanted = policy.with_name("weak.txt")
    policy.write_text(f"format: 1\nrules:\n- id: weak\n  weak_keys: {{lists: [{wanted}]}}\n", encoding="utf-8")
    with pytest.raises(Misconfigured, match=rf"there is no file {wanted}; put the list there"):
        load(str(policy), NOW)
    wanted.write_text("hello\n", encoding="ascii")
    with pytest.raises(Misconfigured, match="begins with no SHA-256 digest"):
        known_weak(load(str(policy), NOW).weak_lists)


def test_a_list_of_weak_keys_is_looked_for_beside_the_policy(
    policy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy.write_text("format: 1\nrules:\n- id: weak\n  weak_keys: {lists: [lists/weak.txt]}\n", encoding="utf-8")
    (policy.parent / "lists").mkdir()
    (policy.parent / "lists" / "weak.txt").write_text(f"{'a' * 64}\n", encoding="ascii")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert known_weak(load(str(policy), NOW).weak_lists) == {"a" * 64}
    monkeypatch.chdir(policy.parent)
    assert known_weak(load(policy.name, NOW).weak_lists) == {"a" * 64}


def test_a_listed_key_is_refused_before_its_issuer_is_asked(policy: Path, tmp_path: Path) -> None:
    world, wanted = World(tmp_path / "world"), policy.with_name("weak.txt")
    policy.write_text(f"format: 1\nrules:\n- id: weak\n  weak_keys: {{lists: [{wanted}]}}\n", encoding="utf-8")
    wanted.write_text(f"{spki_sha256(make.key().public_key())}\n", encoding="ascii")

    def refuse(arguments: dict[str, t.Any]) -> dict[str, t.Any]:
        answer = world.execute(arguments)
        for one in answer["identities"]:
            if one.get("public_id"):
                wanted.write_text(f"{one['public_id']} of this very host\n", encoding="ascii")
        return answer

    done = world.converge([web()], execute=refuse, policy=str(policy))
    assert "its request for web is refused: its key is weak: it is on the list of keys known to be weak" in done["msg"]
    assert world.issued() == []
    wanted.write_text("", encoding="ascii")
    assert not world.converge([web()], policy=str(policy)).get("failed")


def test_a_policy_of_the_cache_refuses_as_the_compiled_one_did(policy: Path, tmp_path: Path) -> None:
    world = World(tmp_path / "world")
    said = []
    for _time in range(2):
        with pytest.raises(Denied) as refused:
            world.converge([web()], policy=str(policy))
        said.append(str(refused.value))
    assert said[0] == said[1]
