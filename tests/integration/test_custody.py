# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""machine_identity with keys that are in no file, the whole way, over every real custody: first run to last."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._pkcs11.token import forget
from ansible_collections.keystead.identity.plugins.plugin_utils._key import label
from ansible_collections.keystead.identity.tests.harness.in_process import HOST, World, from_now_on
from ansible_collections.keystead.identity.tests.harness.keystores import CUSTODIES
from ansible_collections.keystead.identity.tests.harness.keystores import custody as custody_of
from ansible_collections.keystead.identity.tests.harness.moto import SECRET_KEY
from ansible_collections.keystead.identity.tests.harness.softhsm import PIN
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Record = dict[str, t.Any]
PUBLIC = ("certificate.pem", "chain.pem", "fullchain.pem", "generation.json", "key_uri.txt", "roots.pem")


TOKENS = ("softhsm at the host", "softhsm at the controller", "swtpm at the host")
HERE = (*TOKENS, *(name for name in CUSTODIES if not any(token.startswith(name) for token in TOKENS)))
PARAMETERS = [pytest.param(name, marks=pytest.mark.needs(*custody_of(name.split()[0]).needs)) for name in HERE]


class Backend:
    """A custody that runs, and what a task writes to have keys there."""

    def __init__(self, where: str, custody: t.Any) -> None:
        self.where, self.custody = where, custody
        self.name, self.key_type = custody.name, custody.key_types[0]

    def option(self, label: str) -> Record:
        """Return `key.custody` of the identity that has this label."""
        recipe = self.custody.recipe(self.called(label))
        if self.name == "pkcs11":
            return {"pkcs11": {"at": self.where.rpartition(" ")[2], **recipe["token"]}}
        return {self.name: recipe.get("options", recipe)}

    def called(self, label: str) -> str:
        """Return what the keys of a label are called where they have a name of their own."""
        return label if self.name == "pkcs11" else hashlib.sha256(label.encode()).hexdigest()[:16]

    def seen(self, label: str) -> list[str]:
        """Return what a tool that is not ours sees of the keys of a label."""
        found: list[str] = self.custody.seen(self.called(label) if self.name == "openbao_transit" else label)
        return found

    def destroy(self, label: str, *shown: str) -> None:
        """Destroy the keys of a label, or only those that are `shown` so, as somebody else would."""
        if shown and self.name == "openbao_transit":
            self.custody.engine.change(self.called(label), min_decryption_version=2, min_encryption_version=2)
        elif shown:
            self.custody.destroy_shown(label, shown)
        else:
            self._destroy_all(label)

    def _destroy_all(self, label: str) -> None:
        if self.where.startswith("swtpm"):
            self.custody.destroy(label)
        elif self.name == "pkcs11":
            for kind in ("privkey", "pubkey"):
                self.custody.hsm.tool(self.custody.token, "--delete-object", "--type", kind, "--label", label)
        elif self.name == "openbao_transit":
            engine, key = self.custody.engine, self.called(label)
            engine.change(key, deletion_allowed=True)
            engine.call("DELETE", f"{engine.mount}/keys/{key}")
        else:
            for arn in self.custody.seen(label):
                self.custody.disable(arn)

    @property
    def secret(self) -> str:
        """Return what opens it."""
        return {"pkcs11": PIN, "openbao_transit": getattr(self.custody, "token", ""), "aws_kms": SECRET_KEY}[self.name]


