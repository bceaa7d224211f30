# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Pairs that were on the host before: adopted as they are, replaced when they must be, or only observed."""

from __future__ import annotations

import os
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.chain import verify
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_ledger
from ansible_collections.keystead.identity.tests.harness.brownfield import (
    CLIENT,
    SERVER,
    Pair,
    pair,
    pem_key,
)
from ansible_collections.keystead.identity.tests.harness.in_process import World, reason, steps, web
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, PrivateFormat

if t.TYPE_CHECKING:
    from pathlib import Path

RENEWED = ["stage_key", "issue", "publish", "destroy"]


END = b"-----END CERTIFICATE-----\n# a comment\n"


class Brownfield(World):
    """A world whose host has a directory `old` of somebody else's files."""

    @property
    def old(self) -> Path:
        return self.directory / "old"

    def adopting(self, *links: str, **said: t.Any) -> dict[str, t.Any]:
        """Return an identity that adopts what `Pair.write` leaves, with links in the place of these files."""
        parts = {"web.key": "private_key", "web.crt": "certificate", "chain.crt": "chain", "fullchain.pem": "fullchain"}
        adopt = {"private_key": str(self.old / "web.key"), "certificate": str(self.old / "fullchain.pem")}
        named = {str(self.old / link): parts[link] for link in links}
        return web(**{"adopt": adopt, **({"links": named} if named else {}), **said})

    def findings(self, record: dict[str, t.Any]) -> list[str]:
        return [finding["code"] for finding in record["findings"]]


@pytest.fixture
def world(tmp_path: Path) -> t.Iterator[Brownfield]:
    world = Brownfield(tmp_path)
    yield world
    ledger = open_ledger(world.url, read_only=True)
    assert verify(ledger) is None
    ledger.close()


