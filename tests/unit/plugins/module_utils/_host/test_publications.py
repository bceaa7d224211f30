# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Copies on a host through whole runs: written, repaired, rolled back, withdrawn, and what is refused."""

from __future__ import annotations

import json
import stat
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured, Unavailable
from ansible_collections.keystead.identity.plugins.module_utils._host.pkcs12_mac import (
    rounds_of,
    strengthened,
)
from ansible_collections.keystead.identity.tests.harness.brownfield import pair
from ansible_collections.keystead.identity.tests.harness.in_process import World, reason, steps, web
from ansible_collections.keystead.identity.tests.harness.publishers import (
    Held,
    LegacyPkcs12,
    Pkcs12,
    held,
    parts,
)
from cryptography.hazmat.primitives.serialization import pkcs12

PASSWORD = "pass, word"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def p12(world: World, **said: t.Any) -> dict[str, t.Any]:
    return {"pkcs12": {"path": str(world.links / "web.p12"), "password": PASSWORD, **said}}


def bundle(world: World, *parts: str, **said: t.Any) -> dict[str, t.Any]:
    beside = {"parts": list(parts)} if parts else {}
    return {"pem_bundle": {"path": str(world.links / "web.pem"), **said}, **beside}


def current(world: World, *parts: str) -> bytes:
    return b"".join(world.path("web", "current", f"{part}.pem").read_bytes() for part in parts)


def copied(world: World) -> Held:
    return held((world.links / "web.pem").read_bytes())


def opened(world: World, password: str = PASSWORD) -> t.Any:
    return pkcs12.load_pkcs12((world.links / "web.p12").read_bytes(), password.encode())


def test_a_copy_is_written_left_alone_rewritten_with_a_renewal_and_known_to_the_ledger(world: World) -> None:
    said = web(publish=[p12(world), bundle(world)])
    first = world.settled([said])["identities"][0]
    assert steps(first) == ["stage_key", "issue", "publish", "publish", "publish"]
    assert (world.links / "web.pem").read_bytes() == current(world, "private_key", "certificate", "chain")
    assert opened(world).cert.certificate == world.certificate()
    assert opened(world).cert.friendly_name == b"web"
    assert world.query("SELECT part FROM deliveries ORDER BY part") == [("pem_bundle",), ("pkcs12",)]
    renewed = world.settled([{**said, "lifetime": "10d"}])["identities"][0]
    assert steps(renewed) == ["stage_key", "issue", "publish", "publish", "publish", "destroy"]
    assert opened(world).cert.certificate == world.certificate()
    assert copied(world) == held(current(world, "private_key", "certificate", "chain"))
    assert sorted(world.remembered().links) == [str(world.links / name) for name in ("web.p12", "web.pem")]


def test_the_parts_stand_in_the_declared_order(world: World) -> None:
    world.settled([web(publish=[bundle(world, "certificate", "private_key")])])
    assert (world.links / "web.pem").read_bytes() == current(world, "certificate", "private_key")
    done = world.settled([web(publish=[bundle(world, "private_key", "fullchain")])])
    assert (world.links / "web.pem").read_bytes() == current(world, "private_key", "fullchain")
    assert reason(done["identities"][0], "publish").endswith("holds its parts in another order")


def test_a_file_without_the_key_may_be_read_by_all_and_one_with_it_as_the_identity_says(world: World) -> None:
    public = {"pem_bundle": {"path": str(world.links / "ca.pem"), "parts": ["certificate"]}}
    narrow = {"pem_bundle": {"path": str(world.links / "narrow.pem"), "parts": ["certificate"], "mode": "0440"}}
    world.settled([web(mode="0640", publish=[bundle(world), public, narrow])])
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in world.links.iterdir()}
    assert modes == {"web.pem": 0o640, "ca.pem": 0o644, "narrow.pem": 0o440}


def test_another_password_rewrites_the_file_and_issues_nothing(world: World) -> None:
    world.settled([web(publish=[p12(world)])])
    done = world.settled([web(publish=[p12(world, password="another")])])["identities"][0]
    assert steps(done) == ["publish"]
    assert opened(world, "another").cert.certificate == world.certificate()


def test_a_password_in_a_file_of_the_host_is_its_first_line(world: World) -> None:
    file = world.directory / "password"
    said = web(publish=[{"pkcs12": {"path": str(world.links / "web.p12"), "password_file": str(file)}}])
    assert "does not exist; write the password there first" in world.one(said)["msg"]
    file.write_text("\nnot this\n")
    assert "may be read or changed by others (0644); set mode 0600 or 0640" in world.one(said)["msg"]
    file.chmod(0o600)
    assert "is empty; write the password there" in world.one(said)["msg"]
    assert world.issued() == []
    file.write_text("first\r\nsecond\n")
    world.settled([said])
    assert opened(world, "first").cert.certificate == world.certificate()
    file.write_text("changed\n")
    world.settled([said])
    assert opened(world, "changed").cert.certificate == world.certificate()


