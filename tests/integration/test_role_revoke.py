# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The role `revoke` and its playbook: what is revoked is proved where clients look, by lists and by OpenBao."""

from __future__ import annotations

import json
import threading
import typing as t
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.tests.harness import openbao as make
from ansible_collections.keystead.identity.tests.harness import playbook
from ansible_collections.keystead.identity.tests.harness.elsewhere import serving
from ansible_collections.keystead.identity.tests.harness.in_process import World, web
from ansible_collections.keystead.identity.tests.harness.local import authority
from ansible_collections.keystead.identity.tests.integration.test_cert_revoke_relying import Copy

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from ansible_collections.keystead.identity.tests.harness.openbao_server import Server

pytestmark = pytest.mark.one_core

PLAYBOOK = Path("keystead.identity.revoke")
ROLE = "keystead.identity.revoke"


class Desk:
    """Where certificates of a world are revoked by a play."""

    def __init__(self, world: World, issuer: dict[str, t.Any]) -> None:
        self.world, self.issuer, self.home = world, issuer, world.directory / "home"
        self.recap: dict[str, dict[str, int]] = {}

    def run(self, *args: str, code: int = 0, book: t.Any = PLAYBOOK, **said: t.Any) -> str:
        """Run the playbook; return what was printed, on one line."""
        variables = {
            "keystead_ledger": self.world.url, "keystead_issuer": self.issuer, "revoke_replaced_first": False,
            "revoke_certificates": [{"identity": "web"}], **said,
        }  # fmt: skip
        done = playbook.run(book, {"web1": {}, "web2": {}}, *args, "-e", json.dumps(variables), home=self.home)
        assert done.returncode == code, done.stdout + done.stderr
        self.recap = playbook.recap(done)
        return " ".join((done.stdout + done.stderr).split())

    def seen(self) -> list[dict[str, t.Any]]:
        """Return how the certificates stood for who asked."""
        facts = [one["ansible_facts"] for one in playbook.results(self.home, "localhost") if "ansible_facts" in one]
        return list(facts[-1]["revoke_seen"].values())


class Slow(Copy):
    """Serves nothing before it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.is_let_go = threading.Event()
        self.is_let_go.set()

    @property
    def content(self) -> bytes:
        """Return what is served."""
        self.is_let_go.wait()
        return super().content


class Site(Desk):
    """An authority whose certificates name a list that is served, and two identities."""

    def __init__(self, directory: Path, lists: Slow) -> None:
        world = World(directory)
        authority(world.authorities, "published", crl_url=lists.url)
        super().__init__(world, world.issuer("published"))
        self.lists, self.list = lists, world.authorities / "published" / "crl.pem"
        world.converge([web(), web(name="api")], issuer=self.issuer)

    def publish(self) -> None:
        """Copy the list to where clients find it."""
        self.lists.copied = self.list.read_bytes()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with serving(Slow()) as lists:
        yield Site(tmp_path, lists)


def test_what_is_revoked_is_proved_by_the_list_that_clients_read(site: Site) -> None:
    site.lists.content_of = site.list
    assert "would be" not in site.run("--check")
    assert site.recap["localhost"]["changed"] == 1
    assert site.lists.asked == 0
    said = site.run(revoke_reason="superseded", revoke_expect=1)
    assert site.recap["localhost"]["changed"] == 1
    assert [(one["status"], one["source"], one["reason"]) for one in site.seen()] == [("revoked", "crl", "superseded")]
    assert "nobody but the ledger" not in said
    asked = site.lists.asked
    site.run()
    assert site.recap["localhost"]["changed"] == 0
    assert site.seen()[0]["source"] == "crl", "it is asked again, whatever the ledger has"
    assert site.lists.asked == asked + 1, "once, however often what was said is looked at"


def test_a_list_that_lags_behind_fails_the_play_until_it_is_copied(site: Site) -> None:
    site.publish()
    said = site.run(code=2)
    assert "revoke: they were revoked, and clients are told that they are good: certificate " in said
    assert " of web on web1.example.org by crl of 20" in said
    assert "Z; have their list or their responder say so, and run the same again" in said
    assert "are good" in site.run(code=2), "a second run does not take the word of the ledger"
    assert "are good" not in site.run(revoke_prove=False)
    site.publish()
    site.run()
    assert [one["status"] for one in site.seen()] == ["revoked"]


def test_what_nobody_can_be_asked_about_is_said(site: Site, tmp_path: Path) -> None:
    site.lists.status = 404
    said = site.run()
    assert f" of web on web1.example.org ({site.lists.url} say nothing that holds now)" in said
    assert "by the word of who signed them alone" in said
    assert [(one["status"], one["source"]) for one in site.seen()] == [("revoked", "issuer")]
    copy = tmp_path / "web.pem"
    copy.write_bytes(site.world.path("web", "current", "fullchain.pem").read_bytes())
    by_path = site.run(revoke_certificates=[{"path": str(copy)}])
    assert "of web on web1.example.org (" in by_path
    assert f"{copy} (" in by_path, "what is given itself is asked about as it is"


def test_what_nobody_had_the_time_to_tell_is_no_proof(site: Site) -> None:
    site.lists.content_of = site.list
    both = {"revoke_certificates": [{"identity": "web"}, {"identity": "api"}]}
    site.run(revoke_prove=False, **both)
    site.lists.is_let_go.clear()
    try:
        said = site.run(code=2, revoke_timeout="1s", **both)
    finally:
        site.lists.is_let_go.set()
    assert "revoke: they were revoked, and it is not proved that clients are told so: certificate " in said
    assert " on web1.example.org (there was no time left of 1 s)" in said
    assert "; see that what they name answers, " in said
    site.run(**both)
    assert [(one["status"], one["places"]) for one in site.seen()] == [("revoked", [site.lists.url])] * 2


def test_a_play_for_many_hosts_revokes_once_and_refuses_what_is_not_expected(site: Site) -> None:
    site.lists.content_of = site.list
    play = [{"hosts": "all", "gather_facts": False, "roles": [ROLE]}]
    both = [{"identity": "web"}, {"identity": "api"}]
    assert "expect" in site.run(code=2, book=play, revoke_certificates=both, revoke_expect=1)
    site.run(book=play, revoke_certificates=both, revoke_expect=2)
    assert [site.recap[name]["changed"] for name in ("web1", "web2")] == [1, 0]


@pytest.mark.needs("openbao")
def test_openbao_is_asked_where_its_certificates_name_no_list(tmp_path: Path, openbao: Server) -> None:
    pki, world = make.pki(openbao), World(tmp_path)
    issuer = {"openbao": pki.options(make.approle(pki))}
    world.converge([web()], issuer=issuer)
    desk = Desk(world, issuer)
    said = desk.run(revoke_reason="key_compromise")
    assert "it names no responder and no revocation list" in said
    assert "by the word of who signed them alone" in said
    assert [(one["status"], one["source"]) for one in desk.seen()] == [("revoked", "issuer")]
    desk.run()
    assert desk.recap["localhost"]["changed"] == 0