def content(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_a_pair_becomes_generation_1_and_nothing_that_its_service_reads_changes(world: Brownfield) -> None:
    pair().write(world.old)
    before, told = content(world.old), world.directory / "told"
    declared = world.adopting(
        "web.key", "web.crt", "chain.crt", "fullchain.pem", activate={"command": ["touch", str(told)]}
    )
    done = world.settled([declared])
    record = done["identities"][0]
    assert steps(record) == ["adopt", *["link"] * 4]
    assert (record["generation"], done["warnings"]) == (1, [])
    assert world.issued() == []
    assert not told.exists()
    assert content(world.old) == before
    assert all(path.is_symlink() for path in world.old.iterdir())
    known = world.remembered()
    assert (known.generation, known.issuer_id, known.open_intent) == (1, "adopted:CN=Old Corp CA", None)
    assert len(known.links) == 4
    assert world.query("SELECT action, outcome FROM events")[:2] == [("intend", "pending"), ("adopt", "ok")]
    assert world.query("SELECT chain FROM x509")[0][0].encode() == before["chain.crt"]
    assert world.path("web", "1", "private_key.pem").stat().st_mode & 0o777 == 0o600


def test_adopting_costs_two_executions_and_nothing_afterwards_one(world: Brownfield) -> None:
    pair().write(world.old)
    world.converge([world.adopting()])
    assert world.phases == ["prepare", "install"]
    world.converge([world.adopting()])
    assert world.phases == ["prepare", "install", "prepare"]
    world.converge([{**world.adopting(), "adopt": None}])
    assert world.phases[3:] == ["prepare"], "the option may go once the pair was adopted"


def test_without_links_the_originals_are_left_alone(world: Brownfield) -> None:
    pair().write(world.old)
    before = {path: path.lstat() for path in world.old.iterdir()}
    world.settled([world.adopting()])
    assert {path: path.lstat() for path in world.old.iterdir()} == before


@pytest.mark.parametrize("form", [PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8])
@pytest.mark.parametrize("together", [False, True])
def test_a_key_stays_in_its_form_byte_for_byte(world: Brownfield, form: PrivateFormat, *, together: bool) -> None:
    key = rsa.generate_private_key(65537, 2048)
    made = pair("web.example.org", key=key)
    made.key = pem_key(key, form)
    made.write(world.old)
    if together:
        (world.old / "web.key").write_bytes(b"a word before\n" + made.certificate + made.key + made.chain)
        adopt = dict.fromkeys(("private_key", "certificate"), str(world.old / "web.key"))
        record = world.settled([web(adopt=adopt, links={str(world.old / "web.key"): "combined"})])["identities"][0]
        assert "is what was adopted" in reason(record, "link")
    else:
        record = world.settled([world.adopting("web.key")])["identities"][0]
    assert world.path("web", "1", "private_key.pem").read_bytes() == made.key
    assert world.path("web", "1", "combined.pem").read_bytes() == made.key + made.certificate + made.chain
    assert world.findings(record) == ["other_copies", "differs", "differs"]  # its life and its key's type


def test_the_curve_that_openssl_repeats_before_a_key_of_it_is_no_loss(world: Brownfield) -> None:
    made = pair().write(world.old)
    parameters = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    (world.old / "web.key").write_bytes(parameters + made.key)
    assert steps(world.settled([world.adopting("web.key")])["identities"][0]) == ["adopt", "link"]
    assert (world.old / "web.key").read_bytes() == made.key


DH = b"-----BEGIN DH PARAMETERS-----\nMAYCAQUCAQI=\n-----END DH PARAMETERS-----\n"
CURVE = b"-----BEGIN EC PARAMETERS-----\nBgUrgQQAIg==\n-----END EC PARAMETERS-----\n"  # P-384, and the key is of P-256


@pytest.mark.parametrize(
    ("part", "more", "kinds"),
    [
        ("combined", DH, "DH PARAMETERS"),
        ("combined", CURVE, "EC PARAMETERS"),
        ("combined", DH + pair("x.example.org").chain, "CERTIFICATE, DH PARAMETERS"),
        ("combined", pair("x.example.org").key, "PRIVATE KEY"),
        ("private_key", pem_key(rsa.generate_private_key(65537, 2048)), "PRIVATE KEY"),
        ("private_key", pair("x.example.org").certificate, "CERTIFICATE"),
        ("private_key", CURVE, "EC PARAMETERS"),
    ],
)
def test_what_stands_in_a_file_beside_the_pair_is_lost_only_where_that_is_said(
    world: Brownfield, part: str, more: bytes, kinds: str
) -> None:
    made = pair().write(world.old)
    path = world.old / "web.pem"
    path.write_bytes((made.certificate + made.chain if part == "combined" else b"") + made.key + more)
    certificate = path if part == "combined" else world.old / "fullchain.pem"
    adopt = {"private_key": str(path), "certificate": str(certificate)}
    if "CERTIFICATE" in kinds and part == "combined":  # a stranger's, which is no part of the chain that is named
        adopt.update(certificate=str(world.old / "fullchain.pem"))
    before = content(world.old)
    declared = web(adopt=adopt, links={str(path): part})
    refused = world.foreseen([declared])
    assert f"web.pem holds {kinds} besides, which a link for {part} would lose; " in refused["msg"]
    assert "say replace_files: true for web" in refused["msg"]
    assert content(world.old) == before
    assert not path.is_symlink()
    assert steps(world.settled([{**declared, "replace_files": True}])["identities"][0]) == ["adopt", "link"]


@pytest.mark.needs("root")
@pytest.mark.parametrize(
    ("owner", "mode", "enough"),
    [
        ((65534, 65534), 0o440, {"owner": "nobody", "group": "nogroup", "mode": "0440"}),
        ((65534, 0), 0o600, {"owner": "nobody"}),
        ((0, 65534), 0o640, {"group": "nogroup", "mode": "0640"}),
        ((0, 0), 0o644, {"owner": "root", "group": "nogroup", "mode": "0640"}),
    ],
)
@pytest.mark.parametrize("part", ["private_key", "combined"])
def test_adopting_takes_a_key_away_from_nobody_who_was_not_asked(
    world: Brownfield, owner: tuple[int, int], mode: int, enough: dict[str, t.Any], part: str
) -> None:
    made = pair().write(world.old)
    path = world.old / "web.key"
    path.write_bytes(made.key + (made.certificate + made.chain if part == "combined" else b""))
    path.chmod(mode)
    os.chown(path, *owner)
    declared = world.adopting(links={str(path): part})
    refused = world.foreseen([declared])
    assert f"with mode {mode:04o}, and who reads it now could not do so any more; declare who shall: " in refused["msg"]
    assert not path.is_symlink()
    assert not world.path("web", "1").exists()
    assert steps(world.settled([{**declared, **enough}])["identities"][0]) == ["adopt", "link"]
    there = path.stat()
    assert (there.st_mode & 0o777, path.is_symlink()) == (int(enough.get("mode", "0600"), 8), True)
    if mode != 0o644:
        assert (there.st_uid, there.st_gid) == owner


@pytest.mark.needs("root")
@pytest.mark.parametrize("said", [{"owner": "root", "group": "root"}, {"replace_files": True}])
def test_a_declared_owner_and_group_are_the_answer_to_who_reads_an_adopted_key(
    world: Brownfield, said: dict[str, t.Any]
) -> None:
    pair().write(world.old)
    os.chown(world.old / "web.key", 65534, 65534)
    assert steps(world.settled([world.adopting("web.key", **said)])["identities"][0]) == ["adopt", "link"]


def test_what_certbot_keeps_is_adopted_through_its_links_and_certbot_is_named(world: Brownfield) -> None:
    live = pair().as_certbot(world.directory / "letsencrypt")
    adopt = {"private_key": str(live / "privkey.pem"), "certificate": str(live / "fullchain.pem")}
    parts = {"privkey": "private_key", "fullchain": "fullchain", "cert": "certificate", "chain": "chain"}
    links = {str(live / f"{name}.pem"): part for name, part in parts.items()}
    done = world.settled([web(adopt=adopt, links=links)])
    conf = world.directory / "letsencrypt" / "renewal" / "web.conf"
    assert done["warnings"] == [
        f"web: certbot still renews it as web; stop that with: mv {conf} {conf}.disabled"
    ]
    assert steps(done["identities"][0]) == ["adopt", *["link"] * 4]
    assert "certbot" in world.findings(done["identities"][0])
    assert (world.directory / "letsencrypt" / "archive" / "web" / "privkey1.pem").exists()


@pytest.mark.parametrize(
    ("names", "said", "declared", "why"),
    [
        (["web.example.org"], {"days": 5}, {}, "it ends on "),
        (["web.example.org"], {"days": -1}, {}, "it ended on "),
        (["old.example.org"], {}, {}, "it lacks web.example.org"),
        (["web.example.org"], {"usages": [CLIENT]}, {}, "it lacks the extended key usage server_auth of tls_server"),
        (["web.example.org"], {}, {"replace": "now"}, "it was adopted, and adopt.replace is now"),
    ],
)
def test_what_cannot_stay_is_adopted_and_replaced_in_the_same_run(
    world: Brownfield, names: list[str], said: dict[str, t.Any], declared: dict[str, t.Any], why: str
) -> None:
    old = pair(*names, **said).write(world.old)
    identity = world.adopting("web.key", "fullchain.pem", keep_generations=1)
    identity["adopt"].update(declared)
    done = world.settled([identity], diff=True)
    record = done["identities"][0]
    assert steps(record) == ["adopt", "link", "link", "stage_key", "issue", "publish"]
    assert reason(record).startswith(why)
    assert (record["generation"], world.generations()) == (2, [1, 2])
    assert world.path("web", "1", "certificate.pem").read_bytes() == old.certificate
    assert (world.old / "web.key").read_bytes() != old.key
    assert world.query("SELECT number, state FROM generations") == [(1, "superseded"), (2, "current")]
    assert "generation: 2" in done["diff"][0]["after"]


def test_a_service_that_refuses_the_first_renewal_gets_the_adopted_pair_back(world: Brownfield) -> None:
    old = pair("old.example.org").write(world.old)
    prove = {"command": ["grep", "-q", old.certificate.decode().splitlines()[1], str(world.old / "fullchain.pem")]}
    declared = world.adopting("web.key", "fullchain.pem", activate={"command": ["true"]}, prove=prove)
    done = world.foreseen([declared])
    assert done["failed"]
    assert (world.current(), world.generations()) == (1, [1])
    assert content(world.old)["fullchain.pem"] == old.certificate + old.chain
    assert world.remembered().generation == 1
    assert world.query("SELECT number, state FROM generations") == [(1, "current"), (2, "rolled_back")]


def test_differences_that_may_wait_are_findings_and_go_with_the_renewal(world: Brownfield) -> None:
    key = rsa.generate_private_key(65537, 2048)
    pair("web.example.org", "shop.example.org", key=key, usages=[SERVER, CLIENT]).write(world.old)
    record = world.settled([world.adopting(lifetime="400d", renew_before="10d")])["identities"][0]
    assert [finding["msg"] for finding in record["findings"]] == [
        "names differ: shop.example.org is no longer declared",
        "the key is rsa-2048, declared is ecdsa-p256",
        "its extended key usages are client_auth, server_auth, declared is tls_server",
    ]
    again = world.one(world.adopting(lifetime="400d", renew_before="10d"))
    assert again["findings"] == record["findings"]
    renewed = world.one(world.adopting(lifetime="400d", renew_before="310d"))
    assert (steps(renewed), renewed["findings"]) == (RENEWED, [])
    assert world.one(world.adopting(lifetime="400d", renew_before="310d"))["findings"] == []


def test_where_neither_file_is_there_a_credential_is_issued_as_on_any_new_host(world: Brownfield) -> None:
    world.old.mkdir()
    record = world.settled([world.adopting("web.key", "fullchain.pem")])["identities"][0]
    assert steps(record)[:3] == ["stage_key", "issue", "publish"]
    assert world.remembered().issuer_id == world.query("SELECT issuer_id FROM generations")[0][0]


def _encrypted(_made: Pair, old: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    (old / "web.key").write_bytes(pem_key(key, encryption=BestAvailableEncryption(b"hush")))


def _encrypted_long_ago(_made: Pair, old: Path) -> None:
    form = PrivateFormat.TraditionalOpenSSL
    key = ec.generate_private_key(ec.SECP256R1())
    (old / "web.key").write_bytes(pem_key(key, form, BestAvailableEncryption(b"hush")))


def _fifo(_made: Pair, old: Path) -> None:
    (old / "web.key").unlink()
    os.mkfifo(old / "web.key")


def _circle(_made: Pair, old: Path) -> None:
    (old / "web.key").unlink()
    (old / "web.key").symlink_to("web.key")


def _elsewhere(_made: Pair, old: Path) -> None:
    (old / "theirs").mkdir()
    (old / "web.key").rename(old / "theirs" / "web.key")
    (old / "theirs").chmod(0o777)
    (old / "web.key").symlink_to("theirs/web.key")


def _directory(_made: Pair, old: Path) -> None:
    (old / "web.key").unlink()
    (old / "web.key").mkdir()


def _put(name: str, text: bytes) -> t.Callable[[Pair, Path], object]:
    return lambda _made, old: (old / name).write_bytes(text)


MISTAKES: dict[str, tuple[t.Callable[[Pair, Path], object], str]] = {
    "no key": (lambda _made, old: (old / "web.key").unlink(), "web.key does not exist, and "),
    "no certificate": (lambda _made, old: (old / "fullchain.pem").unlink(), "fullchain.pem does not exist, and "),
    "another key": (
        lambda _made, old: (old / "web.key").write_bytes(pem_key(ec.generate_private_key(ec.SECP256R1()))),
        "does not fit the first certificate in ",
    ),
    "a passphrase": (_encrypted, "needs a passphrase"),
    "a passphrase of old": (_encrypted_long_ago, "needs a passphrase"),
    "junk": (_put("web.key", b"\0junk"), "holds no private key in PEM"),
    "a broken key": (
        _put("web.key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), "cannot be loaded",
    ),
    "no PEM": (_put("fullchain.pem", b"\x30\x82"), "holds no certificate in PEM"),
    "a broken certificate": (
        _put("fullchain.pem", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        "holds no certificate in PEM",
    ),
    "a large file": (_put("web.key", b"x" * 2_000_000), "is larger than"),
    "a FIFO": (_fifo, "is not a regular file; write another path"),
    "a directory": (_directory, "is not a regular file; write another path"),
    "a circle of links": (_circle, "more than 8 links"),
    "a directory of others": (_elsewhere, "may be written by others"),
    "a chain of others": (
        lambda made, old: (old / "fullchain.pem").write_bytes(made.certificate + pair("x").chain),
        "did not sign the one before it",
    ),
    "a bundle": (
        lambda made, old: (old / "fullchain.pem").write_bytes(made.certificate + made.chain * 20),
        "holds 21 certificates",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_what_cannot_be_adopted_is_refused_with_its_path_and_nothing_is_touched(
    world: Brownfield, mistake: str
) -> None:
    spoil, said = MISTAKES[mistake]
    made = pair().write(world.old)
    spoil(made, world.old)
    before = world.snapshot()
    result = world.converge([world.adopting("fullchain.pem")])
    after = world.snapshot()
    assert result["failed"]
    assert said in result["msg"]
    assert str(world.old) in result["msg"]
    assert "PRIVATE" not in str(result)
    assert not world.path("web", "1").exists()
    assert {path: what for path, what in after.items() if path.startswith(str(world.old))} == {
        path: what for path, what in before.items() if path.startswith(str(world.old))
    }
    assert world.query("SELECT count(*) FROM generations") == [(0,)]


def test_a_link_may_take_the_place_of_an_adopted_file_only_for_the_part_that_it_holds(world: Brownfield) -> None:
    pair().write(world.old)
    other = "is a regular file with other content"
    for name, part, why in (
        ("web.key", "fullchain", other), ("fullchain.pem", "private_key", other),
        ("fullchain.pem", "certificate", "fullchain.pem holds CERTIFICATE besides"),
    ):  # fmt: skip
        result = world.converge([world.adopting(links={str(world.old / name): part})])
        assert result["failed"]
        assert why in result["msg"]
    declared = world.adopting(links={str(world.old / "web.crt"): "fullchain"})
    (world.old / "web.crt").write_bytes(pair().certificate)
    assert other in world.converge([declared])["msg"], "it is another certificate"
    (world.old / "web.crt").write_bytes((world.old / "fullchain.pem").read_bytes().partition(b"-----END")[0] + END)
    declared["adopt"].update(certificate=str(world.old / "web.crt"), chain=str(world.old / "chain.crt"))
    assert "is what was adopted" in reason(world.settled([declared])["identities"][0], "link")


def test_a_key_of_several_hosts_is_a_finding_that_names_them_until_each_has_its_own(tmp_path: Path) -> None:
    hosts = [Brownfield(tmp_path / name, host=name) for name in ("web1", "web2")]
    one, two = hosts
    made = pair()
    for host in hosts:
        made.write(host.old)
    assert one.settled([one.adopting()], ledger=one.url)["warnings"] == []
    done = two.foreseen([two.adopting()], ledger=one.url)
    words = "rule shared-key, web: key that web of web1 has too; adopt with replace: now, so that each gets its own"
    assert done["warnings"] == [f"policy: {words}"]
    assert "shared_key" in two.findings(done["identities"][0])
    assert steps(done["identities"][0]) == ["adopt"]
    again = one.one(one.adopting())
    assert (steps(again), "shared_key" in one.findings(again)) == ([], True)
    now = one.adopting()
    now["adopt"]["replace"] = "now"
    assert steps(one.one(now)) == RENEWED
    last = two.one(two.adopting(), ledger=one.url)
    assert "shared_key" not in two.findings(last), "the other one has its own now"


def test_a_policy_judges_a_key_of_several_hosts_where_it_would_stay(tmp_path: Path) -> None:
    hosts = [Brownfield(tmp_path / name, host=name) for name in ("web1", "web2")]
    one, two = hosts
    made = pair()
    for host in hosts:
        made.write(host.old)
    policy = tmp_path / "policy.yml"
    said = {"ledger": one.url, "policy": str(policy)}
    policy.write_text("format: 1\nrules: [{id: own-keys, shared_key: {allow: false}}]\n", encoding="utf-8")
    assert not one.converge([one.adopting()], **said).get("failed"), "nobody else has it yet"
    before = two.snapshot()
    for check in (True, False, False):
        refused = two.converge([two.adopting()], check=check, **said)
        assert refused["failed"]
        assert "policy.yml refuses this task: (1) rule own-keys, web: key that web of web1 has too; " in refused["msg"]
    assert not [path for path in two.snapshot().keys() - before.keys() if path.endswith("/1")]
    now = two.adopting()
    now["adopt"]["replace"] = "now"
    assert steps(two.one(now, **said))[:3] == ["adopt", "stage_key", "issue"]
    policy.write_text("format: 1\nrules: []\n", encoding="utf-8")
    third = Brownfield(tmp_path / "web3", host="web3")
    made.write(third.old)
    warned = third.converge([third.adopting()], **said)["warnings"]
    assert warned == ["web: its key is also that of web of web1; the first renewal of each makes its own"]


def test_one_pair_is_not_adopted_twice_on_a_host(world: Brownfield) -> None:
    pair().write(world.old)
    both = [world.adopting(), {**world.adopting(), "name": "shop"}]
    result = world.foreseen(both)
    assert [one["failed"] for one in result["identities"]] == [False, True]
    assert "its key is that of identity web of this host already" in result["msg"]
    result = world.converge(both[1:])
    assert "its key is that of identity web of this host already" in result["msg"]


def test_a_released_pair_is_plain_again_and_can_be_adopted_once_more(world: Brownfield) -> None:
    made = pair().write(world.old)
    declared = world.adopting("web.key", "fullchain.pem")
    world.settled([declared])
    world.settled([{**declared, "state": "released"}])
    assert not (world.old / "web.key").is_symlink()
    assert content(world.old)["web.key"] == made.key
    assert world.settled([declared])["identities"][0]["generation"] == 2


def test_an_adopted_credential_can_be_revoked_only_by_who_signed_it(world: Brownfield) -> None:
    pair().write(world.old)
    world.converge([world.adopting()])
    result = world.converge([{"name": "web", "state": "absent", "revoke_on_absent": True}])
    assert result["failed"]
    assert "CN=Old Corp CA signed this certificate before it came to us" in result["msg"]
    world.settled([{"name": "web", "state": "absent"}])


def test_a_ledger_that_was_lost_learns_of_an_adopted_pair(world: Brownfield) -> None:
    pair().write(world.old)
    world.converge([world.adopting("web.key")])
    before = world.remembered()
    for path in world.directory.glob("ledger.sqlite*"):
        path.unlink()
    (world.store / ".keystead.json").unlink()
    result = world.converge([world.adopting("web.key")])
    assert (result["changed"], result["warnings"]) == (False, [])
    assert world.remembered() == before


def test_what_changes_between_look_and_act_is_not_adopted(world: Brownfield) -> None:
    pair().write(world.old)

    def execute(arguments: dict[str, t.Any]) -> t.Any:
        if arguments["phase"] == "install":
            pair().write(world.old)
        return world.execute(arguments)

    result = world.converge([world.adopting("web.key")], execute=execute)
    assert "changed since it was looked at; nothing was adopted" in result["msg"]
    assert not (world.old / "web.key").is_symlink()
    assert world.query("SELECT state FROM generations") == [("refused",)]
    world.settled([world.adopting("web.key")])


def test_a_key_that_others_can_read_is_said(world: Brownfield) -> None:
    pair().write(world.old, mode=0o644)
    done = world.settled([world.adopting()])
    assert "has mode 0644, so others may know it" in done["warnings"][0]


def test_copies_beside_a_pair_that_get_no_link_are_named_before_its_renewal_leaves_them_behind(
    world: Brownfield,
) -> None:
    made = pair().write(world.old)
    (world.old / "haproxy.pem").write_bytes(made.certificate + made.key)
    (world.old / "another.pem").write_bytes(pair().certificate)
    (world.old / "broken.key").write_bytes(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    done = world.settled([world.adopting("web.key", "fullchain.pem")])
    named = f"{world.old / 'haproxy.pem'}, {world.old / 'web.crt'}"
    said = f"it is also in {named}, which its first renewal leaves as it is; give that a link, or take it away"
    assert done["warnings"] == [f"web: {said}"]
    assert {"code": "other_copies", "msg": said} in done["identities"][0]["findings"]


def test_a_weak_key_is_said_until_its_successor_is_there(world: Brownfield) -> None:
    pair("web.example.org", key=rsa.generate_private_key(65537, 1024)).write(world.old)  # noqa: S505 - it is to be found
    said = "its key is rsa-1024, less than 2048 bits"
    for done in (world.converge([world.adopting()]), world.converge([world.adopting()])):
        assert f"web: {said}" in done["warnings"]
        assert {"code": "weak_key", "msg": said} in done["identities"][0]["findings"]
    now = world.adopting()
    now["adopt"]["replace"] = "now"
    assert "weak_key" not in world.findings(world.one(now))


def observed(world: Brownfield) -> dict[str, t.Any]:
    return {"name": "web", "state": "observed", "adopt": {"certificate": str(world.old / "web.crt")}}


def test_what_is_observed_is_recorded_and_never_touched(world: Brownfield) -> None:
    pair().write(world.old)
    (world.old / "web.key").unlink()
    before = {path: what for path, what in world.snapshot().items() if "ledger" not in path}
    first = world.one(observed(world))
    assert (first["changed"], first["steps"], first["generation"]) == (False, [], None)
    assert first["certificate"]["dns_names"] == ["web.example.org"]
    assert {path: what for path, what in world.snapshot().items() if "ledger" not in path} == before
    known = world.remembered()
    assert (known.issuer_id, known.generation) == ("observed:CN=Old Corp CA", 1)
    count = world.query("SELECT count(*) FROM events")
    world.settled([observed(world)])
    assert world.query("SELECT count(*) FROM events") == count, "what is known is not recorded again"
    pair().write(world.old)  # its renewer renewed it
    world.one(observed(world))
    assert world.remembered().generation == 2
    assert not world.store.exists()
    record = world.settled([world.adopting("web.key")])["identities"][0]
    assert (steps(record), record["generation"]) == (["adopt", "link"], 3)


def test_what_is_managed_here_is_not_observed_before_it_is_released(world: Brownfield) -> None:
    pair().write(world.old)
    world.converge([world.adopting("web.key")])
    before = world.snapshot()
    for said in (observed(world), {"name": "web", "state": "observed"}):
        for check in (True, False):
            refused = world.converge([said], check=check)
            assert refused["failed"]
            assert refused["identities"][0]["msg"] == "web: it is managed here; say state: released first"
    assert world.snapshot() == before
    world.settled([{"name": "web", "state": "released"}])
    world.settled([observed(world)])
    assert world.remembered().issuer_id == "observed:CN=Old Corp CA"


def test_what_is_observed_has_to_be_named_and_one_that_is_missing_is_told(world: Brownfield) -> None:
    refused = world.foreseen([{"name": "web", "state": "observed"}])
    assert "web: nothing is named to be observed; write adopt: {certificate: its path}" in refused["msg"]
    done = world.settled([observed(world)])
    told = f"{world.old / 'web.crt'} does not exist, so there is nothing to observe"
    assert done["identities"][0]["findings"] == [{"code": "missing", "msg": told}]
    assert done["warnings"] == [f"web: {told}"]
    assert world.query("SELECT count(*) FROM generations") == [(0,)]
    pair().write(world.old)
    assert world.settled([observed(world)])["warnings"] == []


def test_an_observed_identity_that_is_absent_is_struck_off_and_left_alone(world: Brownfield) -> None:
    pair().write(world.old)
    world.one(observed(world))
    before = content(world.old)
    world.settled([{"name": "web", "state": "absent"}])
    assert (world.remembered().state, content(world.old)) == ("absent", before)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"adopt": {"certificate": "/x"}}, "adopt.private_key: without the key nothing can be adopted"),
        ({"adopt": {"certificate": "x", "private_key": "/y"}}, "adopt.certificate: 'x' is not an absolute path"),
        ({"adopt": {"certificate": "/x", "private_key": "-----BEGIN PRIVATE KEY-----\nCANARY"}},
         "adopt.private_key: it is no path but PEM"),
        ({"adopt": {"private_key": "/x"}}, "adopt.certificate is missing"),
        ({"adopt": {"certificate": "/x", "private_key": "/y", "replace": "later"}}, "adopt.replace"),
    ],
)  # fmt: skip
def test_a_wrong_declaration_is_refused_by_name(tmp_path: Path, said: dict[str, t.Any], message: str) -> None:
    with pytest.raises(Exception, match="machine_identity: ") as refused:
        World(tmp_path).converge([web(**said)])
    assert message in str(refused.value)
    assert "CANARY" not in str(refused.value)


def _tampered(world: World, change: t.Callable[[dict[str, t.Any]], object]) -> t.Callable[[dict[str, t.Any]], t.Any]:
    """Return a way to a host that changes what it shows as the original."""

    def execute(arguments: dict[str, t.Any]) -> t.Any:
        answer = world.execute(arguments)
        for one in answer.get("identities", ()):
            if "original" in one.get("observed", {}):
                change(one["observed"]["original"])
        return answer

    return execute


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda original: original.update(certificate="AAAA"), "what it shows as the certificate of web is none"),
        (lambda original: original.update(chain=["AAAA"]), "web: the chain that the host shows cannot be read"),
        (lambda original: original.update(chain=[original["certificate"]]), "did not sign the one before it"),
        (lambda original: original.update(chain=["AAAA"] * 5000), "its answer for web is refused"),
        (lambda original: original.update(key="AAAA"), "its answer for web is refused"),
        (lambda original: original.pop("credential"), "its answer for web is refused"),
    ],
)
def test_a_host_that_shows_something_else_is_refused(
    world: Brownfield, change: t.Callable[[dict[str, t.Any]], object], message: str
) -> None:
    pair().write(world.old)
    result = world.converge([world.adopting()], execute=_tampered(world, change))
    assert result["failed"]
    assert message in result["msg"]
    assert not world.path("web", "1").exists()
    assert world.query("SELECT count(*) FROM generations") == [(0,)]
    world.settled([world.adopting()])


