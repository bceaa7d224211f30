# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""What a hostile or broken host may answer: a clear error, nothing installed, no traceback, no sibling harmed."""

from __future__ import annotations

import base64
import copy
import os
import subprocess
import sys
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core import pki
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied, KeysteadError, Unavailable
from ansible_collections.keystead.identity.plugins.module_utils._core.keys import generate, spki_sha256
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Subject
from ansible_collections.keystead.identity.plugins.plugin_utils._actor import holder
from ansible_collections.keystead.identity.tests.harness.in_process import World, steps, web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.plugins.plugin_utils._host_half import Execute

Answer = dict[str, t.Any]
JINJA = "{{ lookup('pipe', 'id') }}"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def lying(world: World, phase: str, lie: t.Callable[[Answer], object]) -> Execute:
    """Let the host change its answer of one phase, in place or by returning another."""

    def execute(arguments: dict[str, t.Any]) -> Answer:
        answer = world.execute(arguments)
        if arguments["phase"] == phase:
            told = lie(answer)
            return t.cast("Answer", told) if isinstance(told, dict) else answer
        return answer

    return execute


def first(**said: t.Any) -> t.Callable[[Answer], None]:
    """Change the answer for the first identity."""
    return lambda answer: answer["identities"][0].update(said)


def observed(**said: t.Any) -> t.Callable[[Answer], None]:
    return lambda answer: answer["identities"][0]["observed"].update(said)


WHOLE: list[tuple[t.Callable[[Answer], object], str]] = [
    (lambda answer: answer.update(format=2), "another format"),
    (lambda answer: answer.update(format=None), "another format"),
    (lambda answer: answer.update(identities={"web": 1}), "another format"),
    (lambda answer: answer.update(identities=None), "another format"),
    (lambda _answer: {"nothing": "of the kind"}, "another format"),
    (lambda answer: answer.update(now="midnight"), "says no time"),
    (lambda answer: answer.update(now=float("nan")), "says no time"),
    (lambda answer: answer.update(now=10**400), "says no time"),
    (lambda answer: answer["identities"][0].update(csr="A" * (9 << 20)), "larger than 8388608 bytes"),
    (lambda _answer: {"failed": True, "msg": "boom\n" * 9999, "rc": 1}, "ended without an answer .boom"),
    (lambda _answer: {"failed": True, "msg": "host: out of\npaper"}, "^host: out of paper$"),
    (lambda _answer: {"failed": True}, "no message"),
]


@pytest.mark.parametrize(("lie", "why"), WHOLE)
def test_an_answer_that_is_none_ends_the_task_before_anything_is_issued(
    world: World, lie: t.Callable[[Answer], object], why: str
) -> None:
    with pytest.raises((Denied, Unavailable), match=why):
        world.converge([web()], execute=lying(world, "prepare", lie))
    assert world.issued() == []


ONE: list[tuple[t.Callable[[Answer], object], str]] = [
    (lambda answer: answer["identities"].clear(), "it gave no answer for this identity"),
    (lambda answer: answer.update(identities=[1, None, "web", ["web"]]), "it gave no answer for this identity"),
    (first(name=7), "it gave no answer for this identity"),
    (first(error="it broke"), "it failed and does not say how"),
    (first(error=[]), "it failed and does not say how"),
    (first(error={"kind": "SystemExit", "message": "x"}), "it failed and does not say how"),
    (first(error={"kind": ["Denied"], "message": "x"}), "it failed and does not say how"),
    (first(error={"kind": "Denied", "message": "x" * 9999}), "it failed and does not say how"),
    (first(error={"kind": "Denied", "message": "\x1b[31m"}), "it failed and does not say how"),
    (first(error={"kind": "Pending", "message": "x", "retry_after": float("nan")}), "it failed and does not say how"),
    (first(error={"kind": "Pending", "message": "x", "retry_after": 0.0, "holder": [1]}), "web: x"),
    (first(error={"kind": "Denied", "message": JINJA}), "web: " + JINJA),
    (first(observed=None), "observed is not a mapping"),
    (first(observed=[]), "observed is not a mapping"),
    (observed(name="other"), "it is about something else"),
    (observed(links=[{"path": "/etc/shadow", "part": "chain", "state": "missing"}]), "it is about something else"),
    (observed(stale_links=["/etc/shadow"]), "it is about links that nobody named"),
    (observed(stale_copies=["openbao_kv kv/web"]), "it is about copies that nobody named"),
    (observed(stale_copies=["/etc/../x"]), "it is about copies that nobody named"),
    (observed(kept_copies=["/x"]), "it is about copies that nobody named"),
    (observed(copies=[{"where": "/x", "publisher": "pkcs12", "state": "ok"}]), "it is about copies that nobody named"),
    (observed(newest=1.5), "observed.newest is not a count"),
    (observed(newest="9"), "observed.newest is not a count"),
    (observed(generation=-1), "observed.generation is not a count"),
    (observed(others=[[]]), "observed.others is not a count"),
    (observed(certificate="%%%"), "observed.certificate is not base64"),
    (observed(damage=[{"code": 1}]), "observed.damage is finding.code is not a printable text"),
    (observed(surprise=1), "observed has an unknown field"),
    (first(lease=5), "not a printable text"),
    (first(public_id=None), "not a printable text"),
    (first(csr=""), "it is not a PKCS#10 request in DER"),
    (first(csr=None), "not base64"),
    (first(csr=base64.b64encode(b"\x30\x80" * 999).decode()), "it is not a PKCS#10 request in DER"),
    (first(public_id="0" * 64), "its key is not the one that was staged"),
]


