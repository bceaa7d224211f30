# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The role `awx`: what it writes is what AWX takes, leads to what there is, and keeps secrets in files of a job."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.tests.harness import awx_schema, playbook
from ansible_collections.keystead.identity.tests.harness.awx import Injected, inject, objects

JOBS = (Path(__file__).parent / "test_awx.py").read_text(encoding="utf-8")
NEEDED = {
    "awx_project_url": "https://git.example.org/keystead.git",
    "awx_image": "registry.example.org/keystead:1",
    "awx_inventory": "Hosts",
    "awx_credentials": ["Machine"],
}
if t.TYPE_CHECKING:
    import subprocess

Kinds = dict[str, list[dict[str, t.Any]]]


def run(root: Path, *args: str, **said: t.Any) -> subprocess.CompletedProcess[str]:
    """Run the role on localhost."""
    said = {"awx_directory": str(root / "project"), **NEEDED, **said}
    role = {"role": "keystead.identity.awx", "vars": {name: one for name, one in said.items() if one is not None}}
    plays = [{"hosts": "localhost", "gather_facts": False, "roles": [role]}]
    return playbook.run(plays, playbook.ONE_HOST, *args, home=root)


def changed(root: Path, *args: str, **said: t.Any) -> int:
    """Run the role, which ends well; return how many tasks changed something."""
    done = run(root, *args, **said)
    assert done.returncode == 0, done.stdout + done.stderr
    return playbook.recap(done)["localhost"]["changed"]


