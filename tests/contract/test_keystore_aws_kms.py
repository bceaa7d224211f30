# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is particular to keys in AWS KMS: aliases, tags, a deletion that waits, rights, and how AWS is not reached."""

from __future__ import annotations

import hashlib
import inspect
import itertools
import json
import re
import textwrap
import typing as t
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import (
    Denied,
    KeysteadError,
    Misconfigured,
    Unreached,
)
from ansible_collections.keystead.identity.tests.harness.aws_kms import REGION, Custody
from ansible_collections.keystead.identity.tests.harness.issuers import check_sentence
from ansible_collections.keystead.identity.tests.harness.keystores import Kept, slot
from ansible_collections.keystead.identity.tests.harness.moto import SECRET_KEY, Moto, nowhere, reached, running
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

pytestmark = pytest.mark.needs("moto")

PAGE = Path(__file__).resolve().parents[2] / "docs" / "docsite" / "rst" / "custody_aws_kms.rst"
_numbers = itertools.count()


class Aws(t.NamedTuple):
    """An identity of its own in the stand-in, seen by boto3 itself."""

    kept: Kept
    custody: Custody
    kms: t.Any

    @property
    def alias(self) -> str:
        return f"alias/{self.kept.label}"

    def store(self, current: str | None = None, *used: str, **options: str) -> t.Any:
        recipe = self.custody.recipe(self.kept.label)
        recipe["options"].update(options)
        return self.custody.open(recipe, slot(self.kept.label, current, *used))

    def staged(self, current: str | None = None) -> str:
        return str(self.store(current).stage("ecdsa-p256").uri)

    def current(self) -> str:
        """Make the first key, as a run does."""
        uri = self.staged()
        self.store(uri).promote()
        return uri

    def aliases(self) -> dict[str, str]:
        """Return what the aliases of the identity lead to, as ARNs."""
        found = self.custody.aliases(self.kept.label)
        return {name: self.kms.describe_key(KeyId=key)["KeyMetadata"]["Arn"] for name, key in found.items()}

    def state(self, uri: str) -> str:
        return str(self.kms.describe_key(KeyId=uri)["KeyMetadata"]["KeyState"])

    def foreign(self) -> str:
        """Make a key that is nobody's here."""
        return str(self.kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"])


@pytest.fixture
def aws(moto: Moto, tmp_path: Path) -> t.Iterator[Aws]:
    custody = Custody(tmp_path, moto)
    label = f"particular-{next(_numbers)}"
    yield Aws(Kept("aws_kms", custody, label), custody, moto.client("kms", REGION))
    custody.stop()


def refused(work: t.Callable[[], object], kind: type[KeysteadError] = Misconfigured) -> str:
    """Return the sentence that work ends with."""
    with pytest.raises(kind) as error:
        work()
    return check_sentence(error.value, "aws_kms", (SECRET_KEY,))


# aliases and tags


def test_a_key_says_whose_it_is_and_only_signs(aws: Aws) -> None:
    uri = aws.staged()
    said = aws.kms.describe_key(KeyId=uri)["KeyMetadata"]
    assert (said["KeyUsage"], said["KeySpec"], said["Description"]) == ("SIGN_VERIFY", "ECC_NIST_P256", aws.kept.label)
    assert aws.custody.tags(uri) == {"managed-by": "keystead", "keystead:label": aws.kept.label}


def test_a_label_that_no_tag_can_have_is_known_by_its_hash(aws: Aws) -> None:
    label = "web [on] host, ünder /srv"
    made = aws.custody.open(aws.custody.recipe(aws.kept.label), slot(label)).stage("ecdsa-p256")
    assert aws.custody.tags(made.uri)["keystead:label"] == "sha256:" + hashlib.sha256(label.encode()).hexdigest()
    store = aws.custody.open(aws.custody.recipe(aws.kept.label), slot(label))
    assert store.staged().uri == made.uri
    store.delete()
    assert aws.state(made.uri) == "PendingDeletion"


def test_the_alias_moves_with_the_current_key_and_the_other_one_goes(aws: Aws) -> None:
    first = aws.current()
    assert aws.aliases() == {aws.alias: first}
    second = aws.staged(first)
    assert aws.aliases() == {aws.alias: first, f"{aws.alias}-next": second}
    aws.store(second, first).promote()
    assert aws.aliases()[aws.alias] == second
    aws.store(second).delete()
    assert aws.aliases() == {aws.alias: second}
    assert (aws.state(first), aws.state(second)) == ("PendingDeletion", "Enabled")


def test_an_alias_that_was_removed_or_moved_to_another_key_of_ours_is_left_and_promoted_again(aws: Aws) -> None:
    first = aws.current()
    second = aws.staged(first)
    aws.kms.update_alias(AliasName=aws.alias, TargetKeyId=second)
    assert aws.store(first, second).current().uri == first
    assert "does not lead to the current key" in aws.store(first, second).left()
    aws.kms.delete_alias(AliasName=aws.alias)
    assert aws.store(first, second).current().uri == first
    assert "does not lead to the current key" in aws.store(first, second).left()
    aws.store(first, second).promote()
    assert aws.aliases()[aws.alias] == first


@pytest.mark.parametrize("suffix", ["", "-next"])
def test_an_alias_that_leads_to_a_key_of_somebody_else_is_refused_and_never_moved(aws: Aws, suffix: str) -> None:
    theirs = aws.foreign()
    aws.kms.create_alias(AliasName=aws.alias + suffix, TargetKeyId=theirs)
    said = refused(lambda: aws.store().stage("ecdsa-p256"))
    assert f"option alias: {aws.alias}{suffix} leads to {theirs}, which is not a key of this identity" in said
    ours = "arn:aws:kms:eu-west-1:123456789012:key/00000000-0000-0000-0000-000000000000"
    for work in (aws.store(ours).promote, aws.store().delete, aws.store().left):
        if suffix == "" or work.__name__ != "promote":
            refused(work)
    assert aws.aliases()[aws.alias + suffix] == theirs
    assert aws.state(theirs) == "Enabled"
    assert aws.kept.seen() == []


def test_an_alias_of_another_identity_of_ours_is_refused_as_well(aws: Aws) -> None:
    aws.current()
    other = aws.custody.open(aws.custody.recipe(aws.kept.label), slot("another identity"))
    assert "not a key of this identity" in refused(other.current)


@pytest.mark.parametrize(
    ("alias", "said"),
    [
        ("web", "it begins with alias/"),
        ("alias/", "it begins with alias/"),
        ("alias/web one", "it begins with alias/"),
        ("alias/" + "w" * 246, "it begins with alias/"),
        ("alias/aws/kms", "is reserved for AWS"),
    ],
)
def test_a_name_that_is_no_alias_is_refused_before_aws_is_asked(aws: Aws, alias: str, said: str) -> None:
    assert said in refused(lambda: aws.store(alias=alias))


# deletion


@pytest.mark.parametrize("window", ["6d", "31d", "170h", "soon", "0s"])
def test_a_window_that_kms_does_not_have_is_refused(aws: Aws, window: str) -> None:
    with pytest.raises(Misconfigured, match=re.escape(repr(window))):
        aws.store(pending_window=window)


@pytest.mark.parametrize(("window", "days"), [("7d", 7), ("168h", 7), ("30d", 30)])
def test_a_key_that_was_replaced_waits_for_the_window(aws: Aws, window: str, days: int) -> None:
    uri = aws.staged()
    aws.store(pending_window=window).delete()
    said = aws.kms.describe_key(KeyId=uri)["KeyMetadata"]
    assert said["KeyState"] == "PendingDeletion"
    assert round((said["DeletionDate"] - said["CreationDate"]).total_seconds() / 86400, 2) == days


def test_deleting_again_does_not_begin_the_window_anew(aws: Aws) -> None:
    uri = aws.staged()
    aws.store(pending_window="7d").delete()
    before = aws.kms.describe_key(KeyId=uri)["KeyMetadata"]["DeletionDate"]
    aws.store(pending_window="30d").delete()
    assert aws.kms.describe_key(KeyId=uri)["KeyMetadata"]["DeletionDate"] == before


def test_a_key_that_is_used_again_is_saved_from_the_deletion_that_an_earlier_run_scheduled(aws: Aws) -> None:
    first = aws.current()
    second = aws.staged(first)
    aws.store(second).promote()
    aws.store(second).delete()
    assert aws.store(first, second).current() is None
    assert f"{first} is in use and yet scheduled for deletion" in aws.store(first, second).left()
    aws.store(first, second).promote()
    assert aws.state(first) == "Enabled"
    assert "keystead:retired" not in aws.custody.tags(first)
    assert aws.aliases() == {aws.alias: first}
    assert aws.store(first, second).current().uri == first
    assert aws.store(first, second).left() is None


def test_a_saving_that_was_killed_halfway_is_finished(aws: Aws) -> None:
    first = aws.current()
    aws.store().delete()
    aws.kms.cancel_key_deletion(KeyId=first.rpartition("/")[2])
    assert aws.state(first) == "Disabled"
    aws.store(first).promote()
    assert aws.state(first) == "Enabled"


@pytest.mark.parametrize("how", ["disabled", "scheduled"])
def test_a_key_that_somebody_else_took_out_of_service_is_none_and_stays_so(aws: Aws, how: str) -> None:
    uri = aws.current()
    identifier = uri.rpartition("/")[2]
    if how == "disabled":
        aws.kms.disable_key(KeyId=identifier)
    else:
        aws.kms.schedule_key_deletion(KeyId=identifier, PendingWindowInDays=7)
    before = aws.state(uri)
    assert aws.store(uri).current() is None
    aws.store(uri).promote()
    assert aws.state(uri) == before != "Enabled"


# a run that is killed


def test_a_key_whose_run_was_killed_before_it_had_an_alias_is_found_by_its_tags(aws: Aws) -> None:
    used = aws.current()
    tags = [{"TagKey": name, "TagValue": value} for name, value in aws.custody.tags(used).items()]
    made = aws.kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY", Tags=tags)["KeyMetadata"]["Arn"]
    assert aws.store(used).staged() is None
    second = aws.staged(used)
    assert second != made
    aws.store(second, used).promote()
    aws.store(second).delete()
    assert [aws.state(uri) for uri in (used, made, second)] == ["PendingDeletion", "PendingDeletion", "Enabled"]


KILLED = """
import botocore.endpoint
asked, send = [], botocore.endpoint.Endpoint._send

def send_or_die(self, request):
    asked.append(request)
    if len(asked) == {number}:
        os._exit(0)
    return send(self, request)

botocore.endpoint.Endpoint._send = send_or_die
renew(lambda *used: custody(told["module"]).open(told["recipe"], slot(told["slot"][0], *used)), {first!r})
print("done")
"""


def renew(store: t.Callable[..., t.Any], first: str) -> str:
    """Replace a key, as a run does; return the ARN of the new one."""
    made = str(store(first).stage("ecdsa-p256").uri)
    store(made, first).promote()
    store(made).delete()
    return made


def test_a_renewal_that_is_killed_before_any_of_its_calls_is_finished_by_the_next_run(aws: Aws) -> None:
    script = inspect.getsource(renew).replace("t.Callable[..., t.Any]", "object") + KILLED
    for number in range(1, 60):
        one = aws._replace(kept=aws.kept._replace(label=f"{aws.kept.label}-{number}"))
        first = one.current()
        if one.kept.elsewhere(script.format(number=number, first=first), first) == "done":
            break
        current = renew(one.store, first)
        assert one.kept.seen() == [current]
        assert one.aliases() == {one.alias: current}
        assert (one.store(current).staged(), one.store(current).left()) == (None, None)
    assert 20 < number < 59


def test_more_keys_than_one_answer_names_are_all_found(aws: Aws) -> None:
    used = aws.current()
    tags = [{"TagKey": name, "TagValue": value} for name, value in aws.custody.tags(used).items()]
    for _ in range(120):
        aws.kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY", Tags=tags)
    assert len(aws.kept.seen()) == 121
    aws.store(used).delete()
    assert aws.kept.seen() == [used]


def test_a_key_that_waits_is_left_over_where_no_generation_has_it(aws: Aws) -> None:
    used = aws.current()
    aws.staged(used)
    assert f"{aws.alias}-next is still there: it leads to a key that no generation has" in aws.store(used).left()
    aws.store(used).delete()
    assert aws.store(used).left() is None
    assert aws.aliases() == {aws.alias: used}


def test_a_run_with_nothing_to_do_asks_once_for_the_current_key(aws: Aws, moto: Moto) -> None:
    uri = aws.current()
    log = moto.directory / "moto.log"
    before = log.read_text().count("POST / ")
    assert aws.store(uri).current().uri == uri
    assert log.read_text().count("POST / ") == before + 1


def test_the_uri_of_a_key_in_another_custody_is_none_here(aws: Aws) -> None:
    store = aws.store("pkcs11:token=keystead;object=web")
    assert (store.current(), store.left()) == (None, None)
    store.promote()
    assert aws.aliases() == {}


# signatures


def test_a_longer_message_is_signed_by_its_digest(aws: Aws) -> None:
    key, data = aws.store().stage("ecdsa-p256"), b"x" * 4097
    signature, digest = key.sign(data), hashlib.sha256(data).digest()
    try:
        key.public_key().verify(signature, digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
    except InvalidSignature:  # moto hashes what it is told is hashed: then it was told the right digest
        key.public_key().verify(signature, digest, ec.ECDSA(hashes.SHA256()))


def test_a_p521_key_signs_with_sha_512(aws: Aws) -> None:
    key = aws.store().stage("ecdsa-p521")
    key.public_key().verify(key.sign(b"data"), b"data", ec.ECDSA(hashes.SHA512()))


@pytest.mark.parametrize("key_type", ["ed25519", "ml-dsa-65"])
def test_what_this_region_does_not_make_is_refused_by_name(aws: Aws, key_type: str) -> None:
    said = refused(lambda: aws.store().stage(key_type))
    assert f"the region makes no keys of key.type {key_type} (" in said


# rights


def policy() -> dict[str, t.Any]:
    """Return the policy that the page shows."""
    shown = re.search(r"^\.\. code-block:: json\n\n((?: .*\n|\n)+)", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert shown
    return t.cast("dict[str, t.Any]", json.loads(textwrap.dedent(shown[1])))


ACTIONS = sorted({action for one in policy()["Statement"] for action in one["Action"]})


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> t.Iterator[Moto]:
    """Start a stand-in of its own that can be told to look at rights."""
    with running(tmp_path_factory.mktemp("strict")) as server:
        yield server


@pytest.fixture
def guarded(strict: Moto, tmp_path: Path) -> t.Iterator[Custody]:
    """Return keys in it."""
    custody = Custody(tmp_path, strict)
    yield custody
    custody.stop()


def cycle(custody: Custody, label: str) -> None:
    """Do all that a key store ever does."""

    def store(current: str | None = None, *used: str) -> t.Any:
        return custody.open(custody.recipe(label), slot(label, current, *used))

    first = store().stage("ecdsa-p256")
    first.public_key()
    first.sign(b"request")
    store(first.uri).promote()
    second = store(first.uri).stage("ecdsa-p256")
    store(second.uri, first.uri).promote()
    store(second.uri).delete()
    store(first.uri, second.uri).promote()
    assert store(first.uri, second.uri).left() is None
    store().delete()


def as_user(server: Moto, actions: list[str]) -> dict[str, str]:
    """Make a user who may do this; return what boto3 reads to be it. From then on rights are looked at.

    The stand-in cannot tell which key a call is about, so these are rights to all keys; and what IAM calls `tag` is
    `tagging` there.
    """
    actions = [re.sub("^tag:", "tagging:", action) for action in actions]
    server.told("/moto-api/reset-auth", "inf")
    iam, name = server.client("iam"), f"user-{next(_numbers)}"
    iam.create_user(UserName=name)
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=name, PolicyName="keystead", PolicyDocument=document)
    made = iam.create_access_key(UserName=name)["AccessKey"]
    server.told("/moto-api/reset-auth", "0")
    credentials = {"AWS_ACCESS_KEY_ID": made["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"]}
    return {**server.environment, **credentials}


def test_the_actions_that_the_page_permits_are_all_that_a_key_store_needs(strict: Moto, guarded: Custody) -> None:
    with reached(as_user(strict, ACTIONS)):
        cycle(guarded, "allowed")


@pytest.mark.parametrize("action", ACTIONS)
def test_without_one_of_them_the_error_names_it(strict: Moto, guarded: Custody, action: str) -> None:
    with reached(as_user(strict, [one for one in ACTIONS if one != action])):
        said = refused(lambda: cycle(guarded, f"denied-{next(_numbers)}"), Denied)
    assert f"aws_kms: access is denied to {action} (" in said
    assert said.endswith("; permit this action")


# AWS that is not reached


def test_each_way_not_to_reach_aws_is_one_sentence(aws: Aws, tmp_path: Path) -> None:
    whole, none = dict(aws.custody._moto.environment), nowhere(tmp_path)
    named = {**whole, "AWS_ENDPOINT_URL": ""}
    del named["AWS_ENDPOINT_URL"]
    ways: list[tuple[dict[str, str], type[KeysteadError], str]] = [
        ({**none, "AWS_DEFAULT_REGION": REGION}, Misconfigured, "boto3 found no credentials; it looked at AWS_ACCESS"),
        ({**whole, "AWS_PROFILE": "nobody"}, Misconfigured, "there is no such profile as AWS_PROFILE names"),
        ({**whole, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, Unreached, "http://127.0.0.1 cannot be reached"),
        ({**named, "AWS_ENDPOINT_URL_KMS": "http://127.0.0.1:1"}, Unreached, "http://127.0.0.1 cannot be reached"),
        ({**whole, "AWS_ENDPOINT_URL": "http://192.0.2.1"}, Misconfigured, "endpoint http://192.0.2.1 is not safe"),
        ({**whole, "AWS_ENDPOINT_URL": "not a URL"}, Misconfigured, "AWS_ENDPOINT_URL is no URL"),
        ({**whole, "AWS_CA_BUNDLE": ""}, Misconfigured, "mean that no TLS certificate is verified"),
        ({**whole, "AWS_CA_BUNDLE": "/nowhere.pem"}, Misconfigured, "AWS_CA_BUNDLE names /nowhere.pem"),
    ]
    for environment, kind, wanted in ways:
        with reached(environment):
            assert wanted in refused(aws.store().staged, kind)


def test_a_region_that_nobody_names_or_that_is_none_says_so(aws: Aws) -> None:
    environment = dict(aws.custody._moto.environment)
    del environment["AWS_DEFAULT_REGION"]
    with reached(environment):
        assert "write option region, or set AWS_DEFAULT_REGION" in refused(aws.store(region="").staged)
    assert "region: '../x' is no region" in refused(aws.store(region="../x").staged)


def test_a_region_of_the_environment_is_used_where_none_is_named(aws: Aws, moto: Moto) -> None:
    made = aws.store(region="").stage("ecdsa-p256")
    assert ":eu-central-1:" in made.uri
    assert moto.client("kms").describe_key(KeyId=made.uri)["KeyMetadata"]["Enabled"]
