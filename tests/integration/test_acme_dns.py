# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""dns-01 by dynamic updates and by a command, over a real Pebble that looks the records up."""

from __future__ import annotations

import collections
import contextlib
import json
import socket
import threading
import time
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied, Misconfigured, Unavailable
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Generation, Subject
from ansible_collections.keystead.identity.plugins.plugin_utils._acme.dns import Record
from ansible_collections.keystead.identity.plugins.plugin_utils._acme.dns_update import Update
from ansible_collections.keystead.identity.tests.harness import local as make
from ansible_collections.keystead.identity.tests.harness.acme import PEER, Backend, identities, options
from ansible_collections.keystead.identity.tests.harness.in_process import World
from ansible_collections.keystead.identity.tests.harness.issuers import Made, answers, check_sentence, refusal, settled
from ansible_collections.keystead.identity.tests.harness.name_server import KEY_NAME, SECRET, NameServer, running
from ansible_collections.keystead.identity.tests.harness.openbao_server import free_ports

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.pebble import Pebble, Pebbles

pytestmark = [pytest.mark.needs("pebble", "curl"), pytest.mark.one_core]
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


def test_all_records_of_a_zone_are_one_update_and_zones_are_worked_on_side_by_side(
    pebbles: Pebbles, pebble: Pebble, names: NameServer, tmp_path: Path
) -> None:
    names.sizes.clear()
    names.most, names.delay = 0, 0.3
    try:
        one = issuer(pebbles, pebble, tmp_path, updating(names))
        zones = ("example.org", "below.example.org")
        subjects = [Subject(dns_names=tuple(f"u{n}-{m}.{zone}" for zone in zones for m in range(3))) for n in range(4)]
        found = answers(one, *(make.request(each, profile=PEER, number=n) for n, each in enumerate(subjects)))
    finally:
        names.delay = 0.0
    assert all(isinstance(answer, Generation) for answer in found), found
    assert (len(names.sizes), names.most) == (4, 2), "two zones to add in, and two to delete in"
    assert not [values for values in names.texts.values() if values]


def test_a_name_that_may_not_be_changed_stops_no_other_one_of_its_zone(
    pebbles: Pebbles, pebble: Pebble, names: NameServer, tmp_path: Path
) -> None:
    names.locked.add("_acme-challenge.locked.example.org")
    try:
        one = issuer(pebbles, pebble, tmp_path, updating(names))
        asked = [
            make.request(Subject(dns_names=(f"{name}.example.org",)), profile=PEER, number=n)
            for n, name in enumerate(("free1", "locked", "free2"))
        ]
        first, second, third = answers(one, *asked)
    finally:
        names.locked.clear()
    assert isinstance(first, Generation)
    assert isinstance(third, Generation)
    assert isinstance(second, Denied)
    assert "refuses to change _acme-challenge.locked.example.org (REFUSED); permit it" in str(second)


