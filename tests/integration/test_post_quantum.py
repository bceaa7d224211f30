# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""ML-DSA identities, issued, served and verified in TLS 1.3 over real sockets, by pyOpenSSL on both ends."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import typing as t
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core import pki
from ansible_collections.keystead.identity.plugins.module_utils._core.keys import key_type_of
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Generation
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.local import LocalIssuer
from ansible_collections.keystead.identity.plugins.plugin_utils._verifying import needed_above, needed_by
from ansible_collections.keystead.identity.tests.harness import local
from ansible_collections.keystead.identity.tests.harness import openbao as make
from ansible_collections.keystead.identity.tests.harness.in_process import World, web
from OpenSSL import SSL

if t.TYPE_CHECKING:
    from cryptography import x509

pytestmark = pytest.mark.one_core
HOST = "web.example.org"
KEY = {"type": "ml-dsa-65"}
OLD = ssl.OPENSSL_VERSION_INFO < (3, 5)  # this Python's; pyOpenSSL brings its own


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path / "world")


def by_local(directory: Path, _request: pytest.FixtureRequest) -> dict[str, t.Any]:
    directory.mkdir()
    return {"local": local.two_tiers(directory, key_type="ml-dsa-65")}


def by_openbao(_directory: Path, request: pytest.FixtureRequest) -> dict[str, t.Any]:
    pki = make.pki(request.getfixturevalue("openbao"), key={"key_type": "mldsa", "key_bits": 65})
    pki.call("POST", f"{pki.mount}/roles/web", {**make.WEB, "key_type": "mldsa", "key_bits": 65})
    return {"openbao": pki.options()}


@contextlib.contextmanager
def serving(*directories: Path) -> t.Iterator[int]:
    """Serve the generations in these directories, each client the one that it can verify; yield the port."""
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(SSL.TLS1_3_VERSION)
    for directory in directories:
        context.use_certificate_chain_file(str(directory / "fullchain.pem"))
        context.use_privatekey_file(str(directory / "private_key.pem"))
        context.check_privatekey()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection = SSL.Connection(context, listener.accept()[0])
                    connection.set_accept_state()
                    with contextlib.suppress(SSL.Error):
                        connection.do_handshake()
                        connection.sendall(b"hello")
                        connection.shutdown()

        threading.Thread(target=serve, daemon=True).start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)


