# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What goes wrong between a controller and real hosts, and the run after it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
import typing as t
import venv
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.tests.e2e.site import STORE, identity
from ansible_collections.keystead.identity.tests.harness import playbook
from ansible_collections.keystead.identity.tests.harness.ssh_hosts import NAMES

if t.TYPE_CHECKING:
    import subprocess

    from ansible_collections.keystead.identity.tests.e2e.site import Site
    from ansible_collections.keystead.identity.tests.harness.ssh_hosts import Host

pytestmark = pytest.mark.needs("root", "netns", "ip", "ssh", "sshd", "sudo", "openssl")

ACTIONS = ["intend", "issue", "publish"]


def actions(site: Site) -> dict[str, list[str]]:
    """Return what the ledger says was done for each host, in order."""
    events = site.events()
    return {host: [event[3] for event in events if event[0] == host] for host in NAMES}


def test_a_host_that_is_down_holds_nobody_up_and_gets_its_identity_when_it_is_back(site: Site) -> None:
    play = site.play(identity("web"))
    host = site.fleet.hosts["web2"]
    host.stop()
    try:
        without = site.run(play)
    finally:
        host.start()
    counts = playbook.recap(without)
    assert {name: (count["changed"], count["unreachable"]) for name, count in counts.items()} == {
        "web1": (1, 0),
        "web2": (0, 1),
        "web3": (1, 0),
    }, without.stdout
    assert actions(site) == {"web1": ACTIONS, "web2": [], "web3": ACTIONS}

    back = site.run(play)
    assert {name: count["changed"] for name, count in playbook.recap(back).items()} == {"web1": 0, "web2": 1, "web3": 0}
    assert actions(site) == dict.fromkeys(NAMES, ACTIONS)


def test_a_python_without_cryptography_is_one_sentence_that_names_the_package(site: Site) -> None:
    venv.create(site.directory / "bare", with_pip=False)
    python = str(site.directory / "bare" / "bin" / "python")
    done = site.run(site.play(identity("web")), special={"web2": {"ansible_python_interpreter": python}})
    counts = playbook.recap(done)
    assert {name: count["failed"] for name, count in counts.items()} == {"web1": 0, "web2": 1, "web3": 0}, done.stdout
    (result,) = playbook.results(site.home, "web2")
    assert result["msg"] == (
        f"host: {python} has no cryptography; "
        "install the package python3-cryptography, or choose another ansible_python_interpreter"
    )
    assert "Traceback" not in done.stdout + done.stderr


def descendants(pid: int) -> list[int]:
    """Return the processes that a process started, and theirs."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [each for child in map(int, found) for each in (child, *descendants(child))]


def staged(site: Site) -> list[Host]:
    """Return the hosts that have made a key and wait for its certificate."""
    hosts = site.fleet.hosts.values()
    return [host for host in hosts if (host.directory / "lib/keystead/identities/web/next").exists()]


def issued(site: Site) -> list[Path]:
    """Return the certificates that the authority has signed."""
    return list((site.authorities / "issuing" / "issued").glob("*.pem"))


def recorded(site: Site) -> list[str]:
    """Return the hosts whose certificate is in the ledger."""
    return [host for host, done in actions(site).items() if "issue" in done]


def until(site: Site, process: subprocess.Popen[bytes], moment: t.Callable[[Site], object]) -> None:
    """Return at a moment of a run, which must come before its end."""
    while not moment(site):
        assert process.poll() is None
        time.sleep(0.002)


def check_healed(site: Site, play: dict[str, t.Any]) -> None:
    """Run again: every host has one complete pair, nothing is left over, and then there is nothing to do."""
    healed = site.run(play)
    assert healed.returncode == 0, healed.stdout
    assert len(issued(site)) == len(NAMES)
    for host in site.fleet.hosts.values():
        current = f"{STORE}/web/current"
        certified = host.run("openssl", "x509", "-noout", "-pubkey", "-in", f"{current}/certificate.pem")
        assert certified == host.run("openssl", "pkey", "-pubout", "-in", f"{current}/private_key.pem")
        assert host.run("find", STORE, "-name", "private_key.pem").split() == [f"{STORE}/web/1/private_key.pem"]
        assert host.run("ls", f"{STORE}/web").split() == ["1", "current"]
    again = playbook.recap(site.run(play))
    assert {name: count["changed"] for name, count in again.items()} == dict.fromkeys(NAMES, 0)
    assert {told[-1] for told in actions(site).values()} == {"publish"}


@pytest.mark.parametrize("moment", [staged, issued, recorded])
def test_a_controller_that_is_killed_in_mid_run_is_healed_by_the_next_run(
    site: Site, moment: t.Callable[[Site], object]
) -> None:
    play = site.play(identity("web"))
    with site.started(play) as process:
        until(site, process, moment)
        for pid in (process.pid, *descendants(process.pid)):  # a worker has a session of its own, and would go on
            with contextlib.suppress(ProcessLookupError):  # a descendant may end by itself meanwhile
                os.kill(pid, signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    check_healed(site, play)


def test_a_host_that_dies_in_mid_run_is_healed_when_it_is_back(site: Site) -> None:
    play = site.play(identity("web"))
    with site.started(play) as process:
        until(site, process, staged)
        host = staged(site)[0]
        host.stop()
    host.start()
    said = (site.directory / "started.log").read_text(encoding="utf-8")
    assert re.search(rf"{host.name} .* (unreachable|failed)=1 ", said)  # failed: core 2.18, whose clean-up fails, too
    check_healed(site, play)