def test_another_encryption_rewrites_the_file(world: World) -> None:
    world.settled([web(publish=[p12(world)])])
    done = world.settled([web(publish=[p12(world, encryption="legacy")])])["identities"][0]
    assert reason(done, "publish").endswith("is not legacy")


def test_a_consumer_is_told_when_a_copy_was_put_right_even_after_a_kill(world: World) -> None:
    mark = world.directory / "mark"
    said = web(publish=[bundle(world)], activate={"command": ["sh", "-c", f"echo . >>{mark}"]})
    world.settled([said])
    (world.links / "web.pem").write_text("mine now\n")
    assert steps(world.settled([said])["identities"][0]) == ["publish", "activate"]
    (world.links / "web.pem").chmod(0o644)
    assert steps(world.settled([said])["identities"][0]) == ["publish"]
    assert mark.read_text() == ".\n.\n"


def test_a_consumer_that_fails_gets_the_copy_of_the_generation_before(world: World) -> None:
    fails = world.directory / "fails"
    said = web(publish=[p12(world), bundle(world)], activate={"command": ["sh", "-c", f"! test -e {fails}"]})
    world.settled([said])
    before, certificate = copied(world), world.certificate()
    fails.touch()
    done = world.converge([{**said, "lifetime": "10d"}])["identities"][0]
    assert (done["failed"], steps(done)[-1]) == (True, "roll_back")
    assert (copied(world), opened(world).cert.certificate) == (before, certificate)
    fails.unlink()
    world.settled([{**said, "lifetime": "10d"}])
    assert copied(world) != before


def test_going_back_copies_the_generation_before_and_going_on_the_newest(world: World) -> None:
    said = web(publish=[bundle(world)], keep_generations=1)
    world.settled([said])
    first = copied(world)
    world.settled([{**said, "lifetime": "10d"}])
    second = copied(world)
    world.settled([{**said, "lifetime": "10d", "generation": "previous"}])
    assert copied(world) == first
    world.settled([{**said, "lifetime": "10d"}])
    assert copied(world) == second


def test_what_is_no_longer_declared_is_taken_away_unless_others_changed_it(world: World) -> None:
    world.settled([web(publish=[p12(world), bundle(world)])])
    (world.links / "web.pem").write_text("mine now\n")
    done = world.settled([web()])["identities"][0]
    assert steps(done) == ["withdraw", "withdraw"]
    assert [path.name for path in world.links.iterdir()] == ["web.pem"]
    assert not world.path("web", "copies.json").exists()
    assert world.remembered().links == ()


def test_one_that_is_absent_takes_its_copies_with_it_and_one_that_is_released_leaves_them(world: World) -> None:
    world.settled([web(publish=[bundle(world)])])
    left = copied(world)
    world.settled([{"name": "web", "state": "released"}])
    assert copied(world) == left
    assert not world.path("web").exists()
    (world.links / "web.pem").unlink()
    world.settled([web(publish=[p12(world), bundle(world)])])
    world.settled([{"name": "web", "state": "absent"}])
    assert list(world.links.iterdir()) == []


def test_a_release_that_would_lose_the_key_is_refused(world: World) -> None:
    world.settled([web(publish=[bundle(world, "fullchain")])])
    assert "releasing would destroy it" in world.one({"name": "web", "state": "released"})["msg"]


def test_a_file_of_somebody_else_is_refused_before_anything_is_issued(world: World) -> None:
    (world.links / "web.pem").write_text("mine\n")
    done = world.foreseen([web(publish=[bundle(world)])])["identities"][0]
    assert done["msg"].endswith(
        "/web.pem is a regular file with other content, and pem_bundle would take its place; move it away, or say "
        "replace_files: true for web"
    )
    assert world.issued() == []
    assert (world.links / "web.pem").read_text() == "mine\n"
    world.settled([web(publish=[bundle(world)], replace_files=True)])
    assert copied(world) == held(current(world, "private_key", "certificate", "chain"))


def test_a_file_with_the_same_content_is_managed_from_now_on(world: World) -> None:
    world.settled([web(publish=[bundle(world), p12(world)])])
    world.path("web", "copies.json").unlink()
    done = world.settled([web(publish=[bundle(world), p12(world)])])["identities"][0]
    assert [step["reason"].rpartition("/")[2] for step in done["steps"]] == [
        f"{name} holds the same already, and is managed from now on" for name in ("web.pem", "web.p12")
    ]


