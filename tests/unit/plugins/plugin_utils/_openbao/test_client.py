# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One login and one connection for a batch, renewed in time, against a real OpenBao. The clock is the test's."""

from __future__ import annotations

import os
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied, Pending
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Generation
from ansible_collections.keystead.identity.plugins.plugin_utils._auth.registry import login_of
from ansible_collections.keystead.identity.plugins.plugin_utils._openbao.address import Address
from ansible_collections.keystead.identity.plugins.plugin_utils._openbao.client import Client
from ansible_collections.keystead.identity.plugins.plugin_utils._openbao.shared import shared
from ansible_collections.keystead.identity.plugins.plugin_utils._openbao.signer import Signer, Target
from ansible_collections.keystead.identity.tests.harness import faulty_proxy as faulty
from ansible_collections.keystead.identity.tests.harness import openbao as make
from ansible_collections.keystead.identity.tests.harness.local import request

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.openbao_server import Server

pytestmark = [pytest.mark.needs("openbao"), pytest.mark.one_core]
FULL: dict[str, t.Any] = {"token": None, "token_file": None, "token_env": None}


class Clock:
    """Stands still until it is told."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def pki(openbao: Server) -> make.Pki:
    return make.pki(openbao)


def client(pki: make.Pki, auth: dict[str, t.Any], clock: Clock | None = None, url: str = "") -> Client:
    address = Address(url or pki.server.url, "", str(pki.server.ca_bundle), 5.0)
    return Client(address, login_of(auth), clock or Clock())


def look(one: Client) -> dict[str, t.Any]:
    """Make a call that anybody who is logged in may make."""
    return dict(one.call("GET", "auth/token/lookup-self")["data"])


def test_one_login_serves_many_calls(pki: make.Pki) -> None:
    one = client(pki, make.approle(pki))
    assert len({look(one)["accessor"] for _ in range(5)}) == 1


def test_a_token_is_renewed_when_two_thirds_of_its_time_are_over(pki: make.Pki) -> None:
    clock = Clock()
    one = client(pki, make.approle(pki), clock)
    first = look(one)
    clock.now = 399.0
    assert look(one).get("last_renewal_time") is None
    clock.now = 401.0
    renewed = look(one)
    assert renewed["accessor"] == first["accessor"]
    assert renewed["last_renewal_time"]


def test_a_token_that_cannot_be_renewed_is_followed_by_a_new_login(pki: make.Pki) -> None:
    clock = Clock()
    one = client(pki, make.approle(pki, token_type="batch"), clock)
    first = look(one)
    clock.now = 401.0
    second = look(one)
    assert (first["type"], second["type"]) == ("batch", "batch")
    assert second["creation_time"] >= first["creation_time"]
    logins = [entry for entry in pki.server.audited() if entry["request"]["path"].endswith("/login")]
    assert sum(entry["type"] == "request" and entry["request"]["path"] == logins[-1]["request"]["path"]
               for entry in logins) == 2  # fmt: skip


@pytest.mark.parametrize(("kind", "logins"), [("service", 1), ("batch", 2)])
def test_a_batch_that_outlasts_its_token_is_signed_to_its_end(pki: make.Pki, kind: str, logins: int) -> None:
    clock, auth = Clock(), make.approle(pki, token_type=kind)
    signer = Signer(client(pki, auth, clock), Target("openbao:x", pki.mount, "web", "", verbatim=False), {}, [].append)
    for now in (0.0, 401.0):
        clock.now = now
        answers = signer.sign([request(number=number) for number in range(3)])
        assert [type(one) for one in answers] == [Generation] * 3, answers
    paths = [entry["request"]["path"] for entry in pki.server.audited() if entry["type"] == "request"]
    assert paths.count(f"auth/{auth['approle']['mount']}/login") == logins
    begun = len(paths) - paths[::-1].index(f"auth/{auth['approle']['mount']}/login")
    assert ("auth/token/renew-self" in paths[begun:]) == (kind == "service")


def test_a_token_that_was_taken_back_is_followed_by_a_new_login(pki: make.Pki) -> None:
    one = client(pki, make.approle(pki))
    first = look(one)
    pki.call("POST", "auth/token/revoke-accessor", {"accessor": first["accessor"]})
    assert look(one)["accessor"] != first["accessor"]


def test_an_unwrapped_secret_id_logs_in_again(pki: make.Pki) -> None:
    one = client(pki, make.wrapped(make.approle(pki), pki))
    first = look(one)
    pki.call("POST", "auth/token/revoke-accessor", {"accessor": first["accessor"]})
    assert look(one)["accessor"] != first["accessor"]


def test_a_token_file_that_was_rewritten_is_read_again(pki: make.Pki, tmp_path: Path) -> None:
    file = tmp_path / "sink"
    file.write_text(make.token(pki) + "\n", encoding="ascii")
    one = client(pki, {"token": {**FULL, "token_file": str(file)}})
    first = look(one)
    pki.call("POST", "auth/token/revoke-accessor", {"accessor": first["accessor"]})
    file.write_text(make.token(pki) + "\n", encoding="ascii")
    assert look(one)["accessor"] != first["accessor"]


def test_a_token_that_was_taken_back_and_is_all_there_is_ends_it(pki: make.Pki) -> None:
    one = client(pki, {"token": {**FULL, "token": make.token(pki)}})
    pki.call("POST", "auth/token/revoke-accessor", {"accessor": look(one)["accessor"]})
    with pytest.raises(Denied, match=r"openbao: auth\.token: the token is not valid, or not any more"):
        look(one)


def test_a_token_of_somebody_else_is_renewed_where_it_can_be(pki: make.Pki) -> None:
    clock = Clock()
    one = client(pki, {"token": {**FULL, "token": make.token(pki, ttl="10m")}}, clock)
    look(one)
    clock.now = 401.0
    assert look(one)["last_renewal_time"]


def test_what_is_not_permitted_names_the_capability_and_costs_no_login(pki: make.Pki) -> None:
    one = client(pki, make.approle(pki))
    first = look(one)
    for method, right in (("GET", "read"), ("LIST", "list"), ("POST", "update"), ("DELETE", "delete")):
        words = rf"may not {right} sys/mounts \(permission denied\); give its policy the capability {right} there"
        with pytest.raises(Denied, match=words):
            one.call(method, "sys/mounts")
    assert look(one)["accessor"] == first["accessor"]


def test_what_is_read_without_a_login_does_not_blame_the_login(pki: make.Pki) -> None:
    one = client(pki, make.approle(pki))
    words = r"nothing at nope/issuer/default/json, or it may not be read without a login .*; correct mount, namespace"
    with pytest.raises(Denied, match=words):
        one.public("nope/issuer/default/json")


def test_a_busy_server_is_asked_again_when_it_says_if_there_is_time(pki: make.Pki) -> None:
    server = pki.server
    with faulty.before(server.url, server.ca_bundle, server.authority) as proxy:
        one = client(pki, make.approle(pki), url=proxy.url)
        proxy.fail(faulty.says(429, Retry_After="0"), times=3)
        assert look(one)
        proxy.fail(faulty.says(429, Retry_After="6"), times=1)
        with pytest.raises(Pending) as refused:
            look(one)
        assert refused.value.retry_after == 6
        assert str(refused.value).endswith("; run again in 6 s")


def test_one_connection_serves_all_calls(pki: make.Pki) -> None:
    server = pki.server
    with faulty.before(server.url, server.ca_bundle, server.authority) as proxy:
        one = client(pki, make.approle(pki), url=proxy.url)
        ports = set[int]()

        def note(handler: faulty.Handler) -> None:
            ports.add(handler.client_address[1])
            faulty.pass_on(handler)

        proxy.fail(note)
        for _ in range(5):
            look(one)
        assert len(ports) == 1


def test_equal_options_have_one_client_and_others_have_another(pki: make.Pki) -> None:
    address, auth = Address(pki.server.url, "", str(pki.server.ca_bundle), 5.0), make.approle(pki)
    assert shared(address, auth) is shared(address, {**auth})
    assert shared(address, auth) is not shared(address._replace(namespace="team"), auth)
    assert shared(address, auth) is not shared(address, make.approle(pki))


def test_after_a_fork_each_process_has_a_connection_of_its_own_and_the_same_login(pki: make.Pki) -> None:
    server, ports = pki.server, list[int]()

    def note(handler: faulty.Handler) -> None:
        ports.append(handler.client_address[1])
        faulty.pass_on(handler)

    with faulty.before(server.url, server.ca_bundle, server.authority) as proxy:
        one = client(pki, make.approle(pki), url=proxy.url)
        first = look(one)
        proxy.fail(note)
        read, write = os.pipe()
        pid = os.fork()
        if not pid:  # the child: whatever happens, it must not go on as a second pytest
            try:
                os.write(write, str(look(one)["accessor"]).encode())
            finally:
                os._exit(0)
        os.close(write)
        with os.fdopen(read) as pipe:
            assert pipe.read() == first["accessor"]
        os.waitpid(pid, 0)
        assert look(one)["accessor"] == first["accessor"]
    assert len(ports) == len(set(ports)) == 2
