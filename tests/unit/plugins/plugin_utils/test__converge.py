# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""The whole way in one process: first issue, every reason to act, nothing to do, check mode, and siblings."""

from __future__ import annotations

import json
import os
import shutil
import typing as t
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import KeysteadError, Misconfigured
from ansible_collections.keystead.identity.plugins.module_utils._core.key import KEY_TYPES
from ansible_collections.keystead.identity.plugins.module_utils._core.keys import key_type_of
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Generation, Subject
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.local import LocalIssuer
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.registry import ISSUERS
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.port import Batch, Outcome, RevokedChange
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_ledger
from ansible_collections.keystead.identity.tests.harness.in_process import World, reason, steps, web
from ansible_collections.keystead.identity.tests.harness.local import authority
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.plugins.module_utils._core.ports import Order, Request

PARTS = ("certificate", "chain", "fullchain", "private_key", "combined", "nginx_tls")
Meddle = t.Callable[[World], object]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def every_link(world: World) -> dict[str, str]:
    return {str(world.links / part): part for part in PARTS}


def test_a_first_run_issues_publishes_and_links_and_a_second_does_nothing(world: World) -> None:
    done = world.settled([web(links=every_link(world))])["identities"][0]
    assert steps(done) == ["stage_key", "issue", "publish", *["link"] * 6]
    assert (done["changed"], done["failed"], done["generation"]) == (True, False, 1)
    for path, part in every_link(world).items():
        assert Path(path).read_bytes() == Path(done["paths"][part]).read_bytes()
    key = load_pem_private_key((world.links / "private_key").read_bytes(), None)
    assert world.certificate().public_key() == key.public_key()
    assert (world.links / "combined").read_bytes() == (world.links / "private_key").read_bytes() + (
        world.links / "fullchain"
    ).read_bytes()
    assert world.path("web", "1", "private_key.pem").stat().st_mode & 0o777 == 0o600


def test_nothing_to_do_costs_one_execution_and_an_issue_two(world: World) -> None:
    many = [web(name=f"web{number}") for number in range(5)]
    world.converge(many)
    assert world.phases == ["prepare", "install"]
    world.converge(many)
    assert world.phases == ["prepare", "install", "prepare"]


def test_the_ledger_knows_what_was_delivered(world: World) -> None:
    record = world.one(web(links={str(world.links / "a"): "fullchain"}, contact="ops", service="shop"))
    known = world.remembered()
    assert (known.generation, known.newest, known.contact, known.service) == (1, 1, "ops", "shop")
    assert known.credential_id == record["certificate"]["fingerprint_sha256"]
    assert known.public_id == record["certificate"]["spki_sha256"]
    assert known.links == (str(world.links / "a"),)
    assert known.open_intent is None


@pytest.mark.parametrize("key_type", KEY_TYPES)
def test_every_key_type_is_issued(world: World, key_type: str) -> None:
    world.settled([web(key={"type": key_type})])
    assert key_type_of(world.certificate().public_key()) == key_type


def test_every_kind_of_name_is_issued(world: World) -> None:
    names = {
        "common_name": "web.example.org",
        "dns_names": ["web.example.org", "*.Shop.example.org", "bücher.example"],
        "ip_addresses": ["192.0.2.1", "2001:DB8:0::1"],
        "uris": ["spiffe://example.org/web"],
        "email_addresses": ["ops@Example.org"],
    }
    world.settled([web(**names)])
    found = world.certificate().extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert set(found.get_values_for_type(x509.DNSName)) == {
        "web.example.org", "*.shop.example.org", "xn--bcher-kva.example",
    }  # fmt: skip
    assert [str(one) for one in found.get_values_for_type(x509.IPAddress)] == ["192.0.2.1", "2001:db8::1"]
    assert found.get_values_for_type(x509.UniformResourceIdentifier) == ["spiffe://example.org/web"]
    assert len(found.get_values_for_type(x509.RFC822Name)) == 1
    (common,) = world.certificate().subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert common.value == "web.example.org"


