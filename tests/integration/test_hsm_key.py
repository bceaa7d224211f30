# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""hsm_key over real tokens: keys are made once, found again, taken over, and destroyed so that none is left."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import (
    Denied,
    KeysteadError,
    Misconfigured,
    Pending,
)
from ansible_collections.keystead.identity.plugins.module_utils._options.lookups import HSM_KEY
from ansible_collections.keystead.identity.plugins.plugin_utils._key import label as label_of
from ansible_collections.keystead.identity.plugins.plugin_utils._key_recall import of_ledger
from ansible_collections.keystead.identity.tests.harness import local, playbook, softhsm, swtpm
from ansible_collections.keystead.identity.tests.harness.hsm_desk import Desk
from ansible_collections.keystead.identity.tests.harness.in_process import HOST, World, web
from cryptography.hazmat.primitives.serialization import load_pem_public_key

if t.TYPE_CHECKING:
    from collections.abc import Iterator

MODULE, IDENTITY = "keystead.identity.hsm_key", "keystead.identity.machine_identity"
LOOKUP = "lookup('keystead.identity.hsm_key', {})"
SOFT, TPM = pytest.mark.needs(*softhsm.Custody.needs), pytest.mark.needs(*swtpm.Custody.needs)
EVERY_TYPE = [
    *(pytest.param("soft", name, marks=SOFT) for name in (
        "ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "ed25519", "rsa-2048", "rsa-3072", "rsa-4096", "aes-256",
    )),
    *(pytest.param("tpm", name, marks=TPM) for name in ("ecdsa-p256", "rsa-2048")),
]  # fmt: skip
SPY = "/usr/lib/x86_64-linux-gnu/pkcs11-spy.so"  # of OpenSC: writes down every call, and passes it on
LEAVE = "format: 1\nrules:\n  - {id: backups, extractable_keys: {allow: true}, only: {identities: [backup]}}\n"


@pytest.fixture(scope="module")
def tpm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[swtpm.Custody]:
    custody = swtpm.Custody(tmp_path_factory.mktemp("tpm"), None)
    yield custody
    custody.stop()


