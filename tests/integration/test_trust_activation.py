# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""trust_bundle tells the service that reads the anchors, and where it could not, the next run does."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core import pki, wire
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import (
    Denied,
    KeysteadError,
    Misconfigured,
    NotConverged,
)
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Activation
from ansible_collections.keystead.identity.plugins.module_utils._core.trust import TrustErrand, packed, seen_of
from ansible_collections.keystead.identity.plugins.module_utils._host import trust_activation, trust_system
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger import queries
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_ledger
from ansible_collections.keystead.identity.tests.harness.faults import Trace, calls, in_fork
from ansible_collections.keystead.identity.tests.harness.in_process import host_half
from ansible_collections.keystead.identity.tests.harness.mesh import mesh
from ansible_collections.keystead.identity.tests.harness.two_tier import TwoTier

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.faults import Ended

KILLED = 9
READ = 'cat "$0" >"$1.new" 2>/dev/null; mv "$1.new" "$1"; echo >>"$1.count"'
DONE = ["publish", "activate"]


class Service:
    """A node, and a service on it that reads its anchors when it is told to: what it read is in a file."""

    def __init__(self, directory: Path) -> None:
        self.node = mesh(directory, "web1")[0]
        self.node.peer("c")  # a ledger that knows nobody drops nothing
        self.served, self.stuck = directory / "served.pem", directory / "stuck"
        self.served.touch()
        command = f'test ! -e {self.stuck} || {{ echo "it is stuck" >&2; exit 1; }}; {READ}'
        self.activate = {"command": ["sh", "-c", command, str(self.node.bundle), str(self.served)]}

    def trust(self, *anchors: str, **said: t.Any) -> dict[str, t.Any]:
        """Run the task once."""
        return self.node.trust(*anchors, **{"activate": self.activate, **said})

    def settled(self, *anchors: str, **said: t.Any) -> dict[str, t.Any]:
        """Run the task in check mode, for good, and again; the service uses what is there."""
        done = self.node.trust_settled(*anchors, **{"activate": self.activate, **said})
        assert self.served.read_text() == (self.node.bundle.read_text() if self.node.bundle.exists() else "")
        return done

    @property
    def count(self) -> int:
        """How often it was told."""
        counted = self.served.with_name("served.pem.count")
        return len(counted.read_text()) if counted.exists() else 0

    @property
    def left(self) -> list[str]:
        """What stands beside the bundle."""
        return [one.name for one in self.node.links.iterdir() if one != self.node.bundle]

    def events(self) -> list[dict[str, t.Any]]:
        """Return what the ledger has of the bundle."""
        book = open_ledger(self.node.url, read_only=True)
        try:
            return queries.events(book, identity="peers")
        finally:
            book.close()


@pytest.fixture
def service(tmp_path: Path) -> Service:
    return Service(tmp_path)


def actions(result: dict[str, t.Any]) -> list[str]:
    return [step["action"] for step in result["steps"]]


def test_the_service_is_told_of_each_change_and_of_nothing_else(service: Service) -> None:
    assert actions(service.settled("issuing")) == DONE
    done = service.settled("issuing", "b")
    assert done["steps"][1] == {"action": "activate", "reason": f"{service.node.bundle} changed"}
    service.node.bundle.write_text(service.node.bundle.read_text() + "# mine\n")
    assert actions(service.settled("issuing", "b")) == DONE
    assert actions(service.settled(state="absent")) == ["withdraw", "withdraw", "activate"]
    assert (service.count, service.left) == (4, [])


def test_a_service_that_could_not_be_told_fails_the_task_and_is_told_by_the_next_run(service: Service) -> None:
    service.settled("issuing")
    service.stuck.touch()
    for _twice in range(2):
        with pytest.raises(NotConverged, match=r"host: activate\.command: sh exited with 1: it is stuck; .* not told:"):
            service.trust("issuing", "b")
        assert service.node.bundle.read_text().count("BEGIN") == 2, "what is declared stays"
    assert service.count == 1
    service.stuck.unlink()
    shown = service.trust("issuing", "b", check=True)
    assert (shown["changed"], actions(shown)) == (True, ["activate"])
    assert shown["steps"][0]["reason"].endswith("peers.pem changed, and no run told the service that reads it")
    assert service.settled("issuing", "b")["steps"] == shown["steps"]
    assert (service.count, service.left) == (2, [])
    told = service.events()
    assert [(one["action"], one["outcome"]) for one in told[-8:]] == [
        ("publish", "pending"), ("activate", "pending"), ("publish", "ok"), ("activate", "failed"),
        ("activate", "pending"), ("activate", "failed"), ("activate", "pending"), ("activate", "ok"),
    ]  # fmt: skip
    assert "it is stuck" in str(told[-3])