def shown(port: int, roots: Path) -> tuple[x509.Certificate, str]:
    """Return what a client that trusts these roots verified, and by which version of TLS."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.load_verify_locations(str(roots))
    context.set_verify(SSL.VERIFY_PEER)
    with socket.create_connection(("127.0.0.1", port), 10) as plain:
        plain.setblocking(True)  # noqa: FBT003 - pyOpenSSL has no timeouts
        connection = SSL.Connection(context, plain)
        connection.set_tlsext_host_name(HOST.encode())
        connection.set_verify(SSL.VERIFY_PEER)
        connection.set_connect_state()
        connection.do_handshake()
        assert connection.recv(5) == b"hello"
        certificate = connection.get_peer_certificate(as_cryptography=True)
        assert certificate
        return certificate, connection.get_protocol_version_name()


@pytest.mark.parametrize(
    "authority", [by_local, pytest.param(by_openbao, marks=pytest.mark.needs("openbao"))], ids=["local", "openbao"]
)
def test_an_ml_dsa_identity_is_issued_served_and_verified(
    world: World, request: pytest.FixtureRequest, tmp_path: Path, authority: t.Callable[..., dict[str, t.Any]]
) -> None:
    issuer = authority(tmp_path / "authorities", request)
    world.settled([web(key=KEY)], issuer=issuer)
    current = world.path("web", "current")
    with serving(current) as port:
        served, version = shown(port, current / "roots.pem")
    assert (served, version) == (world.certificate(), "TLSv1.3")
    assert key_type_of(served.public_key()) == "ml-dsa-65"
    assert served.signature_algorithm_oid.dotted_string == "2.16.840.1.101.3.4.3.18"
    assert world.converge([web(key=KEY)], issuer=issuer)["changed"] is False


def test_one_that_trusts_others_does_not_accept_it(
    world: World, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    world.settled([web(key=KEY)], issuer=by_local(tmp_path / "ours", request))
    local.two_tiers(tmp_path / "theirs", key_type="ml-dsa-65")
    with serving(world.path("web", "current")) as port, pytest.raises(SSL.Error, match="certificate verify failed"):
        shown(port, tmp_path / "theirs" / "root" / "certificate.pem")


def test_one_service_shows_each_client_the_identity_that_it_can_verify(
    world: World, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    quantum = web(name="quantum", key=KEY, issuer=by_local(tmp_path / "authorities", request), service="shop")
    world.settled([web(service="shop"), quantum])
    classical, ours = (world.path(name, "current") for name in ("web", "quantum"))
    context = ssl.create_default_context(cafile=str(classical / "roots.pem"))
    with serving(classical, ours) as port:
        modern, _version = shown(port, ours / "roots.pem")
        assert key_type_of(modern.public_key()) == "ml-dsa-65"
        if OLD:  # a client that knows no ML-DSA
            plain = socket.create_connection(("127.0.0.1", port), 10)
            with context.wrap_socket(plain, server_hostname=HOST) as secured:
                assert secured.getpeercert(binary_form=True) == _der(classical)
    assert world.query("SELECT DISTINCT service FROM identities") == [("shop",)]


def _der(directory: Path) -> bytes:
    return ssl.PEM_cert_to_DER_cert((directory / "certificate.pem").read_text(encoding="ascii"))


@pytest.mark.parametrize("check", [True, False], ids=["check mode", "run"])
def test_a_host_that_cannot_prove_it_is_told_so_before_anything_is_tried(
    world: World, request: pytest.FixtureRequest, tmp_path: Path, *, check: bool
) -> None:
    issuer, prove = by_local(tmp_path / "authorities", request), {"host": "127.0.0.1", "port": 9, "timeout": "1s"}
    result = world.converge([web(key=KEY, prove=prove)], issuer=issuer, check=check)
    (record,) = result["identities"]
    if not OLD:
        assert "cannot do a handshake" not in record["msg"]
        return
    assert result["failed"] is True
    assert "cannot do a handshake with ml-dsa-65; use prove.command" in record["msg"]
    assert record["msg"].startswith("host: this host's OpenSSL 3.")
    assert not world.path("web", "next").exists()
    assert not world.path("web", "current").exists()
    assert not list((tmp_path / "authorities" / "issuing" / "issued").glob("*.pem"))
    assert world.query("SELECT count(*) FROM generations") == [(0,)] if world.ledger.exists() else True


# classical keys below authorities that sign with ML-DSA

HANDSHAKE = {"host": "127.0.0.1", "port": 9, "timeout": "1s"}


def below_a_root(directory: Path, _request: pytest.FixtureRequest) -> dict[str, t.Any]:
    """Return a classical authority below an ML-DSA root."""
    directory.mkdir()
    local.authority(directory, "root", key=KEY)
    local.authority(directory, "issuing", parent={"name": "root"})
    return {"local": {"directory": str(directory), "authority": "issuing"}}


def by_openbao_for_classical_keys(_directory: Path, request: pytest.FixtureRequest) -> dict[str, t.Any]:
    pki = make.pki(request.getfixturevalue("openbao"), key={"key_type": "mldsa", "key_bits": 65})
    pki.call("POST", f"{pki.mount}/roles/web", make.WEB)
    return {"openbao": pki.options()}


AUTHORITIES = {
    "local": by_local,
    "a root": below_a_root,
    "openbao": by_openbao_for_classical_keys,
}


@pytest.mark.parametrize("check", [True, False], ids=["check mode", "run"])
@pytest.mark.parametrize(
    "authority", ["local", "a root", pytest.param("openbao", marks=pytest.mark.needs("openbao"))]
)
def test_a_host_that_cannot_verify_what_an_authority_signs_is_told_so_before_it_is_asked(
    world: World, request: pytest.FixtureRequest, tmp_path: Path, authority: str, *, check: bool
) -> None:
    issuer = AUTHORITIES[authority](tmp_path / "authorities", request)
    (record,) = world.converge([web(prove=HANDSHAKE)], issuer=issuer, check=check)["identities"]
    if not OLD:
        assert "cannot verify" not in record["msg"]
        return
    assert record["failed"] is True
    assert record["msg"].startswith("host: this host's OpenSSL 3.")
    (who,) = issuer
    assert record["msg"].endswith(
        f" cannot verify the signatures by ml-dsa-65 on what {who} signs for web; use prove.command, or another issuer"
    )
    assert not world.path("web", "current").exists()
    assert not list(tmp_path.glob("authorities/issuing/issued/*.pem"))
    assert world.query("SELECT count(*) FROM generations") == [(0,)] if world.ledger.exists() else True


def test_a_host_that_is_not_asked_to_shake_hands_takes_what_it_cannot_verify(
    world: World, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    issuer = by_local(tmp_path / "authorities", request)
    world.settled([web(prove={"command": ["/bin/true"]}), web(name="api")], issuer=issuer)


def test_a_root_that_is_not_on_the_way_is_no_reason_to_refuse(
    world: World, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    by_local(tmp_path / "authorities", request)
    local.two_tiers(tmp_path / "classical")
    roots = [str(tmp_path / where / "root/certificate.pem") for where in ("authorities", "classical")]
    issuer = {"local": {"directory": str(tmp_path / "classical"), "authority": "issuing", "roots": roots}}
    (record,) = world.converge([web(prove=HANDSHAKE)], issuer=issuer)["identities"]
    assert record["msg"].endswith("127.0.0.1:9 refused the connection"), record["msg"]


@pytest.mark.parametrize("pinned", ["root", "issuing"])
def test_what_a_chain_needs_is_what_its_signatures_are_made_by_up_to_what_is_pinned(
    request: pytest.FixtureRequest, tmp_path: Path, pinned: str
) -> None:
    directory = Path(below_a_root(tmp_path / "authorities", request)["local"]["directory"])
    anchor = pki.der_certificates((directory / pinned / "certificate.pem").read_bytes())
    local_issuer = LocalIssuer({"directory": str(directory), "authority": "issuing"})
    (answer,) = local_issuer.begin([local.request()])
    assert isinstance(answer, Generation)
    wanted = None if pinned == "issuing" else "ml-dsa-65"
    assert needed_by(answer, anchor) == wanted
    assert needed_above(local_issuer.chain(), anchor) == wanted
    assert needed_above((), anchor) == wanted, "the roots alone tell"
    quantum = LocalIssuer({"directory": str(directory), "authority": "root"})
    assert needed_above(quantum.chain(), pki.der_certificates((directory / "root/certificate.pem").read_bytes()))


def test_another_proof_serves_where_a_handshake_cannot_be_done(
    world: World, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    issuer = by_local(tmp_path / "authorities", request)
    world.settled([web(key=KEY, prove={"command": ["/bin/true"]})], issuer=issuer)
    assert world.current() == 1