@pytest.mark.parametrize(("lie", "why"), ONE)
def test_a_lie_about_one_identity_is_refused_and_does_not_stop_its_sibling(
    world: World, lie: t.Callable[[Answer], object], why: str
) -> None:
    def about_web(answer: Answer) -> object:
        web_only, other = answer["identities"]
        part = {**answer, "identities": [web_only]}
        lie(part)
        answer["identities"] = [*part["identities"], other]
        return None

    result = world.converge([web(), web(name="other")], execute=lying(world, "prepare", about_web))
    assert why in result["msg"]
    assert [one["failed"] for one in result["identities"]] == [True, False]
    assert len(world.issued()) == 1
    assert result["msg"].isprintable()


def csr_for(**names: t.Any) -> t.Callable[[Answer], None]:
    key = generate("ecdsa-p256")
    csr = base64.b64encode(pki.request(Subject(**names), key)).decode()
    return first(csr=csr, public_id=spki_sha256(key.public_key()))


@pytest.mark.parametrize(
    ("lie", "why"),
    [
        (csr_for(dns_names=("evil.example.org",)), "its alternative names are not the declared ones"),
        (csr_for(dns_names=("web.example.org", "evil.example.org")), "its alternative names are not the declared ones"),
        (csr_for(), "its alternative names are not the declared ones"),
        (csr_for(common_name="evil", dns_names=("web.example.org",)), "its subject is not the declared one"),
    ],
)
def test_a_request_for_other_names_is_refused(world: World, lie: t.Callable[[Answer], None], why: str) -> None:
    result = world.converge([web()], execute=lying(world, "prepare", lie))
    assert f"host: its request for web is refused: {why}" in result["msg"]
    assert world.issued() == []


INSTALLED: list[tuple[t.Callable[[Answer], object], str]] = [
    (first(done="all of it"), "is refused"),
    (first(done=None), "is refused"),
    (first(done=[{"action": "format_disk", "reason": "x"}]), "done.action is none of its words"),
    (first(done=[{"action": "publish", "reason": "x", "seconds": float("nan")}]), "done.seconds is not a number"),
    (first(observed=[]), "is refused"),
    (observed(name="other"), "it is about something else"),
    (observed(certificate=None), "observed.certificate is not base64"),
    (observed(credential={"credential_id": "x"}), "observed.credential is credential lacks a field"),
    (
        lambda answer: bool(answer["identities"][0]["observed"].pop("credential")),
        "still the certificate cannot be read",
    ),
    (observed(generation=9), "no traceback"),
    (lambda answer: answer["identities"].clear(), "it gave no answer for this identity"),
    (lambda answer: bool(answer["identities"][0].pop("observed")), "it gave no answer for this identity"),
    (first(error={"kind": "NotConverged", "message": JINJA}), JINJA),
]