def names(found: Kinds, kind: str) -> set[str]:
    """Return the names of all objects of a kind."""
    return {one["name"] for one in found[f"controller_{kind}"]}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return what the role wrote, once it is sure that check mode writes nothing, and that it is written once."""
    root = tmp_path_factory.mktemp("role_awx")
    assert changed(root, "--check") == 3
    assert not (root / "project").exists()
    assert [changed(root), changed(root)] == [3, 0]
    return root / "project"


def test_it_is_written_once_and_in_the_names_of_the_team(project: Path) -> None:
    before, text = {path: path.read_text() for path in project.rglob("*.yml")}, 'Team "A": # identities'
    said = {"awx_name": text, "awx_organization": "Platform", "awx_schedules": False, "awx_slices": 4}
    assert changed(project.parent, awx_directory=str(project.parent / "other"), **said) == 3
    found = objects(project.parent / "other")
    awx_schema.check(found)
    assert {one["name"].startswith(text) for kind in found.values() for one in kind} == {True}
    owners = {one["organization"] for kind in found.values() for one in kind if "organization" in one}
    assert owners == {"Platform"}
    assert [one["enabled"] for one in found["controller_schedules"]] == [False]
    assert {one["job_slice_count"] for one in found["controller_templates"]} == {1, 4}
    assert before == {path: path.read_text() for path in project.rglob("*.yml")}


def test_what_it_cannot_know_has_to_be_said(tmp_path: Path) -> None:
    done = run(tmp_path, awx_image=None)
    assert done.returncode == 2
    assert "missing required arguments: awx_image" in done.stdout + done.stderr


@pytest.mark.one_core
def test_awx_takes_every_object_and_each_leads_to_what_there_is(project: Path) -> None:
    found = objects(project)
    awx_schema.check(found)
    known = names(found, "templates")
    given = {"Keystead ledger", "Keystead ledger owner", "Machine"}  # credentials are made in AWX
    for one in found["controller_templates"]:
        assert (project / one["playbook"]).is_file()
        assert one["inventory"] == "Hosts"
        assert {one["project"]} <= names(found, "projects")
        assert {one["execution_environment"]} <= names(found, "execution_environments")
        assert set(one["credentials"]) <= given
    for one in found["controller_inventory_sources"]:
        assert (project / one["source_path"]).is_file()
        assert {one["inventory"]} <= names(found, "inventories")
    assert {one["unified_job_template"] for one in found["controller_schedules"]} <= known
    assert sorted(path.name for path in (project / "playbooks").iterdir()) == sorted(
        Path(one["playbook"]).name for one in found["controller_templates"]
    )


@pytest.mark.one_core
def test_a_workflow_goes_from_node_to_node_with_what_its_jobs_ask_for(project: Path) -> None:
    found = objects(project)
    templates = {one["name"]: one for one in found["controller_templates"]}
    for workflow in found["controller_workflows"]:
        nodes = {one["identifier"]: one for one in workflow["simplified_workflow_nodes"]}
        jobs = [templates[one["unified_job_template"]] for one in nodes.values() if "approval_node" not in one]
        assert all(one["survey_spec"]["spec"] == workflow["survey_spec"]["spec"] for one in jobs)
        assert all(set(one.get("success_nodes", [])) <= set(nodes) for one in nodes.values())
        acts = [name for name, one in nodes.items() if _acts(one, templates)]
        before = [name for name, one in nodes.items() if set(one.get("success_nodes", [])) & set(acts)]
        assert acts
        assert all("approval_node" in nodes[name] for name in before), "nothing acts that nobody approved"


def _acts(node: dict[str, t.Any], templates: dict[str, t.Any]) -> bool:
    return "approval_node" not in node and templates[node["unified_job_template"]]["job_type"] == "run"


@pytest.mark.one_core
def test_no_survey_asks_for_what_jobs_of_a_workflow_leave_behind(project: Path) -> None:
    """Variables of a workflow come before it, and an empty answer is one."""
    found = objects(project)
    asked = [one for kind in ("templates", "workflows") for one in found[f"controller_{kind}"] if "survey_spec" in one]
    assert "keystead_ir_detected" not in {part["variable"] for one in asked for part in one["survey_spec"]["spec"]}
    for name in ("triage", "answer", "verification"):
        play = (project / f"playbooks/key_compromise_{name}.yml").read_text()
        assert "keystead_ir_detected" in play


@pytest.mark.one_core
def test_each_template_is_run_by_a_test_of_jobs(project: Path) -> None:
    found = objects(project)
    nodes = [node for one in found["controller_workflows"] for node in one["simplified_workflow_nodes"]]
    by_workflow = {node.get("unified_job_template") for node in nodes}
    said = {name.removeprefix("Keystead ") for name in names(found, "templates") - by_workflow}
    assert not [name for name in said if f'ran("{name}"' not in JOBS]


@pytest.mark.one_core
def test_a_schedule_comes_again(project: Path) -> None:
    from dateutil.rrule import rrulestr

    now = datetime.now(UTC)
    for one in objects(project)["controller_schedules"]:
        first = rrulestr(one["rrule"].replace(" ", "\n")).after(now)
        assert first is not None
        assert timedelta(0) < first - now <= timedelta(days=1)
        assert "INTERVAL=" in one["rrule"], "AWX asks for it"


@pytest.mark.one_core
@pytest.mark.needs("awx")
@pytest.mark.parametrize("name", ["ledger", "OpenBao AppRole", "OpenBao token", "PKCS#11 PIN", "AWS"])
def test_a_secret_reaches_a_job_as_a_file_that_is_its_own(project: Path, tmp_path: Path, name: str) -> None:
    (kind,) = [
        one for one in objects(project)["controller_credential_types"] if one["name"] == f"Keystead {name}"
    ]
    fields = kind["inputs"]["fields"]
    secret = {one["id"]: f"c4nary-{one['id']}" for one in fields if one.get("secret")}
    public = {one["id"]: f"{one['id']}-is-public" for one in fields if not one.get("secret")}
    got = Injected()
    inject(kind, {**public, **secret}, tmp_path, got)
    files = [path for path in (tmp_path / "env").iterdir() if path.is_file()]
    variables = {path for path in files if f"@{path}" in got.args}
    assert secret
    for value in secret.values():
        assert value not in str(got.env) + str(got.shown) + str(got.args)
        assert not [path for path in variables if value in path.read_text()]
        assert [path.stat().st_mode & 0o777 for path in files if value in path.read_text()] == [0o600]
    said = str(got.env) + "".join(path.read_text() for path in variables)
    assert [path for path in files if path not in variables and str(path) in said]


@pytest.mark.one_core
@pytest.mark.needs("awx")
@pytest.mark.parametrize("role", ["", "arn:aws:iam::123456789012:role/signs"])
def test_botocore_reads_the_file_of_aws(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    import botocore.session

    (kind,) = [one for one in objects(project)["controller_credential_types"] if one["name"] == "Keystead AWS"]
    got = Injected()
    said = {"access_key": "AKIA-OF-NOBODY", "secret_key": "opens-nothing", "region": "eu-central-1", "role_arn": role}
    inject(kind, said, tmp_path, got)
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", got.env["AWS_CONFIG_FILE"])
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    session = botocore.session.Session()
    assert session.get_config_variable("region") == "eu-central-1"
    assert session.get_scoped_config().get("role_arn", "") == role
    whose = botocore.session.Session(profile="key" if role else None).get_credentials()
    assert whose is not None
    assert (whose.access_key, whose.secret_key) == ("AKIA-OF-NOBODY", "opens-nothing")