def test_what_a_host_says_of_the_original_is_read_anew_from_its_certificate(world: Brownfield) -> None:
    pair().write(world.old)

    def lie(original: dict[str, t.Any]) -> None:
        original["credential"].update(credential_id="f" * 64, public_id="e" * 64)
        bad = {"code": "certbot", "about": "/x; rm -rf /", "detail": "$(reboot)"}
        original["findings"] = [bad, {"code": "?", "about": ""}]

    result = world.converge([world.adopting()], execute=_tampered(world, lie))
    assert result["warnings"] == [
        "web: certbot still renews it as '$(reboot)'; stop that with: mv '/x; rm -rf /' '/x; rm -rf /'.disabled"
    ]
    certificate = x509.load_pem_x509_certificate((world.old / "web.crt").read_bytes())
    (serial,) = world.query("SELECT serial_number FROM x509")[0]
    assert serial == f"{certificate.serial_number:x}"


def test_a_pair_that_nobody_named_is_refused(world: Brownfield) -> None:
    pair().write(world.old)
    told: list[t.Any] = []

    def keep(arguments: dict[str, t.Any]) -> t.Any:
        told.append(world.execute(arguments, check=True))
        return told[-1]

    world.converge([world.adopting()], check=True, execute=keep)
    result = world.converge([web()], execute=lambda _arguments: told[0])
    assert "it is about a pair that nobody named" in result["msg"]
