# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A host that enrols itself at an EST server: by what it is given first, and then by the certificate that it has."""

from __future__ import annotations

import json
import re
import time
import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness import est_site, playbook
from ansible_collections.keystead.identity.tests.harness import faulty_proxy as faulty
from ansible_collections.keystead.identity.tests.harness.est import PASSWORD, pair
from ansible_collections.keystead.identity.tests.harness.est_site import BY_OWN, BY_PASSWORD, Site, Task, peer
from ansible_collections.keystead.identity.tests.harness.front import MARGIN, TIMEOUT
from ansible_collections.keystead.identity.tests.harness.in_process import host_half, web
from ansible_collections.keystead.identity.tests.needs import OLD_PYTHON
from cryptography.hazmat.primitives.serialization import Encoding

if t.TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.one_core


@pytest.fixture
def site(tmp_path: Path) -> t.Iterator[Site]:
    with est_site.beside(tmp_path) as found:
        yield found


def test_a_host_begins_by_a_password_and_renews_by_the_certificate_that_it_has(site: Site) -> None:
    world, issuer = site.world, site.issuer()
    world.settled([peer()], issuer=issuer)
    assert site.asked() == [BY_PASSWORD]
    assert world.phases[1:4] == ["prepare", "enrol", "install"]
    first = world.certificate()
    world.settled([peer(key={"type": "ecdsa-p384"})], issuer=issuer)
    assert site.asked() == [BY_OWN]
    assert world.certificate().public_key() != first.public_key()
    assert len(site.est.signed) == 2


def test_a_password_goes_down_only_as_a_secret_and_no_key_comes_up(site: Site) -> None:
    crossed: list[tuple[Task, Task]] = []

    def way(arguments: Task) -> Task:
        answer = host_half(arguments)
        crossed.append((json.loads(json.dumps(arguments)), answer))
        return answer

    site.world.converge([peer()], issuer=site.issuer(), execute=way)
    down = [one for one, _answer in crossed if PASSWORD in json.dumps(one)]
    assert [(one["phase"], one.pop("secrets")) for one in down] == [("enrol", {"web": {"enrol": PASSWORD}})]
    assert not [one for one in down if PASSWORD in json.dumps(one)]
    assert not [answer for _arguments, answer in crossed if "PRIVATE" in json.dumps(answer)]


def test_a_host_begins_by_a_pair_that_it_had_from_elsewhere(site: Site, tmp_path: Path) -> None:
    paths = pair(tmp_path, "device.example.org", site.est.tls)
    issuer = site.issuer({"bootstrap": paths})
    site.world.settled([peer()], issuer=issuer)
    (asked,) = site.asked()
    assert re.fullmatch("simpleenroll by .*Testing CA.*", asked)
    site.world.settled([peer(key={"type": "rsa-3072"})], issuer=issuer)
    assert site.asked() == [BY_OWN]


def test_a_registration_authority_begins_on_the_controller_and_the_host_goes_on(site: Site) -> None:
    issuer = {"est": site.backend.by_certificate(label="peer", enrol="host")}
    site.world.settled([peer()], issuer=issuer)
    assert "enrol" not in site.world.phases
    assert re.fullmatch("simpleenroll by .*Testing CA.*", site.asked()[0])
    site.world.settled([peer(key={"type": "ecdsa-p384"})], issuer=issuer)
    assert site.asked() == [BY_OWN]


@pytest.mark.parametrize("why", ["other names", "revoked", "damaged", "for servers only"])
def test_who_cannot_show_the_old_certificate_for_the_new_one_begins_anew(site: Site, why: str) -> None:
    world, issuer = site.world, site.issuer(label="server" if why == "for servers only" else "peer")
    make = web if why == "for servers only" else peer
    world.settled([make()], issuer=issuer)
    changed = make(key={"type": "ecdsa-p384"})
    if why == "other names":
        changed = make(dns_names=["other.example.org"])
    elif why == "damaged":
        world.path("web", "current", "private_key.pem").write_bytes(b"")
        changed = make()
    elif why == "revoked":
        world.settled([make(state="absent")], issuer=issuer)
        changed = make()
    site.asked()
    world.converge([changed], issuer=issuer)
    assert site.asked() == [BY_PASSWORD]


def test_what_takes_time_is_asked_for_again_by_the_host(site: Site) -> None:
    site.est.labels["peer"].polls = 2
    try:
        site.world.settled([peer()], issuer=site.issuer(), wait="20s")
        assert site.asked() == [BY_PASSWORD] * 3
        assert len(site.est.signed) == 1
    finally:
        site.est.labels["peer"].polls = 0


@pytest.mark.parametrize("how", ["refused by V1", "refused", "waits"])
def test_a_key_is_asked_for_again_unless_it_was_refused_in_the_end(site: Site, how: str) -> None:
    """A server knows a request by its key (RFC 7030, 4.2.3), and may answer as it did before."""
    world, said = site.world, {}
    if how == "refused by V1":
        said["label"] = "server"
    elif how == "refused":
        said["auth"] = {"basic": {"username": "web", "password": "another"}}
    else:
        site.est.labels["peer"].polls = 1
    assert world.converge([peer()], issuer=site.issuer(**said))["failed"] is True
    staged = world.path("web", "next", "private_key.pem").read_bytes()
    world.settled([peer()], issuer=site.issuer())
    used = world.path("web", "current", "private_key.pem").read_bytes()
    assert (used == staged) is (how == "waits")