def test_a_record_that_cannot_be_read_makes_no_file_ours(world: World) -> None:
    world.settled([web(publish=[bundle(world)])])
    for content in ("", "{", "[]", '{"files": {"/x": 1}}', '{"files": []}', "[" * 100000):
        world.path("web", "copies.json").write_text(content)
        world.settled([web(publish=[bundle(world)])])
    (world.links / "web.pem").write_text("mine\n")
    world.path("web", "copies.json").write_text("{")
    assert "is a regular file with other content" in world.one(web(publish=[bundle(world)]))["msg"]


def test_a_link_of_the_identity_gives_way_to_a_copy_and_one_of_somebody_else_does_not(world: World) -> None:
    path = world.links / "web.pem"
    world.settled([web(links={str(path): "combined"})])
    done = world.settled([web(publish=[bundle(world)])])["identities"][0]
    assert steps(done) == ["publish"]
    assert not path.is_symlink()
    path.unlink()
    path.symlink_to("/etc/hostname")
    assert "is a link to /etc/hostname, and pem_bundle would take its place" in world.one(
        web(publish=[bundle(world)])
    )["msg"]
    path.unlink()
    path.symlink_to("/nowhere")
    world.settled([web(publish=[bundle(world)])])
    path.unlink()
    path.mkdir()
    assert "is neither a file nor a link" in world.one(web(publish=[bundle(world)]))["msg"]


def test_a_copy_gives_way_to_a_link_of_the_identity_unless_others_changed_it(world: World) -> None:
    path = world.links / "web.pem"
    world.settled([web(publish=[bundle(world)])])
    done = world.settled([web(links={str(path): "fullchain"})])["identities"][0]
    assert reason(done, "link").endswith("is a copy that was written here, and a link to fullchain takes its place")
    assert path.is_symlink()
    assert not world.path("web", "copies.json").exists()
    world.settled([web(publish=[bundle(world)])])
    path.write_text("mine now\n")
    assert "is a regular file with other content" in world.one(web(links={str(path): "fullchain"}))["msg"]


def test_a_directory_that_others_may_write_is_refused(world: World) -> None:
    world.links.chmod(0o777)
    done = world.foreseen([web(publish=[bundle(world)])])["identities"][0]
    assert "may be written by others" in done["msg"]
    assert world.issued() == []


def test_a_pair_that_is_adopted_is_copied_too(world: World) -> None:
    pair().write(world.directory / "old")
    old = world.directory / "old"
    adopt = {"private_key": str(old / "web.key"), "certificate": str(old / "fullchain.pem")}
    done = world.settled([web(adopt=adopt, publish=[bundle(world)])])["identities"][0]
    assert steps(done) == ["adopt", "publish"]
    assert copied(world) == held((old / "web.key").read_bytes() + (old / "fullchain.pem").read_bytes())


def test_a_key_that_pkcs12_cannot_hold_is_refused_in_one_sentence(world: World) -> None:
    with pytest.raises(Misconfigured, match=r"publish\[0\]\.pkcs12: no reader of PKCS#12 knows keys of type ml-dsa-65"):
        world.converge([web(key={"type": "ml-dsa-65"}, publish=[p12(world)])])
    world.settled([web(key={"type": "ml-dsa-65"}, publish=[bundle(world)])])


@pytest.mark.parametrize("key_type", ["ed25519", "rsa-2048", "ecdsa-p384"])
def test_keys_of_every_other_type_fit(world: World, key_type: str) -> None:
    world.settled([web(key={"type": key_type}, publish=[p12(world)])])
    assert opened(world).cert.certificate == world.certificate()


def test_a_password_is_kept_nowhere(world: World) -> None:
    said = web(publish=[p12(world, password="Canary-1")])
    done = json.dumps(world.settled([said], diff=True))
    done += json.dumps(world.converge([web(publish=[p12(world, password="Canary-2")])], diff=True))
    assert "web.p12" in done
    assert "Canary" not in done
    for path in world.directory.rglob("*"):
        assert not path.is_file() or b"Canary" not in path.read_bytes(), path
    arguments: list[t.Any] = []

    def execute(told: t.Mapping[str, t.Any]) -> t.Any:
        arguments.append(told)
        return world.execute(told)

    world.converge([{**said, "state": "absent"}], execute=execute)
    assert list(world.links.iterdir()) == []
    assert "Canary" not in json.dumps(arguments), "none is needed to take a file away"


def test_a_file_may_move_to_another_identity(world: World) -> None:
    other = {"name": "other", "dns_names": ["other.example.org"]}
    world.settled([web(publish=[bundle(world)]), other])
    world.settled([web(), other])
    world.settled([web(), {**other, "publish": [bundle(world)]}])
    assert copied(world).certificates > set()


def test_nothing_is_left_of_a_write_that_was_cut_off(world: World) -> None:
    world.settled([web(publish=[bundle(world)])])
    (world.links / ".web.pem.keystead-new").write_text("half a key")
    world.settled([web()])
    assert list(world.links.iterdir()) == []


