# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What every receiver of checkpoints does, over the real thing."""

from __future__ import annotations

import time
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import KeysteadError
from ansible_collections.keystead.identity.plugins.module_utils._core.keys import generate
from ansible_collections.keystead.identity.plugins.module_utils._options.identity_audit import OPTIONS
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.plugin_utils._audit import checkpoint
from ansible_collections.keystead.identity.plugins.plugin_utils._audit.checkpoint import Checkpoint
from ansible_collections.keystead.identity.plugins.plugin_utils._receivers.registry import RECEIVERS, Receiver
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated
from ansible_collections.keystead.identity.tests.harness.receivers import PATIENCE, RECEIVING, TOKEN, Running

if t.TYPE_CHECKING:
    from pathlib import Path

ONE = Checkpoint("0f5e1c0a-0000-4000-8000-000000000000", 512, "ab" * 32, "2026-01-31T09:00:00.000Z")
KEY = generate("ecdsa-p256")
NAMES = [pytest.param(name, marks=pytest.mark.needs("rsyslog") if "syslog" in name else ()) for name in RECEIVING]


def opened(option: dict[str, t.Any], **more: t.Any) -> Receiver:
    """Return the receiver that an option names, as a task makes it."""
    ((name, said),) = option.items()
    args = validated({"receivers": [{name: {**said, **more}}]}, spec(OPTIONS), module="identity_audit")
    return RECEIVERS[name](args["receivers"][0][name])


@pytest.fixture(params=NAMES)
def running(request: pytest.FixtureRequest, tmp_path: Path) -> t.Iterator[Running]:
    with RECEIVING[request.param](tmp_path) as found:
        yield found


def arrived(running: Running, number: int) -> list[str]:
    """Return the checkpoints that a receiver has, once they are so many: rsyslogd tells of itself meanwhile."""
    until = time.monotonic() + PATIENCE
    while len(found := checkpoint.found_in(running.kept())) < number and time.monotonic() < until:
        time.sleep(0.05)
    return found


def test_the_suite_is_over_every_name_in_the_list() -> None:
    assert {name.partition("-")[0] for name in RECEIVING} == {*RECEIVERS}


def test_what_is_sent_is_there_word_for_word_and_again(running: Running) -> None:
    signed = [checkpoint.sign(ONE._replace(seq=seq), KEY) for seq in (1, 2)]
    receiver = opened(running.option)
    receiver.send(signed[0])
    assert arrived(running, 1) == signed[:1]
    opened(running.option).send(signed[0])  # as a run does that was killed before it could say so
    receiver.send(signed[1])
    assert arrived(running, 2) == signed


def test_its_place_names_it_without_a_secret(running: Running) -> None:
    receiver = opened(running.option)
    assert receiver.place.startswith(next(iter(running.option)))
    assert TOKEN not in receiver.place


@pytest.mark.needs("rsyslog")
def test_a_message_is_what_rfc_5424_says(tmp_path: Path) -> None:
    with RECEIVING["syslog-tcp"](tmp_path) as running:
        opened(running.option).send("eyJ")
        until = time.monotonic() + PATIENCE
        while "checkpoint" not in running.kept() and time.monotonic() < until:
            time.sleep(0.05)
        line = running.kept().splitlines()[-1]
    priority, _at, _host, program, process, kind, data, said = line.split(" ")
    assert (priority, program, process, kind, data, said) == (
        "<109>1", "keystead.identity", "-", "checkpoint", "-", "eyJ",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "more", "words"),
    [
        ("syslog-tls", {"ca_bundle": None}, "TLS certificate"),
        ("https", {"ca_bundle": None}, "TLS certificate"),
        ("https", {"token": "other"}, "did not take a checkpoint: it answered 403"),
        ("https", {"token": None}, "did not take a checkpoint: it answered 403"),
        ("https", {"url": "https://localhost:1/x"}, "cannot be reached (Connection refused)"),
        ("syslog-tcp", {"port": 1}, "was not sent a checkpoint (Connection refused)"),
        ("syslog-tls", {"port": 0}, "0 is no port; write 1 to 65535"),
        ("syslog-tls", {"host": "nowhere.invalid"}, "was not sent a checkpoint"),
        ("syslog-tcp", {"host": "x..y"}, "was not sent a checkpoint (that is no name of a host)"),
        ("https", {"url": f"https://{'x' * 70}.example.org/"}, "cannot be reached ("),
        ("file", {"path": "/nonexistent/x"}, "could not be written (No such file or directory)"),
        ("file", {"path": "/"}, "could not be written (Is a directory)"),
        ("https", {"url": "http://localhost/x"}, "url is no address like https://audit.example.org/checkpoints"),
        ("https", {"url": "https://u:p4nary@localhost/x"}, "url is no address like"),
        ("https", {"url": "https://localhost:99999/x"}, "url is no address like"),
        ("https", {"token_file": "/etc/hostname"}, "one of token, token_file is enough"),
    ],
)
@pytest.mark.needs("rsyslog")
def test_what_goes_wrong_is_one_sentence(tmp_path: Path, name: str, more: dict[str, t.Any], words: str) -> None:
    with RECEIVING[name](tmp_path) as running, pytest.raises(KeysteadError) as raised:
        opened(running.option, **more).send("eyJ")
    assert words in str(raised.value)
    assert str(raised.value).startswith("identity_audit: ")
    assert "p4nary" not in str(raised.value)
    assert TOKEN not in str(raised.value)