def test_a_root_that_rolls_over_is_followed_from_the_host_as_well(site: Site) -> None:
    issuer = {"est": {**site.issuer()["est"], "fingerprint_sha256": None, "roots": [site.est.root]}}
    site.world.settled([peer()], issuer=issuer)
    site.est.authority.roll()
    site.world.settled([peer(dns_names=["other.example.org"])], issuer=issuer)
    assert site.world.path("web", "current", "chain.pem").read_bytes().count(b"BEGIN CERTIFICATE") == 2


def lying(change: t.Callable[[Task], object]) -> t.Callable[[Task], Task]:
    """Return a way to a host that changes what it was answered."""

    def way(arguments: Task) -> Task:
        answer = host_half(arguments)
        if arguments["phase"] == "enrol":
            change(answer["identities"][0]["enrolled"])
        return answer

    return way


LIES: dict[str, t.Callable[[Task], object]] = {
    "an authority in place of a certificate": lambda told: told["answer"].update(body=told["authorities"]["body"]),
    "no base64": lambda told: told["answer"].update(body="?"),
    "another form": lambda told: told.update(answer=7),
    "a status that is none": lambda told: told["answer"].update(status="200"),
    "headers that are none": lambda told: told["answer"].update(headers=7),
    "too much": lambda told: told["answer"].update(body="A" * 200_000),
    "nothing": lambda told: told.clear(),
}


@pytest.mark.parametrize("lie", LIES)
def test_what_a_host_makes_up_is_not_installed(site: Site, lie: str) -> None:
    site.world.settled([peer()], issuer=site.issuer())
    before = site.world.certificate()
    changed = [peer(dns_names=["other.example.org"])]
    result = site.world.converge(changed, issuer=site.issuer(), execute=lying(LIES[lie]))
    assert result["failed"] is True
    assert re.match("(web: )?(host|est):", result["msg"]), result["msg"]
    assert "unexpected" not in result["msg"]
    assert site.world.certificate() == before


def test_a_server_that_refuses_says_why_and_the_pair_stays(site: Site) -> None:
    site.world.settled([peer()], issuer=site.issuer())
    before = site.world.certificate()
    for said, why in (
        ({"label": "elsewhere"}, "est: it refuses enrolment .a.example.org is not below example.com."),
        ({"auth": {"basic": {"username": "converger", "password": "open, barley"}}}, "est: it does not accept who we"),
        ({"url": "https://127.0.0.1:9"}, "est: 127.0.0.1:9 accepts no connection"),
        ({"ca_bundle": None}, "est: the TLS certificate of .* is signed by nobody"),
        ({"auth": {"bootstrap": {"certificate": "/none.pem", "private_key": "/none.key"}}}, "bootstrap: .*No such"),
    ):
        issuer = {"est": {**site.issuer(**said)["est"], "fingerprint_sha256": None, "roots": [site.est.root]}}
        result = site.world.converge([peer(dns_names=["a.example.org"])], issuer=issuer)
        assert result["failed"] is True
        assert re.search(why, result["msg"]), result["msg"]
        assert "open, barley" not in json.dumps(result, default=str)
        assert site.world.certificate().public_bytes(Encoding.DER) == before.public_bytes(Encoding.DER)


FAULTS = {"hangs": faulty.hang, "drips": faulty.drip, "resets": faulty.reset, "garbage": faulty.garbage,
          "cuts": faulty.cut, "fails": faulty.says(500), "redirects": faulty.redirect}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_on_the_way_from_the_host_is_a_sentence_in_time(site: Site, fault: str) -> None:
    site.world.settled([peer()], issuer=site.issuer())
    before, changed = site.world.certificate(), [peer(dns_names=["other.example.org"])]
    with faulty.before(*site.backend.upstream) as proxy:
        issuer = {"est": site.backend.through(proxy.url, label="peer", enrol="host")}
        for where in ("/cacerts", "/simpleenroll"):
            proxy.fail(FAULTS[fault], where)
            begun = time.monotonic()
            result = site.world.converge(changed, issuer=issuer)
            assert time.monotonic() - begun < TIMEOUT + MARGIN
            assert result["failed"] is True
            assert re.match("(web: )?est: ", result["msg"]), result["msg"]
            assert site.world.certificate() == before
        assert proxy.trapped == []


