# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The issuer `aws_pca` in a playbook, over a corrected stand-in: from the first credential to the last revocation."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness import aws_pca, playbook
from ansible_collections.keystead.identity.tests.harness.in_process import World
from ansible_collections.keystead.identity.tests.harness.issuers import Made
from ansible_collections.keystead.identity.tests.harness.moto import SECRET_KEY
from ansible_collections.keystead.identity.tests.unit.test_what_is_loaded import run_elsewhere
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.moto import Moto

pytestmark = pytest.mark.needs("moto")
MODULE = "keystead.identity.machine_identity"
WEB = {"name": "web", "dns_names": ["web.example.org"]}


@pytest.fixture
def backend(moto: Moto, tmp_path: Path) -> t.Iterator[aws_pca.Backend]:
    made = aws_pca.Backend(tmp_path, moto)
    yield made
    made.stop()


def test_from_the_first_credential_to_the_last_revocation(
    backend: aws_pca.Backend, moto: Moto, tmp_path: Path
) -> None:
    home = tmp_path / "home"

    def run(*identities: dict[str, t.Any]) -> dict[str, t.Any]:
        task = {
            "ledger": f"sqlite:////{str(tmp_path / 'ledger.sqlite').lstrip('/')}",
            "store": str(tmp_path / "store"),
            "issuer": {"aws_pca": backend.options()},
            "identities": list(identities),
        }
        log = {**moto.environment, "ANSIBLE_LOG_PATH": str(tmp_path / "ansible.log")}
        done = playbook.run([{MODULE: task}], playbook.ONE_HOST, "-vvvv", "--diff", home=home, env=log)
        assert done.returncode == 0, done.stdout + done.stderr
        assert SECRET_KEY not in done.stdout + done.stderr
        return t.cast("dict[str, t.Any]", playbook.results(home)[-1])

    def certificate() -> x509.Certificate:
        return x509.load_pem_x509_certificate((tmp_path / "store/web/current/certificate.pem").read_bytes())

    api = {"name": "api", "dns_names": ["api.example.org"], "profile": "tls_peer"}
    assert run(WEB, api)["changed"] is True
    first = certificate()
    assert run(WEB, api)["changed"] is False
    assert len(backend.signed()) == 2
    assert run({**WEB, "lifetime": "10d"}, api)["changed"] is True
    assert certificate().serial_number != first.serial_number
    last = certificate().public_bytes(Encoding.DER)
    assert run({"name": "web", "state": "absent", "revoke_on_absent": True})["changed"] is True
    backend.publish()
    issuer: t.Any = Made("aws_pca", t.cast("t.Any", backend)).issuer()
    assert issuer.status(last).reason == "cessation_of_operation"
    assert run({"name": "web", "state": "absent", "revoke_on_absent": True})["changed"] is False
    left = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not [content for content in left if SECRET_KEY.encode() in content]


@pytest.mark.one_core
def test_a_run_with_nothing_to_do_loads_no_client(backend: aws_pca.Backend, tmp_path: Path) -> None:
    world, issuer = World(tmp_path / "world"), {"aws_pca": backend.options()}
    first = run_elsewhere(world, [WEB], issuer=issuer)
    assert first["result"]["changed"] is True, first
    assert "boto3" in first["loaded"], "else this test would see nothing"
    again = run_elsewhere(world, [WEB], issuer=issuer)
    assert (again["result"]["changed"], again["loaded"]) == (False, [])
