# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Execution environments: ansible-builder takes the definition that the role `awx` writes, and finds what we need."""

from __future__ import annotations

import os
import subprocess
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.keystead.identity.tests.harness import playbook
from ansible_collections.keystead.identity.tests.integration.test_awx import written

pytestmark = [pytest.mark.needs("awx"), pytest.mark.one_core]

ROOT = Path(__file__).resolve().parents[2]


def builder(home: Path, *args: object) -> str:
    """Run ansible-builder; return what it prints."""
    command = [playbook.program("ansible-builder"), *map(str, args)]
    environment = playbook.environment(home)
    done = subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def requirements(path: Path) -> set[str]:
    """Return what a file of requirements names."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return {line for line in lines if line and not line.startswith("#")}


def test_the_collection_says_by_itself_what_it_needs(tmp_path: Path) -> None:
    place = os.environ["ANSIBLE_COLLECTIONS_PATH"].partition(os.pathsep)[0]
    found: dict[str, t.Any] = yaml.safe_load(builder(tmp_path, "introspect", place))
    whose = "from collection keystead.identity"
    ours = {kind: [line for line in lines if whose in line] for kind, lines in found.items()}
    assert {line.partition("#")[0].strip() for line in ours["python"]} == requirements(ROOT / "requirements.txt")
    assert len(ours["system"]) == len(requirements(ROOT / "bindep.txt"))
    assert all("[platform:dpkg test]" in line for line in ours["system"]), "an environment needs none of them"


def test_the_definition_makes_a_context_with_the_collection_and_a_client_of_postgresql(tmp_path: Path) -> None:
    asked = {"name": "keystead.identity", "version": "0.1.0"}
    project = written(tmp_path, awx_collection=asked, awx_base_image="registry.example.org/base:1")
    context = tmp_path / "context"
    definition = project / "execution-environment.yml"
    builder(tmp_path, "create", "-f", definition, "-c", context, "--output-filename", "Containerfile")
    made = context / "_build"
    assert yaml.safe_load((made / "requirements.yml").read_text()) == {"collections": [asked]}
    assert requirements(made / "requirements.txt") == {"psycopg[binary]>=3.2"}
    assert 'EE_BASE_IMAGE="registry.example.org/base:1"' in (context / "Containerfile").read_text()
    assert "ansible-galaxy collection install" in (context / "Containerfile").read_text()
