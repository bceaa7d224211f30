# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the ledger calls replaced is looked at once more: a service that still shows a certificate keeps it alive."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3
import ssl
import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness import local, playbook
from ansible_collections.keystead.identity.tests.harness.consumers import LOOPBACK, Listener, fake_smtp
from ansible_collections.keystead.identity.tests.harness.in_process import HOST, World, web
from ansible_collections.keystead.identity.tests.harness.revoking import Office

if t.TYPE_CHECKING:
    import socket
    from pathlib import Path


class Service(Listener):
    """A TLS server that reads its pair anew for every client, from a directory that a test may change."""

    def __init__(self, directory: Path, before: t.Callable[[socket.socket], object] = lambda _: None) -> None:
        """Serve what `directory` has, after the plain dialogue `before`."""
        super().__init__(self._answer)
        self.directory, self._before = directory, before
        self.names: list[str | None] = []

    def _answer(self, connection: socket.socket) -> None:
        self._before(connection)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.directory / "web.pem", self.directory / "web.key")
        context.sni_callback = lambda _socket, name, _context: self.names.append(name)
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(1)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, address=LOOPBACK)


@pytest.fixture
def office(world: World) -> Office:
    return Office(world.url, world.issuer())


def proved(world: World, port: int, **said: t.Any) -> dict[str, t.Any]:
    """Return the declaration of an identity that a service proves."""
    links = {str(world.links / "web.pem"): "fullchain", str(world.links / "web.key"): "private_key"}
    prove = {"port": port, **said.pop("prove", {})}
    return web(links=links, prove=prove, **said)


def rotated(world: World, service: Service, **said: t.Any) -> Path:
    """Let a service prove one generation and then another; return a directory with the first one's pair."""
    world.one(proved(world, service.port, **said))
    old = world.directory / "old"
    old.mkdir()
    for name in ("web.pem", "web.key"):
        shutil.copyfile(world.links / name, old / name)
    world.one(proved(world, service.port, lifetime="20d", **said))
    live = "SELECT g.number FROM deliveries d JOIN generations g ON g.id = d.generation WHERE d.succeeded_at IS NULL"
    assert set(world.query(live)) == {(2,)}, "the ledger calls the first one succeeded"
    return old


def first(world: World) -> dict[str, str]:
    """Return what selects the first generation."""
    ((found,),) = world.query("SELECT credential_id FROM generations WHERE number = 1")
    return {"fingerprint_sha256": found}


def test_what_a_service_still_shows_is_not_revoked_whatever_the_ledger_says(world: World, office: Office) -> None:
    with Service(world.links) as service:
        old = rotated(world, service)
        service.directory = old
        said = office.refusal(first(world))
        assert "still served, whatever the ledger says" in said
        assert f"{LOOPBACK}:{service.port}, which proved web of {HOST}" in said
        assert service.names[-1] == "web.example.org"
        service.directory = world.links
        done = office.settled(first(world), reason="superseded")
    assert done["certificates"][0]["status"] == "revoked"
    assert "warnings" not in done


def test_a_service_that_cannot_be_reached_from_the_controller_is_a_warning(world: World, office: Office) -> None:
    with Service(world.links) as service:
        rotated(world, service)
    done = office.run(first(world))
    assert done["certificates"][0]["status"] == "revoked"
    (warning,) = done["warnings"]
    assert f"{LOOPBACK}:{service.port}, which proved web of {HOST}, could not be asked what it serves now" in warning


def test_a_sweep_waits_for_who_may_serve_what_it_would_revoke(world: World, office: Office) -> None:
    with Service(world.links) as service:
        rotated(world, service)
    said = office.refusal({"superseded": True})
    assert "no service of these could be asked whether it still serves what is swept" in said
    assert f"{LOOPBACK}:{service.port}, which proved web of {HOST} (Connection refused)" in said
    assert "let the controller reach it, or sweep its host alone with replaced_first: false" in said
    done = office.run({"superseded": True, "host": HOST}, replaced_first=False)
    assert [one["status"] for one in done["certificates"]] == ["revoked"]
    assert "could not be asked" in done["warnings"][0]


