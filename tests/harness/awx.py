# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Runs jobs as AWX does, from its objects as code: ansible-runner, and a private directory that is laid out as AWX's.

There is no AWX here. Credentials are rendered by the library that AWX renders them with; what else AWX does before it
hands a job to ansible-runner is done as awx/main/tasks/jobs.py does it: slices, surveys, artifacts of a workflow.
"""

from __future__ import annotations

import itertools
import json
import shlex
import shutil
import subprocess
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from ansible_collections.keystead.identity.tests.harness import playbook

Object = dict[str, t.Any]
Inputs = t.Mapping[str, str]
_numbers = itertools.count(1001)


class _Loader(yaml.SafeLoader):
    """Reads `!unsafe`, which keeps what follows from being a template, as a text."""


class _Answer(str):
    """What somebody said at the launch of a job: AWX marks it, so that it is no template."""

    __slots__ = ()


_Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(t.cast("yaml.ScalarNode", node)))
yaml.SafeDumper.add_representer(_Answer, lambda dumper, data: dumper.represent_scalar("!unsafe", str(data)))


def objects(project: Path) -> dict[str, list[Object]]:
    """Return the objects that a project has as code, by the variable that names their kind."""
    text = (project / "configuration.yml").read_text(encoding="utf-8")
    found: dict[str, list[Object]] = yaml.load(text, _Loader)  # noqa: S506 - a safe one
    return found


@dataclass
class Injected:
    """What a credential adds to a job."""

    env: dict[str, str] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)
    args: list[str] = field(default_factory=list)


def inject(kind: Object, inputs: Inputs, private: Path, into: Injected) -> None:
    """Render a credential into a private directory, as the library does it that AWX has it from."""
    from awx_plugins.interfaces import _temporary_private_container_api as container
    from awx_plugins.interfaces._temporary_private_api import ManagedCredentialType
    from awx_plugins.interfaces._temporary_private_credential_api import Credential
    from awx_plugins.interfaces._temporary_private_inject_api import inject_credential

    (private / "env").mkdir(parents=True, exist_ok=True)
    container.CONTAINER_ROOT = str(private.resolve())  # no container: what is /runner there is the directory itself
    said = {"inputs": kind["inputs"], "injectors": kind["injectors"]}
    made = ManagedCredentialType(namespace="keystead", name=kind["name"], kind=kind["kind"], **said)
    inject_credential(
        made, Credential(dict(inputs)), into.env, into.shown, into.args, str(private), container_root=str(private)
    )


@dataclass
class Job:
    """A job that runs, or has run."""

    number: int
    private: Path
    process: subprocess.Popen[str]
    said: str = ""

    def ended(self, code: int = 0) -> Job:
        """Wait for its end."""
        self.said = self.process.communicate(timeout=300)[0]
        assert self.process.returncode == code, self.said
        return self

    def events(self) -> list[Object]:
        """Return what ansible-runner tells AWX about the job, in its order."""
        paths = (self.private / "artifacts" / str(self.number) / "job_events").glob("*.json")
        return sorted((json.loads(path.read_text()) for path in paths), key=lambda event: int(event["counter"]))

    def changed(self) -> dict[str, int]:
        """Return how many tasks changed something, by host."""
        return t.cast("dict[str, int]", self._end()["changed"])

    def hosts(self) -> set[str]:
        """Return the hosts that the job was at."""
        return set(self._end()["ok"])

    def artifacts(self) -> Object:
        """Return what the job leaves to later ones of its workflow (set_stats)."""
        return t.cast("Object", self._end().get("artifact_data", {}))

    def _end(self) -> Object:
        (end,) = [event["event_data"] for event in self.events() if event["event"] == "playbook_on_stats"]
        return t.cast("Object", end)


@dataclass
class Awx:
    """One AWX: a project that it fetched, an inventory (hosts, variables), credentials (type and inputs) by name."""

    project: Path
    work: Path
    hosts: dict[str, Object]
    variables: Object
    credentials: dict[str, tuple[str, Inputs]]

    def __post_init__(self) -> None:
        self.objects = objects(self.project)

    def named(self, kind: str, name: str) -> Object:
        """Return an object by its name."""
        (found,) = [one for one in self.objects[f"controller_{kind}"] if one["name"] == name]
        return found

    def launch(self, name: str, slices: int = 1, artifacts: Object | None = None, **answers: str) -> list[Job]:
        """Start a job of a template, or as many slices of it at once, and return before they end."""
        template = self.named("templates", name)
        asked = {one["variable"]: one for one in template.get("survey_spec", {"spec": []})["spec"]}
        assert set(answers) <= set(asked), "AWX would drop what no survey asks for"
        missing = [name for name, one in asked.items() if one["required"] and not answers.get(name)]
        assert not missing, "AWX would ask again"
        said = _defaults(template)  # an empty one is an answer, too
        said |= {name: _Answer(text) for name, text in (artifacts or {}).items()}
        said |= {name: _Answer(text) for name, text in answers.items()}
        return [self._start(template, said, number, slices) for number in range(slices)]

    def workflow(self, name: str, **answers: str) -> dict[str, Job | None]:
        """Run a workflow to its end, and approve what asks for it; return jobs, and None for approvals, by node.

        Variables of the workflow, which its survey's are with their defaults, come before what earlier jobs left.
        """
        nodes = {one["identifier"]: one for one in self.named("workflows", name)["simplified_workflow_nodes"]}
        followers = {then for one in nodes.values() for then in one.get("success_nodes", [])}
        (at,) = set(nodes) - followers
        done: dict[str, Job | None] = {}
        left: Object = {}
        said = {**_defaults(self.named("workflows", name)), **answers}
        while at:
            done[at] = job = self._node(nodes[at], left, said)
            left.update(job.artifacts() if job else {})
            at = next(iter(nodes[at].get("success_nodes", [])), "")
        return done

    def _node(self, node: Object, left: Object, answers: t.Mapping[str, str]) -> Job | None:
        if "approval_node" in node:
            return None
        (job,) = self.launch(node["unified_job_template"], 1, left, **answers)
        return job.ended()

    def _start(self, template: Object, said: t.Mapping[str, str], number: int, slices: int) -> Job:
        job, check = next(_numbers), template["job_type"] == "check"
        private = self.work / f"awx_{job}"
        injected = self.injected(template["credentials"], private)
        args = ["--become"] * template["become_enabled"] + ["--check"] * check + ["--diff"] * template["diff_mode"]
        hosts = dict(sorted(self.hosts.items())[number::slices])
        own = {"awx_job_id": job, "awx_job_template_name": template["name"], "awx_job_launch_type": "manual"}
        _lay_out(private, self.project, _script(hosts, self.variables))
        env = {"AWX_PRIVATE_DATA_DIR": str(private), "JOB_ID": str(job), "INVENTORY_ID": "1", **injected.env}
        (private / "env/envvars").write_text(yaml.safe_dump(env))
        (private / "env/extravars").write_text(yaml.safe_dump({**own, **said}))
        (private / "env/cmdline").write_text(shlex.join([*args, *injected.args]))
        command = ["run", str(private), "-p", template["playbook"], "--ident", str(job)]
        return Job(job, private, self.process([playbook.program("ansible-runner"), *command], private))

    def injected(self, names: t.Iterable[str], private: Path, **env: str) -> Injected:
        """Render credentials into a private directory."""
        found = Injected(dict(env))
        for kind, inputs in (self.credentials[name] for name in names if name in self.credentials):
            inject(self.named("credential_types", kind), inputs, private, found)
        return found

    def process(self, command: list[str], private: Path, **env: str) -> subprocess.Popen[str]:
        """Start a program as a job's user."""
        home = private / "home"
        home.mkdir(exist_ok=True)
        base = playbook.environment(home, env)
        base["PATH"] = f"{Path(command[0]).parent}:{base['PATH']}"
        return subprocess.Popen(
            command, cwd=private, env=base, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip


def _defaults(template: Object) -> dict[str, str]:
    """Return what a survey says where nobody answers."""
    spec = template.get("survey_spec", {"spec": []})["spec"]
    return {one["variable"]: _Answer(one["default"]) for one in spec if one["default"] is not None}


def _lay_out(private: Path, project: Path, inventory: str) -> None:
    shutil.copytree(project, private / "project")
    (private / "inventory").mkdir()
    script = private / "inventory" / "hosts"
    script.write_text(inventory)
    script.chmod(0o700)


def _script(hosts: t.Mapping[str, Object], variables: Object) -> str:
    """Return the inventory of a job as AWX writes it: a program that prints it."""
    said = {"all": {"hosts": list(hosts), "vars": variables}, "_meta": {"hostvars": dict(hosts)}}
    return f"#! /usr/bin/env python3\n# -*- coding: utf-8 -*-\nprint({json.dumps(said)!r})\n"
