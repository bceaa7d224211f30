# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""machine_identity with real Pebbles, from the key on a host to the certificate that its names were looked up for."""

from __future__ import annotations

import contextlib
import functools
import http.server
import socket
import threading
import time
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import KeysteadError
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Generation
from ansible_collections.keystead.identity.plugins.module_utils._core.ports import Order
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.acme import AcmeIssuer
from ansible_collections.keystead.identity.tests.harness import faulty_proxy as faulty
from ansible_collections.keystead.identity.tests.harness import local as make
from ansible_collections.keystead.identity.tests.harness import tally
from ansible_collections.keystead.identity.tests.harness.acme import PEER, Backend, identities, options
from ansible_collections.keystead.identity.tests.harness.in_process import World, host_half, until, web
from ansible_collections.keystead.identity.tests.harness.issuers import Made, answers, check_sentence, settled
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.pebble import Pebble, Pebbles

pytestmark = [pytest.mark.needs("pebble", "curl"), pytest.mark.one_core]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "world")


@pytest.fixture
def pebble(pebbles: Pebbles) -> Pebble:
    return pebbles.one()


@contextlib.contextmanager
def serving(directory: Path, port: int) -> t.Iterator[list[str]]:
    """Be the web server of the host; yield the paths that were asked for."""
    asked: list[str] = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_said: object) -> None:
            asked.append(self.path)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), functools.partial(Handler, directory=str(directory)))
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def by_webroot(root: Path) -> dict[str, t.Any]:
    root.mkdir(exist_ok=True)
    return {"http_01": {"webroot": str(root)}}


def listens(port: int) -> bool:
    """Tell whether anybody does."""
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


# http-01


def test_a_web_root_shows_what_is_asked_for_in_one_execution_and_nothing_is_left(
    world: World, pebble: Pebble, tmp_path: Path
) -> None:
    root = tmp_path / "www"
    issuer = {"acme": options(pebble, tmp_path, by_webroot(root))}
    wanted = identities(4)
    with serving(root, pebble.http_port) as asked:
        result = world.converge(wanted, issuer=issuer)
        assert not result.get("failed"), result["msg"]
        assert world.phases == ["prepare", "respond", "install"]
        assert len({path for path in asked if path.startswith("/.well-known/acme-challenge/")}) == len(wanted)
        assert not list((root / ".well-known/acme-challenge").iterdir())
        world.settled(wanted, issuer=issuer)
    for one in wanted:
        assert world.certificate(one["name"]).issuer.rfc4514_string().startswith("CN=Pebble")