def test_a_sweep_needs_one_service_of_an_identity_that_answers(world: World, office: Office) -> None:
    with Service(world.links) as gone:
        rotated(world, gone)
    with Service(world.links) as service:
        world.one(proved(world, service.port, lifetime="10d"))
        done = office.run({"superseded": True})
    assert [one["status"] for one in done["certificates"]] == ["revoked", "revoked"]
    (warning,) = done["warnings"]
    assert f"{LOOPBACK}:{gone.port}, which proved web of {HOST}, could not be asked" in warning


def test_a_sweep_does_not_wait_for_the_service_of_what_is_absent(world: World, office: Office) -> None:
    with Service(world.links) as service:
        rotated(world, service)
    world.one(web(state="absent"))
    done = office.run({"superseded": True})
    assert [one["status"] for one in done["certificates"]] == ["revoked", "revoked"]
    assert "could not be asked" in done["warnings"][0]


def test_without_replaced_first_what_is_still_shown_is_revoked_with_a_warning(world: World, office: Office) -> None:
    with Service(world.links) as service:
        service.directory = rotated(world, service)
        done = office.run(first(world), replaced_first=False)
    assert done["changed"]
    assert "in use, and revoked since replaced_first is false" in done["warnings"][0]
    assert f"{LOOPBACK}:{service.port}" in done["warnings"][0]


def test_a_service_behind_starttls_is_asked_in_its_own_protocol(world: World, office: Office) -> None:
    with Service(world.links, fake_smtp) as service:
        service.directory = rotated(world, service, prove={"starttls": "smtp"})
        assert "still served" in office.refusal(first(world))


@pytest.mark.parametrize(
    ("address", "prove", "known"),
    [
        ("", {}, (HOST, "web.example.org")),
        ("192.0.2.7", {}, ("192.0.2.7", "web.example.org")),
        ("192.0.2.7", {"host": "127.0.0.1"}, ("192.0.2.7", "web.example.org")),
        ("192.0.2.7", {"host": LOOPBACK, "server_name": "web.example.org"}, ("192.0.2.7", "web.example.org")),
        ("localhost", {"host": LOOPBACK}, (LOOPBACK, "web.example.org")),
    ],
)
def test_where_a_service_was_proved_is_kept_as_the_controller_reaches_it(
    tmp_path: Path, address: str, prove: dict[str, str], known: tuple[str, str]
) -> None:
    world = World(tmp_path, address=address)
    with Service(world.links) as service:
        world.one(proved(world, service.port, prove=prove))
    assert world.query("SELECT host, server_name, port, starttls FROM endpoints") == [(*known, service.port, None)]


def test_a_host_that_is_the_controller_itself_is_asked_where_it_was_proved(tmp_path: Path) -> None:
    links = {str(tmp_path / "web.pem"): "fullchain", str(tmp_path / "web.key"): "private_key"}
    with Service(tmp_path) as service:
        task = {
            "issuer": {"local": local.two_tiers(tmp_path / "ca")},
            "ledger": f"sqlite:///{tmp_path}/ledger.db",
            "store": str(tmp_path / "store"),
            "identities": [web(links=links, prove={"port": service.port})],
        }
        done = playbook.run([{"keystead.identity.machine_identity": task}], {"web1": {}}, home=tmp_path / "home")
    assert done.returncode == 0, done.stdout + done.stderr
    with contextlib.closing(sqlite3.connect(tmp_path / "ledger.db")) as ledger:
        assert ledger.execute("SELECT host, port FROM endpoints").fetchall() == [("localhost", service.port)]


def test_what_was_never_proved_by_a_handshake_of_ours_has_no_endpoint(world: World) -> None:
    world.one(web(prove={"command": ["/usr/bin/env", "true"]}))
    world.one(web(lifetime="20d", prove=None))
    assert world.query("SELECT count(*) FROM endpoints") == [(0,)]
