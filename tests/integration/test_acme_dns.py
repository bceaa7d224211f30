# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""dns-01 by dynamic updates and by a command, over a real Pebble that looks the records up."""

from __future__ import annotations

import json
import time
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied, Misconfigured, Unavailable
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Subject
from ansible_collections.keystead.identity.tests.harness import local as make
from ansible_collections.keystead.identity.tests.harness.acme import Backend, options
from ansible_collections.keystead.identity.tests.harness.issuers import Made, check_sentence, refusal, settled
from ansible_collections.keystead.identity.tests.harness.name_server import KEY_NAME, SECRET, NameServer, running
from ansible_collections.keystead.identity.tests.harness.openbao_server import free_ports

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.pebble import Pebble, Pebbles

pytestmark = [pytest.mark.needs("pebble", "curl"), pytest.mark.one_core]
PEER = "tls_peer"
WILD = Subject(dns_names=("*.example.org", "example.org", "a.b.example.org"))
OTHER_SECRET = "AAAAJbq0rEPgmIWuq3zmRa4Mgk3eVFOVjfJi3WcaGhk="


@pytest.fixture(scope="module")
def names() -> t.Iterator[NameServer]:
    with running() as server:
        yield server


@pytest.fixture
def pebble(pebbles: Pebbles, names: NameServer) -> Pebble:
    return pebbles.one(f"updated{names.port}", dns=names.port, PEBBLE_AUTHZREUSE="0")


def updating(names: NameServer, **said: t.Any) -> dict[str, t.Any]:
    """Return the option `challenge` of a task that updates this server."""
    key = {"key_name": KEY_NAME, "key_secret": SECRET}
    return {"dns_01": {"rfc2136": {"server": "127.0.0.1", "port": names.port, **key, **said}}}


def issuer(pebbles: Pebbles, pebble: Pebble, directory: Path, challenge: dict[str, t.Any]) -> t.Any:
    return Made("acme", Backend(directory, pebbles)).issuer(options(pebble, directory, challenge))


@pytest.mark.parametrize("zone", [None, "example.org"])
def test_a_wildcard_and_its_own_name_are_shown_by_one_name_with_two_records(
    pebbles: Pebbles, pebble: Pebble, names: NameServer, tmp_path: Path, zone: str | None
) -> None:
    names.taken.clear()
    said = {"zone": zone} if zone else {}
    settled(issuer(pebbles, pebble, tmp_path, updating(names, **said)), make.request(WILD, profile=PEER))
    assert sorted(names.taken) == [
        *[("add", f"_acme-challenge.{name}") for name in ("a.b.example.org", "example.org", "example.org")],
        *[("delete", f"_acme-challenge.{name}") for name in ("a.b.example.org", "example.org", "example.org")],
    ]
    assert not [values for values in names.texts.values() if values]


def test_records_of_others_stay(pebbles: Pebbles, pebble: Pebble, names: NameServer, tmp_path: Path) -> None:
    import dns.name

    place = dns.name.from_text("_acme-challenge.c.example.org")
    names.texts[place] = {"of-somebody-else"}
    settled(
        issuer(pebbles, pebble, tmp_path, updating(names)),
        make.request(Subject(dns_names=("c.example.org",)), profile=PEER),
    )
    assert names.texts.pop(place) == {"of-somebody-else"}


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        ({"key_secret": OTHER_SECRET}, (Denied, Unavailable), "name server 127.0.0.1 .*; (correct|run)"),
        ({"key_name": "other."}, (Denied, Unavailable), "name server 127.0.0.1 .*; (correct|run)"),
        ({"key_secret": "not-base64!"}, Misconfigured, "key_secret is not base64"),
        ({"zone": "example.net"}, Denied, "refuses to change .*; permit it, or correct zone"),
        ({"key_secret": None}, Misconfigured, "exactly one of key_secret, key_secret_file"),
    ],
)
def test_what_is_wrong_with_an_update_is_one_sentence_without_the_secret(  # noqa: PLR0913, PLR0917
    pebbles: Pebbles, pebble: Pebble, names: NameServer, tmp_path: Path,
    said: dict[str, t.Any], kind: t.Any, words: str,
) -> None:  # fmt: skip
    error = refusal(issuer(pebbles, pebble, tmp_path, updating(names, **said)), make.request(profile=PEER))
    assert isinstance(error, kind), repr(error)
    import re

    assert re.search(words, check_sentence(error, "acme", (SECRET, OTHER_SECRET))), error


def test_a_name_server_that_is_not_there_is_unavailable(
    pebbles: Pebbles, pebble: Pebble, names: NameServer, tmp_path: Path
) -> None:
    (port,) = free_ports(1)
    error = refusal(issuer(pebbles, pebble, tmp_path, updating(names, port=port)), make.request(profile=PEER))
    assert isinstance(error, Unavailable)
    check_sentence(error, "acme", (SECRET,))


def test_the_secret_may_be_in_a_file(pebbles: Pebbles, pebble: Pebble, names: NameServer, tmp_path: Path) -> None:
    (tmp_path / "tsig").write_text(f"{SECRET}\n", encoding="ascii")
    challenge = updating(names, key_secret=None, key_secret_file=str(tmp_path / "tsig"))
    settled(issuer(pebbles, pebble, tmp_path, challenge), make.request(profile=PEER))


def test_a_command_is_called_without_a_shell_for_each_record_and_direction(pebbles: Pebbles, tmp_path: Path) -> None:
    pebble, log = pebbles.one(), tmp_path / "called"
    wrapper = tmp_path / "wrapper"
    wrapper.write_text(
        f'#!/bin/sh\nprintf "%s\\n" "$#|$1|$2|$3|$4|$5" >> {log}\nshift 2\nexec {pebble.names.command} "$@"\n',
        encoding="ascii",
    )
    wrapper.chmod(0o755)
    argv = [str(wrapper), "--zone; rm -rf /", "$(id)"]
    name = f"t{time.monotonic_ns():x}.example.org"
    subject = Subject(dns_names=(name,))
    settled(issuer(pebbles, pebble, tmp_path, {"dns_01": {"command": argv}}), make.request(subject, profile=PEER))
    called = [line.split("|") for line in log.read_text(encoding="ascii").splitlines()]
    assert [one[3] for one in called] == ["present", "cleanup"]
    assert {tuple(one[:3]) for one in called} == {("5", "--zone; rm -rf /", "$(id)")}
    assert {one[4] for one in called} == {f"_acme-challenge.{name}"}
    assert len({one[5] for one in called}) == 1


@pytest.mark.parametrize(
    ("argv", "kind", "words"),
    [
        (["/nonexistent"], Misconfigured, "/nonexistent cannot be run"),
        (["/bin/false"], Denied, r"/bin/false present _acme-challenge.[ab].example.org ended with 1; run it by hand"),
        (["/bin/sh", "-c", "echo the zone is locked >&2; exit 7"], Denied, "ended with 7 .the zone is locked."),
    ],
)
def test_a_command_that_fails_is_named_with_what_it_said(
    pebbles: Pebbles, tmp_path: Path, argv: list[str], kind: type[Exception], words: str
) -> None:
    import re

    pebble = pebbles.one("never-reusing", PEBBLE_AUTHZREUSE="0")
    one = issuer(pebbles, pebble, tmp_path, {"dns_01": {"command": argv}})
    error = refusal(one, make.request(profile=PEER))
    assert isinstance(error, kind), repr(error)
    assert re.search(words, check_sentence(error, "acme")), error
    assert json.dumps(str(error)).isascii()
