# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A proof says whether a real server uses our certificate, and if not, what differs."""

from __future__ import annotations

import hashlib
import socket
import ssl
import subprocess
import threading
import time
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Activation, Proof, Subject
from ansible_collections.keystead.identity.plugins.module_utils._host.activation import activate
from ansible_collections.keystead.identity.plugins.module_utils._host.proof import prove
from ansible_collections.keystead.identity.plugins.module_utils._host.target import Target
from ansible_collections.keystead.identity.tests.harness import consumers
from ansible_collections.keystead.identity.tests.harness.consumers import LOOPBACK, Nginx, TlsServer
from ansible_collections.keystead.identity.tests.harness.two_tier import Pair, TwoTier
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

if t.TYPE_CHECKING:
    from pathlib import Path

NAME = "web.example.org"


@pytest.fixture(scope="module")
def authority() -> TwoTier:
    """Return our CA."""
    return TwoTier()


@pytest.fixture(scope="module")
def ours(authority: TwoTier) -> Pair:
    """Return what must be served."""
    return authority.issue(NAME)


def _public_id(pair: Pair) -> str:
    spki = pair.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).hexdigest()


def _target(authority: TwoTier, pair: Pair, port: int, *names: str, **proof: t.Any) -> Target:
    return Target(
        name="web",
        proof=Proof(**{"host": LOOPBACK, "port": port, "timeout": 3.0, **proof}),
        subject=Subject(dns_names=names or (NAME,)),
        certificate=pair.der,
        public_id=_public_id(pair),
        roots=authority.root,
    )


def _verdict(target: Target) -> str:
    return prove([target])["web"]


def test_a_server_with_our_certificate_is_proved(authority: TwoTier, ours: Pair, tmp_path: Path) -> None:
    with TlsServer(ours.write(tmp_path)) as server:
        assert _verdict(_target(authority, ours, server.port)) == "ok"
        assert server.names == [NAME]
        assert server.connections == 1


def test_nothing_to_prove_is_nothing() -> None:
    assert prove([]) == {}


@pytest.mark.needs("openssl")
def test_openssl_is_proved(authority: TwoTier, ours: Pair, tmp_path: Path) -> None:
    certificate, key = ours.write(tmp_path)
    port = consumers.free_port()
    argv = ("openssl", "s_server", "-accept", f"{LOOPBACK}:{port}", "-cert", certificate, "-cert_chain", certificate)
    with consumers.program(*argv, "-key", key, "-quiet", port=port):
        assert _verdict(_target(authority, ours, port)) == "ok"


@pytest.mark.parametrize("protocol", sorted(consumers.FAKES))
def test_starttls_leads_to_the_same_proof(authority: TwoTier, ours: Pair, tmp_path: Path, protocol: str) -> None:
    with TlsServer(ours.write(tmp_path), before=consumers.FAKES[protocol]) as server:
        assert _verdict(_target(authority, ours, server.port, starttls=protocol)) == "ok"


def test_another_key_is_said(authority: TwoTier, ours: Pair, tmp_path: Path) -> None:
    other = authority.issue(NAME)
    with TlsServer(other.write(tmp_path)) as server:
        verdict = _verdict(_target(authority, ours, server.port, timeout=0.3))
    assert verdict == f"127.0.0.1:{server.port} serves another key (SPKI {_public_id(other)})"


def test_another_key_of_another_authority_is_said(authority: TwoTier, ours: Pair, tmp_path: Path) -> None:
    other = TwoTier("other").issue("elsewhere.example.org")
    with TlsServer(other.write(tmp_path)) as server:
        verdict = _verdict(_target(authority, ours, server.port, timeout=0.3))
    assert verdict == f"127.0.0.1:{server.port} serves another key (SPKI {_public_id(other)})"


def test_another_certificate_of_the_same_key_is_said(authority: TwoTier, ours: Pair, tmp_path: Path) -> None:
    other = authority.issue(NAME, key=ours.key)
    with TlsServer(other.write(tmp_path)) as server:
        verdict = _verdict(_target(authority, ours, server.port, timeout=0.3))
    serial = other.leaf.serial_number
    assert verdict == f"127.0.0.1:{server.port} serves another certificate of the same key (serial {serial:x})"


def test_a_missing_intermediate_is_said(authority: TwoTier, ours: Pair, tmp_path: Path) -> None:
    with TlsServer(ours.write(tmp_path, chain=False)) as server:
        verdict = _verdict(_target(authority, ours, server.port, timeout=0.3))
    assert verdict == (
        f"127.0.0.1:{server.port} serves the right certificate without a chain to the pinned root "
        "(unable to get local issuer certificate)"
    )


