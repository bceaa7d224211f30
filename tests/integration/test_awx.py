# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Jobs of AWX: every template's playbook is run as AWX runs it, from what the role `awx` wrote, and two at once."""

from __future__ import annotations

import json
import typing as t
from datetime import UTC, datetime

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.keys import spki_sha256
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger import queries
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.chain import verify
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_for
from ansible_collections.keystead.identity.tests.harness import openbao as make
from ansible_collections.keystead.identity.tests.harness import playbook
from ansible_collections.keystead.identity.tests.harness.awx import Awx, Job
from ansible_collections.keystead.identity.tests.harness.postgres import CONVERGER, MIGRATOR, PASSWORDS
from cryptography import x509

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.openbao_server import Server as BaoServer
    from ansible_collections.keystead.identity.tests.harness.postgres import Server

pytestmark = [pytest.mark.needs("awx", "openbao", "postgres"), pytest.mark.one_core]

HOSTS = ("web1", "web2", "web3", "web4")
OPENBAO = {
    "url": "{{ keystead_openbao_url }}",
    "ca_bundle": "{{ keystead_openbao_ca_bundle | default(omit, true) }}",
    "role": "web",
    "auth": {
        "approle": {
            "role_id": "{{ keystead_openbao_role_id }}",
            "secret_id_file": "{{ keystead_openbao_secret_id_file }}",
        }
    },
}


def written(root: Path, **said: t.Any) -> Path:
    """Let the role write a project."""
    project = root / "project"
    said = {
        "awx_directory": str(project), "awx_project_url": "https://git.example.org/keystead.git",
        "awx_image": "registry.example.org/keystead:1", "awx_inventory": "Hosts",
        "awx_credentials": ["Keystead OpenBao"], "awx_slices": 2, **said,
    }  # fmt: skip
    role = {"role": "keystead.identity.awx", "vars": said}
    done = playbook.run([{"hosts": "localhost", "gather_facts": False, "roles": [role]}], home=root / "home")
    assert done.returncode == 0, done.stdout + done.stderr
    return project


class Site(Awx):
    """A team's AWX: four hosts, a ledger in PostgreSQL whose schema a job makes, and an OpenBao that signs."""

    def __init__(self, root: Path, server: Server, bao: BaoServer) -> None:
        self.server, self.database = server, server.database()
        self.pki = make.pki(bao)
        approle = make.approle(self.pki)["approle"]
        issuer = {**OPENBAO, "mount": self.pki.mount}
        issuer["auth"] = {"approle": {**OPENBAO["auth"]["approle"], "mount": approle["mount"]}}
        ca = server.ca.read_text()
        roles = (MIGRATOR, CONVERGER)
        owner, opened = ({"url": self.url(role), "password": PASSWORDS[role], "ca": ca} for role in roles)
        login = {"role_id": approle["role_id"], "secret_id": approle["secret_id"]}
        self.secrets = (PASSWORDS[MIGRATOR], PASSWORDS[CONVERGER], approle["secret_id"])
        super().__init__(
            written(root),
            root,
            {name: {"keystead_store": str(root / name), "keystead_identities": [web(name)]} for name in HOSTS},
            {
                "ansible_connection": "local", "ansible_become": False,
                "ansible_python_interpreter": "{{ ansible_playbook_python }}", "keystead_issuer": {"openbao": issuer},
            },
            {
                "Keystead ledger": ("Keystead ledger", opened),
                "Keystead ledger owner": ("Keystead ledger", owner),
                "Keystead OpenBao": (
                    "Keystead OpenBao AppRole", {"url": bao.url, "ca": bao.ca_bundle.read_text(), **login},
                ),
            },
        )  # fmt: skip

    def url(self, role: str) -> str:
        return f"postgresql://{role}@localhost:{self.server.port}/{self.database}?sslmode=verify-full"

    def ran(self, name: str, slices: int = 1, code: int = 0, **answers: str) -> list[Job]:
        """Run a template to its end; nothing secret may have come out."""
        jobs = [job.ended(code) for job in self.launch(f"Keystead {name}", slices, **answers)]
        for job in jobs:
            self.tells_nothing(job)
        return jobs

    def tells_nothing(self, job: Job) -> None:
        """Look for secrets in all that AWX keeps of a job."""
        kept = [job.said, (job.private / "env/extravars").read_text(), (job.private / "env/cmdline").read_text()]
        kept += [path.read_text() for path in (job.private / "artifacts").rglob("*") if path.is_file()]
        assert not [text for text in kept for secret in self.secrets if secret in text]

    def certificate(self, host: str) -> x509.Certificate:
        """Return the certificate that a host has."""
        return x509.load_pem_x509_certificate((self.work / host / "web/current/certificate.pem").read_bytes())

    def issues(self) -> list[tuple[str, str]]:
        """Return for whom something was issued, and by which job; the chain of events is whole."""
        ledger = open_for(self.server.options(self.database))
        assert verify(ledger) is None
        found = [one for one in queries.events(ledger) if (one["action"], one["outcome"]) == ("issue", "ok")]
        ledger.close()
        return [(one["host"], one["actor"]["awx_job"]) for one in found]