def test_what_fits_into_no_message_goes_in_several(names: NameServer) -> None:
    long = ".".join(["a" * 60] * 3)
    records = [Record(f"_acme-challenge.n{n:04}.{long}.example.org", "v" * 43) for n in range(450)]
    update = Update(updating(names)["dns_01"]["rfc2136"] | {"ttl": 60, "key_algorithm": "hmac-sha256"}, "x")
    names.sizes.clear()
    assert update.present(records) == {}
    assert len(names.sizes) == 3
    assert max(names.sizes) < 65536
    assert update.cleanup(records) == {}
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
        ({"zone": "example.net"}, Denied, "refuses to change .*; permit it, or correct zone"),
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


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"key_secret": "not-base64!"}, "rfc2136.key_secret is not base64; write"),
        ({"key_secret": "AAAAA"}, "rfc2136.key_secret is not base64; write"),
        ({"key_secret": ""}, "rfc2136.key_secret is not base64; write"),
        ({"key_secret": None}, "rfc2136: exactly one of key_secret, key_secret_file is needed, found none"),
        ({"key_secret_file": "/x"}, "exactly one of key_secret, key_secret_file is needed, found key_secret and"),
        ({"key_name": ""}, "rfc2136.key_name: '' is no domain name; write for example keystead."),
        ({"key_name": "a" * 64}, "rfc2136.key_name: 'a+' is no domain name"),
        ({"zone": ""}, "rfc2136.zone: '' is no domain name; write for example example.org"),
        ({"zone": "a..b"}, "rfc2136.zone: 'a..b' is no domain name"),
        ({"zone": "a b\n"}, r"rfc2136.zone: 'a b.n' is no domain name"),
        ({"server": ""}, "rfc2136.server: '' is neither a name nor an address; write"),
        ({"server": "a\0b"}, "rfc2136.server: .* is neither a name nor an address"),
        ({"port": 0}, "rfc2136.port: 0 is no port; write 53"),
        ({"port": 99999}, "rfc2136.port: 99999 is no port"),
        ({"ttl": -1}, "rfc2136.ttl: -1 is no time to live; write seconds"),
        ({"ttl": 2**40}, "rfc2136.ttl: 1099511627776 is no time to live"),
    ],
)
def test_what_no_update_can_be_made_with_is_refused_before_there_is_an_account(  # noqa: PLR0913, PLR0917
    pebbles: Pebbles, pebble: Pebble, names: NameServer, tmp_path: Path, said: dict[str, t.Any], words: str
) -> None:
    with pytest.raises(Misconfigured, match=words) as found:
        issuer(pebbles, pebble, tmp_path, updating(names, **said))
    check_sentence(found.value, "acme", (SECRET, "not-base64!"))
    assert not (tmp_path / "account.pem").exists()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({}, "dns_01: exactly one of rfc2136, command is needed, found none"),
        ({"command": []}, r"dns_01.command: \[\] names no program; write \[program"),
        ({"command": [""]}, r"dns_01.command: \[''\] names no program"),
        ({"command": ["/bin/true", "a\0b"]}, "dns_01.command: .* has a NUL, which no program is given; take it out"),
        ({"command": ["/bin/true"], "propagation": "soon"}, "dns_01.propagation: 'soon' is not a duration; write"),
    ],
)
def test_a_way_that_leads_nowhere_is_refused_before_there_is_an_account(
    pebbles: Pebbles, tmp_path: Path, said: dict[str, t.Any], words: str
) -> None:
    with pytest.raises(Misconfigured, match=words) as found:
        issuer(pebbles, pebbles.one(), tmp_path, {"dns_01": said})
    check_sentence(found.value, "acme")


def test_a_secret_that_cannot_be_read_is_said_before_there_is_an_account(
    pebbles: Pebbles, pebble: Pebble, names: NameServer, tmp_path: Path
) -> None:
    challenge = updating(names, key_secret=None, key_secret_file=str(tmp_path / "missing"))
    error = refusal(issuer(pebbles, pebble, tmp_path, challenge), make.request(profile=PEER))
    assert "key_secret_file" in check_sentence(error, "acme")
    assert not (tmp_path / "account.pem").exists()


def test_check_mode_says_that_a_secret_cannot_be_read(pebble: Pebble, names: NameServer, tmp_path: Path) -> None:
    challenge = updating(names, key_secret=None, key_secret_file=str(tmp_path / "missing"))
    wrong = {"acme": options(pebble, tmp_path, challenge)}
    shown = World(tmp_path / "world").converge(identities(1), issuer=wrong, check=True)
    assert shown["failed"]
    assert f"rfc2136.key_secret_file {tmp_path / 'missing'} cannot be read" in shown["msg"]


@contextlib.contextmanager
def dead() -> t.Iterator[tuple[int, list[float]]]:
    """Have a name server that takes connections and says nothing; yield its port, and when somebody came."""
    came: list[float] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []

        def work() -> None:
            with contextlib.suppress(OSError):
                while True:
                    held.append(server.accept()[0])
                    came.append(time.monotonic())

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        yield server.getsockname()[1], came
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
        for one in held:
            one.close()


