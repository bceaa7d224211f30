# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A host that enrols itself at a SCEP server: by a challenge first, and then by the pair that it has."""

from __future__ import annotations

import json
import os
import re
import signal
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied, Misconfigured
from ansible_collections.keystead.identity.tests.harness import faulty_proxy as faulty
from ansible_collections.keystead.identity.tests.harness import playbook
from ansible_collections.keystead.identity.tests.harness.in_process import host_half, reason, steps, until, web
from ansible_collections.keystead.identity.tests.harness.scep import Backend, Site, policy
from ansible_collections.keystead.identity.tests.harness.scep_host import ASKS, Host, Task, before, client
from ansible_collections.keystead.identity.tests.harness.scep_server import CHALLENGE, PATH, running
from ansible_collections.keystead.identity.tests.needs import OLD_PYTHON
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

pytestmark = [pytest.mark.one_core, pytest.mark.needs(*Backend.needs)]
LARGER, OTHER = client(key={"type": "rsa-3072"}), client(dns_names=["other.example.org"])


@pytest.fixture
def host(scep: Site, tmp_path: Path) -> t.Iterator[Host]:
    with before(scep, tmp_path) as found:
        yield found


def test_a_host_begins_by_a_challenge_and_renews_by_the_pair_that_it_has(host: Host) -> None:
    world, issuer = host.world, host.issuer()
    world.settled([client()], issuer=issuer)
    assert host.operator.kinds == ["PKCSReq"]
    assert world.phases[1:4] == ["prepare", "enrol", "install"]
    first = world.certificate()
    world.settled([LARGER], issuer=issuer)
    assert host.operator.kinds == ["PKCSReq", "RenewalReq"]
    assert world.certificate().public_key() != first.public_key()
    assert world.path("web", "current", "chain.pem").read_bytes().count(b"BEGIN CERTIFICATE") == 1


@pytest.mark.parametrize("why", ["other names", "revoked", "damaged", "a server that cannot renew", "no RSA key"])
def test_who_cannot_show_the_old_certificate_for_the_new_one_begins_anew(host: Host, why: str) -> None:
    world, issuer, changed = host.world, host.issuer(), client()
    if why == "no RSA key":
        world.settled([web()])
    else:
        world.settled([client()], issuer=issuer)
    if why == "other names":
        changed = OTHER
    elif why == "revoked":
        world.settled([client(state="absent")], issuer=issuer)
    elif why == "damaged":
        world.path("web", "current", "private_key.pem").write_bytes(b"")
    elif why == "a server that cannot renew":
        host.proxy.fail(faulty.says(200, "POSTPKIOperation\nSHA-256\n"), "GetCACaps")
        host.operator.kinds.append("PKCSReq")  # nobody sees it
        changed = LARGER
    done = world.converge([changed], issuer=issuer, issuers=[world.issuer()])
    assert done["changed"], done
    assert host.operator.kinds[1 if why != "no RSA key" else 0 :] == ["PKCSReq"]


def test_a_server_that_takes_no_post_is_asked_by_get(host: Host) -> None:
    seen: list[str] = []

    def caps(handler: faulty.Handler) -> None:
        if "GetCACaps" in handler.path:
            handler.reply(faulty.Reply(200, {"Content-Type": "text/plain"}, b"SHA-256\n"))
            return
        seen.append(handler.command)
        faulty.pass_on(handler)

    host.proxy.fail(caps, "operation=")
    host.world.settled([client()], issuer=host.issuer())
    assert seen == ["GET", "GET"]  # GetCACert and PKIOperation


def test_a_server_that_names_its_whole_chain_is_understood(host: Host) -> None:
    site = host.backend.site.open
    chain = pkcs7.serialize_certificates([site.root, site.authority], Encoding.DER)
    kind = {"Content-Type": "application/x-x509-ca-ra-cert"}
    host.proxy.fail(lambda handler: handler.reply(faulty.Reply(200, kind, chain)), "GetCACert")
    host.world.settled([client()], issuer=host.issuer())
    assert host.world.path("web", "current", "chain.pem").read_bytes() == site.authority.public_bytes(Encoding.PEM)