def test_paths_that_nobody_named_are_the_records_alone(world: World) -> None:
    world.settled([web(publish=[bundle(world)])])
    record = world.path("web", "copies.json")
    said = json.loads(record.read_text())
    said["files"][str(Path("/etc/hostname"))] = said["files"][str(world.links / "web.pem")]
    record.write_text(json.dumps(said))
    world.settled([web()])
    assert Path("/etc/hostname").exists()


@pytest.mark.needs("openssl", "java")
@pytest.mark.parametrize(
    ("encryption", "says"),
    [
        ("modern", ("MAC: sha256", "PBES2, PBKDF2, AES-256-CBC")),
        ("legacy", ("MAC: sha1", "pbeWithSHA1And3-KeyTripleDES-CBC")),
    ],
)
def test_openssl_and_java_read_either_encryption(tmp_path: Path, encryption: str, says: tuple[str, ...]) -> None:
    backend = {"modern": Pkcs12, "legacy": LegacyPkcs12}[encryption](tmp_path)
    backend.publisher().write(parts())
    told = backend.by_openssl("-info", "-noout").stderr.decode()
    assert all(word in told for word in says), told
    assert "RC2" not in told
    listed = backend.by_keytool()
    assert "Alias name: web" in listed
    assert "Certificate chain length: 2" in listed


@pytest.mark.parametrize("line", [b"nul\0here", b"latin \xe9", b"bell \a"])
def test_a_password_that_readers_understand_otherwise_is_refused_before_anything_is_issued(
    world: World, line: bytes
) -> None:
    file = world.directory / "password"
    file.write_bytes(line + b"\n")
    file.chmod(0o600)
    said = web(publish=[{"pkcs12": {"path": str(world.links / "web.p12"), "password_file": str(file)}}])
    assert "is no printable text in UTF-8" in world.one(said)["msg"]
    assert world.issued() == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"password": 123456}, "read by YAML as a number or a truth value; quote it"),
        ({"password": True}, "read by YAML as a number or a truth value; quote it"),
        ({"password": "nul\0here"}, "printable characters"),
        ({"path": "/etc/x", "password": None, "password_file": "/etc/x"}, "it is the path of the copy itself"),
    ],
)
def test_a_password_that_is_none_is_refused_by_the_controller(
    world: World, options: dict[str, t.Any], says: str
) -> None:
    with pytest.raises(Misconfigured, match=says):
        world.converge([web(publish=[p12(world, **options)])])


def test_a_file_in_the_store_of_somebody_else_is_refused(world: World, tmp_path_factory: t.Any) -> None:
    theirs = World(tmp_path_factory.mktemp("theirs"), host="web2.example.org")
    theirs.settled([web()])
    said = web(publish=[{"pem_bundle": {"path": str(theirs.store / "web" / "copy.pem")}}])
    assert f"lies in the store {theirs.store}, where nobody else writes" in world.one(said)["msg"]
    assert world.issued() == []


@pytest.mark.needs("openssl")
@pytest.mark.parametrize("encryption", ["modern", "legacy"])
def test_a_mac_of_one_round_is_made_anew_as_openssl_wants_it(tmp_path: Path, encryption: str) -> None:
    backend = {"modern": Pkcs12, "legacy": LegacyPkcs12}[encryption](tmp_path)
    made = parts()
    backend.publisher().write(made)
    old = ["-legacy", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1"]
    weak = ["-nomaciter", *(old if encryption == "legacy" else [])]
    pem = tmp_path / "pem"
    pem.write_bytes(b"".join(made.values()))
    command = ["openssl", "pkcs12", "-export", "-in", str(pem), "-passout", f"pass:{backend.password}", *weak]
    content = subprocess.run(command, check=True, capture_output=True).stdout
    assert rounds_of(content) == 1
    backend.path.write_bytes(content)
    backend.path.chmod(0o600)
    assert backend.publisher().read(made)[2:] == ("encryption", f"{encryption} with a MAC of 2048 rounds")
    backend.path.write_bytes(strengthened(content, backend.password.encode()))
    assert rounds_of(backend.path.read_bytes()) == 2048
    assert backend.by_openssl("-info", "-noout").returncode == 0
    assert backend.publisher().read(made).state == "ok"


def test_what_is_no_such_file_has_no_rounds() -> None:
    for junk in (b"", b"\x30", b"0\x82\xff\xff", b"\x30\x80" * 9):
        assert rounds_of(junk) == 0
        with pytest.raises(Unavailable):
            strengthened(junk, b"password")


def test_a_file_that_would_be_empty_is_refused_with_the_reason(world: World) -> None:
    world.settled([web(publish=[bundle(world)])])
    done = world.one(web(publish=[bundle(world, "chain")]))
    assert "would be empty, since the issuer of web sends no chain" in done["msg"]
    assert copied(world) == held(current(world, "private_key", "certificate", "chain"))
