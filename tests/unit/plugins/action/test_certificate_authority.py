# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""The action certificate_authority, run in process as ansible-core runs it."""

from __future__ import annotations

import base64
import shutil
import typing as t

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.plugins.loader import connection_loader
from ansible.template import Templar
from ansible_collections.keystead.identity.plugins.action.certificate_authority import ActionModule
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import KeysteadError
from ansible_collections.keystead.identity.plugins.module_utils._options.authority import OPTIONS
from ansible_collections.keystead.identity.plugins.module_utils._options.common import COMMON
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.modules import certificate_authority as documentation
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.chain import verify
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_ledger
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated
from ansible_collections.keystead.identity.tests.harness import local as make
from ansible_collections.keystead.identity.tests.harness.in_process import World, web
from ansible_collections.keystead.identity.tests.harness.revoking import Office
from cryptography import x509

if t.TYPE_CHECKING:
    from pathlib import Path

CANARY = "Canary-9f27c1"


@pytest.fixture(autouse=True)
def state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the default ledger out of the home of whoever runs the tests; return where it will be."""
    home = tmp_path_factory.mktemp("state")
    monkeypatch.setenv("XDG_STATE_HOME", str(home))
    return home / "keystead" / "ledger.sqlite"


def told(url: str) -> list[tuple[t.Any, ...]]:
    """Return what the ledger was told: about what, what, and how it ended."""
    ledger = open_ledger(url, read_only=True)
    try:
        assert verify(ledger) is None
        return ledger.read("SELECT identity, action, outcome FROM events ORDER BY seq")
    finally:
        ledger.close()


def run(
    args: dict[str, t.Any], *, check: bool = False, diff: bool = True, **variables: str
) -> dict[str, t.Any]:
    """Run the action once."""
    loader = DataLoader()
    task = Task()
    task.action, task.args, task.check_mode, task.diff = f"keystead.identity.{ActionModule.module}", args, check, diff
    connection = connection_loader.get("ansible.builtin.local", PlayContext(), "/dev/null")
    action = ActionModule(task, connection, PlayContext(), loader, Templar(loader), None)
    return t.cast("dict[str, t.Any]", action.run(task_vars=variables))


def actions(result: dict[str, t.Any]) -> list[str]:
    """Return what was or would be done."""
    assert not result.get("failed"), result
    assert result["changed"] == bool(result["steps"])
    return [step["action"] for step in result["steps"]]


def test_the_cycle_of_twelve_steps_with_each_step_twice(tmp_path: Path) -> None:
    present = {"name": "root", "directory": str(tmp_path / "ca"), "passphrase": CANARY}
    absent = {"name": "root", "directory": str(tmp_path / "ca"), "state": "absent"}
    created = ["stage_key", "issue", "publish"]

    assert actions(run(present, check=True)) == created
    assert actions(run(present, check=True)) == created
    assert actions(run(present)) == created
    assert actions(run(present)) == []
    assert actions(run(present, check=True)) == []
    assert actions(run(present)) == []

    (tmp_path / "ca" / "root" / "crl.pem").unlink()  # the only thing about an authority that may change
    assert actions(run(present, check=True)) == ["publish"]
    assert actions(run(present, check=True)) == ["publish"]
    assert actions(run(present)) == ["publish"]
    assert actions(run(present)) == []

    assert actions(run(absent, check=True)) == ["destroy"]
    assert actions(run(absent, check=True)) == ["destroy"]
    assert (tmp_path / "ca" / "root" / "private_key.pem").exists()
    assert actions(run(absent)) == ["destroy"]
    assert actions(run(absent)) == []
    assert actions(run(absent, check=True)) == []


def test_everything_that_is_done_is_in_the_ledger_before_and_after(tmp_path: Path, state: Path) -> None:
    url = f"sqlite:///{tmp_path}/ledger.sqlite"
    root = {"name": "root", "directory": str(tmp_path / "ca"), "ledger": url}
    below = {**root, "name": "issuing", "parent": {"name": "root"}}
    run(root, check=True)
    assert not (tmp_path / "ledger.sqlite").exists()
    run(root)
    made = [("stage_key", "pending"), ("issue", "pending"), ("publish", "pending"),
            ("stage_key", "ok"), ("issue", "ok"), ("publish", "ok")]  # fmt: skip
    assert told(url) == [("root", *event) for event in made]
    run(below, inventory_hostname="web1")
    assert told(url)[6:] == [("issuing", *event) for event in made]
    run(root)
    (tmp_path / "ca" / "root" / "crl.pem").unlink()
    run(root)
    assert told(url)[12:] == [("root", "publish", "pending"), ("root", "publish", "ok")]
    run({**below, "state": "absent"})
    assert told(url)[14:] == [
        ("issuing", "revoke", "pending"), ("issuing", "destroy", "pending"),
        ("issuing", "revoke", "ok"), ("issuing", "destroy", "ok"),
    ]  # fmt: skip
    ledger = open_ledger(url, read_only=True)
    places = ledger.read("SELECT DISTINCT host, store FROM heads ORDER BY batch")
    assert places == [("localhost", str(tmp_path / "ca")), ("web1", str(tmp_path / "ca"))]
    assert ledger.remembered("localhost", str(tmp_path / "ca")) == {}
    ledger.close()
    assert not state.exists()


def test_without_the_option_the_ledger_is_the_users_own(tmp_path: Path, state: Path) -> None:
    run({"name": "root", "directory": str(tmp_path / "ca")})
    assert len(told(f"sqlite:///{state}")) == 6


def test_what_fails_is_in_the_ledger_with_its_reason(tmp_path: Path, state: Path) -> None:
    (tmp_path / "ca").mkdir()
    (tmp_path / "ca" / ".root.new").write_text("in the way")
    assert run({"name": "root", "directory": str(tmp_path / "ca")})["failed"]
    assert {outcome for _name, _action, outcome in told(f"sqlite:///{state}")} == {"pending", "failed"}


def test_without_a_ledger_nothing_is_signed(tmp_path: Path) -> None:
    result = run({"name": "root", "directory": str(tmp_path / "ca"), "ledger": f"sqlite:///{tmp_path}/none/ledger"})
    assert "ledger: " in result["msg"]
    assert not (tmp_path / "ca").exists()


def test_the_result_names_the_authority_and_shows_its_certificate(tmp_path: Path) -> None:
    result = run({"name": "root", "directory": str(tmp_path), "subject": {"common_name": "Example", "country": "DE"}})
    certificate = x509.load_pem_x509_certificate(result["certificate"].encode())
    facts = result["certificate_facts"]
    assert facts["subject"] == facts["issuer"] == certificate.subject.rfc4514_string() == "CN=Example,C=DE"
    assert int(facts["serial_number"].replace(":", ""), 16) == certificate.serial_number
    assert result["name"] == "root"
    assert x509.load_pem_x509_crl((tmp_path / "root" / "crl.pem").read_bytes()) is not None
    assert result["crl_path"] == str(tmp_path / "root" / "crl.pem")
    assert facts["spki_sha256"].startswith(result["issuer_id"].rpartition(":")[2])


def test_the_diff_shows_what_a_step_changes(tmp_path: Path) -> None:
    args = {"name": "root", "directory": str(tmp_path)}
    created = run(args)["diff"]
    assert created["before"] == ""
    assert "subject: CN=root\n" in created["after"]
    unchanged = run(args)["diff"]
    assert unchanged["before"] == unchanged["after"]
    (tmp_path / "root" / "crl.pem").unlink()
    assert "there is no revocation list yet" in run(args, check=True)["diff"]["before"]
    assert run({**args, "state": "absent"})["diff"]["after"] == ""


@pytest.mark.parametrize(
    "said",
    [
        {"passphrase": CANARY},
        {"passphrase": [CANARY]},
        {"passphrase": {CANARY: CANARY}},
        {"passphrase": CANARY, "passphrase_file": "/x"},
        {"passphrase": CANARY, "key": {"type": "rsa-1024"}},
        {"passphrase": CANARY, "parent": {"name": "none", "passphrase": CANARY}},
        {"parent": {"name": "issuing", "passphrase": CANARY}},
        {"ledger_password": CANARY, "policy": "/etc/policy.yml"},
        {"passphrase": CANARY, "unknown": 1},
    ],
)
def test_no_secret_comes_out_valid_or_not(tmp_path: Path, said: dict[str, t.Any]) -> None:
    make.two_tiers(tmp_path)
    assert CANARY not in str(run({"name": "new", "directory": str(tmp_path), **said}))
    assert CANARY not in str(run({"name": "root", "directory": str(tmp_path), **said}))


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"policy": "/no/policy.yml"}, "policy: option policy: /no/policy.yml cannot be read (No such file"),
        ({"ledger_password": "x"}, "option ledger_password is given, and option ledger names no PostgreSQL database"),
        ({"ledger": "mysql://x/y"}, "option ledger has the unknown scheme mysql"),
        ({"key": {"type": "dsa"}}, "'dsa' is none of ecdsa-p256"),
        ({"key": {"custody": {"pkcs11": {}}}}, "option key.custody.pkcs11.module_path is missing"),
        ({"key": {"custody": {"pkcs11": {"module_path": "/x", "at": "host"}}}}, "at: 'host' is none of controller"),
        ({"key": {"custody": {}}}, "key.custody: exactly one of file, pkcs11, openbao_transit, aws_kms is needed"),
        (
            {"key": {"custody": {"aws_kms": {"alias": "alias/x"}}}, "passphrase": "y"},
            "authority root has passphrase and custody aws_kms; remove passphrase: it protects a file",
        ),
        ({"key": {"origin": "controller"}}, "key.origin controller is not built yet"),
        ({"path_length": "many"}, "option path_length: 'many' is not a whole number"),
        ({"state": "gone"}, "'gone' is none of present, absent"),
        ({"parent": {"directory": "/x"}}, "option parent.name is missing"),
        ({"pasphrase": "x"}, "did you mean passphrase?"),
    ],
)
def test_a_wrong_option_is_named_with_its_value_and_nothing_is_made(
    tmp_path: Path, said: dict[str, t.Any], message: str
) -> None:
    result = run({"name": "root", "directory": str(tmp_path), **said})
    assert result["failed"]
    assert message in result["msg"]
    assert not any(tmp_path.iterdir())


def test_the_examples_are_valid() -> None:
    for task in yaml.safe_load(documentation.EXAMPLES):
        args = task.get(f"keystead.identity.{ActionModule.module}")
        if args is not None:
            try:
                validated(args, spec(OPTIONS, COMMON), module=ActionModule.module)
            except KeysteadError as error:
                pytest.fail(str(error))


def test_everything_that_is_returned_is_documented(tmp_path: Path) -> None:
    documented = yaml.safe_load(documentation.RETURN)
    result = run({"name": "root", "directory": str(tmp_path)}, diff=False)
    assert result.keys() - {"changed", "invocation"} == documented.keys()
    assert result["certificate_facts"].keys() == documented["certificate_facts"]["contains"].keys()


def test_a_directory_from_a_backup_is_made_good_by_what_the_ledger_and_lists_elsewhere_tell(tmp_path: Path) -> None:
    world = World(tmp_path)
    here, backup = world.authorities / "issuing", tmp_path / "backup"
    told = {"name": "issuing", "directory": str(world.authorities), "ledger": world.url}
    world.one(web())
    certificate = world.certificate()
    shutil.copytree(here, backup)
    Office(world.url, world.issuer()).run({"identity": "web"}, replaced_first=False)
    list_ = base64.b64encode((here / "crl.der").read_bytes()).decode()
    for said in ({}, {"crl_seen": [list_]}):
        shutil.rmtree(here)
        shutil.copytree(backup, here)
        for check in (True, False):
            done = run({**told, **said}, check=check)
            assert actions(done) == ["publish"] * (1 + len(said))
            assert done["steps"][-1]["reason"] == (
                "the ledger tells of 1 revoked certificate that has no record here"
            )
            (warning,) = done["warnings"]
            assert "as if it had been restored from a backup" in warning
        assert done["crl"]["entries"] == 1
        assert done["crl"]["number"] > 2
        assert world.is_revoked(certificate)
        assert actions(run({**told, **said})) == actions(run({**told, **said}, check=True)) == []


def test_a_parent_from_a_backup_does_not_forget_what_it_took_back_when_another_authority_goes(tmp_path: Path) -> None:
    place, backup = tmp_path / "ca", tmp_path / "backup"
    url = f"sqlite:///{tmp_path}/ledger.sqlite"
    said = {"directory": str(place), "ledger": url}
    run({**said, "name": "root"})
    for name in ("one", "two"):
        run({**said, "name": name, "parent": {"name": "root"}})
    certificate = x509.load_pem_x509_certificate((place / "one" / "certificate.pem").read_bytes())
    shutil.copytree(place / "root", backup)
    office = Office(url, {"local": {"directory": str(place), "authority": "root"}})
    office.run({"path": str(place / "one" / "certificate.pem")}, reason="ca_compromise")
    seen = crl_of(place / "root")
    shutil.rmtree(place / "root")
    shutil.copytree(backup, place / "root")
    gone = {**said, "name": "two", "parent": {"name": "root"}, "state": "absent"}
    for check in (True, False):
        done = run(gone, check=check)
        assert actions(done) == ["publish", "revoke", "destroy"]
        assert done["steps"][0]["reason"] == (
            "root: the ledger tells of 1 revoked certificate that has no record here"
        )
        (warning,) = done["warnings"]
        assert f"{place / 'root'} is older than what is known of it elsewhere" in warning
    now = crl_of(place / "root")
    assert now.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None
    assert crl_number(now) > crl_number(seen)
    assert actions(run(gone)) == []
    assert actions(run({**said, "name": "root"})) == []


def crl_of(authority: Path) -> x509.CertificateRevocationList:
    """Return the list of an authority."""
    return x509.load_pem_x509_crl((authority / "crl.pem").read_bytes())


def crl_number(crl: x509.CertificateRevocationList) -> int:
    """Return the number of a list."""
    return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def test_what_is_shown_as_a_list_has_to_be_base64(tmp_path: Path) -> None:
    said = {"name": "root", "directory": str(tmp_path / "ca"), "crl_seen": ["", "no list"]}
    assert run(said)["msg"] == (
        "certificate_authority: option crl_seen[1]: it is not base64; write what ansible.builtin.slurp returns as "
        "content"
    )