def test_a_name_server_that_says_nothing_is_waited_for_once(
    pebbles: Pebbles, pebble: Pebble, names: NameServer, tmp_path: Path
) -> None:
    with dead() as (port, came):
        one = issuer(pebbles, pebble, tmp_path, updating(names, port=port))
        asked = [make.request(Subject(dns_names=(f"d{n}.example.org",)), profile=PEER, number=n) for n in range(3)]
        found = answers(one, *asked)
        assert len(came) == 1
    for error in found:
        assert isinstance(error, Unavailable)
        check_sentence(error, "acme", (SECRET,))
    assert one.advice()[1:] == []  # but that an account was made: there is nothing to take away


def test_a_name_server_that_is_not_there_is_unavailable(
    pebbles: Pebbles, pebble: Pebble, names: NameServer, tmp_path: Path
) -> None:
    (port,) = free_ports(1)
    error = refusal(issuer(pebbles, pebble, tmp_path, updating(names, port=port)), make.request(profile=PEER))
    assert isinstance(error, Unavailable)
    check_sentence(error, "acme", (SECRET,))


def test_what_a_preflight_asks_of_the_name_server_is_whether_it_has_the_zone(
    pebbles: Pebbles, pebble: Pebble, names: NameServer, tmp_path: Path
) -> None:
    (port,) = free_ports(1)
    taken = list(names.taken)

    def found(**said: t.Any) -> str:
        (one,) = [
            check for check in issuer(pebbles, pebble, tmp_path, updating(names, **said)).preflight()
            if check.name == "acme dns-01"
        ]  # fmt: skip
        return f"{one.state}: {one.found}"

    assert found(zone="example.org") == "ok: the name server 127.0.0.1 has the zone example.org."
    assert found() == "ok: the name server 127.0.0.1 answers"
    with pytest.raises(Denied, match=r"does not have the zone example.net.; correct .*rfc2136.zone"):
        found(zone="example.net")
    with pytest.raises(Unavailable, match=r"did not answer a question .*; run again, or correct server and port"):
        found(port=port)
    assert names.taken == taken


@pytest.mark.parametrize("program", ["/nonexistent", "nobody-has-this-program", "/etc/passwd"])
def test_a_preflight_says_that_a_program_is_not_there(pebbles: Pebbles, tmp_path: Path, program: str) -> None:
    one = issuer(pebbles, pebbles.one(), tmp_path, {"dns_01": {"command": [program]}})
    with pytest.raises(Misconfigured, match=f"dns_01.command: {program} is no program that can be run"):
        list(one.preflight())


def test_commands_run_side_by_side_but_for_one_name_one_after_the_other(pebbles: Pebbles, tmp_path: Path) -> None:
    pebble, log = pebbles.one("never-reusing", PEBBLE_AUTHZREUSE="0"), tmp_path / "log"
    wrapper = tmp_path / "wrapper"
    wrapper.write_text(
        f'#!/bin/sh\necho "+ $2" >> {log}\nsleep 0.5\necho "- $2" >> {log}\nexec {pebble.names.command} "$@"\n',
        encoding="ascii",
    )
    wrapper.chmod(0o755)
    stem = f"s{time.monotonic_ns():x}.example.org"
    subject = Subject(dns_names=(stem, f"*.{stem}", *(f"n{n}.{stem}" for n in range(6))))
    challenge = {"dns_01": {"command": [str(wrapper)]}}
    settled(issuer(pebbles, pebble, tmp_path, challenge), make.request(subject, profile=PEER))
    running, most = collections.Counter[str](), 0
    for line in log.read_text(encoding="ascii").splitlines():
        running[line[2:]] += 1 if line[0] == "+" else -1
        assert running[line[2:]] in {0, 1}, line
        most = max(most, running.total())
    assert most > 1, "one after the other"


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