@pytest.fixture(autouse=True)
def _restored(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the environment back as it was: what leads to a token is set in it."""
    for name in ("SOFTHSM2_CONF", "TPM2_PKCS11_STORE", "TPM2_PKCS11_TCTI", "DBUS_SESSION_BUS_ADDRESS"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "controller", softhsm.Custody(tmp_path, None))


def made(desk: Desk, label: str, identifier: str = "0a", *more: str, kind: str = "EC:prime256v1") -> None:
    """Make a key pair with OpenSC's tool, as an administrator may have done."""
    custody = desk.custody
    said = ["--keypairgen", "--key-type", kind, "--label", label, "--id", identifier, *more]
    softhsm.pkcs11_tool(custody.module, custody.token, custody.environment, *said)


def destroyed(desk: Desk, identifier: str, *halves: str) -> None:
    """Destroy objects with the same tool."""
    custody = desk.custody
    for half in halves:
        said = ["--delete-object", "--type", half, "--id", identifier]
        softhsm.pkcs11_tool(custody.module, custody.token, custody.environment, *said)


def actions(result: dict[str, t.Any]) -> list[str]:
    return [step["action"] for step in result["steps"]]


def codes(result: dict[str, t.Any]) -> list[str]:
    return [finding["code"] for finding in result["findings"]]


@pytest.mark.parametrize(("kind", "key_type"), EVERY_TYPE)
def test_a_key_of_every_type_goes_the_whole_way(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str, key_type: str
) -> None:
    custody = request.getfixturevalue("tpm") if kind == "tpm" else softhsm.Custody(tmp_path, None)
    desk = Desk(tmp_path / "controller", custody)
    done = desk.settled(label="signing", type=key_type)
    assert actions(done) == ["stage_key"]
    assert len(desk.seen("signing")) == (1 if key_type == "aes-256" else 2)
    attributes = done["attributes"]
    assert (attributes["label"], attributes["type"]) == ("signing", key_type)
    assert (attributes["sensitive"], attributes["extractable"]) == (True, False)
    assert desk.custody.extract(done["uri"]) is None if key_type != "aes-256" else done["public_key"] is None
    if kind == "soft":
        assert attributes["usage"] == (["encrypt", "decrypt"] if key_type == "aes-256" else ["sign"])
        assert done["findings"] == []
    else:
        assert codes(done) == ["usage_not_restricted"]
        assert "cannot make a key for one usage alone" in done["findings"][0]["msg"]
    if key_type != "aes-256":
        assert load_pem_public_key(done["public_key"].encode())
    other = "ecdsa-p384" if key_type != "ecdsa-p384" else "ecdsa-p256"
    said = desk.refusal(label="signing", type=other)
    assert f"key of type {key_type} with label signing" in said
    assert f"declare {key_type}, or write another label" in said
    gone = desk.settled(label="signing", state="absent")
    assert actions(gone) == ["destroy"]
    assert (gone["uri"], gone["public_key"], gone["attributes"]) == (None, None, {})
    assert desk.seen("signing") == []


@SOFT
def test_one_execution_looks_and_another_acts(desk: Desk) -> None:
    desk.run(label="signing")
    assert desk.errands == ["look", "make"]
    desk.run(label="signing")
    assert desk.errands == ["look", "make", "look"]


@SOFT
def test_every_act_is_in_the_ledger_before_it_is_done_and_how_it_ended(desk: Desk) -> None:
    seen: list[list[tuple[str, str, str]]] = []

    def watched(arguments: t.Mapping[str, t.Any]) -> t.Any:
        if arguments["errand"]["errand"] != "look":
            seen.append(desk.events()[-1:])
        return desk.execute(arguments)

    done = desk.run(label="signing", execute=watched)
    assert [row["uri"] for row in desk.recorded()] == [done["uri"]]
    desk.run(label="signing", state="absent", execute=watched)
    assert seen == [[("signing", "stage_key", "pending")], [("signing", "destroy", "pending")]]
    assert [one[1:] for one in desk.events()] == [
        ("stage_key", "pending"), ("stage_key", "ok"), ("destroy", "pending"), ("destroy", "ok"),
    ]  # fmt: skip
    assert desk.recorded() == []


@SOFT
def test_a_ledger_that_cannot_be_written_lets_no_key_be_made_and_none_be_destroyed(desk: Desk, tmp_path: Path) -> None:
    desk.run(label="signing")
    before = desk.custody.every()
    for said in ({"label": "other"}, {"label": "signing", "state": "absent"}):
        with pytest.raises(KeysteadError, match="ledger: "):
            desk.run(ledger=f"sqlite:///{tmp_path}/nowhere/ledger.db", **said)
    assert desk.custody.every() == before


@SOFT
def test_a_run_that_is_cut_off_after_the_act_is_healed_and_no_second_pair_is_made(desk: Desk) -> None:
    def lost(arguments: t.Mapping[str, t.Any]) -> t.Any:
        answer = desk.execute(arguments)
        if arguments["errand"]["errand"] != "look":
            raise ConnectionError("the host is gone")
        return answer

    with pytest.raises(ConnectionError):
        desk.run(label="signing", execute=lost)
    left = desk.seen("signing")
    assert len(left) == 2
    assert actions(desk.settled(label="signing")) == ["adopt"]
    assert desk.seen("signing") == left
    with pytest.raises(ConnectionError):
        desk.run(label="signing", state="absent", execute=lost)
    assert desk.seen("signing") == []
    assert actions(desk.settled(label="signing", state="absent")) == ["withdraw"]
    assert desk.recorded() == []


class Killed(BaseException):
    """What ends a run without a word, as a signal does."""


@SOFT
def test_a_key_that_a_killed_run_made_is_its_own_and_not_adopted(desk: Desk) -> None:
    def killed(arguments: t.Mapping[str, t.Any]) -> t.Any:
        answer = desk.execute(arguments)
        if arguments["errand"]["errand"] == "make":
            raise Killed
        return answer

    with pytest.raises(Killed):
        desk.run(label="signing", execute=killed)
    left = desk.seen("signing")
    done = desk.settled(label="signing")
    assert actions(done) == ["stage_key"]
    assert done["steps"][0]["reason"].endswith("has it: a run made it that ended before the ledger knew")
    assert (desk.seen("signing"), [row["origin"] for row in desk.recorded()]) == (left, ["made"])


@SOFT
def test_a_public_half_that_a_killed_run_left_is_made_whole_by_the_next_one(desk: Desk) -> None:
    def killed(arguments: t.Mapping[str, t.Any]) -> t.Any:
        if arguments["errand"]["errand"] != "make":
            return desk.execute(arguments)
        made(desk, "signing")
        destroyed(desk, "0a", "privkey")
        raise Killed

    with pytest.raises(Killed):
        desk.run(label="signing", execute=killed)
    assert desk.seen("signing") == ["Public Key: 0a"]
    done = desk.settled(label="signing")
    assert actions(done) == ["stage_key"]
    assert "has only the public half of it, which a run left that was cut off" in done["steps"][0]["reason"]
    assert (len(desk.seen("signing")), "Public Key: 0a" in desk.seen("signing")) == (2, False)


MAKES = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
import conftest
from ansible_collections.keystead.identity.plugins.module_utils._core.held import Errand
from ansible_collections.keystead.identity.plugins.module_utils._core.key import Token
from ansible_collections.keystead.identity.plugins.module_utils._host.token_keys import run_here
from ansible_collections.keystead.identity.plugins.module_utils._pkcs11.library import Missing
token = Token(**json.loads(sys.argv[2]))
for number in range(int(sys.argv[4]), int(sys.argv[5])):
    try:
        seen = run_here(Errand("make", token, f"{sys.argv[3]}-{number}", type="ecdsa-p256"), token.pin)
    except Missing:  # SoftHSM shows no token that is being written to as it starts: so the next run begins here
        os.execv(sys.executable, [*sys.orig_argv[:-2], str(number), sys.argv[5]])
    print(*(half for key in seen["keys"] for half in key["halves"]), flush=True)
"""


@SOFT
def test_of_keys_that_many_processes_make_at_once_none_loses_a_half(desk: Desk) -> None:
    root = str(Path(__file__).resolve().parents[1])
    token = json.dumps(desk.custody.recipe("")["token"])
    running = [
        subprocess.Popen(
            [sys.executable, "-c", MAKES, root, token, f"web{number}", "0", "6"], stdout=subprocess.PIPE, text=True,
            env={**os.environ, **desk.custody.environment},
        )
        for number in range(6)
    ]  # fmt: skip
    said = [one.communicate(timeout=120)[0].split("\n") for one in running]
    assert said == [["private public"] * 6 + [""]] * 6
    assert all(len(desk.seen(f"web{maker}-{number}")) == 2 for maker in range(6) for number in range(6))


@SOFT
def test_of_two_runs_at_the_same_moment_one_makes_the_key_and_the_other_says_so(desk: Desk) -> None:
    def overtaken(arguments: t.Mapping[str, t.Any]) -> t.Any:
        if arguments["errand"]["errand"] == "make":
            made(desk, "signing")
        return desk.execute(arguments)

    with pytest.raises(Pending, match="another run was quicker; run again"):
        desk.run(label="signing", execute=overtaken)
    assert len(desk.seen("signing")) == 2
    assert desk.events()[-1] == ("signing", "stage_key", "failed")


@SOFT
def test_a_label_that_several_keys_have_is_refused_until_the_task_says_which(desk: Desk) -> None:
    made(desk, "twice", "0a")
    made(desk, "twice", "0b")
    made(desk, "twice", "0c", kind="rsa:2048")
    said = desk.refusal(label="twice")
    assert "has 3 keys with label twice: key of type ecdsa-p256 with label twice and id 0a; " in said
    assert "say which one is meant by label and id, or by type" in said
    assert "has 2 keys" in desk.refusal(label="twice", type="ecdsa-p256", state="absent")
    by_id = desk.settled(label="twice", id="0B")
    assert by_id["attributes"]["id"] == "0b"
    by_type = desk.settled(label="twice", type="rsa-2048")
    assert by_type["attributes"]["id"] == "0c"
    assert actions(desk.settled(uri=by_id["uri"], state="absent")) == ["destroy"]
    assert {one.rpartition(" ")[2] for one in desk.seen("twice")} == {"0a", "0c"}


def secret(desk: Desk, label: str, *more: str) -> None:
    """Make an AES key with OpenSC's tool, which gives it an empty id."""
    custody = desk.custody
    said = ["--keygen", "--key-type", "AES:32", "--label", label, *more]
    softhsm.pkcs11_tool(custody.module, custody.token, custody.environment, *said)


def pair(desk: Desk, label: str, *more: str, kind: str = "EC:prime256v1") -> None:
    """Make a key pair with OpenSC's tool, which gives it an empty id unless more is said."""
    custody = desk.custody
    said = ["--keypairgen", "--key-type", kind, "--label", label, *more]
    softhsm.pkcs11_tool(custody.module, custody.token, custody.environment, *said)


def foreign_half(desk: Desk, label: str, kind: str) -> None:
    """Put the public half of another key into the token, with the id 0a."""
    custody = desk.custody
    pair(desk, label, "--id", "0b", kind=kind)
    destroyed(desk, "0b", "privkey")
    softhsm.pkcs11_tool(
        custody.module, custody.token, custody.environment, "--set-id", "0a", "--type", "pubkey", "--id", "0b"
    )


@SOFT
def test_keys_without_an_id_are_told_apart_by_their_labels_and_only_the_named_one_is_destroyed(desk: Desk) -> None:
    pair(desk, "A1")
    secret(desk, "B1")
    others = desk.seen("B1")
    assert desk.run(label="B1", check=True, type="aes-256")["attributes"]["label"] == "B1"
    assert actions(desk.settled(label="A1", state="absent")) == ["destroy"]
    assert (desk.seen("A1"), desk.seen("B1"), len(others)) == ([], others, 1)
    assert actions(desk.settled(label="B1", state="absent")) == ["destroy"]
    assert desk.seen("B1") == []


@SOFT
def test_a_secret_key_and_a_pair_of_one_label_and_id_are_two_keys(desk: Desk) -> None:
    pair(desk, "same")
    secret(desk, "same")
    said = desk.refusal(label="same", state="absent")
    assert "has 2 keys with label same: " in said
    there = desk.seen("same")
    assert len(there) == 3
    assert actions(desk.run(label="same", type="aes-256", state="absent")) == ["destroy"]
    assert "declared absent is one of type aes-256" in desk.refusal(label="same", type="aes-256", state="absent")
    assert [one for one in there if not one.startswith("Secret")] == desk.seen("same")


@SOFT
def test_keys_that_are_alike_in_everything_are_refused_with_the_way_out(desk: Desk) -> None:
    pair(desk, "alike", "--id", "0a")
    pair(desk, "alike", "--id", "0a")
    for state in ("present", "absent"):
        said = desk.refusal(label="alike", state=state)
        assert "has 4 keys with label alike" in said
        assert "destroy by hand what is not meant, with pkcs11-tool --delete-object" in said


@SOFT
@pytest.mark.parametrize(("kind", "key_type"), [("EC:prime256v1", "ecdsa-p256"), ("rsa:2048", "rsa-2048")])
def test_a_foreign_public_half_of_the_same_id_is_neither_returned_nor_destroyed(
    desk: Desk, kind: str, key_type: str
) -> None:
    pair(desk, "mine", "--id", "0a", kind=kind)
    destroyed(desk, "0a", "pubkey")
    own = desk.run(label="mine", type=key_type)["public_key"]
    foreign_half(desk, "theirs", kind)
    theirs = desk.seen("theirs")
    done = desk.run(label="mine", type=key_type)
    assert (done["public_key"], codes(done)[-1]) == (own, "no_public_half")
    desk.run(label="mine", state="absent")
    assert (desk.seen("mine"), desk.seen("theirs")) == ([], theirs)


@SOFT
@pytest.mark.parametrize("kind", ["EC:prime256v1", "rsa:2048"])
def test_a_foreign_public_half_of_the_same_label_and_id_is_found_out(desk: Desk, kind: str) -> None:
    pair(desk, "mine", "--id", "0a", kind=kind)
    destroyed(desk, "0a", "pubkey")
    foreign_half(desk, "mine", kind)
    assert [one.rpartition(" ")[2] for one in desk.seen("mine")] == ["0a", "0a"]
    for state in ("present", "absent"):
        said = desk.refusal(label="mine", state=state)
        assert "has 2 keys with label mine" in said
        assert "only its private half; " in said
        assert "only its public half; " in said


@SOFT
def test_a_key_that_is_to_go_and_is_not_as_the_task_says_is_not_the_one_that_is_meant(desk: Desk) -> None:
    made(desk, "web", "0a")
    said = desk.refusal(label="web", type="rsa-2048", state="absent")
    assert "key of type ecdsa-p256 with label web and id 0a, declared absent is one of type rsa-2048" in said
    token = desk.run(label="web", check=True)["attributes"]["token"]
    for attribute, message in (
        ("type=secret-key", "it says type secret-key, and token suite has a key of type ecdsa-p256"),
        ("model=other", "it says model other, and token suite has "),
        ("manufacturer=other", "it says manufacturer other, and token suite has "),
        ("serial=0815", "it says serial 0815"),
    ):
        uri = f"pkcs11:token=suite;object=web;{attribute}"
        for state in ("present", "absent"):
            assert message in desk.refusal(uri=uri, state=state)
    assert len(desk.seen("web")) == 2
    uri = f"pkcs11:token=suite;object=web;model={token['model'].replace(' ', '%20')}"
    assert actions(desk.settled(uri=uri, token_label=None, state="absent")) == ["destroy"]


@SOFT
def test_a_key_whose_label_is_no_text_is_seen_by_its_id_and_no_second_one_is_made(desk: Desk) -> None:
    pair(desk, os.fsdecode(b"caf\xe9"), "--id", "0a")
    said = desk.refusal(label="web", id="0a")
    assert "has key of type ecdsa-p256 with label none and id 0a; leave label or id out" in said
    assert actions(desk.settled(id="0a")) == ["adopt"]
    assert actions(desk.settled(id="0a", state="absent")) == ["destroy"]
    assert "Key Object" not in desk.custody.every()


@SOFT
def test_a_label_or_an_id_that_is_half_another_keys_makes_no_second_pair(desk: Desk) -> None:
    made(desk, "web", "0a")
    for said in ({"label": "web", "id": "0b"}, {"label": "other", "id": "0a"}):
        assert "key of type ecdsa-p256 with label web and id 0a; leave label or id out" in desk.refusal(**said)
    assert "set label, so that one can be made" in desk.refusal(id="0b")


@SOFT
def test_a_key_is_made_with_the_id_that_the_task_says_and_found_by_its_uri_alone(desk: Desk) -> None:
    done = desk.settled(label="signing", id="0a1b")
    assert "id=%0A%1B;object=signing" in done["uri"]
    again = desk.run(uri=done["uri"], token_label=None)
    assert (again["changed"], again["uri"]) == (False, done["uri"])


@SOFT
def test_a_key_that_somebody_else_made_is_taken_over_with_what_nobody_can_promise(desk: Desk) -> None:
    made(desk, "theirs", "0a", "--usage-sign", "--usage-decrypt", kind="rsa:2048")
    done = desk.settled(label="theirs", type="rsa-2048")
    assert actions(done) == ["adopt"]
    assert codes(done) == ["more_usages"]
    assert done["findings"][0]["msg"].startswith("it may also decrypt")
    assert done["findings"][0]["msg"].endswith(", declared is usage sign")


@SOFT
def test_a_key_that_was_imported_is_a_finding(desk: Desk, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    file = tmp_path / "key.pem"
    key = ec.generate_private_key(ec.SECP256R1())
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    custody = t.cast("softhsm.Custody", desk.custody)
    custody.hsm.util(
        "--import", str(file), "--token", custody.token, "--label", "copy", "--id", "0a", "--pin", softhsm.PIN
    )
    done = desk.settled(label="copy")
    assert {"imported", "ever_extractable"} <= set(codes(done))


@SOFT
def test_a_key_that_may_not_do_what_is_declared_is_refused(desk: Desk) -> None:
    assert desk.settled(label="agreement", usage=["derive"])["attributes"]["usage"] == ["derive"]
    said = desk.refusal(label="agreement")
    assert "may not sign (CKA_SIGN is false), declared is usage sign" in said
    assert "does not encrypt; use sign, derive" in desk.refusal(label="agreement", usage=["encrypt"])


@SOFT
def test_an_extractable_key_needs_the_leave_of_the_policy(desk: Desk, tmp_path: Path) -> None:
    said = desk.refusal(label="backup", type="aes-256", extractable=True)
    assert "rule extractable-keys, backup: extractable true; leave it out" in said
    silent, leave = tmp_path / "silent.yml", tmp_path / "leave.yml"
    silent.write_text("format: 1\nrules: []\n", encoding="utf-8")
    leave.write_text(LEAVE, encoding="utf-8")
    for policy, label in ((silent, "backup"), (leave, "other")):
        said = desk.refusal(label=label, type="aes-256", extractable=True, policy=str(policy))
        assert f"has no rule extractable_keys for {label}: extractable true; leave it out" in said
    done = desk.settled(label="backup", type="aes-256", extractable=True, policy=str(leave))
    assert (done["attributes"]["extractable"], done["findings"]) == (True, [])
    said = desk.refusal(label="backup")
    assert "which can come out of it; declare extractable: true, or write another label" in said
    desk.settled(label="never", type="aes-256")
    leave.write_text(LEAVE.replace("backup", "never"), encoding="utf-8")
    said = desk.refusal(label="never", type="aes-256", extractable=True, policy=str(leave))
    assert "which can never come out of it; declare extractable: false" in said


@SOFT
def test_a_policy_judges_the_type_of_a_key_that_is_made_and_of_one_that_is_there(desk: Desk, tmp_path: Path) -> None:
    policy = tmp_path / "policy.yml"
    policy.write_text(
        "format: 1\nrules:\n  - {id: types, key_type: {allow: [ecdsa-p384, aes-256]}}\n"
        "  - {id: mine, only: {kinds: [x509]}, contact: {}}\n",
        encoding="utf-8",
    )
    for said in ({}, {"type": "ecdsa-p256"}):
        shown = desk.refusal(label="web", policy=str(policy), **said)
        assert "rule types, web: key.type ecdsa-p256; use one of" in shown
    made(desk, "web")
    assert "rule types, web: key.type ecdsa-p256" in desk.refusal(label="web", policy=str(policy))
    assert actions(desk.settled(label="new", type="ecdsa-p384", policy=str(policy))) == ["stage_key"]
    assert actions(desk.settled(label="web", state="absent", policy=str(policy))) == ["destroy"]


@SOFT
def test_the_key_of_an_identity_is_known_and_is_not_destroyed_while_it_is_used(desk: Desk, tmp_path: Path) -> None:
    world = World(tmp_path / "world")
    token = desk.custody.recipe("")["token"]
    os.environ.update(desk.custody.environment)
    world.settled([web(key={"custody": {"pkcs11": token}})])
    label, ledger = label_of(HOST, str(world.store), "web"), world.url
    found = desk.run(label=label, ledger=ledger)
    assert found["steps"] == []
    assert found["uri"] == world.path("web", "current", "key_uri.txt").read_text().strip()
    with pytest.raises(Denied, match=f"is in use by identity web of {HOST}; replace it there first, or set destroy_in"):
        desk.run(label=label, ledger=ledger, state="absent")
    assert len(desk.seen(label)) == 2
    done = desk.run(label=label, ledger=ledger, state="absent", destroy_in_use=True)
    assert f"although it is in use by identity web of {HOST}" in done["steps"][0]["reason"]
    assert desk.seen(label) == []
    asked = {**{name: option.default for name, option in HSM_KEY.items()}, "ledger": ledger, "part": "uri"}
    with pytest.raises(Misconfigured, match=r"had the key pkcs11:.*, which was destroyed; machine_identity makes"):
        of_ledger(asked, ["web"], HOST)
    healed = world.converge([web(key={"custody": {"pkcs11": token}})])["identities"][0]
    assert "gone" in healed["steps"][0]["reason"]


@SOFT
def test_a_key_that_others_destroyed_is_made_anew_and_the_record_follows(desk: Desk) -> None:
    first = desk.run(label="signing")
    destroyed(desk, first["attributes"]["id"], "privkey", "pubkey")
    done = desk.settled(label="signing")
    assert done["steps"][0]["reason"].endswith("no longer has the key with label signing")
    assert done["uri"] != first["uri"]
    assert [row["uri"] for row in desk.recorded()] == [done["uri"]]


@SOFT
def test_a_public_half_alone_is_no_key_and_may_be_destroyed(desk: Desk) -> None:
    made(desk, "half", "0a")
    destroyed(desk, "0a", "privkey")
    assert "only its public half; destroy it with state: absent" in desk.refusal(label="half")
    assert actions(desk.settled(label="half", state="absent")) == ["destroy"]
    assert desk.seen("half") == []


@SOFT
@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"pin": "canary-9999"}, "token suite refuses its PIN; correct it before you run again"),
        ({"token_label": "other"}, "no token has token_label other; "),
        ({"pin": None}, "needs its user PIN; set pin_file, pin_env or pin"),
        ({"pin": None, "pin_env": "NOBODY_SET_IT"}, "pin_env NOBODY_SET_IT is not set, or is empty"),
        ({"pin": None, "pin_file": "/nowhere/pin"}, "pin_file /nowhere/pin cannot be read where the token is"),
        ({"module_path": "/nowhere/module.so"}, "module_path /nowhere/module.so is not the absolute path of a file"),
    ],
)
def test_a_token_that_cannot_be_opened_is_a_sentence(desk: Desk, said: dict[str, t.Any], message: str) -> None:
    shown = desk.refusal(label="signing", **said)
    assert message in shown
    assert "canary" not in shown


