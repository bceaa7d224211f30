# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A walk keeps within its bounds, and says which of them it came to."""

from __future__ import annotations

import json
import os
import typing as t

from ansible_collections.keystead.identity.plugins.module_utils._host.scan import DEEPEST, MOST_FOUND, scan
from ansible_collections.keystead.identity.tests.harness.brownfield import Authority, pair

if t.TYPE_CHECKING:
    from pathlib import Path


def paths(answer: dict[str, t.Any], top: Path) -> list[str]:
    """Return what was found, below `top`."""
    return [one["path"][len(str(top)) + 1 :] for one in answer["files"]]


def test_it_ends_after_so_many_files_and_says_so(tmp_path: Path) -> None:
    certificate = pair("web.example.org").certificate
    (tmp_path / "0").write_bytes(certificate)
    for number in range(1, MOST_FOUND + 10):
        os.link(tmp_path / "0", tmp_path / str(number))
    answer = scan("/store", [str(tmp_path)])
    assert len(answer["files"]) == MOST_FOUND
    assert answer["notes"] == [f"it ended after {MOST_FOUND} files with keys or certificates"]


def test_it_goes_so_deep_and_no_deeper(tmp_path: Path) -> None:
    made, directory = pair("web.example.org"), tmp_path
    for _level in range(DEEPEST + 2):
        directory /= "d"
        made.write(directory)
    answer = scan("/store", [str(tmp_path)])
    assert max(path.count("/") for path in paths(answer, tmp_path)) == DEEPEST
    assert answer["notes"] == [f"nothing deeper than {DEEPEST} directories was looked at"]


def test_links_to_files_are_followed_links_to_directories_are_not(tmp_path: Path) -> None:
    pair("web.example.org").write(tmp_path / "away")
    top = tmp_path / "top"
    top.mkdir()
    (top / "directory").symlink_to(tmp_path / "away")
    (top / "web.key").symlink_to(tmp_path / "away" / "web.key")
    (top / "nowhere").symlink_to("/none/such")
    (top / "device").symlink_to("/dev/zero")
    answer = scan("/store", [str(top)])
    assert (paths(answer, top), answer["notes"]) == (["web.key"], [])
    assert answer["files"][0]["real"] == str(tmp_path / "away" / "web.key")


def test_certificates_of_authorities_are_left_out_but_for_the_signers_of_what_is_there(tmp_path: Path) -> None:
    corp = Authority("Corp")
    pair("web.example.org", authority=corp).write(tmp_path)
    for number in range(3):
        pair("x", authority=Authority(f"Trusted {number}")).write(tmp_path / str(number))
        for name in ("web.key", "web.crt", "fullchain.pem"):
            (tmp_path / str(number) / name).unlink()
    answer = scan("/store", [str(tmp_path)])
    assert paths(answer, tmp_path) == ["chain.crt", "fullchain.pem", "web.crt", "web.key"]


def test_nothing_secret_comes_out(tmp_path: Path) -> None:
    made = pair("web.example.org").write(tmp_path)
    said = json.dumps(scan("/store", [str(tmp_path)]))
    assert "PRIVATE" not in said
    private = made.key.decode().splitlines()[1:3]  # the rest of it is the public key
    assert not [line for line in private if line in said]


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    pair("web.example.org").write(tmp_path / "a")
    answer = scan("/store", [str(tmp_path), str(tmp_path / "a" / "web.key"), "/none/such"])
    assert len(answer["files"]) == 4
    assert [note.partition(" cannot")[0] for note in answer["notes"]] == [f"{tmp_path}/a/web.key", "/none/such"]