def test_only_the_run_that_has_the_lease_may_use_the_pair(site: Site) -> None:
    site.world.settled([peer()], issuer=site.issuer())
    told: list[Task] = []

    def way(arguments: Task) -> Task:
        told.append(json.loads(json.dumps(arguments)))
        return host_half(arguments)

    site.world.converge([peer(key={"type": "rsa-3072"})], issuer=site.issuer(), execute=way)
    (again,) = [one for one in told if one["phase"] == "enrol"]
    site.asked()
    (answer,) = host_half(again)["identities"]
    assert "lease" in answer["error"]["message"]
    assert site.asked() == []
    assert host_half(again, check=True)["identities"] == []


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"enrol": "controller"}, "auth.bootstrap is a pair of the host; write enrol: host"),
        ({"enrol": "host"}, "auth.bootstrap.certificate: 'device.pem' is not an absolute path"),
    ],
)
def test_a_pair_of_the_host_is_refused_where_it_cannot_be_meant(site: Site, said: Task, why: str) -> None:
    bootstrap = {"certificate": "device.pem", "private_key": "/etc/device.key"}
    result = None
    with pytest.raises(Exception, match=why):
        result = site.world.converge([peer()], issuer=site.issuer({"bootstrap": bootstrap}, **said))
    assert result is None


@pytest.mark.needs("old_cryptography")
def test_a_host_with_an_old_python_enrols_itself(site: Site, tmp_path: Path) -> None:
    said = {
        "issuer": site.issuer(),
        "ledger": f"sqlite:////{str(tmp_path / 'ledger.sqlite').lstrip('/')}",
        "store": str(tmp_path / "store"),
    }
    tasks = [
        {"keystead.identity.machine_identity": {**said, "identities": [peer(key={"type": kind})]}}
        for kind in ("ecdsa-p256", "rsa-2048")
    ]
    hosts = {"web1": {"ansible_connection": "local", "ansible_python_interpreter": OLD_PYTHON}}
    done = playbook.run(tasks, hosts, home=tmp_path / "home", env={"ANSIBLE_PIPELINING": "1"})
    assert playbook.recap(done)["web1"]["changed"] == len(tasks), done.stdout
    assert site.asked() == [BY_PASSWORD, BY_OWN]


def test_a_password_never_touches_the_disk_of_a_host(site: Site, tmp_path: Path) -> None:
    """A task whose connection does not pipe refuses it, and one that does shows it nowhere."""
    said = {
        "issuer": site.issuer(),
        "ledger": f"sqlite:////{str(tmp_path / 'ledger.sqlite').lstrip('/')}",
        "store": str(tmp_path / "store"),
        "identities": [peer()],
    }
    tasks, home = [{"keystead.identity.machine_identity": said}], tmp_path / "home"
    done = playbook.run(tasks, playbook.ONE_HOST, home=home, env={"ANSIBLE_PIPELINING": "0"})
    (result,) = playbook.results(home)
    assert "without pipelining" in result["msg"]
    assert "let the controller enrol (enrol: controller), or set ansible_pipelining: true" in result["msg"]
    assert not site.est.signed
    done = playbook.run(tasks, playbook.ONE_HOST, "-vvvv", "--diff", home=home, env={"ANSIBLE_PIPELINING": "1"})
    assert playbook.recap(done)["web1"]["changed"] == 1, done.stdout
    assert PASSWORD not in done.stdout + done.stderr
    assert site.asked() == [BY_PASSWORD]


def test_check_mode_says_that_a_password_cannot_go_to_a_host_and_only_where_it_would(
    site: Site, tmp_path: Path
) -> None:
    said = {
        "issuer": site.issuer(),
        "ledger": f"sqlite:////{str(tmp_path / 'ledger.sqlite').lstrip('/')}",
        "store": str(tmp_path / "store"),
    }

    def run(*arguments: str, pipelining: str = "0", key: str = "ecdsa-p256") -> str:
        identities = [peer(dns_names=["web.example.org"], key={"type": key})]
        tasks = [{"keystead.identity.machine_identity": {**said, "identities": identities}}]
        env = {"ANSIBLE_PIPELINING": pipelining}
        playbook.run(tasks, playbook.ONE_HOST, *arguments, home=tmp_path / "home", env=env)
        (result,) = playbook.results(tmp_path / "home")
        return str(result.get("msg", ""))

    said_of_it = "a secret for the issuer would touch the disk of the host; let the controller enrol (enrol: controller"
    assert said_of_it in run("--check")
    assert "would touch" not in run("--check", pipelining="1")
    run(pipelining="1")
    assert len(site.est.signed) == 1
    assert "would touch" not in run("--check", key="ecdsa-p384")
    run(key="ecdsa-p384")
    assert len(site.est.signed) == 2


@pytest.mark.parametrize("way", ["host", "controller"])
@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"auth": {"basic": {"username": "a", "password_file": "/nope"}}}, "auth.basic.password_file /nope cannot be"),
        ({"auth": {"cert": {"certificate": "/nope", "private_key": "/nope"}}}, "certificate /nope and private_key"),
        ({"ca_bundle": "/nope"}, "ca_bundle /nope: No such file"),
    ],
)
def test_check_mode_says_what_cannot_be_read_on_the_controller(site: Site, way: str, said: Task, why: str) -> None:
    roots = {"roots": [site.est.root], "fingerprint_sha256": None}
    issuer = {"est": {**site.issuer(enrol=way)["est"], **roots, **said}}
    for check in (True, False):
        result = site.world.converge([peer()], issuer=issuer, check=check)
        assert result["failed"] is True
        assert why in result["msg"]
    assert site.asked() == []