@SOFT
@pytest.mark.parametrize(
    "spoilt",
    [
        {"identities": []},
        {"identities": [{"name": "key"}]},
        {"identities": [{"name": "key", "seen": {"label": "x"}}]},
        {"identities": [{"name": "key", "error": {"kind": "Nothing", "message": "x"}}]},
        {"identities": ["key"]},
    ],
)
def test_an_answer_of_another_form_is_refused(desk: Desk, spoilt: dict[str, t.Any]) -> None:
    def lies(arguments: t.Mapping[str, t.Any]) -> t.Any:
        return {**desk.execute(arguments), **spoilt}

    with pytest.raises(Denied, match=r"^host: "):
        desk.run(label="signing", execute=lies)


@SOFT
def test_nothing_that_opens_the_token_is_shown_or_kept(desk: Desk) -> None:
    done = desk.run(label="signing", diff=True)
    assert softhsm.PIN not in str(done)
    assert softhsm.PIN.encode() not in desk.ledger.read_bytes()


class Site:
    """A controller that is its own two hosts, with a token `suite`; ansible-playbook is a process of its own."""

    def __init__(self, root: Path) -> None:
        self.root, self.home, self.ledger = root, root / "home", f"sqlite:///{root}/ledger.db"
        self.custody = softhsm.Custody(root, None)
        self.file = root / "pin"
        self.file.write_text(f"{softhsm.PIN}\n", encoding="ascii")
        self.file.chmod(0o600)
        self.token = {"module_path": softhsm.MODULE, "token_label": "suite"}

    def run(self, *tasks: dict[str, t.Any], code: int = 0, **env: str) -> list[dict[str, t.Any]]:
        """Return what each task returned on web1."""
        environment = {**self.custody.environment, "KEYSTEAD_LEDGER": self.ledger, **env}
        play = {"hosts": "all", "gather_facts": False, "tasks": list(tasks)}
        done = playbook.run([play], {"web1": {}, "web2": {}}, "--limit", "web1", home=self.home, env=environment)
        assert done.returncode == code, done.stdout + done.stderr
        assert softhsm.PIN not in done.stdout + done.stderr
        return playbook.results(self.home)

    def key(self, label: str, **said: t.Any) -> dict[str, t.Any]:
        """Return a task about a key, whose PIN is in a file."""
        opened = {} if {"pin", "pin_env"} & said.keys() else {"pin_file": str(self.file)}
        return {MODULE: {**self.token, **opened, "ledger": self.ledger, "label": label, **said}}

    def say(self, expression: str, *, code: int = 0, **env: str) -> str:
        """Return what a template is worth."""
        return str(self.run({"ansible.builtin.debug": {"msg": f"{{{{ {expression} }}}}"}}, code=code, **env)[0]["msg"])


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@SOFT
def test_a_playbook_makes_a_key_on_a_host_and_one_on_the_controller_and_destroys_both(site: Site) -> None:
    here = {"delegate_to": "localhost"}
    first, again, other, shown, gone, too = site.run(
        site.key("signing"), {**site.key("signing"), "check_mode": True}, {**site.key("theirs"), **here},
        {**site.key("theirs", state="absent"), **here, "check_mode": True, "diff": True},
        site.key("signing", state="absent"), {**site.key("theirs", state="absent"), **here},
    )  # fmt: skip
    assert (first["changed"], again["changed"], other["changed"]) == (True, False, True)
    assert first["public_key"] == again["public_key"] != other["public_key"]
    assert shown["diff"]["before"].startswith("type: ecdsa-p256\nlabel: theirs\n")
    assert shown["diff"]["after"] == ""
    assert (gone["changed"], too["changed"]) == (True, True)
    assert site.custody.seen("signing") == site.custody.seen("theirs") == []