def test_an_expired_certificate_is_said(authority: TwoTier, tmp_path: Path) -> None:
    old = authority.issue(NAME, expired=True)
    with TlsServer(old.write(tmp_path)) as server:
        verdict = _verdict(_target(authority, old, server.port, timeout=0.3))
    assert verdict.endswith("serves the right certificate, which does not verify (certificate has expired)")


def test_a_name_that_the_certificate_does_not_bear_is_said(authority: TwoTier, ours: Pair, tmp_path: Path) -> None:
    with TlsServer(ours.write(tmp_path)) as server:
        verdict = _verdict(_target(authority, ours, server.port, server_name="shop.example.org", timeout=0.3))
    assert verdict == f"127.0.0.1:{server.port}: the served certificate does not name host shop.example.org"


@pytest.mark.parametrize("name", ["a..b", "x" * 70 + ".example.org", ".example.org"])
def test_a_name_that_cannot_be_asked_for_is_said(authority: TwoTier, ours: Pair, tmp_path: Path, name: str) -> None:
    with TlsServer(ours.write(tmp_path)) as server:
        verdict = _verdict(_target(authority, ours, server.port, server_name=name, timeout=0.3))
    assert f"{name} is not a name that a server can be asked for" in verdict


@pytest.mark.parametrize(
    ("subject", "asked"),
    [
        (Subject(dns_names=("*.example.org", "plain.example.org")), "plain.example.org"),
        (Subject(dns_names=("*.example.org",)), "keystead.example.org"),
        (Subject(ip_addresses=("192.0.2.1", LOOPBACK)), None),
        (Subject(uris=("spiffe://example.org/web",)), "localhost"),
    ],
)
def test_the_server_is_asked_for_a_name_of_the_identity(
    authority: TwoTier, tmp_path: Path, subject: Subject, asked: str | None
) -> None:
    pair = authority.issue(*subject.dns_names, *subject.ip_addresses)
    target = _target(authority, pair, 0)
    with TlsServer(pair.write(tmp_path)) as server:
        proof = Proof(host="localhost" if subject.uris else LOOPBACK, port=server.port)
        assert _verdict(target._replace(subject=subject, proof=proof)) == "ok"
    assert server.names == [asked]


def test_an_address_that_the_certificate_does_not_bear_is_said(authority: TwoTier, tmp_path: Path) -> None:
    pair = authority.issue("192.0.2.7")
    with TlsServer(pair.write(tmp_path)) as server:
        verdict = _verdict(_target(authority, pair, server.port, server_name="192.0.2.8", timeout=0.3))
    assert verdict.endswith("the served certificate does not name host 192.0.2.8")


def test_without_roots_the_leaf_and_its_name_are_proved(authority: TwoTier, ours: Pair, tmp_path: Path) -> None:
    with TlsServer(ours.write(tmp_path, chain=False)) as server:
        target = _target(authority, ours, server.port, timeout=0.3)._replace(roots=b"")
        assert _verdict(target) == "ok"
        wrong = target._replace(proof=target.proof._replace(server_name="x.example.org"))
        assert _verdict(wrong).endswith("the served certificate does not name host x.example.org")


def test_an_intermediate_may_be_the_trust_anchor(authority: TwoTier, ours: Pair, tmp_path: Path) -> None:
    with TlsServer(ours.write(tmp_path, chain=False)) as server:
        target = _target(authority, ours, server.port)._replace(roots=authority.issuing)
        assert _verdict(target) == "ok"


def test_unreadable_roots_are_said_at_once(authority: TwoTier, ours: Pair) -> None:
    target = _target(authority, ours, 1)._replace(roots=b"-----BEGIN junk")
    assert _verdict(target).startswith("the pinned roots cannot be read (")


def test_a_closed_port_is_said(authority: TwoTier, ours: Pair) -> None:
    port = consumers.free_port()
    assert _verdict(_target(authority, ours, port, timeout=0.2)) == f"127.0.0.1:{port} refused the connection"


def test_a_black_hole_is_said_in_time(authority: TwoTier, ours: Pair) -> None:
    started = time.monotonic()
    with consumers.black_hole() as server:
        verdict = _verdict(_target(authority, ours, server.port, timeout=0.5))
    assert verdict == f"127.0.0.1:{server.port} timed out after 0.5 s"
    assert time.monotonic() - started < 30


def test_what_is_not_tls_is_said(authority: TwoTier, ours: Pair) -> None:
    with consumers.garbage() as server:
        verdict = _verdict(_target(authority, ours, server.port, timeout=0.2))
    assert verdict.startswith(f"127.0.0.1:{server.port}: no TLS there (")


