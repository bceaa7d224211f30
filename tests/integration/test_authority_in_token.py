# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""An authority whose key is in SoftHSM 2 at work: a thousand certificates, and what the token sees of a batch."""

from __future__ import annotations

import re
import subprocess
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._authority import store
from ansible_collections.keystead.identity.plugins.plugin_utils._authority.custody import key_store, label
from ansible_collections.keystead.identity.plugins.plugin_utils._authority.opening import Custody as OpenedBy
from ansible_collections.keystead.identity.tests.harness import playbook
from ansible_collections.keystead.identity.tests.harness.authorities import Site, issued, led_to, openssl, pkilint
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


def test_a_batch_is_one_session_and_one_login(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site.make()
    log = tmp_path / "spy.log"
    monkeypatch.setenv("PKCS11SPY", MODULE)
    monkeypatch.setenv("PKCS11SPY_OUTPUT", str(log))
    option = {"pkcs11": {**site.option("root")["pkcs11"], "module_path": spy()}}
    site.elsewhere(BATCH, directory=str(site.directory), authority="root", custody=option)
    calls = re.findall(r"^\d+: (C_\w+)$", log.read_text(errors="replace"), re.MULTILINE)
    assert (calls.count("C_OpenSession"), calls.count("C_Login"), calls.count("C_SignInit")) == (1, 1, 60)


def tasks(directory: Path, token: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    """Return an authority with its key in the token, an identity that it signs, and a look whether it would."""
    common = {"ledger": f"sqlite:///{directory}/ledger.sqlite"}
    issuer = {"local": {"directory": f"{directory}/ca", "authority": "issuing", "custody": {"pkcs11": token}}}
    authority = {"name": "issuing", "directory": f"{directory}/ca", "key": {"custody": {"pkcs11": token}}}
    identity = {"name": "web", "dns_names": ["web.example.org"]}
    return [
        {"keystead.identity.certificate_authority": {**common, **authority}},
        {"keystead.identity.machine_identity": {
            **common, "store": f"{directory}/store", "issuer": issuer, "identities": [identity],
        }},
        {"keystead.identity.preflight": {**common, "store": f"{directory}/store", "issuer": issuer}},
    ]  # fmt: skip


def test_playbooks_use_it_and_the_pin_comes_out_nowhere(site: Site, tmp_path: Path) -> None:
    home, variables = tmp_path / "home", tmp_path / "pin.json"
    variables.write_text(f'{{"pin": "{PIN}"}}')
    token = {"module_path": MODULE, "token_label": Custody.token, "pin": "{{ pin }}"}
    for changed in (True, False):
        done = playbook.run(
            tasks(tmp_path, token), playbook.ONE_HOST, "-vvvv", "--diff", "-e", f"@{variables}", home=home,
            env=site.custody.recipe("any")["environment"],
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        made, issued_to, looked = playbook.results(home)
        assert (made["changed"], issued_to["changed"], looked["changed"]) == (changed, changed, False)
        assert (made["custody"], made["key_uri"].partition(":")[0]) == ("pkcs11", "pkcs11")
        assert PIN not in done.stdout + done.stderr
    assert site.custody.seen(label(tmp_path / "ca" / "issuing"))
    left = [path for path in tmp_path.rglob("*") if path.is_file() and path != variables]
    assert not [
        path for path in left if PIN.encode() in path.read_bytes() and site.custody.hsm.tokens not in path.parents
    ]


MAKE = """
import json, sys
sys.path.insert(0, sys.argv[1])
import conftest
from pathlib import Path
from ansible_collections.keystead.identity.tests.harness import local as make
told = json.loads(sys.argv[2])
make.authority(Path(told.pop("directory")), "root", **told)
"""


def test_a_key_that_another_run_made_since_this_one_read_the_token_is_found(site: Site) -> None:
    assert len(site.make(check=True).steps) == 3
    site.elsewhere(MAKE, directory=str(site.directory), key={"custody": site.option("root")})
    assert not site.make().steps
    assert issued(site.issuer(), 1)
    assert len(site.seen()) == 2, "one pair of keys"


def test_a_key_that_a_killed_run_left_beside_that_of_an_authority_is_destroyed(site: Site) -> None:
    site.make()
    made, path = site.seen(), site.directory / "root"
    about = store.load(site.directory, "root").about
    key_store(path, OpenedBy("pkcs11", site.option("root")["pkcs11"]), about).stage("ecdsa-p256")
    assert len(site.seen()) > len(made)
    for check in (True, False):
        (step,) = site.make(check=check).steps
        assert step.action == "publish"
        assert "that nothing uses" in step.reason
    assert site.seen() == made
    assert not site.make().steps
    assert issued(site.issuer(), 1)