@SOFT
def test_the_pin_of_a_task_goes_down_a_pipe_and_touches_no_disk_where_there_is_none(site: Site) -> None:
    opened = site.key("signing", pin="{{ lookup('file', '" + str(site.file) + "') }}")
    refused = site.run(opened, code=2, ANSIBLE_PIPELINING="False")[0]
    assert "hsm_key: without pipelining" in refused["msg"]
    assert "pin_file" in refused["msg"]
    assert site.run(opened)[0]["changed"]


def logins(log: Path) -> int:
    """Return how often a token was logged in to, as OpenSC's module between tells."""
    return len(re.findall(r"^\d+: C_Login$", log.read_text(encoding="utf-8", errors="replace"), re.MULTILINE))


@SOFT
@pytest.mark.needs("pkcs11-tool")
def test_a_wrong_pin_is_tried_once_in_a_run_by_items_tasks_hosts_and_modules(site: Site) -> None:
    log = site.root / "spy.log"
    spied = {**site.token, "module_path": SPY, "pin_file": str(site.file)}
    site.file.write_text("000000\n", encoding="ascii")
    key = {MODULE: {**spied, "ledger": site.ledger, "label": "web"}, "ignore_errors": True}
    said = {
        "issuer": {"local": local.two_tiers(site.root / "ca")}, "ledger": site.ledger,
        "store": str(site.root / "store"),
        "identities": [{"name": "web", "dns_names": ["web.example.org"], "key": {"custody": {"pkcs11": spied}}}],
    }  # fmt: skip
    identity = {IDENTITY: said, "ignore_errors": True}
    spying = {"PKCS11SPY": softhsm.MODULE, "PKCS11SPY_OUTPUT": str(log)}
    results = site.run({**key, "loop": [1, 2, 3]}, key, {**key, "delegate_to": "localhost"}, identity, **spying)
    assert logins(log) == 1
    assert "refuses its PIN" in str(results[0])
    for result in results[1:]:
        assert "earlier in this run" in str(result)
    site.run({**key, "loop": [1, 2]}, **spying)
    assert logins(log) == 2, "another run tries again, once"