def test_a_challenge_goes_down_only_as_a_secret_and_no_key_comes_up(host: Host) -> None:
    crossed: list[tuple[Task, Task]] = []

    def way(arguments: Task) -> Task:
        answer = host_half(arguments)
        crossed.append((json.loads(json.dumps(arguments)), answer))
        return answer

    host.world.converge([client()], issuer=host.issuer(), execute=way)
    down = [one for one, _answer in crossed if CHALLENGE in json.dumps(one)]
    assert [(one["phase"], one.pop("secrets")) for one in down] == [("enrol", {"web": {"enrol": CHALLENGE}})]
    assert not [one for one in down if CHALLENGE in json.dumps(one)]
    assert not [answer for _arguments, answer in crossed if re.search("PRIVATE|sesame", json.dumps(answer))]


def test_what_an_operator_has_to_decide_goes_on_in_the_next_run_with_the_same_key(host: Host) -> None:
    host.operator.times = 1
    first = host.world.converge([client()], issuer=host.issuer())
    assert first["failed"] is True
    assert first["msg"] == "scep: it has not decided on web yet; run again later"
    assert host.world.query("SELECT number, state FROM generations") == [(1, "intended")]
    second = host.world.settled([client()], issuer=host.issuer())
    assert second["identities"][0]["changed"] is True
    assert list(host.operator.asked.values()) == [2], "another transaction would be another key"
    assert host.world.query("SELECT number, state FROM generations") == [(1, "current")]
    assert not [line for line in second.get("warnings", ()) if "orphan" in line]


def test_what_an_operator_has_to_decide_is_asked_for_again_while_the_task_may_wait(host: Host) -> None:
    host.operator.times = 1
    done = host.world.converge([client()], issuer=host.issuer(), wait="40s")
    assert done["changed"], done
    assert list(host.operator.asked.values()) == [2]


def test_a_renewal_may_have_to_wait_too_and_the_pair_stays(host: Host) -> None:
    host.world.settled([client()], issuer=host.issuer())
    before, host.operator.times = host.world.certificate(), 1
    assert host.world.converge([LARGER], issuer=host.issuer())["failed"] is True
    assert host.world.certificate() == before
    host.world.settled([LARGER], issuer=host.issuer())
    assert host.operator.kinds == ["PKCSReq", "RenewalReq", "RenewalReq"]