@pytest.mark.parametrize(
    ("profile", "usages"),
    [
        ("tls_server", {ExtendedKeyUsageOID.SERVER_AUTH}),
        ("tls_client", {ExtendedKeyUsageOID.CLIENT_AUTH}),
        ("tls_peer", {ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH}),
    ],
)
def test_every_profile_is_issued(world: World, profile: str, usages: set[x509.ObjectIdentifier]) -> None:
    world.settled([web(profile=profile)])
    assert set(world.certificate().extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == usages


def spoil(name: str, content: bytes) -> Meddle:
    return lambda world: world.path("web", "1", name).write_bytes(content)


def remove(name: str) -> Meddle:
    return lambda world: world.path("web", "1", name).unlink()


def other_key(world: World) -> None:
    """Put the key of another identity there."""
    world.converge([web(name="other")])
    for name in ("private_key.pem", "combined.pem"):
        world.path("web", "1", name).write_bytes(world.path("other", "1", name).read_bytes())


def manifest_without(name: str) -> Meddle:
    def meddle(world: World) -> None:
        path = world.path("web", "1", "generation.json")
        record = json.loads(path.read_text())
        del record["files"][name]
        path.write_text(json.dumps(record))

    return meddle


MEDDLED: list[tuple[Meddle, str]] = [
    (spoil("certificate.pem", b"junk"), "certificate.pem was changed on the host"),
    (spoil("chain.pem", b"junk"), "chain.pem was changed on the host"),
    (spoil("combined.pem", b"junk"), "combined.pem was changed on the host"),
    (spoil("private_key.pem", b"junk"), "private_key.pem cannot be read: it is not a private key"),
    (spoil("generation.json", b"junk"), "generation.json is missing from the current generation"),
    (spoil("generation.json", b"[" * 100_000), "generation.json is missing from the current generation"),
    (spoil("generation.json", b'{"files": {}}'), "private_key.pem is missing from the current generation"),
    (remove("certificate.pem"), "certificate.pem is missing from the current generation"),
    (remove("private_key.pem"), "private_key.pem is missing from the current generation"),
    (remove("nginx_tls.conf"), "nginx_tls.conf is missing from the current generation"),
    (remove("generation.json"), "generation.json is missing from the current generation"),
    (manifest_without("certificate.pem"), "certificate.pem is missing from the current generation"),
    (manifest_without("private_key.pem"), "private_key.pem is missing from the current generation"),
    (other_key, "the private key does not fit the certificate"),
    (lambda world: world.path("web", "current").unlink(), "there is no credential yet"),
]


@pytest.mark.parametrize(("meddle", "why"), MEDDLED)
@pytest.mark.parametrize("kept", [0, 1])
def test_what_was_damaged_on_the_host_is_replaced(world: World, meddle: Meddle, why: str, kept: int) -> None:
    world.converge([web(keep_generations=kept)])
    meddle(world)
    done = world.settled([web(keep_generations=kept)])["identities"][0]
    assert reason(done) == why
    assert world.current() == 2


def test_what_a_service_user_cannot_have_read_is_put_right_in_place(world: World) -> None:
    world.converge([web()])
    world.path("web", "1", "private_key.pem").chmod(0o644)
    world.path("web", "1", "chain.pem").chmod(0o600)
    done = world.settled([web()])["identities"][0]
    assert [step["reason"] for step in done["steps"]] == [
        "the mode of private_key.pem is 0644, not 0600",
        "the mode of chain.pem is 0600, not 0644",
    ] or steps(done) == ["publish", "publish"]
    assert world.path("web", "1", "private_key.pem").stat().st_mode & 0o777 == 0o600
    assert world.current() == 1


def test_a_declared_mode_and_group_are_applied_to_what_holds_the_key(world: World) -> None:
    world.converge([web()])
    group = str(os.getgid())
    done = world.settled([web(mode="0640", group=group)])["identities"][0]
    assert set(steps(done)) == {"publish"}
    modes = {path.name: path.stat().st_mode & 0o777 for path in world.path("web", "1").iterdir()}
    assert {name for name, mode in modes.items() if mode == 0o640} == {"private_key.pem", "combined.pem"}


CHANGED: list[tuple[dict[str, t.Any], str]] = [
    ({"dns_names": ["web.example.org", "www.example.org"]}, "names differ: www.example.org is new"),
    ({"common_name": "web"}, "the common name is empty, declared is web"),
    ({"key": {"type": "ed25519"}}, "the key is ecdsa-p256, declared is ed25519"),
    ({"profile": "tls_peer"}, "its extended key usages are server_auth, declared is tls_peer"),
    ({"lifetime": "5d"}, "longer than the declared lifetime"),
]


@pytest.mark.parametrize(("said", "why"), CHANGED)
def test_what_is_declared_anew_is_issued_anew(world: World, said: dict[str, t.Any], why: str) -> None:
    world.converge([web(lifetime="20d")])
    declared = web(**{"lifetime": "20d", **said})
    done = world.settled([declared])["identities"][0]
    assert why in reason(done)
    assert (world.current(), world.generations()) == (2, [2])


@pytest.fixture
def slow_clock(world: World, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Let the authority live 18 days ago."""
    past = datetime.now(UTC) - timedelta(days=18)
    shutil.rmtree(world.authorities / "issuing")
    authority(world.authorities, "issuing", at=past)
    monkeypatch.setitem(ISSUERS, "local", lambda options: LocalIssuer(options, now=lambda: past))
    return monkeypatch


@pytest.mark.parametrize("renew_before", ["33%", "5d"])
def test_what_is_due_is_renewed(world: World, slow_clock: pytest.MonkeyPatch, renew_before: str) -> None:
    world.settled([web(lifetime="20d", renew_before="1d")])
    slow_clock.undo()
    done = world.settled([web(lifetime="20d", renew_before=renew_before)])["identities"][0]
    assert "is due for renewal" in reason(done)
    assert world.generations() == [2]


def test_a_previous_generation_that_ended_is_refused(world: World) -> None:
    said = web(keep_generations=1)
    world.converge([{**said, "dns_names": ["old.example.org"]}])
    world.converge([said])
    assert world.generations() == [1, 2]
    world.path("web", "1", "certificate.pem").write_bytes(ended())
    result = world.foreseen([{**said, "generation": "previous"}])
    assert "generation 1 cannot be used, it ended on" in result["msg"]
    assert world.current() == 2


def test_a_previous_generation_that_was_revoked_is_refused(world: World) -> None:
    said = web(keep_generations=1)
    world.converge([{**said, "dns_names": ["old.example.org"]}])
    revoke(world, 1)
    world.settled([said])
    assert world.generations() == [1, 2]
    result = world.foreseen([{**said, "generation": "previous"}])
    assert "generation 1 cannot be used, it was revoked (key_compromise)" in result["msg"]
    assert world.current() == 2


def test_the_newest_generation_does_not_come_back_when_it_was_revoked(world: World) -> None:
    said = web(keep_generations=1)
    world.converge([{**said, "dns_names": ["old.example.org"]}])
    world.converge([said])
    world.converge([{**said, "generation": "previous", "dns_names": ["old.example.org"]}])
    revoke(world, 2)
    done = world.settled([said])["identities"][0]
    assert "names differ" in reason(done)
    assert world.current() == 3


def test_the_number_is_beyond_what_the_ledger_and_the_disk_know(world: World) -> None:
    world.converge([web()])
    refuses = {"command": ["false"]}
    world.converge([web(dns_names=["new.example.org"], activate=refuses)])
    assert (world.generations(), world.remembered().newest) == ([1], 2)
    world.settled([web(dns_names=["newer.example.org"])])
    assert world.generations() == [3]
    shutil.copytree(world.path("web", "3"), world.path("web", "7"), symlinks=True)
    world.path("web", "7", "generation.json").unlink()
    world.settled([web(dns_names=["newest.example.org"])])
    assert (world.generations(), world.remembered().newest) == ([8], 8)
    shutil.rmtree(world.store)
    world.settled([web()])
    assert world.generations() == [9]


def test_a_number_whose_credential_was_signed_and_refused_is_not_given_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.converge([web()])
    with monkeypatch.context() as lying:
        lying.setitem(ISSUERS, "local", ForAnotherName)
        result = world.converge([web(dns_names=["new.example.org"])])
    assert "its alternative names are not the declared ones" in result["msg"]
    assert world.query("SELECT number, state FROM generations") == [(1, "current"), (2, "orphaned")]
    world.settled([web(dns_names=["new.example.org"])])
    assert (world.generations(), world.remembered().newest) == ([2], 2)


class ForAnotherName(LocalIssuer):
    """An authority that signs another name than it was asked for."""

    def begin(self, requests: t.Sequence[Request]) -> list[Generation | Order | KeysteadError]:
        return super().begin([one._replace(subject=Subject(dns_names=("evil.example.org",))) for one in requests])


def revoke(world: World, number: int) -> None:
    """Let the ledger know that a generation was revoked."""
    ledger, now = open_ledger(world.url), datetime.now(UTC)
    change = RevokedChange("key_compromise", now)
    ledger.record(Batch(world.host, str(world.store), {}, now), [Outcome("web", number, (), (change,))])
    ledger.close()


def ended() -> bytes:
    """Return a certificate that has ended, as generation 1 will have some day."""
    from ansible_collections.keystead.identity.tests.harness.two_tier import TwoTier

    return TwoTier().issue("web.example.org", expired=True).leaf.public_bytes(Encoding.PEM)


def test_another_issuer_issues_anew(world: World) -> None:
    world.converge([web()])
    authority(world.authorities, "second")
    done = world.settled([web()], issuer=world.issuer("second"))["identities"][0]
    assert reason(done).startswith("the issuer changed from local:issuing:")


def test_an_issuer_with_a_new_key_issues_anew(world: World) -> None:
    world.converge([web()])
    (world.authorities / "issuing").rename(world.directory / "gone")
    authority(world.authorities, "issuing")
    (root,) = [path for path in (world.authorities / "issuing").iterdir() if path.name == "certificate.pem"]
    from cryptography.hazmat.primitives.hashes import SHA256

    print_ = x509.load_pem_x509_certificate(root.read_bytes()).fingerprint(SHA256()).hex()
    refused = world.converge([web()])
    assert "its root changed from" in refused["msg"]
    assert "accept_new_root" in refused["msg"]
    assert world.current() == 1
    done = world.settled([web()], issuer=world.issuer(accept_new_root=print_))["identities"][0]
    assert reason(done).startswith("the issuer changed from local:issuing:")
    world.settled([web()])


def test_a_revoked_credential_is_replaced(world: World) -> None:
    world.converge([web(keep_generations=1)])
    revoke(world, 1)
    done = world.settled([web(keep_generations=1)])["identities"][0]
    assert reason(done) == "it was revoked (key_compromise)"


def test_a_link_that_is_missing_or_elsewhere_is_made(world: World) -> None:
    path = world.links / "a.pem"
    said = web(links={str(path): "fullchain"})
    world.converge([said])
    path.unlink()
    assert reason(world.settled([said])["identities"][0], "link") == f"{path} does not lead to fullchain yet"
    path.unlink()
    path.symlink_to(world.links / "nowhere")
    assert reason(world.settled([said])["identities"][0], "link") == f"{path} leads elsewhere, not to fullchain"
    assert path.read_bytes() == world.path("web", "1", "fullchain.pem").read_bytes()


def test_a_link_that_is_no_longer_declared_is_withdrawn(world: World) -> None:
    old, new = world.links / "old.pem", world.links / "new.pem"
    world.converge([web(links={str(old): "fullchain", str(new): "chain"})])
    done = world.settled([web(links={str(new): "chain"})])["identities"][0]
    assert steps(done) == ["withdraw"]
    assert (old.is_symlink(), new.is_symlink()) == (False, True)
    assert world.remembered().links == (str(new),)


def test_a_link_that_another_hand_replaced_is_not_withdrawn(world: World) -> None:
    old = world.links / "old.pem"
    world.converge([web(links={str(old): "fullchain"})])
    old.unlink()
    old.write_text("mine now")
    assert not world.converge([web()])["changed"]
    assert old.read_text() == "mine now"


def test_a_regular_file_in_the_place_of_a_link_is_refused_before_anything_is_touched(world: World) -> None:
    path = world.links / "a.pem"
    path.write_text("precious")
    result = world.converge([web(links={str(path): "fullchain"})])
    assert result["failed"]
    assert f"{path} is a regular file with other content" in result["msg"]
    assert "replace_files: true" in result["msg"]
    assert path.read_text() == "precious"
    assert not world.store.exists()
    assert world.issued() == []


def test_a_regular_file_is_replaced_when_the_task_says_so(world: World) -> None:
    path = world.links / "a.pem"
    path.write_text("old")
    world.settled([web(links={str(path): "fullchain"}, replace_files=True)])
    assert path.is_symlink()


def test_a_regular_file_with_the_same_bytes_becomes_a_link_without_a_word_to_the_consumer(world: World) -> None:
    path, mark = world.links / "a.pem", world.directory / "mark"
    said = web(links={str(path): "fullchain"}, activate={"command": ["touch", str(mark)]})
    world.converge([said])
    mark.unlink()
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)
    assert steps(world.settled([said])["identities"][0]) == ["link"]
    assert path.is_symlink()
    assert not mark.exists()


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_old_keys_are_destroyed_but_for_those_to_keep(world: World, kept: int) -> None:
    for number in range(4):
        world.settled([web(keep_generations=kept, dns_names=[f"h{number}.example.org"])])
    assert world.generations() == list(range(4 - kept, 5))
    keys = sorted(path.parent.name for path in world.store.rglob("private_key.pem") if path.parent.name != "current")
    assert keys == [str(number) for number in world.generations()]


def test_fewer_to_keep_destroys_the_surplus(world: World) -> None:
    for number in range(3):
        world.converge([web(keep_generations=2, dns_names=[f"h{number}.example.org"])])
    done = world.settled([web(dns_names=["h2.example.org"])])["identities"][0]
    assert steps(done) == ["destroy", "destroy"]
    assert world.generations() == [3]


def test_one_goes_to_the_previous_generation_and_back(world: World) -> None:
    mark = world.directory / "mark"
    said = web(keep_generations=1, activate={"command": ["sh", "-c", f"echo . >> {mark}"]})
    for number in range(2):
        world.settled([{**said, "key": {"type": ("ecdsa-p256", "ed25519")[number]}}])
    said["key"] = {"type": "ed25519"}
    back = world.settled([{**said, "generation": "previous"}])["identities"][0]
    assert steps(back) == ["publish", "activate"]
    assert (world.current(), back["generation"], world.remembered().generation) == (1, 1, 1)
    forth = world.settled([said])["identities"][0]
    assert steps(forth) == ["publish", "activate"]
    assert (world.current(), world.remembered().generation, world.generations()) == (2, 2, [1, 2])
    assert mark.read_text().count(".") == 4


def test_a_previous_generation_that_was_not_kept_is_refused(world: World) -> None:
    world.converge([web()])
    result = world.converge([web(keep_generations=1, generation="previous")])
    assert "there is no previous generation on the host" in result["msg"]
    assert "web" in result["msg"]


def test_one_identity_that_fails_does_not_stop_its_siblings(world: World) -> None:
    path = world.links / "a.pem"
    path.write_text("precious")
    many = [web(name="good"), web(name="bad", links={str(path): "chain"}), web(name="fine")]
    result = world.foreseen(many)
    assert result["failed"]
    assert [one["failed"] for one in result["identities"]] == [False, True, False]
    assert [one["generation"] for one in result["identities"]] == [1, None, 1]
    assert result["ansible_stats"]["data"] == {"keystead_issued": 2, "keystead_failed": 1}


def test_a_diff_shows_names_and_no_secret(world: World) -> None:
    (shown,) = world.converge([web()], diff=True, check=True)["diff"]
    assert shown["before"] == ""
    assert "name: web.example.org" in shown["after"]
    result = world.converge([web()], diff=True)
    assert "PRIVATE KEY" not in json.dumps(result)
    (shown,) = world.converge([web(dns_names=["new.example.org"])], diff=True)["diff"]
    assert ("name: web.example.org" in shown["before"], "name: new.example.org" in shown["after"]) == (True, True)
    assert world.converge([web(dns_names=["new.example.org"])], diff=True)["diff"] == []


def test_no_secret_is_in_the_result_or_the_ledger(world: World) -> None:
    result = world.converge([web()])
    key = world.path("web", "1", "private_key.pem").read_text().splitlines()[1]
    assert key not in json.dumps(result)
    everything = b"".join(path.read_bytes() for path in world.directory.glob("ledger.sqlite*"))
    assert key.encode() not in everything
    assert b"PRIVATE KEY" not in everything


def test_a_store_of_another_host_is_refused_with_both_named(world: World, tmp_path: Path) -> None:
    world.converge([web()])
    other = World(tmp_path, host="db1.example.org")
    before = world.snapshot()
    with pytest.raises(KeysteadError, match=r"belongs to host web1\.example\.org, not to db1\.example\.org"):
        other.converge([web()])
    assert world.snapshot() == before


def test_a_store_of_another_ledger_is_refused(world: World) -> None:
    world.converge([web()])
    second = f"sqlite:////{str(world.directory / 'second.sqlite').lstrip('/')}"
    with pytest.raises(KeysteadError, match=r"belongs to ledger .*, not to "):
        world.converge([web()], ledger=second)
    assert world.current() == 1


def test_an_unknown_authority_is_named_before_the_host_is_asked(world: World) -> None:
    with pytest.raises(Misconfigured, match="nobody"):
        world.converge([web()], issuer=world.issuer("nobody"))
    assert world.phases == []


def test_an_issuer_of_an_identity_replaces_that_of_the_task(world: World) -> None:
    authority(world.authorities, "second")
    world.settled([web(), web(name="other", issuer=world.issuer("second"))])
    assert (len(world.issued("issuing")), len(world.issued("second"))) == (1, 1)


def test_a_host_that_is_lost_while_it_installs_is_written_down_and_stays_unreachable(world: World) -> None:
    def execute(arguments: t.Mapping[str, t.Any]) -> t.Any:
        if arguments["phase"] == "install":
            raise ConnectionResetError("the cable was pulled")
        return world.execute(arguments)

    with pytest.raises(ConnectionResetError):
        world.converge([web()], execute=execute)
    outcomes = world.query("SELECT action, outcome FROM events ORDER BY seq")
    assert ("publish", "failed") in outcomes
    world.settled([web()])
    assert len(world.issued()) == 1


def test_a_refused_request_gives_the_lease_back_and_leaves_the_key_for_the_next_try(world: World) -> None:
    refused = {**web(), "issuer": {"local": {"directory": str(world.authorities), "authority": "issuing"}}}
    (world.authorities / "issuing" / "private_key.pem").rename(world.authorities / "aside.pem")
    result = world.converge([refused])
    assert result["failed"]
    assert not (world.path("web") / "lease.json").exists()
    assert (world.path("web") / "next" / "private_key.pem").exists()
    (world.authorities / "aside.pem").rename(world.authorities / "issuing" / "private_key.pem")
    world.settled([refused])
    assert len(world.issued()) == 1


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize("said", [{"owner": "nosuchuser"}, {"group": "nosuchgroup"}])
def test_an_owner_that_is_not_there_is_refused_before_anything_is_made(
    world: World, said: dict[str, str], *, check: bool
) -> None:
    result = world.converge([web(**said)], check=check)
    assert result["failed"]
    assert f"host: option {next(iter(said))}: there is no" in result["msg"]
    assert not world.store.exists()
    assert world.issued() == []


def test_check_mode_goes_on_without_an_authority_that_an_earlier_task_would_make(world: World) -> None:
    issuer = {"local": {"directory": str(world.directory / "later"), "authority": "issuing"}}
    result = world.converge([web()], check=True, issuer=issuer)
    assert not result.get("failed")
    assert steps(result["identities"][0]) == ["stage_key", "issue", "publish"]
    assert any("authority issuing does not exist" in warning for warning in result["warnings"])
    with pytest.raises(Misconfigured, match="authority issuing does not exist"):
        world.converge([web()], issuer=issuer)


def test_a_failed_identity_shows_the_steps_that_were_taken(world: World) -> None:
    failed = world.one(web(activate={"command": ["false"]}))
    assert steps(failed) == ["stage_key", "issue", "publish", "activate"]
    (world.authorities / "issuing" / "private_key.pem").unlink()
    assert steps(world.one(web(dns_names=["other.example.org"]))) == ["stage_key"]