def web(host: str) -> dict[str, t.Any]:
    """Return what a host declares."""
    return {"name": "web", "dns_names": [f"{host}.example.org"], "contact": "shop@example.org"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, postgres_server: Server, openbao: BaoServer) -> Site:
    """Return a site whose ledger and identities jobs have made, in slices."""
    made = Site(tmp_path_factory.mktemp("awx"), postgres_server, openbao)
    made.ran("ledger migration", keystead_awx_convergers=CONVERGER)
    made.ran("preflight")
    made.slices = made.ran("identities", slices=2)
    return made


def test_two_slices_at_once_share_the_hosts_and_the_ledger_and_nothing_is_done_twice(site: Site) -> None:
    first, second = site.slices
    assert [first.hosts(), second.hosts()] == [{"web1", "web3"}, {"web2", "web4"}]
    assert [sum(job.changed().values()) for job in site.slices] == [2, 2]
    issued = [one for one in site.issues() if one[1] in {str(job.number) for job in site.slices}]
    assert dict(issued) == {host: str(job.number) for job in site.slices for host in job.hosts()}
    assert len(issued) == len(HOSTS)


def test_another_job_finds_nothing_to_do(site: Site) -> None:
    (again,) = site.ran("identities")
    assert again.hosts() == set(HOSTS)
    assert not sum(again.changed().values())


def test_the_workflow_of_an_incident_asks_before_it_acts_and_looks_again(site: Site) -> None:
    before = {host: site.certificate(host) for host in HOSTS}
    done = site.workflow("Keystead key compromise", keystead_awx_host="web2")
    assert list(done) == ["triage", "approval", "answer", "verification"]
    triage, answer, verification = (job for job in done.values() if job)
    for job in (triage, answer, verification):
        site.tells_nothing(job)
    assert "Replace on web2" in triage.said
    assert [host for host in HOSTS if site.certificate(host) != before[host]] == ["web2"]
    assert not sum(verification.changed().values())
    detected = [job.artifacts()["keystead_ir_detected"] for job in (triage, answer, verification)]
    assert len(set(map(datetime.fromisoformat, detected))) == 1, "all of them mean the same moment"
    for job in (answer, verification):
        assert f"keystead_ir_detected: !unsafe '{detected[0]}'" in (job.private / "env/extravars").read_text()
    serial = before["web2"].serial_number
    listed = site.pki.call("GET", f"{site.pki.mount}/cert/crl")["data"]["certificate"].encode()
    assert x509.load_pem_x509_crl(listed).get_revoked_certificate_by_serial_number(serial) is not None


def test_a_verification_fails_where_something_is_left(site: Site) -> None:
    key = spki_sha256(site.certificate("web3").public_key())
    about = {"keystead_awx_spki_sha256": f"{key}\n", "keystead_awx_detected": datetime.now(UTC).isoformat()}
    (job,) = site.ran("key compromise, verification", code=2, **about)
    assert "still in use or good on web3" in " ".join(job.said.split())


def test_a_job_without_the_credential_of_a_ledger_is_refused_before_anything_is_touched(site: Site) -> None:
    without = Awx(site.project, site.work, {"web9": {**site.hosts["web1"]}}, site.variables, dict(site.credentials))
    del without.credentials["Keystead ledger"]
    (job,) = without.launch("Keystead identities")
    said = " ".join(job.ended(2).said.split())
    assert "the default would vanish with this AWX job (AWX_PRIVATE_DATA_DIR is set)" in said
    assert "set option ledger" in said


def test_the_inventory_of_the_ledger_is_what_an_update_gets(site: Site, tmp_path: Path) -> None:
    (source,) = site.objects["controller_inventory_sources"]
    injected = site.injected([source["credential"]], tmp_path, INVENTORY_UPDATE_ID="1")
    assert not injected.args
    path = str(site.project / source["source_path"])
    command = [playbook.program("ansible-inventory"), "-i", path, "--list", "--export"]
    job = Job(0, tmp_path, site.process(command, tmp_path, **injected.env)).ended()
    found = json.loads(job.said)
    assert set(found["_meta"]["hostvars"]) == set(HOSTS)


def test_ansible_navigator_runs_a_template_s_playbook(site: Site, tmp_path: Path) -> None:
    injected = site.injected(["Keystead ledger", "Keystead OpenBao"], tmp_path)
    inventory = site.slices[0].private / "inventory" / "hosts"
    command = [
        playbook.program("ansible-navigator"), "run", str(site.project / "playbooks/preflight.yml"),
        "-i", str(inventory), *injected.args, "--ee", "false", "-m", "stdout", "--pae", "false",
        "--lf", str(tmp_path / "navigator.log"),
    ]  # fmt: skip
    job = Job(0, tmp_path, site.process(command, tmp_path, **injected.env)).ended()
    assert "PLAY RECAP" in job.said
    assert not [secret for secret in site.secrets if secret in job.said + (tmp_path / "navigator.log").read_text()]