@SOFT
def test_the_pin_may_be_in_the_environment_of_the_task(site: Site) -> None:
    opened = {**site.key("signing", pin_env="HSM_PIN"), "environment": {"HSM_PIN": softhsm.PIN}}
    assert site.run(opened)[0]["changed"]


@SOFT
def test_a_template_asks_the_ledger_for_a_key_of_a_token_and_of_an_identity(site: Site) -> None:
    custody = {"pkcs11": {**site.token, "pin_file": str(site.file)}}
    identities = [
        {"name": "web", "dns_names": ["web.example.org"], "key": {"custody": custody}},
        {"name": "plain", "dns_names": ["plain.example.org"]},
    ]
    issued = {
        "issuer": {"local": local.two_tiers(site.root / "ca")}, "ledger": site.ledger,
        "store": str(site.root / "store"), "identities": identities,
    }  # fmt: skip
    signing, _aes, records = site.run(site.key("signing"), site.key("backup", type="aes-256"), {IDENTITY: issued})
    assert site.say(LOOKUP.format("'signing'")) == signing["public_key"]
    assert site.say(LOOKUP.format("'signing', part='uri', host='web1'")) == signing["uri"]
    assert site.say(LOOKUP.format(f"'{signing['uri']}'")) == signing["public_key"]
    uri = records["identities"][0]["key_uri"]
    assert site.say(LOOKUP.format("'web', part='uri'")) == uri
    assert site.say(LOOKUP.format("'plain', store='" + issued["store"] + "'")).startswith("-----BEGIN PUBLIC KEY")
    token = f"module_path='{softhsm.MODULE}', token_label='suite', pin_file='{site.file}'"
    assert site.say(LOOKUP.format(f"'{uri}', {token}")) == site.say(LOOKUP.format("'web'"))
    for said, message in (
        ("'plain', part='uri'", "has its key in custody file, where it has no URI"),
        ("'backup'", "backup has no public key: it is a secret key; ask for part uri"),
        ("'sining'", "the ledger knows no key 'sining' in a token, and no identity of that name on host web1; did you"),
        ("'signing', token_label='other'", "it knows none"),
        ("'signing', tokn='x'", "hsm_key: option tokn is unknown"),
        (f"'other', {token}", "hsm_key: token suite has no key with label other"),
        (f"'x', {token}, pin='SESAME'", "one of pin, pin_env, pin_file is enough, found pin and pin_file"),
        (f"'x', module_path='{softhsm.MODULE}', token_label='suite', pin='SESAME'", "token suite refuses its PIN"),
    ):
        shown = site.say(LOOKUP.format(said), code=2)
        assert message in shown
        assert "SESAME" not in shown


@SOFT
def test_a_name_that_is_both_a_key_and_an_identity_is_refused_until_the_template_says_which(site: Site) -> None:
    issued = {
        "issuer": {"local": local.two_tiers(site.root / "ca")}, "ledger": site.ledger,
        "store": str(site.root / "store"), "identities": [{"name": "web", "dns_names": ["web.example.org"]}],
    }  # fmt: skip
    made_key, _issued = site.run(site.key("web"), {IDENTITY: issued})
    shown = site.say(LOOKUP.format("'web'"), code=2)
    assert "set option store to mean the identity, or token_label or token_serial to mean that key" in shown
    assert site.say(LOOKUP.format("'web', token_label='suite'")) == made_key["public_key"]
    assert site.say(LOOKUP.format(f"'web', store='{issued['store']}'")) != made_key["public_key"]
