# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The key of an authority that is in a custody is nobody else's, and the ledger says whose it is."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness import playbook
from ansible_collections.keystead.identity.tests.harness.openbao_transit import Engine
from ansible_collections.keystead.identity.tests.harness.softhsm import MODULE, PIN, SoftHsm

if t.TYPE_CHECKING:
    from pathlib import Path

AUTHORITY, IDENTITY, HSM_KEY = (
    f"keystead.identity.{name}" for name in ("certificate_authority", "machine_identity", "hsm_key")
)


class Site:
    """A controller with a ledger; every task is in a playbook of its own."""

    def __init__(self, directory: Path, env: dict[str, str] | None = None) -> None:
        self.directory, self.home, self.env = directory, directory / "home", env or {}

    def run(self, module: str, **said: t.Any) -> dict[str, t.Any]:
        """Run one task, and return its result."""
        ledger = f"sqlite:////{str(self.directory / 'ledger.sqlite').lstrip('/')}"
        task = said if module.startswith("ansible.") else {"ledger": ledger, **said}
        done = playbook.run([{module: task}], home=self.home, env={**self.env, "KEYSTEAD_LEDGER": ledger})
        assert "Traceback" not in done.stdout + done.stderr
        return playbook.results(self.home)[-1]

    def authority(self, custody: dict[str, t.Any], **said: t.Any) -> dict[str, t.Any]:
        """Make the authority `root`, or be rid of it."""
        return self.run(
            AUTHORITY, name="root", directory=str(self.directory / "ca"), key={"custody": custody}, **said
        )


@pytest.mark.needs("openbao")
@pytest.mark.parametrize("state", ["present", "absent"])
def test_no_identity_takes_or_destroys_the_transit_key_of_an_authority(
    request: pytest.FixtureRequest, tmp_path: Path, state: str
) -> None:
    engine = Engine(request.getfixturevalue("openbao"))
    custody = {"openbao_transit": engine.options("root")}
    site = Site(tmp_path)
    assert not site.authority(custody).get("failed")
    before = engine.read("root")["keys"]
    issuer = {"local": {"directory": str(tmp_path / "ca"), "authority": "root", "custody": custody}}
    identity = {"name": "web", "dns_names": ["web.example.org"], "key": {"custody": custody}, "state": state}
    done = site.run(IDENTITY, store=str(tmp_path / "store"), issuer=issuer, identities=[identity])
    assert done["changed"] is False
    assert state == "absent" or "holds keys of keystead authority root" in done["msg"]
    assert engine.read("root")["keys"] == before
    assert not site.authority(custody, state="absent").get("failed")


@pytest.mark.needs("softhsm", "python-pkcs11")
def test_hsm_key_destroys_no_key_of_an_authority_until_that_is_gone(tmp_path: Path) -> None:
    hsm = SoftHsm(tmp_path)
    hsm.add("ca")
    token = {"module_path": MODULE, "token_label": "ca", "pin": PIN}
    site = Site(tmp_path, hsm.environment)
    made = site.authority({"pkcs11": token})
    identifier = made["key_uri"].partition(";id=")[2].partition(";")[0].replace("%", "").lower()
    refused = site.run(HSM_KEY, **token, id=identifier, state="absent")
    assert f"is in use by authority root in {tmp_path}/ca" in refused["msg"]
    assert "Private Key Object" in hsm.tool("ca", "--list-objects")
    for term in ("unknown", made["key_uri"]):
        asked = f"{{{{ lookup('{HSM_KEY}', '{term}', token_label='ca') }}}}"
        shown = site.run("ansible.builtin.debug", msg=asked)["msg"]
        assert "unexpected" not in shown
        assert ("BEGIN PUBLIC KEY" in shown) == (term != "unknown")
    assert not site.authority({"pkcs11": token}, state="absent").get("failed")
    assert "Key Object" not in hsm.tool("ca", "--list-objects")