@pytest.mark.parametrize(("lie", "why"), INSTALLED)
def test_a_lie_after_installing_ends_in_an_error_or_in_nothing(
    world: World, lie: t.Callable[[Answer], object], why: str
) -> None:
    result = world.converge([web()], execute=lying(world, "install", lie))
    if why != "no traceback":
        assert result["failed"]
        assert why in result["msg"]
    again = world.converge([web()])
    assert not again.get("failed"), again
    assert len(world.issued()) <= 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def places(value: t.Any, path: tuple[t.Any, ...] = ()) -> t.Iterator[tuple[t.Any, ...]]:
    """Yield the way to every value of an answer."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*path, key))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["prepare", "install"]), st.integers(0, 9), st.integers(0, 999), JSON)
def test_any_value_anywhere_in_an_answer_ends_in_a_record_or_a_clear_error(
    world: World, phase: str, name: int, place: int, value: t.Any
) -> None:
    def lie(answer: Answer) -> object:
        told: t.Any = {"answer": copy.deepcopy(answer)}
        ways = sorted(filter(None, places(told)), key=repr)
        *way, last = ways[place % len(ways)]
        inner = told
        for key in way:
            inner = inner[key]
        inner[last] = value
        return told["answer"] if isinstance(told["answer"], dict) else {}

    try:
        result = world.converge([web(dns_names=[f"h{name}.example.org"])], execute=lying(world, phase, lie))
    except KeysteadError as error:
        told = str(error)
    else:
        told = "host: " + result["identities"][0]["name"]
    assert told.startswith("host: ")


def test_clocks_that_differ_are_reported(world: World) -> None:
    result = world.converge(
        [web()], execute=lying(world, "prepare", lambda answer: answer.update(now=answer["now"] + 1000))
    )
    (warning,) = result["warnings"]
    assert warning.startswith(f"the clock of {world.host} is ")
    assert warning.endswith("s off the controller's; synchronise both")
    assert world.converge([web()])["warnings"] == []


def test_what_goes_down_holds_no_issuer_and_no_ledger(world: World) -> None:
    sent: list[dict[str, t.Any]] = []

    def execute(arguments: dict[str, t.Any]) -> Answer:
        sent.append(copy.deepcopy(arguments))
        return world.execute(arguments)

    world.converge([web(contact="ops", labels={"a": "b"})], execute=execute)
    text = repr(sent)
    assert str(world.authorities) not in text
    assert str(world.ledger) not in text
    assert sent[1].keys() == sent[0].keys()


def stopped_at_install(world: World) -> None:
    """Leave a lease behind, as a run that is killed."""

    def execute(arguments: dict[str, t.Any]) -> Answer:
        if arguments["phase"] == "install":
            raise KeyboardInterrupt
        return world.execute(arguments)

    with pytest.raises(KeyboardInterrupt):
        world.converge([web()], execute=execute)


def test_the_lease_of_an_earlier_task_of_this_process_is_broken(world: World) -> None:
    stopped_at_install(world)
    assert world.path("web", "lease.json").exists()
    world.settled([web()])


def as_holder(world: World, **said: t.Any) -> Execute:
    """Let another run ask."""

    def execute(arguments: dict[str, t.Any]) -> Answer:
        return world.execute({**arguments, "holder": {**arguments["holder"], **said}})

    return execute


def leave_lease(world: World, **said: t.Any) -> None:
    def execute(arguments: dict[str, t.Any]) -> Answer:
        if arguments["phase"] == "install":
            raise KeyboardInterrupt
        return as_holder(world, **said)(arguments)

    with pytest.raises(KeyboardInterrupt):
        world.converge([web()], execute=execute)


def test_the_lease_of_a_dead_process_is_broken(world: World) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pass
    leave_lease(world, pid=process.pid, started="1")
    world.settled([web()])


def test_the_lease_of_another_living_process_is_waited_for_and_then_pending(world: World) -> None:
    leave_lease(world, pid=os.getppid(), started=_started(os.getppid()))
    result = world.converge([web()], wait="1s")
    assert "another run works on this identity" in result["msg"]
    assert world.phases.count("prepare") >= 3
    assert len(world.issued()) == 1


def test_the_lease_of_another_controller_stands(world: World) -> None:
    leave_lease(world, controller="elsewhere", pid=1)
    result = world.converge([web()])
    assert "another run works on this identity (controller elsewhere" in result["msg"]


def test_a_lease_that_is_given_back_while_waiting_lets_the_run_go_on(world: World) -> None:
    leave_lease(world, controller="elsewhere")
    count = 0

    def execute(arguments: dict[str, t.Any]) -> Answer:
        nonlocal count
        count += 1
        if count == 3:
            world.path("web", "lease.json").unlink()
        return world.execute(arguments)

    result = world.converge([web()], wait="10s", execute=execute)
    assert not result.get("failed"), result
    assert steps(result["identities"][0]) == ["stage_key", "issue", "publish"]


def test_install_refuses_a_token_that_is_not_the_lease_s(world: World) -> None:
    def execute(arguments: dict[str, t.Any]) -> Answer:
        if arguments["phase"] == "install":
            arguments["identities"][0]["lease"] = "0" * 32
        return world.execute(arguments)

    result = world.converge([web()], execute=execute)
    assert "the lease of this identity was lost to another run; nothing was installed" in result["msg"]
    assert world.generations() == []


def _started(pid: int) -> str:
    from ansible_collections.keystead.identity.plugins.plugin_utils import _actor

    return _actor._started(pid)


def test_a_holder_names_this_process() -> None:
    assert holder()["pid"] == os.getpid()