@pytest.fixture(scope="module", params=PARAMETERS)
def backend(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    kind = custody_of(request.param.split()[0])
    server = request.getfixturevalue(kind.server) if kind.server else None
    there = kind(tmp_path_factory.mktemp("custody"), server)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in there.recipe("x").get("environment", {}).items():
            patch.setenv(name, value)
        forget()  # a module of PKCS#11 reads its environment once
        yield Backend(request.param, there)
    there.stop()


class NewWorld(World):
    """A world whose every task begins as a process of its own does: with no token open."""

    def converge(self, *args: t.Any, **said: t.Any) -> Record:
        """Run the task once."""
        forget()
        return super().converge(*args, **said)


class Site:
    """A world whose identity `web` has its key in a custody."""

    def __init__(self, directory: Path, backend: Backend) -> None:
        self.world, self.backend = NewWorld(directory), backend
        self.label = label(HOST, str(self.world.store), "web")

    def web(self, **said: t.Any) -> Record:
        """Return the declaration."""
        key = {"type": self.backend.key_type, "custody": self.backend.option(self.label)}
        return {"name": "web", "dns_names": ["web.example.org"], "key": key, **said}

    def seen(self) -> list[str]:
        """Return what a tool that is not ours sees of the identity's keys."""
        return self.backend.seen(self.label)

    def uris(self) -> list[str]:
        """Return the URIs that the ledger has of the identity, in order."""
        return [row[0] for row in self.world.query("SELECT key_uri FROM generations ORDER BY id")]

    def spki(self) -> bytes:
        """Return the public key of the current certificate."""
        key = self.world.certificate().public_key()
        return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture
def site(tmp_path: Path, backend: Backend) -> Site:
    return Site(tmp_path, backend)


def test_the_first_run_makes_a_key_in_the_custody_and_none_on_the_host(site: Site) -> None:
    done = site.world.settled([site.web()])["identities"][0]
    assert done["custody"] == site.backend.name
    assert done["key_uri"] == site.world.path("web", "current", "key_uri.txt").read_text().strip() == site.uris()[0]
    files = {path.name for path in site.world.path("web", "1").iterdir()} - {"nginx_tls.conf"}
    assert files == set(PUBLIC)
    assert len(site.seen()) == len({*site.seen()}) > 0
    assert set(done["paths"]) >= {"certificate", "fullchain", "key_uri"}
    assert not {"private_key", "combined"} & set(done["paths"])


def test_check_mode_makes_no_key(site: Site) -> None:
    shown = site.world.converge([site.web()], check=True, diff=True)
    assert [step["action"] for step in shown["identities"][0]["steps"]] == ["stage_key", "issue", "publish"]
    assert site.seen() == []
    assert f" in {site.backend.name}" in shown["diff"][0]["after"]


def test_a_renewal_has_a_key_of_its_own_and_the_old_one_is_destroyed(site: Site) -> None:
    site.world.settled([site.web()])
    one, first = len(site.seen()), site.spki()
    site.world.settled([site.web(dns_names=["www.example.org"])])
    assert (site.world.generations(), len(site.seen())) == ([2], one)
    assert site.spki() != first
    assert len({*site.uris()}) == 2


def test_a_key_that_is_too_old_is_replaced_once(site: Site) -> None:
    site.world.settled([site.web()])
    one, first, moment = len(site.seen()), site.spki(), from_now_on()
    site.world.settled([site.web()], made_before=moment)
    assert (site.world.generations(), len(site.seen())) == ([2], one)
    assert site.spki() != first


def test_a_kept_generation_keeps_its_key_and_may_come_back(site: Site) -> None:
    kept = {"keep_generations": 1}
    site.world.settled([site.web(**kept)])
    first = site.spki()
    site.world.settled([site.web(dns_names=["www.example.org"], **kept)])
    site.world.settled([site.web(dns_names=["www.example.org"], generation="previous", **kept)])
    assert site.spki() == first
    assert site.world.current() == 1


def test_a_key_that_vanished_from_the_custody_is_replaced(site: Site) -> None:
    site.world.settled([site.web()])
    site.backend.destroy(site.label)
    done = site.world.settled([site.web()])["identities"][0]
    assert "gone" in done["steps"][0]["reason"]
    assert site.world.current() == 2


def test_an_identity_that_goes_leaves_no_key_behind(site: Site) -> None:
    site.world.settled([site.web(keep_generations=1)])
    site.world.settled([site.web(keep_generations=1, dns_names=["www.example.org"])])
    done = site.world.settled([site.web(state="absent")])["identities"][0]
    assert "destroy" in [step["action"] for step in done["steps"]]
    assert site.seen() == []


def test_an_identity_that_goes_must_say_where_its_key_is(site: Site) -> None:
    site.world.settled([site.web()])
    done = site.world.foreseen([{"name": "web", "state": "absent"}])
    assert f"its key is in {site.backend.name}" in done["msg"]
    assert site.seen() != []


def test_a_consumer_that_refuses_the_new_key_keeps_the_old_one_and_no_third_is_ever_made(site: Site) -> None:
    site.world.settled([site.web()])
    one, first = len(site.seen()), site.spki()
    refused = site.web(dns_names=["www.example.org"], activate={"command": ["/bin/false"]})
    for _turn in range(2):
        assert site.world.converge([refused])["failed"]
        assert site.spki() == first
        assert len(site.seen()) <= 2 * one
    site.world.settled([site.web(dns_names=["www.example.org"])])
    assert len(site.seen()) == one


@pytest.mark.parametrize("phase", ["prepare", "install"])
def test_a_run_that_is_cut_off_leaves_a_key_that_the_next_one_uses(site: Site, phase: str) -> None:
    def lost(arguments: t.Mapping[str, t.Any]) -> t.Any:
        if arguments["phase"] == phase == "install":
            raise ConnectionError("the host is gone")
        answer = site.world.execute(arguments)
        if arguments["phase"] == phase:
            raise ConnectionError("the host is gone")
        return answer

    with pytest.raises(ConnectionError):
        site.world.converge([site.web()], execute=lost)
    left = site.seen()
    site.world.settled([site.web()])
    assert not left or site.seen() == left
    assert site.world.generations() == [1]


def test_a_key_moves_from_a_file_into_the_custody_and_back(site: Site) -> None:
    in_a_file = {"name": "web", "dns_names": ["web.example.org"], "key": {"type": site.backend.key_type}}
    site.world.settled([in_a_file])
    done = site.world.settled([site.web()])["identities"][0]
    assert done["steps"][0]["reason"] == f"the key is in custody file, declared is {site.backend.name}"
    assert not site.world.path("web", "current", "private_key.pem").exists()
    site.world.settled([in_a_file])
    assert site.world.path("web", "current", "private_key.pem").exists()


def test_two_identities_never_share_a_place_in_a_custody(site: Site) -> None:
    site.world.settled([site.web()])
    other = {**site.web(), "name": "mail", "dns_names": ["mail.example.org"]}
    before = site.seen()
    done = site.world.converge([other])
    if done.get("failed"):
        assert re.search(r"identity web|not a key of this identity", done["msg"])
        assert site.seen() == before
    else:  # the custody keeps them apart by itself
        assert site.seen() == before
        assert done["identities"][0]["key_uri"] != site.uris()[0]


@pytest.mark.parametrize("said", [{"state": "absent"}, {"key_type": 1}, {}], ids=["absent", "another type", "the same"])
def test_a_place_of_another_identity_is_never_emptied(site: Site, said: Record) -> None:
    site.world.settled([site.web()])
    before = site.seen()
    other = {**site.web(), "name": "mail", "dns_names": ["mail.example.org"]}
    if said.pop("key_type", None):
        other["key"] = {**other["key"], "type": site.backend.custody.key_types[1]}
    site.world.converge([{**other, **said}], check=True)
    site.world.converge([{**other, **said}])
    assert site.seen() == before
    assert site.world.converge([site.web()])["changed"] is False


def test_a_key_that_an_earlier_generation_had_never_comes_back(site: Site) -> None:
    in_a_file = {"name": "web", "dns_names": ["web.example.org"], "key": {"type": site.backend.key_type}}
    for _turn in range(2):
        site.world.settled([site.web()])
        site.world.settled([in_a_file])
    site.world.settled([site.web()])
    found = [uri for uri in site.uris() if uri]
    assert len(found) == len({*found}) == 3


def test_an_identity_whose_store_was_lost_gets_a_new_key_and_the_old_one_goes(site: Site) -> None:
    site.world.settled([site.web()])
    one, first = len(site.seen()), site.spki()
    shutil.rmtree(site.world.store)
    site.world.settled([site.web()])
    assert site.spki() != first
    assert len(site.seen()) == one


def test_an_identity_whose_store_was_lost_leaves_no_key_when_it_goes(site: Site) -> None:
    site.world.settled([site.web()])
    shutil.rmtree(site.world.store)
    assert not site.world.converge([site.web(state="absent")]).get("failed")
    assert site.seen() == []
    assert site.world.converge([site.web(state="absent")])["changed"] is False


def test_nobody_goes_back_to_a_generation_whose_key_is_gone(site: Site) -> None:
    kept = {"keep_generations": 1}
    site.world.settled([site.web(**kept)])
    before = site.seen()
    site.world.settled([site.web(dns_names=["www.example.org"], **kept)])
    site.backend.destroy(site.label, *before)
    back = site.world.converge([site.web(dns_names=["www.example.org"], generation="previous", **kept)])
    assert "generation 1 cannot be used" in back["msg"]
    assert "gone" in back["msg"]
    assert site.world.current() == 2


def test_released_it_leaves_its_key_where_it_is(site: Site) -> None:
    link = {"links": {str(site.world.links / "web.pem"): "fullchain"}}
    site.world.settled([site.web(**link)])
    before = site.seen()
    assert not site.world.converge([site.web(state="released", **link)]).get("failed")
    assert site.seen() == before


def test_what_a_run_would_refuse_check_mode_refuses(site: Site) -> None:
    key = {**site.web()["key"], "type": {"pkcs11": "ed25519", "aws_kms": "ed25519"}.get(site.backend.name, "rsa-2048")}
    if site.backend.name == "openbao_transit":
        site.world.settled([site.web()])
    if site.backend.where.startswith(("softhsm", "aws_kms")):
        return  # the one makes it, and what the other makes only AWS knows
    shown = site.world.converge([site.web(key=key)], check=True)
    done = site.world.converge([site.web(key=key)])
    assert (shown["failed"], shown["msg"]) == (True, done["msg"])


def test_two_new_identities_of_one_task_get_keys_of_their_own_or_are_refused(site: Site) -> None:
    other = {**site.web(), "name": "mail", "dns_names": ["mail.example.org"]}
    done = site.world.converge([site.web(), other])
    uris = [one["key_uri"] for one in done["identities"] if not one["failed"]]
    assert len({*uris}) == len(uris) >= 1
    assert not any("remove the directory next" in one["msg"] for one in done["identities"])


def test_the_result_holds_nothing_that_opens_the_custody(site: Site) -> None:
    done = site.world.converge([site.web()], diff=True)
    secret = site.backend.secret
    assert secret not in str(done)
    assert secret not in str(site.world.query("SELECT * FROM events"))
    assert all(secret.encode() not in path.read_bytes() for path in _files(site.world.directory))


def _files(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file() and os.access(path, os.R_OK)]
