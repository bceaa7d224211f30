# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""identity_notify, over a fake webhook and the real Alertmanager: whoever was told is not told again."""

from __future__ import annotations

import hashlib
import json
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.module_utils._options.identity_notify import OPTIONS
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.plugin_utils._notify.converge import notify
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated
from ansible_collections.keystead.identity.tests.harness import playbook
from ansible_collections.keystead.identity.tests.harness.notified import TOKEN, Hook, alertmanager

if t.TYPE_CHECKING:
    from pathlib import Path

MODULE = "keystead.identity.identity_notify"
EVENT = {
    "id": "aa" * 32, "type": "expiring", "severity": "warning", "message": "web on web1 ends soon", "code": "33%",
    "at": "2026-01-31T09:00:00Z", "host": "web1", "identity": "web", "contact": "me@example.org", "generation": 3,
    "redelivered": False, "meta": {"uuid": "1"}, "service": None,
}  # fmt: skip


@pytest.fixture
def hook(tmp_path: Path) -> t.Iterator[Hook]:
    with Hook(tmp_path) as running:
        yield running


def told(tmp_path: Path, *receivers: t.Any, args: tuple[str, ...] = (), **event: t.Any) -> dict[str, t.Any]:
    """Run the module once over one event; return what it returned."""
    said = {"events": [{**EVENT, **event}], "receivers": list(receivers), "state": str(tmp_path / "notified.db")}
    done = playbook.run([{MODULE: said, "register": "x"}], {"web1": {}}, "-vvv", *args, home=tmp_path / "home")
    assert TOKEN not in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return playbook.results(tmp_path / "home")[0]


def place(hook: Hook) -> str:
    """Return how results name a webhook."""
    mark = hashlib.sha256(json.dumps([hook.url, hook.option["token_file"]]).encode()).hexdigest()
    return f"webhook {hook.url.removesuffix('/identities')} #{mark[:12]}"


def test_a_webhook_is_told_of_an_event_once_and_check_mode_says_so_before(hook: Hook, tmp_path: Path) -> None:
    receiver = {"webhook": hook.option}
    foreseen = told(tmp_path, receiver, args=("--check",))
    assert (foreseen["changed"], hook.asked, (tmp_path / "notified.db").exists()) == (True, 0, False)
    first = told(tmp_path, receiver)
    assert first["sent"] == foreseen["sent"] == [{"id": EVENT["id"], "receiver": place(hook)}]
    again = told(tmp_path, receiver, redelivered=True)
    assert (again["changed"], again["sent"], hook.asked) == (False, [], 1)
    ((key, got),) = hook.got
    assert key == EVENT["id"]
    assert got == {name: value for name, value in EVENT.items() if name not in ("meta", "redelivered", "service")}
    assert told(tmp_path, receiver, id="bb" * 32)["changed"]
    assert (tmp_path / "notified.db").stat().st_mode & 0o777 == 0o600


def test_what_was_not_taken_is_told_again_by_the_next_run_and_the_others_know_it_already(
    hook: Hook, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    with Hook(tmp_path / "other") as other:
        receivers = ({"webhook": hook.option}, {"webhook": other.option})
        hook.down = True
        failed = told(tmp_path, *receivers)
        assert f"identity_notify: {place(hook)} did not take event aaaaaaaaaaaa: it answered 503" in failed["msg"]
        assert len(other.got) == 1
        hook.down = False
        assert [one["receiver"] for one in told(tmp_path, *receivers)["sent"]] == [place(hook)]
        assert [len(one.got) for one in (hook, other)] == [1, 1]


def test_webhooks_that_differ_in_path_query_or_token_alone_are_each_told_and_none_of_that_is_repeated(
    hook: Hook, tmp_path: Path
) -> None:
    (tmp_path / "again.token").write_text(TOKEN + "\n", encoding="ascii")
    secret = "s3cret-of-the-path"
    options = (
        hook.option, {**hook.option, "url": f"{hook.url}/{secret}"}, {**hook.option, "url": f"{hook.url}?to={secret}"},
        {**hook.option, "token_file": str(tmp_path / "again.token")},
    )  # fmt: skip
    receivers = [{"webhook": one} for one in options]
    done = told(tmp_path, *receivers)
    assert len({one["receiver"] for one in done["sent"]}) == len(hook.got) == len(options)
    assert not told(tmp_path, *receivers)["changed"]
    hook.down = True
    failed = told(tmp_path, *receivers, id="bb" * 32)
    assert secret not in json.dumps([done["sent"], failed["msg"]])
    assert secret.encode() not in (tmp_path / "notified.db").read_bytes()


def test_nothing_follows_a_redirect_or_believes_a_stranger(hook: Hook, tmp_path: Path) -> None:
    hook.moved = hook.url.replace("https:", "http:")
    assert "it answered 307" in told(tmp_path, {"webhook": hook.option})["msg"]
    assert hook.asked == 1
    stranger = {**hook.option, "ca_bundle": None}
    assert "its TLS certificate is signed by nobody who is trusted here" in told(tmp_path, {"webhook": stranger})["msg"]
    assert hook.asked == 1


@pytest.mark.parametrize(
    ("receiver", "event", "refused"),
    [
        ({"webhook": {"url": "http://hooks.example.org/x"}}, {}, "option receivers[].webhook.url is no address like"),
        ({"webhook": {"url": f"https://me:{TOKEN}@h.example.org/"}}, {}, "webhook.url is no address like"),
        ({"pager": {}}, {}, "option receivers[0].pager is unknown"),
        ({"webhook": {"url": "https://h.example.org/"}}, {"message": ""}, "option events[0] has no message"),
        ({"webhook": {"url": "https://h.example.org/", "token_file": "/nowhere"}}, {}, "token_file /nowhere cannot be"),
    ],
)
def test_what_cannot_be_is_refused_by_name(
    tmp_path: Path, receiver: dict[str, t.Any], event: dict[str, t.Any], refused: str
) -> None:
    said = {"events": [{**EVENT, **event}], "receivers": [receiver], "state": str(tmp_path / "notified.db")}
    with pytest.raises(Misconfigured) as found:
        notify(validated(said, spec(OPTIONS), module="identity_notify"), check=False)
    assert refused in str(found.value)
    assert TOKEN not in str(found.value)
    assert not (tmp_path / "notified.db").exists()


@pytest.mark.one_core
@pytest.mark.needs("alertmanager")
def test_alertmanager_sees_one_alert_however_often_the_same_matter_is_told(tmp_path: Path) -> None:
    now = "2999-01-31T09:00:00Z"
    with alertmanager(tmp_path) as alerts:
        receiver = {"alertmanager": alerts.option}
        assert told(tmp_path, receiver, at=now)["changed"]
        told(tmp_path, receiver, at=now, id="bb" * 32, code="10%", message="web on web1 ends very soon")
        told(tmp_path, receiver, at=now, host="web2", id="cc" * 32)
        active = sorted(alerts.active(), key=lambda one: one["labels"]["host"])
    assert [one["labels"]["host"] for one in active] == ["web1", "web2"]
    assert active[0]["labels"] == {
        "alertname": "MachineIdentityExpiring", "type": "expiring", "severity": "warning", "host": "web1",
        "identity": "web", "contact": "me@example.org",
    }  # fmt: skip
    assert active[0]["annotations"]["summary"] == "web on web1 ends very soon"
    assert active[0]["annotations"]["code"] == "10%"
