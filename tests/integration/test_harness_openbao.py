# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The OpenBao of the tests is what it says: sealed after a start, with the least rights, audited, of its own CA."""

from __future__ import annotations

import ssl
import typing as t
import urllib.error
import urllib.request

import pytest
from ansible_collections.keystead.identity.tests.harness import local
from ansible_collections.keystead.identity.tests.harness import openbao as make
from ansible_collections.keystead.identity.tests.harness.openbao_server import Refused, Server
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

pytestmark = [pytest.mark.needs("openbao"), pytest.mark.one_core]


def sign(pki: make.Pki, role: str, token: str) -> dict[str, t.Any]:
    """Sign a request as a converger would."""
    csr = x509.load_der_x509_csr(local.request().csr).public_bytes(Encoding.PEM).decode()
    return t.cast("dict[str, t.Any]", pki.call("POST", f"{pki.mount}/sign/{role}", {"csr": csr}, token=token)["data"])


def test_it_signs_for_a_converger_by_the_roles_of_its_policy(openbao: Server) -> None:
    pki = make.pki(openbao)
    token = make.token(pki)
    signed = sign(pki, "web", token)
    leaf, issuer = (x509.load_pem_x509_certificate(signed[name].encode()) for name in ("certificate", "issuing_ca"))
    leaf.verify_directly_issued_by(issuer)
    issuer.verify_directly_issued_by(x509.load_pem_x509_certificate(pki.root_pem.encode()))
    for role, status in (("elsewhere", 400), ("hidden", 403)):
        with pytest.raises(Refused) as refused:
            sign(pki, role, token)
        assert refused.value.status == status
    assert any(one["request"]["path"] == f"{pki.mount}/sign/web" for one in openbao.audited())


def test_it_is_sealed_after_a_start_and_remembers_what_it_had(openbao: Server) -> None:
    pki = make.pki(openbao, namespace=make.namespace(openbao))
    token = make.token(pki)
    openbao.restart()
    with pytest.raises(Refused) as refused:
        sign(pki, "web", token)
    assert refused.value.status == 503
    openbao.unseal()
    assert sign(pki, "web", token)["certificate"]


def test_only_who_trusts_its_authority_can_speak_to_it(openbao: Server) -> None:
    with pytest.raises(urllib.error.URLError) as refused:
        urllib.request.urlopen(f"{openbao.url}/v1/sys/health", context=ssl.create_default_context())  # noqa: S310
    assert isinstance(refused.value.reason, ssl.SSLCertVerificationError)


def test_every_way_to_log_in_gives_the_rights_of_a_converger(openbao: Server) -> None:
    pki = make.pki(openbao)
    for auth in (make.approle(pki), make.jwt(pki)):
        ((kind, said),) = auth.items()
        body = {name: value for name, value in said.items() if name != "mount"}
        answer = pki.call("POST", f"auth/{said['mount']}/login", body)["auth"]
        assert pki.policy in answer["policies"], kind
    wrapped = make.wrapped(make.approle(pki), pki)["approle"]["wrapped_secret_id"]
    assert pki.call("POST", "sys/wrapping/unwrap", {"token": wrapped})["data"]["secret_id"]
    with pytest.raises(Refused):
        pki.call("POST", "sys/wrapping/unwrap", {"token": wrapped})