def test_a_server_that_hangs_up_is_said(authority: TwoTier, ours: Pair) -> None:
    with consumers.Listener(lambda connection: connection.shutdown(socket.SHUT_RDWR)) as server:
        verdict = _verdict(_target(authority, ours, server.port, timeout=0.2))
    assert verdict == f"127.0.0.1:{server.port} closed the connection during the handshake"


def test_a_refused_starttls_is_said(authority: TwoTier, ours: Pair) -> None:
    with consumers.Listener(lambda connection: consumers.fake_postgres(connection, b"N")) as server:
        verdict = _verdict(_target(authority, ours, server.port, starttls="postgres", timeout=0.2))
    assert verdict == (f"127.0.0.1:{server.port}: no TLS there (postgres: no STARTTLS (the server has ssl = off))")


def test_a_host_that_does_not_resolve_is_said(authority: TwoTier, ours: Pair) -> None:
    verdict = _verdict(_target(authority, ours, 443, host="no-such-host.invalid", timeout=0.2))
    assert verdict.startswith(("no-such-host.invalid:443 cannot be found (", "no-such-host.invalid:443 timed out"))


def test_a_late_reload_is_waited_for(authority: TwoTier, ours: Pair, tmp_path: Path) -> None:
    old = TwoTier("old").issue(NAME).write(tmp_path / "old")
    new = ours.write(tmp_path / "new")
    with TlsServer(old) as server:
        threading.Timer(0.3, server.load, [new]).start()
        started = time.monotonic()
        assert _verdict(_target(authority, ours, server.port, timeout=60.0)) == "ok"
    assert 0.3 <= time.monotonic() - started < 30


def test_a_late_start_is_waited_for(authority: TwoTier, ours: Pair, tmp_path: Path) -> None:
    server = TlsServer(ours.write(tmp_path))
    server.port = consumers.free_port()
    timer = threading.Timer(0.3, server.__enter__)
    timer.start()
    assert _verdict(_target(authority, ours, server.port)) == "ok"
    timer.join()
    server.__exit__()


@pytest.mark.needs("nginx")
def test_nginx_is_activated_and_then_proved(authority: TwoTier, ours: Pair, tmp_path: Path) -> None:
    old = authority.issue(NAME)
    with Nginx(tmp_path / "nginx", old.write(tmp_path / "tls")).running() as nginx:
        target = _target(authority, ours, nginx.port)
        before = target._replace(proof=target.proof._replace(timeout=0.2))
        assert _verdict(before).endswith(f"serves another key (SPKI {_public_id(old)})")
        ours.write(tmp_path / "tls")
        assert activate(Activation(command=nginx.reload), 5).outcome == "ok"
        assert _verdict(target) == "ok"


def test_sixty_targets_take_about_as_long_as_one(authority: TwoTier, ours: Pair) -> None:
    with consumers.black_hole() as server:
        target = _target(authority, ours, server.port, timeout=1.0)
        started = time.monotonic()
        verdicts = prove([target._replace(name=f"n{n}") for n in range(60)])
    assert set(verdicts.values()) == {f"127.0.0.1:{server.port} timed out after 1 s"}
    assert len(verdicts) == 60
    assert time.monotonic() - started < 40  # one after the other would take sixty


def test_each_target_has_its_own_verdict(authority: TwoTier, ours: Pair, tmp_path: Path) -> None:
    with TlsServer(ours.write(tmp_path)) as good, consumers.black_hole() as bad:
        targets = [
            _target(authority, ours, good.port if n % 2 else bad.port, timeout=1)._replace(name=f"n{n}")
            for n in range(20)
        ]
        verdicts = prove(targets)
    assert [verdicts[f"n{n}"] == "ok" for n in range(20)] == [bool(n % 2) for n in range(20)]


VERSIONS = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


def _client(authority: TwoTier, pair: Pair, port: int, directory: Path, **proof: t.Any) -> Target:
    certificate, key = pair.write(directory)
    target = _target(authority, pair, port, client_auth=True, **proof)
    return target._replace(client_certificate=certificate, client_key=key)


@pytest.mark.parametrize("newest", VERSIONS)
@pytest.mark.parametrize("accepted", [True, False])
def test_a_server_that_asks_who_we_are_decides(
    authority: TwoTier, ours: Pair, tmp_path: Path, newest: ssl.TLSVersion, *, accepted: bool
) -> None:
    client = authority.issue("client.example.org", usage=ExtendedKeyUsageOID.CLIENT_AUTH)
    trusted = authority.root if accepted else TwoTier("other").root
    with TlsServer(ours.write(tmp_path / "server"), clients=trusted, newest=newest) as server:
        target = _client(authority, client, server.port, tmp_path / "client", timeout=1)
        verdict = _verdict(target)
    if accepted:
        assert verdict == "ok"
    else:
        assert verdict == f"127.0.0.1:{server.port} refused the handshake (tlsv1 alert unknown ca)"