REFUSALS: dict[str, tuple[Task, str]] = {
    "a wrong challenge": ({"challenge": "open, barley"}, "it does not permit the request .failInfo badReq.*challenge"),
    "another authority": ({"fingerprint_sha256": "00" * 32}, "none with the fingerprint 0{64}, but .*nothing was sent"),
    "a place where nothing is": ({"url": "https://127.0.0.1:9/scep"}, "127.0.0.1:9 accepts no connection"),
    "TLS of a stranger": ({"ca_bundle": None}, "the TLS certificate of .* is signed by nobody"),
    "a bundle that is none": ({"ca_bundle": "/none.pem"}, "scep: ca_bundle /none.pem: No such file"),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_what_is_refused_says_why_and_the_pair_stays(host: Host, what: str) -> None:
    said, why = REFUSALS[what]
    host.world.settled([client()], issuer=host.issuer())
    before = host.world.certificate()
    result = host.world.converge([OTHER], issuer=host.issuer(**said))
    assert result["failed"] is True
    assert re.search(why, result["msg"]), result["msg"]
    assert "open, barley" not in json.dumps(result, default=str)
    assert host.world.certificate() == before
    assert len(host.operator.kinds) == (2 if "challenge" in said else 1)


def test_a_server_that_redirects_is_told_with_where_it_leads(host: Host) -> None:
    there = faulty.Reply(301, {"Location": "https://scep.example.org/scep/?operation=GetCACert"}, b"")
    host.proxy.fail(lambda handler: handler.reply(there), "GetCACert")
    result = host.world.converge([client()], issuer=host.issuer())
    assert "scep: it redirects GetCACert to https://scep.example.org/scep/, which is not followed" in result["msg"]


def test_a_url_of_the_other_kind_is_told_as_that(host: Host) -> None:
    plain, silent = host.backend.site.open.url.replace("http:", "https:"), host.proxy.url.replace("https:", "http:")
    result = host.world.converge([client()], issuer=host.issuer(url=f"{plain}{PATH}"))
    assert re.search("scep: 127.0.0.1:.* answers without TLS; correct url: its port, or its scheme", result["msg"])
    said = {"url": f"{silent}{PATH}", "challenge": None, "ca_bundle": None}
    result = host.world.converge([client()], issuer=host.issuer(**said), policy=None)
    assert "where it speaks TLS, write https in url" in result["msg"]


def test_a_url_is_asked_with_the_slash_that_it_ends_with(host: Host) -> None:
    host.world.converge([client()], issuer=host.issuer(url=f"{host.proxy.url}{PATH}/"))
    assert f"GET {PATH}/?operation=GetCACert" in host.proxy.seen


@pytest.mark.parametrize("form", ["open%2C%20sesame", "open%2C+sesame", "b3Blbiwgc2VzYW1l", "6F70656E2C20736573616D65"])
def test_a_server_that_repeats_the_challenge_in_any_form_is_not_quoted(host: Host, form: str) -> None:
    host.proxy.fail(faulty.says(500, f"I heard {form}", Content_Type="text/plain"), ASKS)
    result = host.world.converge([client()], issuer=host.issuer())
    assert "it repeated a credential" in result["msg"]
    assert form not in json.dumps(result, default=str)


def test_nobody_is_told_to_revoke_what_is_not_for_the_key_of_the_host(host: Host) -> None:
    way = lying(LIES["an authority in place of a certificate"])
    result = host.world.converge([client()], issuer=host.issuer(), execute=way)
    assert "it is for another key" in result["msg"]
    assert "revoke" not in result["msg"]


def test_what_does_not_lead_to_the_declared_root_is_not_installed(host: Host) -> None:
    stranger = host.backend.site.narrow.root.public_bytes(Encoding.PEM).decode()
    result = host.world.converge([client()], issuer=host.issuer(roots=[stranger]))
    assert result["failed"] is True
    assert "root" in result["msg"]
    assert not host.world.path("web", "current").exists()


def test_a_host_without_the_program_is_told_what_to_install(
    host: Host, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for check in (True, False):
        result = host.world.converge([client()], issuer=host.issuer(), check=check)
        assert re.search("host: scepclient is not on this host.*package scep of Debian and Ubuntu", result["msg"])
    assert host.proxy.seen == []
    assert not host.world.path("web", "next").exists(), "a key was staged that nothing can be asked for"


def test_no_variable_of_the_environment_leads_elsewhere(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    host.world.settled([client()], issuer=host.issuer())


def test_who_needs_no_challenge_may_be_without_tls(host: Host, tmp_path: Path) -> None:
    """And needs no leave: nothing secret goes to the host."""
    (tmp_path / "server").mkdir()
    with running(tmp_path / "server", challenge="") as server:
        said = {"url": f"{server.url}{PATH}", "challenge": None, "ca_bundle": None}
        mine = {"fingerprint_sha256": server.fingerprint, "roots": [server.root.public_bytes(Encoding.PEM).decode()]}
        issuer = host.issuer(**said, **mine)
        host.world.settled([client(lifetime="30d")], issuer=issuer, policy=None)
    assert host.proxy.seen == []


def test_the_policy_of_the_page_lets_a_challenge_go_down_and_be_left_out_when_it_is_used_up(
    host: Host, tmp_path: Path
) -> None:
    page = (Path(__file__).parents[2] / "docs/docsite/rst/issuer_scep.rst").read_text(encoding="utf-8")
    (rule,) = re.findall(r"^   (- id: devices-by-challenge\n(?:     .*\n)+)", page, re.MULTILINE)
    url = str(host.issuer()["scep"]["url"])
    path = tmp_path / "page.yml"
    path.write_text(f"format: 1\nrules:\n   {rule.replace('https://scep.example.org/scep', url)}", encoding="utf-8")
    host.world.settled([client()], issuer=host.issuer(), policy=str(path))
    done = host.world.converge([client()], issuer=host.issuer(challenge=None), policy=str(path))
    assert (done["changed"], done.get("failed")) == (False, None)


def test_a_challenge_needs_the_leave_of_the_policy(host: Host, tmp_path: Path) -> None:
    silent, narrow = tmp_path / "silent.yml", tmp_path / "narrow.yml"
    silent.write_text("format: 1\nrules: []\n", encoding="ascii")
    narrow.write_text("format: 1\nrules:\n  - id: who\n    issuer: {allow: [{scep: {}}]}\n", encoding="ascii")
    for path, why in (
        (None, "scep-challenge.*issuer scep with challenge true; leave challenge out, or write .*challenge: true}}]"),
        (str(silent), "has no rule for web that permits issuer scep with challenge; .*challenge: true"),
        (str(narrow), "issuer scep with challenge true"),
    ):
        for task in ([client()], [client(issuer=host.issuer())]):
            with pytest.raises(Denied, match=why) as refused:
                host.world.converge(task, issuer=host.issuer(), policy=path)
            assert CHALLENGE not in str(refused.value)
    assert host.proxy.seen == host.world.phases == []


@pytest.mark.parametrize(("said", "why"), [
    ({"challenge": ""}, "issuer.scep.challenge: what is there is empty"),
    ({"challenge": None, "challenge_file": "/none"}, "issuer.scep.challenge_file /none cannot be read"),
    ({"ca_bundle": "/none.pem"}, "ca_bundle /none.pem: No such file"),
])  # fmt: skip
def test_what_the_controller_alone_can_see_to_be_wrong_is_seen_in_check_mode(host: Host, said: Task, why: str) -> None:
    result = host.world.converge([client()], issuer=host.issuer(**said), check=True)
    assert result["failed"] is True
    assert why in result["msg"]


def test_a_challenge_without_tls_is_refused_before_anything_is_touched(host: Host) -> None:
    with pytest.raises(Misconfigured, match=r"protected by DES alone.*write https"):
        host.world.converge([client()], issuer=host.issuer(url="http://scep.example.org/scep"))
    assert host.world.phases == []


def lying(change: t.Callable[[Task], object]) -> t.Callable[[Task], Task]:
    """Return a way to a host that changes what it was answered."""

    def way(arguments: Task) -> Task:
        answer = host_half(arguments)
        if arguments["phase"] == "enrol":
            change(answer["identities"][0]["enrolled"])
        return answer

    return way


LIES: dict[str, t.Callable[[Task], object]] = {
    "an authority in place of a certificate": lambda told: told.update(certificate=told["named"]["body"]),
    "no base64": lambda told: told.update(certificate="?"),
    "no certificate": lambda told: told.pop("certificate"),
    "another form": lambda told: told.update(named=7),
    "no such end": lambda told: told.update(ended="well"),
    "an end that is none": lambda told: told.update(ended=7),
    "words that are none": lambda told: told.update(ended="failed", words=["\x1b"]),
    "a reason that is none": lambda told: told.update(ended="refused", info={"a": 1}),
    "a reason that nobody knows": lambda told: told.update(ended="refused", info="x" * 1000),
    "an answer that is none": lambda told: told.update(answer={"status": "500"}),
    "a status that is none": lambda told: told["named"].update(status="200"),
    "another server": lambda told: told["named"].update(body=told["certificate"]),
    "too much": lambda told: told.update(certificate="A" * 200_000),
    "nothing": lambda told: told.clear(),
}


@pytest.mark.parametrize("lie", LIES)
def test_what_a_host_makes_up_is_not_installed(host: Host, lie: str) -> None:
    host.world.settled([client()], issuer=host.issuer())
    before = host.world.certificate()
    result = host.world.converge([OTHER], issuer=host.issuer(), execute=lying(LIES[lie]))
    assert result["failed"] is True
    assert re.match("(web: )?(host|scep):", result["msg"]), result["msg"]
    assert "unexpected" not in result["msg"]
    assert len(result["msg"]) < 500
    assert host.world.certificate() == before


def test_only_the_run_that_has_the_lease_may_use_the_keys(host: Host) -> None:
    told: list[Task] = []

    def way(arguments: Task) -> Task:
        told.append(json.loads(json.dumps(arguments)))
        return host_half(arguments)

    host.world.converge([client()], issuer=host.issuer(), execute=way)
    (again,) = [one for one in told if one["phase"] == "enrol"]
    (answer,) = host_half(again)["identities"]
    assert "lease" in answer["error"]["message"]
    assert host.operator.kinds == ["PKCSReq"]
    assert host_half(again, check=True)["identities"] == []


def held(directory: Path) -> list[int]:
    """Return the processes that work below a directory."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            here = str((process / "cwd").readlink())
        except OSError:
            continue
        if here.startswith(str(directory)):
            found.append(int(process.name))
    return found


def secrets_below(directory: Path) -> list[Path]:
    """Return the files that hold the challenge, or a key outside the two places where keys are."""
    kept = re.compile(r"/web/(next|\d+)/(private_key|combined)\.pem$")
    files = [path for path in directory.rglob("*") if path.is_file() and not path.is_symlink()]
    read = {path: path.read_bytes() for path in files}
    keys = [path for path, content in read.items() if b"PRIVATE KEY" in content and not kept.search(str(path))]
    return [*keys, *(path for path, content in read.items() if CHALLENGE.encode() in content)]


def test_a_host_that_is_killed_while_it_asks_leaves_no_secret_and_no_process(host: Host) -> None:
    told: list[Task] = []

    def way(arguments: Task) -> Task:
        told.append(json.loads(json.dumps(arguments)))
        if arguments["phase"] != "enrol":
            return host_half(arguments)
        child = os.fork()
        if not child:
            host_half(arguments)
            os._exit(0)
        until(lambda: any(ASKS in one for one in host.proxy.seen))
        (program,) = [Path(f"/proc/{number}") for number in held(host.world.store)]
        shown = (program / "cmdline").read_bytes()
        assert b"scepclient" in shown
        assert not re.search(b"sesame|PRIVATE", shown)
        assert (program / "environ").read_bytes() == b""
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return {"failed": True, "msg": "killed", "rc": -9}

    host.proxy.fail(faulty.hang, ASKS)
    result = host.world.converge([client()], issuer=host.issuer(), execute=way)
    assert result["failed"] is True
    until(lambda: not held(host.world.store))
    assert secrets_below(host.world.store) == []
    host.proxy.fail(host.operator, ASKS)
    done = host.world.converge([client()], issuer=host.issuer())
    assert done["changed"], done
    assert not host.world.path("web", "enrolling").exists()
    assert secrets_below(host.world.store) == []


@pytest.mark.parametrize("where", ["GetCACert", ASKS])
def test_a_silent_server_is_waited_for_once_for_all_identities_of_a_host(host: Host, where: str) -> None:
    host.proxy.fail(faulty.hang, where)
    names, begun = tuple("abcdefghij"), time.monotonic()
    result = host.world.converge([client(name=name) for name in names], issuer=host.issuer(timeout="3s"))
    assert time.monotonic() - begun < 25, "one after the other would take 30"
    said = {one["msg"] for one in result["identities"]}
    assert all(re.match("scep: .*within 3s .option timeout", one) for one in said), said
    assert sum(where in one for one in host.proxy.seen) == 1
    states = [state for (state,) in host.world.query("SELECT state FROM generations ORDER BY id")]
    assert states == ["refused" if where != ASKS else "intended", *["refused"] * 9]


def test_a_program_that_takes_too_long_is_ended_with_all_that_it_started(
    host: Host, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    slow = tmp_path / "bin" / "scepclient"
    slow.parent.mkdir()
    slow.write_text("#!/bin/sh\n/bin/sleep 300 & /bin/sleep 300\n", encoding="ascii")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", str(slow.parent))
    begun = time.monotonic()
    result = host.world.converge([client()], issuer=host.issuer(timeout="2s"))
    assert time.monotonic() - begun < 60
    assert re.search("scep: scepclient did not come to its question within 2s .option timeout", result["msg"])
    assert held(host.world.store) == []
    assert host.world.query("SELECT state FROM generations") == [("refused",)]


def test_a_program_that_is_killed_is_told_as_that(
    host: Host, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    killed = tmp_path / "bin" / "scepclient"
    killed.parent.mkdir()
    killed.write_text("#!/bin/sh\necho 'level=info msg=well'; kill -9 $$\n", encoding="ascii")
    killed.chmod(0o755)
    monkeypatch.setenv("PATH", str(killed.parent))
    result = host.world.converge([client()], issuer=host.issuer())
    assert "scepclient cannot go on: it was killed by signal 9; run again" in result["msg"]
    assert "level=info" not in result["msg"]


def test_a_program_that_cannot_go_on_is_heard_without_what_is_secret(
    host: Host, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    broken = tmp_path / "bin" / "scepclient"
    broken.parent.mkdir()
    monkeypatch.setenv("PATH", str(broken.parent))
    for words, shown in (("it has no \x1b legs", "it has no   legs"), (f"I know {CHALLENGE}", "cannot go on; run")):
        broken.write_text(f"#!/bin/sh\necho '{words}'; exit 3\n", encoding="ascii")
        broken.chmod(0o755)
        result = host.world.converge([client()], issuer=host.issuer())
        assert shown in result["msg"], result["msg"]
        assert CHALLENGE not in json.dumps(result)


@pytest.mark.needs("old_cryptography")
def test_a_host_with_an_old_python_enrols_itself(host: Host, tmp_path: Path) -> None:
    tasks = [
        {"keystead.identity.machine_identity": {**said(host, tmp_path), "identities": [one]}}
        for one in (client(), LARGER)
    ]
    hosts = {"web1": {"ansible_connection": "local", "ansible_python_interpreter": OLD_PYTHON}}
    done = playbook.run(tasks, hosts, home=tmp_path / "home", env={"ANSIBLE_PIPELINING": "1"})
    assert playbook.recap(done)["web1"]["changed"] == len(tasks), done.stdout
    assert host.operator.kinds == ["PKCSReq", "RenewalReq"]


def said(host: Host, directory: Path) -> Task:
    """Return what a task says beside its identities."""
    return {
        "issuer": host.issuer(),
        "ledger": f"sqlite:////{str(directory / 'ledger.sqlite').lstrip('/')}",
        "store": str(directory / "store"),
        "policy": policy(directory),
    }


def test_a_challenge_never_touches_the_disk_of_a_host(host: Host, tmp_path: Path) -> None:
    """A task whose connection does not pipe refuses it, and one that does shows it nowhere."""
    task = {"keystead.identity.machine_identity": {**said(host, tmp_path), "identities": [client()]}}
    home = tmp_path / "home"
    done = playbook.run([task], playbook.ONE_HOST, home=home, env={"ANSIBLE_PIPELINING": "0"})
    (result,) = playbook.results(home)
    assert re.search("without pipelining.* a secret for the issuer would touch the disk of .*; set", result["msg"])
    assert not re.search("pin_file|enrol: controller", result["msg"]), "other issuers' remedies"
    assert host.operator.kinds == []
    playbook.run([task], playbook.ONE_HOST, "--check", home=home, env={"ANSIBLE_PIPELINING": "0"})
    (foreseen,) = playbook.results(home)
    assert "a secret for the issuer would touch the disk" in foreseen["msg"]
    done = playbook.run([task, task], playbook.ONE_HOST, "-vvvv", "--diff", home=home)
    assert playbook.recap(done)["web1"]["changed"] == 1, done.stdout
    assert CHALLENGE not in done.stdout + done.stderr
    assert host.operator.kinds == ["PKCSReq"]
    assert secrets_below(tmp_path / "store") == []
    assert CHALLENGE.encode() not in (tmp_path / "ledger.sqlite").read_bytes()


def test_why_it_is_issued_is_said_as_with_every_issuer(host: Host) -> None:
    record = host.world.one(client(), issuer=host.issuer())
    assert steps(record) == ["stage_key", "issue", "publish"]
    assert reason(record) == "there is no credential yet"
