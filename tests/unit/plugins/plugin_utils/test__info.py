# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What machine_identity_info makes of a host that answers anything but the truth (C3)."""

from __future__ import annotations

import time
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import KeysteadError
from ansible_collections.keystead.identity.plugins.module_utils._core.wire import FORMAT
from ansible_collections.keystead.identity.plugins.plugin_utils._action import Task
from ansible_collections.keystead.identity.plugins.plugin_utils._info import look

if t.TYPE_CHECKING:
    from pathlib import Path

WEB = {"name": "web", "observed": {"name": "web"}}
JUNK: list[t.Any] = [None, 1, "x", [], {}, [[]], {"a": 1}, "{{ lookup('pipe', 'id') }}", "a\x1b[2Jb", float("inf")]


def told(root: Path, names: list[str], **said: t.Any) -> dict[str, t.Any]:
    """Return what the task returns when a host says this."""
    answer = {"format": FORMAT, "now": time.time(), "identities": [], "store": {"exists": True}, "paths": [], **said}
    task = Task("web1", None, check=False, diff=False, execute=lambda _arguments: answer, say=lambda _line: None)
    options = {"store": "/store", "names": names, "paths": ["/a.pem"], "ledger": f"sqlite:///{root}/none.db"}
    return look(options, task)


def test_silence_about_what_was_asked_is_an_error_of_its_record(tmp_path: Path) -> None:
    result = told(tmp_path, ["web"])
    assert [one["failed"] for one in (*result["identities"], *result["paths"])] == [True, True]
    assert "gave no answer" in result["identities"][0]["msg"]


def test_what_nobody_asked_for_is_left_out(tmp_path: Path) -> None:
    other = {"name": "api", "observed": {"name": "api"}}
    lies = [{"path": "/etc/shadow", "certificate": "AAAA", "certificates": 1}]
    result = told(tmp_path, ["web"], identities=[WEB, other], paths=lies)
    assert [one["name"] for one in result["identities"]] == ["web"]
    assert [one["path"] for one in result["paths"]] == ["/a.pem"]


def test_a_name_that_cannot_be_one_is_left_out(tmp_path: Path) -> None:
    names = ["../etc", "UPPER", "{{ x }}", "a" * 5000, "good"]
    result = told(tmp_path, [], identities=[{"name": name, "observed": {"name": name}} for name in names])
    assert [one["name"] for one in result["identities"]] == ["good"]


@pytest.mark.parametrize(
    "observed", [{"name": "api"}, {"name": "web", "stale_links": ["/etc/passwd"]}, {"name": "web", "unknown": 1}]
)
def test_an_answer_about_something_else_is_refused(tmp_path: Path, observed: dict[str, t.Any]) -> None:
    record = told(tmp_path, ["web"], identities=[{"name": "web", "observed": observed}])["identities"][0]
    assert record["failed"]
    assert record["msg"].startswith("host: its answer for web is refused")


@pytest.mark.parametrize("junk", JUNK, ids=repr)
@pytest.mark.parametrize("where", ["identities", "paths", "store", "observed", "certificate", "certificates", "host"])
def test_junk_anywhere_ends_in_records_or_in_a_clear_error(tmp_path: Path, where: str, junk: t.Any) -> None:
    path = {"path": "/a.pem", "certificate": "AAAA", "certificates": 1}
    said: dict[str, t.Any] = {"identities": [WEB], "paths": [path], "store": {"exists": True}}
    if where in ("certificate", "certificates"):
        path[where] = junk
    elif where == "observed":
        said["identities"] = [{"name": "web", "observed": junk}]
    elif where == "host":
        said["store"] = {"exists": junk, "host": junk, "ledger": junk}
    else:
        said[where] = junk
    try:
        result = told(tmp_path, ["web"], **said)
    except KeysteadError as error:
        assert str(error).startswith("host: ")  # noqa: PT017 - either is right
    else:
        assert [one["name"] for one in result["identities"]] == ["web"]
        assert result["paths"][0]["failed"]
        assert "\x1b" not in str(result)
