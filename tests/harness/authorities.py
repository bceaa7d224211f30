# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Authorities whose keys are in a custody, over every real one that tests/harness/keystores.py knows."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import typing as t
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Generation
from ansible_collections.keystead.identity.plugins.module_utils._pkcs11.token import forget
from ansible_collections.keystead.identity.plugins.plugin_utils._authority.custody import label
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.local import LocalIssuer
from ansible_collections.keystead.identity.tests.harness import local as make
from ansible_collections.keystead.identity.tests.harness import tally
from ansible_collections.keystead.identity.tests.harness.issuers import Made
from cryptography import x509

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.plugins.plugin_utils._authority.converge import Outcome
    from ansible_collections.keystead.identity.tests.harness.keystores import Custody

ROOT = Path(__file__).resolve().parents[2]
Options = dict[str, t.Any]


def option(custody: Custody, name: str) -> Options:
    """Return what a task says in `custody` to have a key of this name."""
    recipe = custody.recipe(name)
    said = recipe.get("token") or recipe.get("options") or recipe
    return {custody.name: said}


@contextlib.contextmanager
def led_to(custody: Custody) -> t.Iterator[None]:
    """Let this process reach it, and know nothing of any token that it had open."""
    with pytest.MonkeyPatch.context() as patch:
        forget()
        for name, value in custody.recipe("any").get("environment", {}).items():
            patch.setenv(name, value)
        yield
    forget()


class Site(t.NamedTuple):
    """A directory of authorities, and a custody in which each of them has a name of its own."""

    directory: Path
    custody: Custody
    prefix: str

    def option(self, name: str) -> Options:
        """Return the custody of an authority."""
        return option(self.custody, f"{self.prefix}-{name}")

    def make(self, name: str = "root", key_type: str = "", **said: t.Any) -> Outcome:
        """Run certificate_authority with the key in the custody."""
        key = {"type": key_type or self.custody.key_types[0], "custody": self.option(name)}
        return make.authority(self.directory, name, **{"key": key, **said})

    def issuer(self, name: str = "root", **said: t.Any) -> LocalIssuer:
        """Return who signs, made from the options of a task."""
        options = {"directory": str(self.directory), "authority": name, "custody": self.option(name), **said}
        issuer = Made("local", t.cast("t.Any", None)).issuer(options)
        assert isinstance(issuer, LocalIssuer)
        return issuer

    def killed(self, script: str, at: int, **said: t.Any) -> bool:
        """Run statements that are killed before their call `at`, if there is one; then be as a new run is."""
        code = self.elsewhere(script, str(self.directory), str(at), **said)
        forget()
        return code != 0

    def seen(self, name: str = "root") -> list[str]:
        """Return what a tool that is not ours sees of an authority's keys."""
        named = self.custody.name == "openbao_transit"
        return self.custody.seen(f"{self.prefix}-{name}" if named else label(self.directory / name))

    def record(self, name: str = "root") -> Options:
        """Return what authority.json says."""
        return t.cast("Options", json.loads((self.directory / name / "authority.json").read_text()))

    def elsewhere(self, script: str, *arguments: str, **said: t.Any) -> int:
        """Run statements in a process of its own, over `told`, the options of a task; return its exit code."""
        command = [sys.executable, "-c", script, str(ROOT / "tests"), json.dumps(said), *arguments]
        environment = {**os.environ, **self.custody.recipe("any").get("environment", {})}
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120, env=environment)
        assert done.returncode in (0, -9), done.stderr[-3000:]
        return done.returncode


def issued(issuer: LocalIssuer, count: int) -> list[x509.Certificate]:
    """Issue certificates in one batch."""
    answers = issuer.begin([make.request()] * count)
    for one in answers:
        assert isinstance(one, Generation), one
    return [x509.load_pem_x509_certificate(t.cast("Generation", one).parts["certificate"].content) for one in answers]


def pkilint(*certificates: Path, crls: t.Iterable[Path] = ()) -> None:
    """Check that pkilint has nothing to say."""
    tools = Path(sys.executable).parent
    strict = ["lint", "-s", "WARNING"]
    commands = [
        *([tools / "lint_pkix_cert", *strict, one] for one in certificates),
        *([tools / "lint_crl", *strict, "-t", "CRL", "-p", "PKIX", one] for one in crls),
    ]
    for command in commands:
        tally.point()
        found = subprocess.run(command, check=False, capture_output=True, text=True, timeout=120)
        assert (found.returncode, found.stdout.strip()) == (0, ""), found


def openssl(root: Path, *certificates: Path, crl: Path | None = None) -> list[bool]:
    """Say of each certificate whether OpenSSL accepts it; `crl` is the root's list."""
    command = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", str(root)]
    command += ["-crl_check", "-CRLfile", str(crl)] if crl else []
    done = subprocess.run([*command, *map(str, certificates)], check=False, capture_output=True, text=True, timeout=300)
    fine = {line.removesuffix(": OK") for line in done.stdout.splitlines() if line.endswith(": OK")}
    return [str(one) in fine for one in certificates]