def test_a_listener_of_ours_shows_it_and_ends_with_the_install(world: World, pebble: Pebble, tmp_path: Path) -> None:
    port = pebble.http_port
    issuer = {"acme": options(pebble, tmp_path, {"http_01": {"standalone_port": port}})}
    seen: list[bool] = []

    def execute(arguments: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        if arguments["phase"] == "install":
            seen.append(listens(port))
        return world.execute(arguments)

    result = world.converge(identities(3), issuer=issuer, execute=execute)
    assert not result.get("failed"), result["msg"]
    assert seen == [True]
    until(lambda: not listens(port))
    assert [one.name for one in (world.store / ".challenges").iterdir()] == []


def shown(world: World, port: int | None, seconds: float, **changed: t.Any) -> dict[str, t.Any]:
    """Prepare an identity, and let the host show a challenge for it for so long; return its answer."""
    said: dict[str, t.Any] = {}

    def execute(arguments: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        if arguments["phase"] == "prepare":
            said.update(arguments)
            said["answer"] = world.execute(arguments)
            raise KeyboardInterrupt
        return {}

    with contextlib.suppress(KeyboardInterrupt):
        world.converge([web(profile=PEER)], execute=execute)
    challenge = {"token": "t" * 43, "content": f"{'t' * 43}.{'x' * 43}", "port": port, **changed}
    entry = {
        "identity": said["identities"][0]["identity"],
        "lease": said["answer"]["identities"][0]["lease"],
        "challenges": [challenge],
    }
    down = {name: value for name, value in said.items() if name != "answer"}
    answer = host_half({**down, "phase": "respond", "deadline": seconds, "identities": [entry]})
    return t.cast("dict[str, t.Any]", answer["identities"][0])


def test_a_listener_never_outlives_its_time_whatever_became_of_the_controller(world: World, pebbles: Pebbles) -> None:
    port = pebbles.one("ports").http_port
    begun = time.monotonic()
    assert "error" not in shown(world, port, 1.5)
    assert asked(port, f"/.well-known/acme-challenge/{'t' * 43}").endswith(f"{'t' * 43}.{'x' * 43}")
    assert asked(port, "/etc/passwd").startswith("HTTP/1.1 404")
    assert asked(port, "/.well-known/acme-challenge/../../etc/passwd").startswith("HTTP/1.1 404")
    until(lambda: not listens(port))
    assert time.monotonic() - begun < 30


def asked(port: int, path: str) -> str:
    """Return the whole answer to a GET."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as one:
        one.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        return b"".join(iter(functools.partial(one.recv, 4096), b"")).decode()


def test_a_port_that_somebody_has_is_said(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        answer = shown(world, taken.getsockname()[1], 5)
    assert "is somebody else's" in answer["error"]["message"]


@pytest.mark.parametrize("token", ["../../../../etc/cron.d/x", "a/b" * 20, "", "t" * 600, "t" * 40 + "\n"])
def test_a_token_that_is_none_is_written_nowhere(world: World, tmp_path: Path, token: str) -> None:
    root = tmp_path / "www"
    root.mkdir()
    answer = shown(world, None, 5, token=token, webroot=str(root))
    assert "refused" in answer["error"]["message"] or "another form" in answer["error"]["message"]
    assert not [path for path in root.rglob("*") if path.is_file()]


def test_a_web_root_that_others_may_change_is_refused(world: World, pebble: Pebble, tmp_path: Path) -> None:
    root = tmp_path / "www"
    challenge = by_webroot(root)
    root.chmod(0o777)
    record = world.one(identities(1)[0], issuer={"acme": options(pebble, tmp_path, challenge)})
    assert record["failed"]
    assert "www" in record["msg"]
    assert not list(root.iterdir())


def test_what_a_killed_run_left_in_a_web_root_goes_with_the_next(world: World, pebble: Pebble, tmp_path: Path) -> None:
    root = tmp_path / "www"
    issuer, (one,) = {"acme": options(pebble, tmp_path, by_webroot(root))}, identities(1)

    def execute(arguments: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
        if arguments["phase"] == "respond":
            world.execute(arguments)
            raise KeyboardInterrupt
        return world.execute(arguments)

    with serving(root, pebble.http_port):
        with contextlib.suppress(KeyboardInterrupt):
            world.converge([one], issuer=issuer, execute=execute)
        assert list((root / ".well-known/acme-challenge").iterdir())
        (world.path(one["name"]) / "lease.json").unlink()
        result = world.converge([one], issuer=issuer)
        assert not result.get("failed"), result["msg"]
    assert not list((root / ".well-known/acme-challenge").iterdir())
    states = world.query("SELECT number, state, reference IS NOT NULL FROM generations")
    assert states == [(1, "current", 1)]


def test_a_name_that_is_not_served_is_denied_with_what_the_server_saw(
    world: World, pebble: Pebble, tmp_path: Path
) -> None:
    challenge = by_webroot(tmp_path / "www")
    record = world.one(identities(1)[0], issuer={"acme": options(pebble, tmp_path, challenge)})
    assert record["failed"]
    assert "was not shown by http-01 (" in record["msg"]
    assert world.query("SELECT state FROM generations") == [("refused",)]


# what is pending, and what got lost


def orders(world: World) -> set[tuple[str, str]]:
    """Return key and order of what is intended."""
    found = world.query("SELECT public_id, reference FROM generations WHERE state = 'intended'")
    return {(public_id, reference.partition("#")[0]) for public_id, reference in found}


def test_what_is_pending_goes_on_in_the_next_run_with_the_same_key_and_order(
    world: World, pebbles: Pebbles, tmp_path: Path
) -> None:
    slow = pebbles.one("slow", PEBBLE_VA_NOSLEEP="0", PEBBLE_VA_SLEEPTIME="6", PEBBLE_AUTHZREUSE="0")
    issuer, (one,) = {"acme": options(slow, tmp_path, timeout="1s")}, identities(1)
    runs = 0
    references: set[tuple[str, str]] = set()
    while (result := world.converge([one], issuer=issuer)).get("failed"):
        assert "has not decided on" in result["msg"]
        references |= orders(world)
        runs += 1
        assert runs < 30
        time.sleep(0.3)
    assert len(references) == 1
    assert world.current(one["name"]) == 1


def test_an_order_that_the_server_does_not_know_any_more_is_begun_anew(
    world: World, pebbles: Pebbles, tmp_path: Path
) -> None:
    first, second = pebbles.one(), pebbles.one("another")
    (one,) = identities(1)
    issuer = options(first, tmp_path, {"dns_01": {"command": ["/bin/false"]}})
    failing = world.converge([one], issuer={"acme": issuer})
    assert "false present _acme-challenge" in failing["msg"]
    account = AcmeIssuer(Made("acme", Backend(tmp_path, pebbles)).issuer()._options)  # type: ignore[attr-defined]
    (other,) = account.begin([make.request(profile=PEER)])
    assert isinstance(other, Order)
    world.settled([one], issuer={"acme": options(first, tmp_path)})
    assert second.url != first.url


# chaos


@pytest.mark.parametrize("percent", [5, 50])
def test_thirty_of_thirty_are_issued_whatever_nonces_are_rejected(
    pebbles: Pebbles, tmp_path: Path, percent: int
) -> None:
    pebble = pebbles.one(f"rejects{percent}", PEBBLE_WFE_NONCEREJECT=str(percent), PEBBLE_AUTHZREUSE="0")
    issuer = Made("acme", Backend(tmp_path, pebbles)).issuer(options(pebble, tmp_path))
    asked = [make.request(make.Subject(dns_names=(f"n{n}.example.org",)), number=n, profile=PEER) for n in range(30)]
    tally.point(len(asked))
    assert [one.public_id for one in settled(issuer, *asked)] == [make.public_id(n) for n in range(30)]


def test_authorizations_that_are_still_good_are_not_shown_again(world: World, pebbles: Pebbles, tmp_path: Path) -> None:
    reusing = pebbles.one("reusing", PEBBLE_AUTHZREUSE="100")
    issuer, root = {"acme": options(reusing, tmp_path, by_webroot(tmp_path / "www"))}, tmp_path / "www"
    (one,) = identities(1)
    with serving(root, reusing.http_port):
        world.settled([one], issuer=issuer)
    world.phases.clear()
    world.settled([{**one, "lifetime": "10d"}], issuer=issuer)  # nobody serves any more
    assert "respond" not in world.phases


# accounts


def test_an_account_is_made_once_and_its_key_is_for_this_user_alone(
    world: World, pebble: Pebble, tmp_path: Path
) -> None:
    before = pebble.count("Successful newAccount Binding")
    first = world.converge(identities(1), issuer={"acme": options(pebble, tmp_path)})
    assert any("a new account was made" in line and "terms" not in line[:20] for line in first["warnings"])
    key = tmp_path / "account.pem"
    assert key.stat().st_mode & 0o777 == 0o600
    content = key.read_bytes()
    second = world.converge(identities(1, lifetime="10d"), issuer={"acme": options(pebble, tmp_path)})
    assert not any("account" in line for line in second.get("warnings", []))
    assert key.read_bytes() == content
    assert pebble.count("Successful newAccount Binding") == before + 1


def test_a_key_that_others_may_read_is_refused(pebble: Pebble, tmp_path: Path, world: World) -> None:
    world.converge(identities(1), issuer={"acme": options(pebble, tmp_path)})
    (tmp_path / "account.pem").chmod(0o644)
    record = world.one(identities(1, lifetime="10d")[0], issuer={"acme": options(pebble, tmp_path)})
    assert "may be read by others; run: chmod 600" in record["msg"]


def test_a_weak_key_of_an_account_is_refused(pebble: Pebble, tmp_path: Path, world: World) -> None:
    weak = rsa.generate_private_key(65537, 1024)  # noqa: S505 - that is what is refused
    form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "account.pem").write_bytes(weak.private_bytes(*form))
    (tmp_path / "account.pem").chmod(0o600)
    record = world.one(identities(1)[0], issuer={"acme": options(pebble, tmp_path)})
    assert "is an RSA key of 1024 bits, which is too weak; name another file" in record["msg"]


def test_an_account_gets_another_key_where_the_task_says_which_it_had(
    world: World, pebble: Pebble, tmp_path: Path
) -> None:
    old = options(pebble, tmp_path)
    (one,) = identities(1)
    world.settled([one], issuer={"acme": old})
    before = pebble.count("Successful newAccount Binding")
    new = {**old, "account_key": str(tmp_path / "new.pem"), "previous_account_key": old["account_key"]}
    changed = world.converge([{**one, "lifetime": "10d"}], issuer={"acme": new})
    assert any("has the key of" in line for line in changed["warnings"]), changed
    world.settled([{**one, "lifetime": "9d"}], issuer={"acme": new})
    assert pebble.count("Successful newAccount Binding") == before
    idle = world.converge([{**one, "lifetime": "9d"}], issuer={"acme": {**new, "account_key": str(tmp_path / "3.pem")}})
    assert not idle.get("warnings"), "nothing is due, so nobody was asked"
    gone = world.one({**one, "lifetime": "8d"}, issuer={"acme": {**old, "eab": None}})
    assert "issuer.acme.eab" in gone["msg"]


def test_no_other_account_is_made_where_the_key_of_the_one_that_there_was_is_gone(
    world: World, pebble: Pebble, tmp_path: Path
) -> None:
    old = options(pebble, tmp_path)
    (one,) = identities(1)
    world.settled([one], issuer={"acme": old})
    new = {**old, "account_key": str(tmp_path / "new.pem"), "previous_account_key": old["account_key"]}
    before = pebble.count("Successful newAccount Binding")
    content = (tmp_path / "account.pem").read_bytes()
    (tmp_path / "account.pem").unlink()
    record = world.one({**one, "lifetime": "10d"}, issuer={"acme": new})
    assert "account.pem is not there to give it one; put it back, or take issuer.acme.previous" in record["msg"]
    assert pebble.count("Successful newAccount Binding") == before
    (tmp_path / "account.pem").write_bytes(content)
    (tmp_path / "account.pem").chmod(0o600)
    world.settled([{**one, "lifetime": "10d"}], issuer={"acme": new})
    (tmp_path / "account.pem").unlink()  # the server knows the new key now
    world.settled([{**one, "lifetime": "9d"}], issuer={"acme": new})
    assert pebble.count("Successful newAccount Binding") == before


def test_an_authority_that_binds_accounts_says_what_is_missing(world: World, pebble: Pebble, tmp_path: Path) -> None:
    record = world.one(identities(1)[0], issuer={"acme": options(pebble, tmp_path, eab=None)})
    assert record["msg"].startswith("acme: it binds accounts to those of its customers; write issuer.acme.eab")


# what is asked for, and what is taken


def test_a_wildcard_is_refused_before_anything_is_touched_where_http_shows_control(
    world: World, pebble: Pebble, tmp_path: Path
) -> None:
    issuer = {"acme": options(pebble, tmp_path, by_webroot(tmp_path / "www"))}
    with pytest.raises(KeysteadError, match=r"web.*acme: \*\.example\.org is a wildcard, which only dns-01 can show"):
        world.converge([web(dns_names=["*.example.org"])], issuer=issuer)
    assert world.phases == []


def test_a_key_that_nobody_signs_for_is_refused_before_anything_is_touched(
    world: World, pebble: Pebble, tmp_path: Path
) -> None:
    words = r"web.*acme: it signs no ml-dsa-65 keys; write ecdsa-p256 in key.type, or name another issuer"
    with pytest.raises(KeysteadError, match=words):
        world.converge([web(key={"type": "ml-dsa-65"})], issuer={"acme": options(pebble, tmp_path)})
    assert world.phases == []


def test_dns_shows_control_of_a_wildcard_beside_its_own_name(world: World, pebble: Pebble, tmp_path: Path) -> None:
    stem = f"w{time.monotonic_ns():x}.example.org"
    one = web(dns_names=[f"*.{stem}", stem], profile=PEER)
    world.settled([one], issuer={"acme": options(pebble, tmp_path)})
    names = world.certificate().extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(names.get_values_for_type(x509.DNSName)) == {f"*.{stem}", stem}


def test_addresses_are_certified_by_http(world: World, pebble: Pebble, tmp_path: Path) -> None:
    root = tmp_path / "www"
    issuer = {"acme": options(pebble, tmp_path, by_webroot(root))}
    with serving(root, pebble.http_port):
        world.settled([web(dns_names=[], ip_addresses=["127.0.0.1"], profile=PEER)], issuer=issuer)


def test_an_answer_that_leads_to_another_root_is_installed_nowhere(
    world: World, pebbles: Pebbles, tmp_path: Path
) -> None:
    pebble, other = pebbles.one(), pebbles.one("another")
    record = world.one(identities(1)[0], issuer={"acme": options(pebble, tmp_path, roots=[str(other.root)])})
    assert "is not signed by a pinned root; name the certificate of CN=Pebble Root CA" in record["msg"]
    assert ", if you trust it, in issuer.acme.roots; what it signed has serial number" in record["msg"]
    assert not world.path("web0", "current").exists()
    assert world.query("SELECT state FROM generations") == [("orphaned",)]


def test_the_preferred_chain_is_found_by_the_name_of_its_root(pebbles: Pebbles, tmp_path: Path) -> None:
    pebble = pebbles.one("alternates", PEBBLE_ALTERNATE_ROOTS="2", PEBBLE_CHAIN_LENGTH="2")
    for number in range(3):
        pem = pebble.manage(f"roots/{number}")
        root = x509.load_pem_x509_certificate(pem)
        (tmp_path / f"root{number}.pem").write_bytes(pem)
        name = str(root.subject.rfc4514_string()).removeprefix("CN=")
        everything = [str(tmp_path / f"root{n}.pem") for n in range(number + 1)]
        made = Made("acme", Backend(tmp_path, pebbles))
        for said in ({"preferred_chain": name, "roots": everything}, {"roots": everything[-1:]}):
            (generation,) = settled(made.issuer(options(pebble, tmp_path, **said)), make.request(profile=PEER))
            assert isinstance(generation, Generation)
            chain = x509.load_pem_x509_certificates(generation.parts["chain"].content)
            assert chain[-1].issuer == root.subject, said


@pytest.mark.parametrize("fault", [faulty.says(404), faulty.says(500), faulty.says(200, "no PEM"), faulty.reset])
def test_a_chain_that_cannot_be_had_costs_a_warning_and_no_certificate(
    pebbles: Pebbles, tmp_path: Path, fault: faulty.Fault
) -> None:
    pebble = pebbles.one("alternates", PEBBLE_ALTERNATE_ROOTS="2", PEBBLE_CHAIN_LENGTH="2")
    backend = Backend(tmp_path, pebbles)
    with faulty.before(pebble.url, pebble.ca_bundle, pebble.authority) as proxy:
        proxy.fail(fault, "/alternate/1")
        said = options(pebble, tmp_path, directory_url=f"{proxy.url}/dir", preferred_chain="Nobody's Root")
        issuer: t.Any = Made("acme", backend).issuer(said)
        settled(issuer, make.request(profile=PEER))
    assert any("looked at without it" in line for line in issuer.advice())


def test_a_preferred_chain_that_there_is_none_of_is_said(pebble: Pebble, pebbles: Pebbles, tmp_path: Path) -> None:
    issuer: t.Any = Made("acme", Backend(tmp_path, pebbles)).issuer(
        options(pebble, tmp_path, preferred_chain="Nobody's Root")
    )
    settled(issuer, make.request(profile=PEER))
    assert any("no chain to Nobody's Root" in line for line in issuer.advice())


def test_a_profile_that_the_server_lacks_is_an_error_before_an_order(
    pebble: Pebble, pebbles: Pebbles, tmp_path: Path
) -> None:
    issuer = Made("acme", Backend(tmp_path, pebbles)).issuer(options(pebble, tmp_path, profile="shortlived"))
    (error,) = answers(issuer, make.request(profile=PEER))
    assert isinstance(error, KeysteadError)
    assert "the server has no profile shortlived, it has none" in check_sentence(error, "acme")
