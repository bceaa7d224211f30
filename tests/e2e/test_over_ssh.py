# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The main job over SSH, on three hosts, as an ordinary user who becomes root."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.tests.e2e.site import STORE, identity
from ansible_collections.keystead.identity.tests.harness.playbook import recap
from ansible_collections.keystead.identity.tests.harness.ssh_hosts import NAMES

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.tests.e2e.site import Site
    from ansible_collections.keystead.identity.tests.harness.ssh_hosts import Host

pytestmark = pytest.mark.needs("root", "netns", "ip", "ssh", "sshd", "sudo")

LINKED = identity(
    "web",
    owner="deploy",
    group="shop",
    mode="0640",
    links={"/var/lib/shop/web.pem": "fullchain", "/var/lib/shop/web.key": "private_key"},
)
FINGERPRINT = ("openssl", "x509", "-noout", "-fingerprint", "-sha256", "-in")


def access(host: Host, path: str) -> str:
    """Return owner, group and mode of what is behind a path, in the words of the host."""
    return host.run("stat", "--dereference", "--format", "%U %G %a", path).strip()


def steps(site: Site) -> dict[str, t.Any]:
    """Return the steps of the last run, with their reasons."""
    return {host: [record["steps"] for record in site.records(host)] for host in NAMES}


@pytest.mark.parametrize("pipelining", [True, False], ids=["pipelining", "no pipelining"])
def test_every_host_gets_identities_of_its_own_exactly_as_check_mode_says_and_once(
    site: Site, *, pipelining: bool
) -> None:
    play = site.play(LINKED, identity("api"))
    hosts = site.fleet.hosts.values()
    for host in hosts:
        host.run("mkdir", "/var/lib/shop")

    foreseen = site.run(play, "--check", ansible_pipelining=pipelining)
    assert foreseen.returncode == 0, foreseen.stdout
    plan = steps(site)
    assert {host.run("find", "/var/lib/shop", "/var/lib/keystead", check=False) for host in hosts} == {
        "/var/lib/shop\n"
    }

    first = site.run(play, "-vvv", ansible_pipelining=pipelining)
    assert (" PUT " in first.stdout) is not pipelining
    assert {host: counts["changed"] for host, counts in recap(first).items()} == dict.fromkeys(NAMES, 1), first.stdout
    assert steps(site) == plan

    second = site.run(play, ansible_pipelining=pipelining)
    assert {host: counts["changed"] for host, counts in recap(second).items()} == dict.fromkeys(NAMES, 0), second.stdout
    assert {access(host, "/var/lib/shop/web.key") for host in hosts} == {"deploy shop 640"}
    assert {access(host, "/var/lib/shop/web.pem") for host in hosts} == {"deploy shop 644"}
    assert {access(host, f"{STORE}/api/current/private_key.pem") for host in hosts} == {"root root 600"}
    assert {access(host, STORE) for host in hosts} == {"root root 755"}
    certificates = [record["paths"]["certificate"] for record in site.records("web1")]
    assert len({host.run(*FINGERPRINT, path) for host in hosts for path in certificates}) == len(NAMES) * 2


def test_serial_and_limit_touch_the_named_hosts_one_after_the_other(site: Site) -> None:
    play = site.play(identity("web"), serial=1)

    limited = site.run(play, "--limit", "web1,web3")
    assert limited.stdout.count("TASK [Identities]") == 2
    assert {host: counts["changed"] for host, counts in recap(limited).items()} == {"web1": 1, "web3": 1}
    assert [event[0] for event in site.events()] == sorted(event[0] for event in site.events())
    assert site.fleet.hosts["web2"].run("ls", "/var/lib") == ""

    all_of_them = site.run(play)
    assert {host: counts["changed"] for host, counts in recap(all_of_them).items()} == {"web1": 0, "web2": 1, "web3": 0}


def test_hosts_in_parallel_lose_and_double_no_event_of_the_ledger_they_share(site: Site) -> None:
    done = site.run(site.play(*[identity(f"service-{number}") for number in range(4)]), "--forks", "3")
    assert done.returncode == 0, done.stdout
    recorded = [event[:4] for event in site.events()]
    told = [
        (host, record["name"], 1, action)
        for host in NAMES
        for record in site.records(host)
        for action in ("intend", *(step["action"] for step in record["steps"][1:]))  # the intent stands for stage_key
    ]
    assert len(told) == len(NAMES) * 4 * 3
    assert sorted(recorded) == sorted(told)
