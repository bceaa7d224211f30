# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What an OpenBao lacks before a run, found at a real one: each with its remedy, nothing signed, nothing used up."""

from __future__ import annotations

import re
import time
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import KeysteadError
from ansible_collections.keystead.identity.plugins.plugin_utils._preflight import failure
from ansible_collections.keystead.identity.tests.harness import faulty_proxy as faulty
from ansible_collections.keystead.identity.tests.harness import local
from ansible_collections.keystead.identity.tests.harness import openbao as make
from ansible_collections.keystead.identity.tests.harness.issuers import Made, answers
from ansible_collections.keystead.identity.tests.harness.openbao_server import Refused

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.plugins.module_utils._core.ports import Check
    from ansible_collections.keystead.identity.tests.harness.openbao_server import Server

pytestmark = [pytest.mark.needs("openbao"), pytest.mark.one_core]


@pytest.fixture
def backend(openbao: Server, tmp_path: Path) -> make.Backend:
    return make.Backend(tmp_path, openbao)


def look(backend: make.Backend, options: make.Options | None = None) -> dict[str, Check]:
    """Return what was found by name; an error that ended it is `issuer`, as the module shows it."""
    found: list[Check] = []
    try:
        for check in Made("openbao", backend).issuer(options).preflight():  # type: ignore[attr-defined]
            found.append(check)  # noqa: PERF402 - those before an error count too
    except KeysteadError as error:
        found.append(failure("issuer", error))
    for check in found:
        assert not [secret for secret in backend.secrets if secret in str(check)]
        assert bool(check.remedy) == (check.state != "ok"), check
    return {check.name: check for check in found}


def signed(backend: make.Backend) -> int:
    """Return how much the mount has signed."""
    try:
        return len(backend.pki.call("GET", f"{backend.pki.mount}/certs?list=true")["data"]["keys"])
    except Refused:  # there is none yet
        return 0


def test_what_is_fit_is_said_and_nothing_is_signed(backend: make.Backend) -> None:
    before = signed(backend)
    found = look(backend)
    assert list(found) == ["server", "clock", "authority", "login", "token", "role"]
    assert {check.state for check in found.values()} == {"ok"}
    assert re.fullmatch(r"the token is good for \d+ min, and is renewed", found["token"].found)
    assert found["role"].found == "role web signs, and the login may have it sign"
    assert signed(backend) == before


def test_it_is_found_in_a_namespace_and_by_another_issuer_too(openbao: Server) -> None:
    inside = make.pki(openbao, namespace=make.namespace(openbao))
    backend = make.Backend.__new__(make.Backend)
    backend.pki, backend.auth = inside, make.approle(inside)
    assert {check.state for check in look(backend).values()} == {"ok"}
    verbatim = look(backend, backend.options(role=None, sign_verbatim=True, issuer_ref="default"))
    assert verbatim["issuer"].found.startswith("openbao: the login may not update")
    verbatim = look(backend, backend.options(sign_verbatim=True, issuer_ref="default"))
    assert {check.state for check in verbatim.values()} == {"ok"}


@pytest.mark.parametrize(
    ("said", "found", "remedy"),
    [
        ({"role": "nobody"}, "the login may not update", "give its policy the capability update there"),
        ({"role": "hidden"}, "the login may not update", "give its policy the capability update there"),
        ({"mount": "nowhere"}, "there is nothing at nowhere/issuer/default/json", "correct mount"),
        ({"issuer_ref": "none"}, "has no issuer none", "correct issuer_ref"),
        ({"namespace": "nowhere"}, "namespace not found", "correct mount, namespace or url"),
        ({"ca_bundle": None}, "is signed by nobody who is trusted here", "name its authority in ca_bundle"),
        ({"ca_bundle": "/none"}, "ca_bundle /none: No such file", "write the path"),
    ],
)
def test_what_stands_in_the_way_is_named_with_its_remedy(
    backend: make.Backend, said: make.Options, found: str, remedy: str
) -> None:
    before = signed(backend)
    row = look(backend, backend.options(**said))["issuer"]
    assert row.state == "failed"
    assert found in row.found
    assert remedy in row.remedy
    assert signed(backend) == before


def test_a_role_that_is_not_there_is_named(backend: make.Backend) -> None:
    root = {"token": {"token": backend.pki.server.token}}
    found = look(backend, backend.pki.options(root, role="nobody"))
    assert found["token"].found == "the token does not end"
    assert f"mount {backend.pki.mount} has no role nobody" in found["issuer"].found


def test_a_server_that_is_sealed_or_not_there_is_named(backend: make.Backend) -> None:
    backend.pki.server.seal()
    try:
        row = look(backend)["issuer"]
    finally:
        backend.pki.server.unseal()
    assert (row.found, row.remedy) == ("openbao: it is sealed", "unseal it and run again")
    assert "accepts no connection" in look(backend, backend.unreachable())["issuer"].found


