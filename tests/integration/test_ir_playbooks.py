# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The playbooks ir_*: each incident has happened in a lab, and afterwards openssl takes the old certificate no more."""

from __future__ import annotations

import json
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.keystead.identity.plugins.module_utils._core.keys import spki_sha256
from ansible_collections.keystead.identity.tests.harness.controls import run_audit
from ansible_collections.keystead.identity.tests.harness.incident_lab import Lab
from ansible_collections.keystead.identity.tests.harness.openbao_transit import Engine
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.tests.harness.openbao_server import Server
    from cryptography import x509

pytestmark = [pytest.mark.needs("openssl"), pytest.mark.one_core]

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"
ENGINE = "keystead.identity.respond"
IR = sorted(path.stem for path in PLAYBOOKS.glob("ir_*.yml"))
POLICY = {"format": 1, "rules": [{"id": "may", "emergency_revocation": {"allow": True}}]}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """Return hosts that have nothing to do with each other, so that each may have its incident."""
    made = Lab(tmp_path_factory.mktemp("site"), ("broken", "old", "listed", "spared"))
    made.hosts["old"]["keystead_identities"] = [made.web(key={"type": "rsa-2048"})]
    made.provide()
    return made


def answered(lab: Lab, name: str, **said: t.Any) -> str:
    """Answer an incident by its playbook, as somebody types it."""
    return lab.run(Path(f"keystead.identity.{name}"), **said)


def saved(lab: Lab, host: str) -> tuple[Path, x509.Certificate]:
    """Return a copy of the certificate in use, as a client has seen it."""
    found = lab.certificate(host)
    path = lab.root / f"{host}.before.pem"
    path.write_bytes(found.public_bytes(Encoding.PEM))
    return path, found


@pytest.mark.parametrize("name", IR)
def test_a_playbook_is_a_selection_over_one_engine(name: str) -> None:
    text = (PLAYBOOKS / f"{name}.yml").read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 40
    imported = [one["ansible.builtin.import_playbook"] for one in yaml.safe_load(text) if "hosts" not in one]
    assert imported == [ENGINE]
    assert f"keystead.identity.{name} -e" in text or f"keystead.identity.{name} \\" in text


def test_what_was_on_a_host_that_was_broken_into_is_revoked_at_once_where_the_policy_permits_it(site: Lab) -> None:
    seen, before = saved(site, "broken")
    policy = site.root / "policy.yml"
    policy.write_text(json.dumps(POLICY))
    site.hosts["broken"]["keystead_identities"] = [site.web(activate={"command": ["false"]})]
    said = {"keystead_ir_hosts": ["broken"], "keystead_ir_justification": "they are still in there"}
    book = Path("keystead.identity.ir_host_compromise")
    assert "what is in use is replaced before it is revoked" in site.run(book, code=2, **said)
    said |= {"keystead_policy": str(policy)}
    site.run(book, code=2, **said)
    assert "certificate revoked" in site.verdict(seen)
    (one,) = (one for one in site.incidents() if one["about"] == {"host": ["broken"]})
    assert one["times"].keys() == {"detected", "triaged", "contained"}

    site.hosts["broken"]["keystead_identities"] = [site.web()]
    site.run(book, **said)
    assert "OK" in site.verdict(site.current("broken") / "certificate.pem")
    assert spki_sha256(site.certificate("broken").public_key()) != spki_sha256(before.public_key())
    (after,) = (one for one in site.incidents() if one["about"] == {"host": ["broken"]})
    assert (after["open"], after["times"]["contained"]) == (False, one["times"]["contained"])


def test_an_algorithm_that_is_broken_is_used_no_more(site: Lab) -> None:
    seen, _before = saved(site, "old")
    said = {"keystead_ir_key_types": ["rsa-2048"]}
    refused = site.run(Path("keystead.identity.ir_algorithm_break"), code=2, **said)
    assert "web of old would get another key of the type that the incident is about" in refused
    site.hosts["old"]["keystead_identities"] = [site.web()]
    answered(site, "ir_algorithm_break", **said)
    assert "certificate revoked" in site.verdict(seen)
    assert isinstance(site.certificate("old").public_key(), EllipticCurvePublicKey)
    known = site.incidents()
    answered(site, "ir_algorithm_break", **said)
    assert (site.recap["localhost"]["changed"], site.incidents()) == (0, known), "nothing is left, so nothing is opened"


def test_what_an_authority_has_to_revoke_is_replaced_first_and_the_evidence_is_signed(site: Lab) -> None:
    seen, before = saved(site, "listed")
    spared = site.certificate("spared")
    kept = site.root / "mass"
    key = {"file": {"path": str(site.root / "incidents.key")}}
    said = {
        "keystead_ir": {"serial_number": [f"{before.serial_number:x}"]}, "keystead_ir_limit": "24h",
        "keystead_ir_directory": str(kept), "keystead_ir_evidence": {"directory": str(kept / "evidence"), "key": key},
    }  # fmt: skip
    answered(site, "ir_mass_revocation", **said)
    assert "certificate revoked" in site.verdict(seen)
    assert "OK" in site.verdict(site.current("listed") / "certificate.pem")
    assert site.certificate("spared") == spared
    (one,) = (one for one in site.incidents() if "serial_number" in one["about"])
    assert (one["reason"], one["limit"]["time"], one["limit"]["kept"]) == ("superseded", "1d", True)

    (folder,) = (kept / "evidence/incident").iterdir()
    public = (folder / "public_key.pem").read_text()
    assert run_audit({"evidence": [str(folder)], "public_keys": [public]})["whole"]
    assert {"before.json", "after.json", "runbook.md", "events.json"} <= {path.name for path in folder.iterdir()}
    answered(site, "ir_mass_revocation", **said)
    assert site.recap["localhost"]["changed"] == 0
    assert [*(kept / "evidence/incident").iterdir()] == [folder]


@pytest.mark.needs("openbao")
def test_keys_of_a_secret_manager_that_was_broken_into_are_replaced(tmp_path: Path, openbao: Server) -> None:
    lab = Lab(tmp_path, ("web1", "web2"))
    custody = {"openbao_transit": Engine(openbao).options("web1")}
    lab.hosts["web1"]["keystead_identities"] = [lab.web(key={"custody": custody})]
    lab.provide()
    seen, before = saved(lab, "web1")
    spared = lab.certificate("web2")
    answered(lab, "ir_secret_manager_compromise", keystead_ir_custody="openbao_transit")
    assert "certificate revoked" in lab.verdict(seen)
    assert spki_sha256(lab.certificate("web1").public_key()) != spki_sha256(before.public_key())
    assert lab.certificate("web2") == spared
