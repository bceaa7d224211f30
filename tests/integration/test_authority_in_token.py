# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""An authority whose key is in SoftHSM 2 at work: a thousand certificates, and what the token sees of a batch."""

from __future__ import annotations

import re
import subprocess
import sys
import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness import local, playbook
from ansible_collections.keystead.identity.tests.harness.authorities import (
    ROOT,
    Site,
    issued,
    led_to,
    openssl,
    pkilint,
)
from ansible_collections.keystead.identity.tests.harness.softhsm import MODULE, PIN, Custody
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.needs("softhsm", "pkcs11-tool", "python-pkcs11")
MANY, CALL, REVOKED, SAMPLE = 1000, 50, 20, 5


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    custody = Custody(tmp_path, None)
    with led_to(custody):
        yield Site(tmp_path / "ca", custody, "ca")


@pytest.mark.needs("openssl")
def test_a_thousand_certificates_and_a_list_that_pkilint_and_openssl_accept(site: Site, tmp_path: Path) -> None:
    site.make()
    issuer = site.issuer()
    leaves = [leaf for _call in range(MANY // CALL) for leaf in issued(issuer, CALL)]
    assert len({leaf.serial_number for leaf in leaves}) == MANY
    issuer.revoke([leaf.public_bytes(Encoding.DER) for leaf in leaves[:REVOKED]], "superseded")
    (tmp_path / "leaves").mkdir()
    paths = [tmp_path / "leaves" / f"{number}.pem" for number in range(MANY)]
    for path, leaf in zip(paths, leaves, strict=True):
        path.write_bytes(leaf.public_bytes(Encoding.PEM))
    root, crl = site.directory / "root" / "certificate.pem", site.directory / "root" / "crl.pem"
    assert openssl(root, *paths, crl=crl) == [False] * REVOKED + [True] * (MANY - REVOKED)
    assert len(x509.load_pem_x509_crl(crl.read_bytes())) == REVOKED
    pkilint(root, *paths[:: MANY // SAMPLE], crls=[crl])
    assert len(site.seen()) == 2, "one pair of keys"


BATCH = """
import json, sys
sys.path.insert(0, sys.argv[1])
import conftest
from ansible_collections.keystead.identity.tests.harness import local as make
from ansible_collections.keystead.identity.tests.harness.authorities import issued
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.local import LocalIssuer
issuer = LocalIssuer(json.loads(sys.argv[2]))
leaves = issued(issuer, 30) + issued(issuer, 30)
"""


def spy() -> str:
    """Return the path of OpenSC's module that stands between and writes down every call."""
    found = subprocess.run(["dpkg", "-L", "opensc-pkcs11"], check=True, capture_output=True, text=True).stdout
    return next(line for line in found.splitlines() if line.endswith("pkcs11-spy.so"))


def test_a_batch_is_one_session_and_one_login(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.make()
    log = tmp_path / "spy.log"
    monkeypatch.setenv("PKCS11SPY", MODULE)
    monkeypatch.setenv("PKCS11SPY_OUTPUT", str(log))
    option = {"pkcs11": {**site.option("root")["pkcs11"], "module_path": spy()}}
    site.elsewhere(BATCH, directory=str(site.directory), authority="root", custody=option)
    calls = re.findall(r"^\d+: (C_\w+)$", log.read_text(errors="replace"), re.MULTILINE)
    assert (calls.count("C_OpenSession"), calls.count("C_Login"), calls.count("C_Sign")) == (1, 1, 60)


PLAY = """
- hosts: localhost
  gather_facts: false
  tasks:
    - name: The authority
      keystead.identity.certificate_authority:
        name: issuing
        directory: {directory}
        ledger: sqlite:///{directory}/ledger.sqlite
        key: {{custody: {{pkcs11: {token}}}}}
      register: made

    - name: The identity
      keystead.identity.machine_identity:
        store: {directory}/store
        ledger: sqlite:///{directory}/ledger.sqlite
        issuer: {{local: {{directory: {directory}, authority: issuing, custody: {{pkcs11: {token}}}}}}}
        identities: [{{name: web, dns_names: [web.example.org]}}]
      register: issued

    - name: The preflight
      keystead.identity.preflight:
        store: {directory}/store
        ledger: sqlite:///{directory}/ledger.sqlite
        issuer: {{local: {{directory: {directory}, authority: issuing, custody: {{pkcs11: {token}}}}}}}
      register: looked
"""