def test_each_credential_that_opens_nothing_is_named_without_it(backend: make.Backend) -> None:
    for what, wrong in backend.wrong().items():
        row = look(backend, wrong.options)["issuer"]
        assert row.state == "failed", what
        assert not [secret for secret in wrong.secrets if secret in str(row)], what


def test_a_wrapped_secret_id_is_not_used_up(backend: make.Backend) -> None:
    options = backend.pki.options(make.wrapped(backend.auth, backend.pki))
    for _ in range(2):
        assert look(backend, options)["login"].state == "warning"
    (answer,) = answers(Made("openbao", backend).issuer(options), local.request())
    assert not isinstance(answer, KeysteadError)
    assert "it was unwrapped already" in look(backend, options)["issuer"].found


@pytest.mark.parametrize(
    ("said", "state", "found"),
    [
        ({"ttl": "1h"}, "ok", r"^the token is good for (59|60) min, and is renewed$"),
        ({"ttl": "3h", "renewable": False}, "ok", "is good for [23] h, and cannot be renewed"),
        ({"ttl": "90s", "renewable": False}, "warning", "s, and cannot be renewed"),
        ({"ttl": "1h", "num_uses": 5}, "warning", "calls more"),
    ],
)
def test_how_long_a_token_lasts_and_what_comes_then_is_said(
    backend: make.Backend, said: make.Options, state: str, found: str
) -> None:
    given = make.token(backend.pki, **said)
    row = look(backend, backend.pki.options({"token": {"token": given}}))["token"]
    assert (row.state, given in str(row)) == (state, False)
    assert re.search(found, row.found)


def test_a_token_without_the_default_policy_may_still_be_fit(backend: make.Backend) -> None:
    given = make.token(backend.pki, no_default_policy=True)
    found = look(backend, backend.pki.options({"token": {"token": given}}))
    assert {check.state for check in found.values()} == {"ok"}
    assert list(found) == ["server", "clock", "authority", "role"]


def test_a_policy_that_wants_parameters_is_a_warning(backend: make.Backend) -> None:
    path = f"{backend.pki.mount}/sign/web"
    rule = f'path "{path}" {{ capabilities = ["update"] required_parameters = ["ttl"] }}'
    backend.pki.call("PUT", f"sys/policies/acl/{backend.pki.mount}-strict", {"policy": rule})
    given = make.token(backend.pki, f"{backend.pki.mount}-strict")
    row = look(backend, backend.pki.options({"token": {"token": given}}))["role"]
    assert (row.state, row.found) == ("warning", f"the login may use {path}, but not with every parameter")


def test_an_authority_that_ends_is_a_warning(backend: make.Backend) -> None:
    pki = backend.pki
    csr = pki.call("POST", f"{pki.mount}/intermediate/generate/internal", {"common_name": "soon"})["data"]["csr"]
    said = {"csr": csr, "ttl": "48h", "common_name": "soon"}
    short = pki.call("POST", f"{pki.mount}_root/root/sign-intermediate", said)["data"]["certificate"]
    made = pki.call("POST", f"{pki.mount}/intermediate/set-signed", {"certificate": f"{short}\n{pki.root_pem}"})
    soon = made["data"]["imported_issuers"][0]
    row = look(backend, backend.options(issuer_ref=soon))["authority"]
    assert (row.state, row.remedy) == ("warning", "make another authority there in time")


def through(backend: make.Backend, health: dict[str, t.Any]) -> dict[str, Check]:
    """Look by way of a proxy that tells this health."""
    up = backend.upstream
    with faulty.before(up.url, up.ca_bundle, up.authority) as proxy:
        proxy.fail(faulty.says(200, health), "sys/health")
        return look(backend, backend.through(proxy.url))


@pytest.mark.parametrize(("skew", "state"), [(90, "warning"), (-90, "warning"), (3600, "failed")])
def test_a_clock_that_is_off_is_said(backend: make.Backend, skew: int, state: str) -> None:
    found = through(backend, {"initialized": True, "sealed": False, "server_time_utc": int(time.time()) + skew})
    assert found["clock"].state == state
    assert "synchronise both" in found["clock"].remedy
    assert found["role"].state == "ok"


@pytest.mark.parametrize(
    ("health", "words"),
    [({}, "is not initialised"), ({"initialized": False}, "is not initialised"), ({"initialized": True}, "is sealed"),
     ({"initialized": True, "sealed": False}, "its health cannot be understood")],
)  # fmt: skip
def test_a_server_whose_health_is_none_is_said(backend: make.Backend, health: dict[str, t.Any], words: str) -> None:
    row = through(backend, health)["issuer"]
    assert row.state == "failed"
    assert words in row.found
