# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""machine_identity with keys that are in no file, the whole way, over every real custody: first run to last."""

from __future__ import annotations

import os
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._key import label
from ansible_collections.keystead.identity.tests.harness.in_process import HOST, World
from ansible_collections.keystead.identity.tests.harness.keystores import every_custody
from ansible_collections.keystead.identity.tests.harness.keystores import custody as custody_of
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.keystores import Custody

Record = dict[str, t.Any]
PUBLIC = ("certificate.pem", "chain.pem", "fullchain.pem", "generation.json", "key_uri.txt", "roots.pem")


@pytest.fixture(scope="module", params=every_custody())
def custody(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Custody]:
    kind = custody_of(request.param)
    server = request.getfixturevalue(kind.server) if kind.server else None
    there = kind(tmp_path_factory.mktemp(request.param), server)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in there.recipe("").get("environment", {}).items():
            patch.setenv(name, value)
        yield there
    there.stop()


class Site:
    """A world whose identity `web` has its key in a custody."""

    def __init__(self, directory: Path, custody: Custody) -> None:
        self.world, self.custody = World(directory), custody
        self.label = label(HOST, str(self.world.store), "web")

    def web(self, **said: t.Any) -> Record:
        """Return the declaration."""
        key = {"type": self.custody.key_types[0], "custody": self.custody.option(self.label)}
        return {"name": "web", "dns_names": ["web.example.org"], "key": key, **said}

    def seen(self) -> list[str]:
        """Return what a tool that is not ours sees of the identity's keys."""
        return self.custody.seen(self.label)

    def uris(self) -> list[str]:
        """Return the URIs that the ledger has of the identity, in order."""
        return [row[0] for row in self.world.query("SELECT key_uri FROM generations ORDER BY id")]

    def spki(self) -> bytes:
        """Return the public key of the current certificate."""
        key = self.world.certificate().public_key()
        return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture
def site(tmp_path: Path, custody: Custody) -> Site:
    return Site(tmp_path, custody)


def test_the_first_run_makes_a_key_in_the_custody_and_none_on_the_host(site: Site) -> None:
    done = site.world.settled([site.web()])["identities"][0]
    assert done["custody"] == site.custody.name
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
    assert f" in {site.custody.name}" in shown["diff"][0]["after"]


def test_a_renewal_has_a_key_of_its_own_and_the_old_one_is_destroyed(site: Site) -> None:
    site.world.settled([site.web()])
    one, first = len(site.seen()), site.spki()
    site.world.settled([site.web(dns_names=["www.example.org"])])
    assert (site.world.generations(), len(site.seen())) == ([2], one)
    assert site.spki() != first
    assert len({*site.uris()}) == 2


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
    site.custody.destroy(site.label)
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
    assert f"its key is in {site.custody.name}" in done["msg"]
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
    in_a_file = {"name": "web", "dns_names": ["web.example.org"], "key": {"type": site.custody.key_types[0]}}
    site.world.settled([in_a_file])
    done = site.world.settled([site.web()])["identities"][0]
    assert done["steps"][0]["reason"] == f"the key is in custody file, declared is {site.custody.name}"
    assert not site.world.path("web", "current", "private_key.pem").exists()
    site.world.settled([in_a_file])
    assert site.world.path("web", "current", "private_key.pem").exists()


def test_two_identities_never_share_a_place_in_a_custody(site: Site) -> None:
    site.world.settled([site.web()])
    other = {**site.web(), "name": "mail", "dns_names": ["mail.example.org"]}
    before = site.seen()
    done = site.world.converge([other])
    if done.get("failed"):
        assert "web" in done["msg"]
        assert site.seen() == before
    else:  # the custody keeps them apart by itself
        assert site.seen() == before
        assert done["identities"][0]["key_uri"] != site.uris()[0]


def test_the_result_holds_nothing_that_opens_the_custody(site: Site) -> None:
    done = site.world.converge([site.web()], diff=True)
    for secret in site.custody.secrets:
        assert secret not in str(done)
        assert secret not in str(site.world.query("SELECT * FROM events"))
        assert all(secret not in path.read_bytes().decode("latin-1") for path in _files(site.world.directory))


def _files(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file() and os.access(path, os.R_OK)]
