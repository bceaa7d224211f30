# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""key_rotate over keys that only the controller reaches: what each backend does with versions and aliases meanwhile."""

from __future__ import annotations

import base64
import re
import typing as t
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.tests.harness.faults import ForkServer
from ansible_collections.keystead.identity.tests.harness.openbao_server import Refused
from ansible_collections.keystead.identity.tests.harness.rotation_desk import Desk, acted, actions, states
from ansible_collections.keystead.identity.tests.harness.rotations import AwsKms, OpenBaoTransit

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.tests.harness.moto import Moto
    from ansible_collections.keystead.identity.tests.harness.openbao_server import Server

BAO, AWS = pytest.mark.needs(*OpenBaoTransit.needs), pytest.mark.needs(*AwsKms.needs)
ROTATION = ["stage_key", "prove", "activate"]
PAGE = Path(__file__).parents[2] / "docs/docsite/rst/rotating_keys.rst"
DATA = base64.b64encode(b"what is kept for years").decode()


@pytest.fixture
def transit(openbao: Server, tmp_path: Path) -> OpenBaoTransit:
    return OpenBaoTransit(tmp_path, openbao)


@pytest.fixture
def kms(moto: Moto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AwsKms:
    bench = AwsKms(tmp_path, moto)
    for name, value in bench.environment.items():
        monkeypatch.setenv(name, value)
    return bench


def call(bench: OpenBaoTransit, path: str, name: str, **said: t.Any) -> dict[str, t.Any]:
    """Ask the engine, as who uses the key."""
    return t.cast("dict[str, t.Any]", bench.engine.call("POST", f"{bench.engine.mount}/{path}/{name}", said)["data"])


@BAO
def test_an_old_version_verifies_and_signs_nothing_any_more(transit: OpenBaoTransit, tmp_path: Path) -> None:
    desk = Desk(tmp_path / "ledger.sqlite", transit.first("web"))
    old = call(transit, "sign", "web", input=DATA)["signature"]
    desk.settled()
    desk.later(days=91)
    assert actions(desk.settled()) == ROTATION
    assert call(transit, "verify", "web", input=DATA, signature=old)["valid"]
    assert call(transit, "sign", "web", input=DATA)["key_version"] == 2
    with pytest.raises(Refused, match="less than the minimum encryption key version"):
        call(transit, "sign", "web", input=DATA, key_version=1)
    desk.later(days=2)
    desk.ends(grace="1d")
    assert states(desk.settled(grace="1d")) == {1: "revoked", 2: "active"}
    with pytest.raises(Refused):
        call(transit, "verify", "web", input=DATA, signature=old)


@BAO
@pytest.mark.parametrize("kind", ["aes256-gcm96", "chacha20-poly1305"])
def test_what_an_old_version_encrypted_is_decrypted_until_its_grace_is_over(
    transit: OpenBaoTransit, tmp_path: Path, kind: str
) -> None:
    desk = Desk(tmp_path / "ledger.sqlite", transit.first("web", kind))
    old = call(transit, "encrypt", "web", plaintext=DATA)["ciphertext"]
    assert desk.settled()["public_key"] is None
    desk.later(days=91)
    done = desk.settled(grace="30d")
    assert (actions(done), done["type"]) == (ROTATION, kind)
    assert call(transit, "decrypt", "web", ciphertext=old)["plaintext"] == DATA
    assert call(transit, "rewrap", "web", ciphertext=old)["key_version"] == 2
    desk.later(days=31)
    desk.ends(grace="30d")
    assert actions(desk.settled(grace="30d")) == ["destroy"]
    with pytest.raises(Refused):
        call(transit, "decrypt", "web", ciphertext=old)


@BAO
def test_a_version_that_somebody_else_made_is_the_active_one_and_those_before_it_are_tainted(
    transit: OpenBaoTransit, tmp_path: Path
) -> None:
    desk = Desk(tmp_path / "ledger.sqlite", transit.first("web"))
    desk.settled()
    transit.engine.rotate("web")
    transit.engine.rotate("web")
    done = desk.settled()
    assert (actions(done), states(done)) == (["adopt", "adopt", "activate"], {1: "tainted", 2: "tainted", 3: "active"})
    with pytest.raises(Refused, match="less than the minimum encryption key version"):
        call(transit, "sign", "web", input=DATA, key_version=2)


@BAO
def test_a_version_that_is_tainted_is_kept_from_signing_again_where_somebody_lets_it(
    transit: OpenBaoTransit, tmp_path: Path
) -> None:
    desk = Desk(tmp_path / "ledger.sqlite", transit.first("web"))
    desk.run()
    desk.later(days=91)
    desk.run()
    transit.engine.call("POST", f"{transit.engine.mount}/keys/web/config", {"min_encryption_version": 0})
    assert call(transit, "sign", "web", input=DATA, key_version=1)["key_version"] == 1
    done = desk.settled()
    assert actions(done) == ["activate"]
    assert "still uses generation 1" in done["steps"][0]["reason"]
    with pytest.raises(Refused, match="less than the minimum encryption key version"):
        call(transit, "sign", "web", input=DATA, key_version=1)


@BAO
@pytest.mark.parametrize(
    ("made", "said"),
    [({"type": "hmac", "key_size": 32}, "is of type hmac"), ({"auto_rotate_period": "24h"}, "new versions by itself")],
)
def test_a_key_that_is_not_ours_to_rotate_is_refused(
    transit: OpenBaoTransit, tmp_path: Path, made: dict[str, t.Any], said: str
) -> None:
    transit.engine.call("POST", f"{transit.engine.mount}/keys/web", made)
    record = Desk(tmp_path / "ledger.sqlite", {"openbao_transit": transit.engine.options("web")}).run()
    assert record["failed"]
    assert said in record["msg"]


@BAO
@pytest.mark.parametrize("kind", ["ecdsa-p256", "aes256-gcm96"])
def test_the_rights_that_the_page_calls_the_least_are_enough(
    transit: OpenBaoTransit, tmp_path: Path, kind: str
) -> None:
    page = PAGE.read_text(encoding="utf-8")
    (policy,) = re.findall(r"^\.\. code-block:: text\n\n((?: .*\n|\n)+)", page, re.MULTILINE)
    transit.engine.allow(policy.replace('"keys/', f'"{transit.engine.mount}/'))
    transit.first("release", kind)
    options = transit.engine.options("release", auth={"token": {"token": transit.engine.token()}})
    desk = Desk(tmp_path / "ledger.sqlite", {"openbao_transit": options})
    desk.settled()
    desk.later(days=91)
    assert actions(desk.settled(grace="1d")) == ROTATION
    desk.later(days=2)
    desk.ends(grace="1d")
    assert actions(desk.settled(grace="1d")) == ["destroy"]


@BAO
def test_two_hosts_that_declare_the_same_key_rotate_it_once(transit: OpenBaoTransit, tmp_path: Path) -> None:
    desk = Desk(tmp_path / "ledger.sqlite", transit.first("web"))
    desk.run()
    said = {"task": {"max_age": None, "created_before": desk.moment()}}
    with ForkServer() as one, ForkServer() as other, ThreadPoolExecutor(2) as both:
        ended = list(both.map(lambda server: server.run(acted, desk, said), (one, other)))
    assert sorted(one.value for one in ended) == [[], ROTATION]
    assert transit.alive("web") == 2


@AWS
def test_an_alias_leads_to_the_new_key_and_what_was_replaced_can_be_saved_for_a_while(
    kms: AwsKms, tmp_path: Path
) -> None:
    desk = Desk(tmp_path / "ledger.sqlite", kms.first("release"), kms.environment)
    first = kms.led("release")
    desk.settled()
    desk.later(days=91)
    done = desk.settled()
    assert kms.led("release") == done["uri"] != first
    assert [one["AliasName"] for one in kms.kms.list_aliases(KeyId=first)["Aliases"]] == []
    desk.later(days=2)
    desk.ends(grace="1d")
    assert actions(desk.settled(grace="1d")) == ["destroy"]
    assert kms.kms.describe_key(KeyId=first)["KeyMetadata"]["KeyState"] == "PendingDeletion"


@AWS
def test_a_key_that_another_alias_leads_to_is_not_deleted(kms: AwsKms, tmp_path: Path) -> None:
    desk = Desk(tmp_path / "ledger.sqlite", kms.first("shared"), kms.environment)
    kms.kms.create_alias(AliasName="alias/also", TargetKeyId=kms.led("shared"))
    desk.settled()
    desk.later(days=91)
    desk.settled()
    desk.later(days=2)
    desk.ends(grace="1d")
    record = desk.run(grace="1d")
    assert record["failed"]
    assert "alias/also leads to" in record["msg"]
    assert kms.alive("shared") == 2


@AWS
def test_an_alias_that_somebody_moved_back_is_put_right_and_one_that_was_moved_on_is_believed(
    kms: AwsKms, tmp_path: Path
) -> None:
    desk = Desk(tmp_path / "ledger.sqlite", kms.first("moved"), kms.environment)
    first = kms.led("moved")
    desk.settled()
    desk.later(days=91)
    second = desk.settled()["uri"]
    kms.kms.update_alias(AliasName="alias/moved", TargetKeyId=first)
    assert (actions(desk.settled()), kms.led("moved")) == (["activate"], second)
    third = kms.kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    kms.kms.update_alias(AliasName="alias/moved", TargetKeyId=third)
    done = desk.settled(task={"max_age": "3650d"})
    assert (actions(done), done["uri"], states(done)) == (["adopt"], third, {1: "tainted", 2: "tainted", 3: "active"})


@AWS
@pytest.mark.parametrize(("spec", "usage"), [("SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"), ("RSA_2048", "ENCRYPT_DECRYPT")])
def test_a_key_that_does_not_sign_is_left_to_kms(kms: AwsKms, tmp_path: Path, spec: str, usage: str) -> None:
    name = f"alias/{spec.lower().replace('_', '-')}"
    made = kms.kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["Arn"]
    kms.kms.create_alias(AliasName=name, TargetKeyId=made)
    custody = {"aws_kms": {"alias": name, "region": "eu-west-1"}}
    record = Desk(tmp_path / "ledger.sqlite", custody, kms.environment).run()
    assert record["failed"]
    assert "let KMS rotate it itself" in record["msg"]


@AWS
def test_a_leaked_key_that_was_disabled_first_is_replaced(kms: AwsKms, tmp_path: Path) -> None:
    desk = Desk(tmp_path / "ledger.sqlite", kms.first("leaked"), kms.environment)
    first = kms.led("leaked")
    desk.settled()
    kms.kms.disable_key(KeyId=first.rpartition("/")[2])
    young = desk.run()
    assert young["failed"]
    assert f"generation 1 is disabled; aws kms enable-key --key-id {first.rpartition('/')[2]}" in young["msg"]
    done = desk.settled(overlap="1d", task={"max_age": None, "created_before": desk.moment()})
    assert (actions(done), states(done)) == (ROTATION, {1: "tainted", 2: "active"})
    assert kms.led("leaked") == done["uri"] != first


@AWS
def test_a_key_that_is_to_be_deleted_can_be_saved_and_replaced_then(kms: AwsKms, tmp_path: Path) -> None:
    desk = Desk(tmp_path / "ledger.sqlite", kms.first("doomed"), kms.environment)
    first = kms.led("doomed")
    desk.settled()
    said = {"task": {"max_age": None, "created_before": desk.moment()}}
    kms.kms.schedule_key_deletion(KeyId=first.rpartition("/")[2], PendingWindowInDays=7)
    lost = desk.run(**said)
    assert lost["failed"]
    assert f"aws kms cancel-key-deletion --key-id {first.rpartition('/')[2]}" in lost["msg"]
    kms.kms.cancel_key_deletion(KeyId=first.rpartition("/")[2])
    assert actions(desk.settled(**said)) == ROTATION