@pytest.mark.parametrize("newest", VERSIONS)
def test_a_server_that_wants_a_client_certificate_still_shows_its_own(
    authority: TwoTier, ours: Pair, tmp_path: Path, newest: ssl.TLSVersion
) -> None:
    with TlsServer(ours.write(tmp_path), clients=authority.root, newest=newest) as server:
        verdict = _verdict(_target(authority, ours, server.port, timeout=0.4))
    assert verdict == "ok" if newest == ssl.TLSVersion.TLSv1_3 else "refused the handshake" in verdict


def test_a_client_shows_itself_to_no_server_of_another_authority(
    authority: TwoTier, ours: Pair, tmp_path: Path
) -> None:
    with TlsServer(TwoTier("other").issue(NAME).write(tmp_path / "server"), clients=authority.root) as server:
        verdict = _verdict(_client(authority, ours, server.port, tmp_path / "client", timeout=0.3))
    assert verdict.startswith(f"127.0.0.1:{server.port}: the server's certificate does not chain to the pinned root (")


def test_a_declared_server_name_binds_the_server_that_a_client_meets(
    authority: TwoTier, ours: Pair, tmp_path: Path
) -> None:
    with TlsServer(ours.write(tmp_path / "server"), clients=authority.root) as server:
        target = _client(authority, ours, server.port, tmp_path / "client", timeout=0.3, server_name="db.example.org")
        verdict = _verdict(target)
    assert verdict == f"127.0.0.1:{server.port}: the server's certificate does not name host db.example.org"


def test_client_auth_without_a_key_file_names_the_remedy(authority: TwoTier, ours: Pair) -> None:
    assert _verdict(_target(authority, ours, 1, client_auth=True)) == (
        "prove.client_auth needs a key in a file; use prove.command"
    )


def test_an_encrypted_key_is_an_error_and_no_question(authority: TwoTier, ours: Pair, tmp_path: Path) -> None:
    target = _client(authority, ours, 1, tmp_path)
    key = tmp_path / "key.pem"
    subprocess.run(["openssl", "ec", "-in", key, "-out", key, "-aes128", "-passout", "pass:canary"],
                   check=True, capture_output=True)  # fmt: skip
    verdict = _verdict(target)
    assert verdict.startswith("prove.client_auth: our own certificate cannot be loaded (")


def test_a_command_that_succeeds_proves(authority: TwoTier, ours: Pair) -> None:
    assert _verdict(_target(authority, ours, 0, command=("true",))) == "ok"


def test_a_command_that_fails_is_said_with_its_last_line(authority: TwoTier, ours: Pair) -> None:
    command = ("sh", "-c", "echo 'still version 1'; exit 3")
    verdict = _verdict(_target(authority, ours, 0, command=command, timeout=0.2))
    assert verdict == "prove.command: sh exited with 3: still version 1"


def test_a_command_is_tried_again_while_there_is_time(authority: TwoTier, ours: Pair, tmp_path: Path) -> None:
    threading.Timer(0.3, (tmp_path / "ready").touch).start()
    assert _verdict(_target(authority, ours, 0, command=("test", "-e", str(tmp_path / "ready")))) == "ok"


def test_a_command_that_hangs_is_killed_and_said(authority: TwoTier, ours: Pair) -> None:
    verdict = _verdict(_target(authority, ours, 0, command=("sleep", "60"), timeout=0.3))
    assert verdict == "prove.command: sleep timed out after 0.3 s"


@pytest.mark.parametrize(("arc", "name"), [(17, "ml-dsa-44"), (18, "ml-dsa-65"), (19, "ml-dsa-87")])
def test_an_openssl_without_ml_dsa_says_so_at_once(authority: TwoTier, ours: Pair, arc: int, name: str) -> None:
    if ssl.OPENSSL_VERSION_INFO >= (3, 5):
        expected = "refused the connection"
    else:
        major, minor = ssl.OPENSSL_VERSION_INFO[:2]
        expected = f"this host's OpenSSL {major}.{minor} cannot do a handshake with {name}; use prove.command"
    certificate = bytes.fromhex("060960864801650304") + bytes([3, arc])
    target = _target(authority, ours, consumers.free_port(), timeout=0.1)._replace(certificate=certificate)
    assert _verdict(target).endswith(expected)