@pytest.mark.needs("strace", "root")
def test_whenever_the_host_is_killed_the_next_run_tells_the_service(service: Service, tmp_path: Path) -> None:
    log = tmp_path / "calls"

    def run(*anchors: str, trace: Trace | None = None) -> Ended:
        """Change what is declared, in a process that may be killed."""
        ends: list[Ended] = []

        def execute(arguments: t.Mapping[str, t.Any]) -> t.Any:
            look = arguments["errand"]["errand"] == "look"
            ends.append(in_fork(lambda: host_half(arguments), None if look else trace))
            return ends[-1].value or {"failed": True, "msg": "MODULE FAILURE", "rc": -ends[-1].signal}

        try:
            service.trust(*anchors, execute=execute)
        except KeysteadError as error:
            assert "ended without an answer" in str(error)  # noqa: PT017 - an unbroken run raises nothing
        return ends[-1]

    service.settled("issuing")
    run("issuing", "b", trace=Trace(str(log)))
    points = calls(log)
    assert len(points) > 10
    for call in points:
        service.settled("issuing")
        ended = run("issuing", "b", trace=Trace(str(log), call, "signal=KILL"))
        assert ended.signal == KILLED, call.text
        assert service.node.bundle.read_text().count("BEGIN") in (1, 2), "a whole file"
        service.trust("issuing", "b")
        assert service.served.read_text() == service.node.bundle.read_text(), call.text
        assert not service.trust("issuing", "b")["changed"]
        assert service.left == []


def test_a_service_that_does_not_run_reads_its_anchors_when_it_starts(service: Service) -> None:
    stopped = {**service.activate, "only_if": ["false"]}
    done = service.trust("issuing", activate=stopped)
    said = "changed; skipped: activate.only_if: false exited with 1, so nothing was activated"
    assert done["steps"][1]["reason"] == f"{service.node.bundle} {said}"
    assert not service.trust("issuing", activate=stopped)["changed"]
    assert (service.count, service.left) == (0, [])


def test_a_task_that_tells_nobody_says_that_somebody_is_still_to_be_told(service: Service) -> None:
    service.stuck.touch()
    with pytest.raises(NotConverged):
        service.trust("issuing")
    done = service.trust("issuing", activate=None)
    assert not done["changed"]
    assert "no run told the service that reads it; declare activate" in done["warnings"][0]
    service.trust(state="absent", activate=None)
    assert service.left == [], "what is gone is nobody's to read"


def test_a_note_of_another_run_is_not_taken_back(service: Service) -> None:
    path = str(service.node.bundle)
    errands = [TrustErrand("write", "peers", path, (der,), activate=Activation()) for der in (b"1", b"2")]
    first, second = map(trust_activation.Journal, errands)
    first.begin()
    noted = first.noted()
    second.begin()
    first.forget(noted)
    assert second.noted() not in (None, noted)
    second.forget(second.noted())
    assert (first.noted(), service.left) == (None, [])


def test_how_a_service_is_told_is_said_in_exactly_one_way(service: Service) -> None:
    for said, why in (
        ({"unit": "a.service", "command": ["true"]}, "option activate: .* is needed, found unit and command"),
        ({}, "option activate: "),
        ({"unit": "a b"}, r"option activate\.unit: 'a b' is not a systemd unit"),
        ({"command": []}, r"option activate\.command: a list of a command"),
    ):  # fmt: skip
        with pytest.raises(Misconfigured, match=f"trust_bundle: {why}"):
            service.trust("issuing", activate=said)
    assert not service.node.bundle.exists()


def test_a_host_that_does_not_say_whether_it_told_the_service_is_not_believed(service: Service) -> None:
    def lying(arguments: t.Mapping[str, t.Any]) -> t.Any:
        answer = service.node.execute(arguments)
        for one in answer["identities"]:
            one.pop("done", None)
        return answer

    with pytest.raises(Denied, match="its answer about its anchors is refused: it does not say whether"):
        service.trust("issuing", execute=lying)


def test_in_the_systems_store_the_note_is_where_no_tool_looks(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, bundle, notes = tmp_path / "anchors", tmp_path / "bundle.pem", tmp_path / "trust"
    source.mkdir()
    tool = tmp_path / "fake-update-ca-trust"
    tool.write_text(f"#!/bin/sh\ncat {source}/* >{bundle}.new\nmv {bundle}.new {bundle}\n")
    tool.chmod(0o755)
    monkeypatch.setattr(trust_system, "LAYOUTS", (trust_system.Layout((str(tool),), str(source), str(bundle)),))
    monkeypatch.setattr(trust_activation, "DEFAULT_DIRECTORY", str(notes))
    service.stuck.touch()
    with pytest.raises(NotConverged, match="the system's store is as it is declared, and its service was not told"):
        service.trust("issuing", path=None, system=True)
    assert [one.name for one in notes.iterdir()] == [".peers.system.keystead-pending"]
    service.stuck.unlink()
    assert actions(service.trust("issuing", path=None, system=True)) == ["activate"]
    assert not service.trust("issuing", path=None, system=True)["changed"]
    assert list(notes.iterdir()) == []


def test_what_goes_over_the_wire_comes_back_as_it_was() -> None:
    told = TrustErrand("activate", "peers", "/x", activate=Activation(unit="nginx.service"))
    assert packed(told)["activate"] == wire.pack(told.activate)
    der = pki.der_certificates(TwoTier("one").root)[0]
    said = {"where": "/x", "state": "ours", "digest": "", "detail": "", "anchors": [wire.pack(der)], "pending": True}
    assert seen_of(said).pending
    with pytest.raises(ValueError, match=r"answer\.pending is not true or false"):
        seen_of({**said, "pending": "yes"})
