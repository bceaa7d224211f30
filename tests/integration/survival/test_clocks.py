# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The clock of a host or the controller is two days off while keys are rotated: that is said, and nothing loops."""

from __future__ import annotations

import re
import sys
import typing as t
from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger import chain
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_ledger
from ansible_collections.keystead.identity.tests.harness import local, playbook
from ansible_collections.keystead.identity.tests.harness.in_process import from_now_on
from ansible_collections.keystead.identity.tests.integration.survival.health import content_of, mismatch
from cryptography import x509

if t.TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.needs("faketime"), pytest.mark.one_core]
DAYS = timedelta(days=2)
OFFSETS = ["+2d", "-2d"]
OFF = r"the clock of web1 is 172[78]\d\d s off"
FORGET = "unset LD_PRELOAD FAKETIME FAKETIME_SHARED; "


class Site:
    """A host with one identity, and the interpreters that give host and controller a clock of their own."""

    def __init__(self, root: Path) -> None:
        """Make the authority while the clock is right."""
        self.root, self.home = root, root / "home"
        self.url = f"sqlite:///{root}/ledger.db"
        self.said: dict[str, t.Any] = {
            "issuer": {"local": local.two_tiers(root / "ca")},
            "ledger": self.url,
            "store": f"{root}/store",
            "identities": [{"name": "web", "dns_names": ["web.example.org"], "prove": {"command": ["true"]}}],
        }

    def run(self, module: str, *, host: str = "", controller: str = "", **said: t.Any) -> dict[str, t.Any]:
        """Run a task with clocks so far off; return its result."""
        interpreter = self.root / f"python{host}"
        shift = f"faketime -f {host} " if host else ""
        interpreter.write_text(f'#!/bin/sh\n{FORGET}exec {shift}{sys.executable} "$@"\n', encoding="utf-8")
        interpreter.chmod(0o755)
        hosts = {"web1": {"ansible_connection": "local", "ansible_python_interpreter": str(interpreter)}}
        task = {f"keystead.identity.{module}": {**self.said, **said}}
        under = ["faketime", "-f", controller] if controller else []
        done = playbook.run([task], hosts, home=self.home, under=under)
        assert "Traceback" not in done.stdout + done.stderr
        (result,) = playbook.results(self.home)
        return result

    def is_well(self) -> bool:
        """Tell whether one whole pair is in place, which the ledger knows and has as the current one."""
        wrong = mismatch(content_of(self.root / "store/web/current"))
        ledger = open_ledger(self.url, read_only=True)
        try:
            known = ledger.remembered("web1", f"{self.root}/store")["web"].serial_number
            return (wrong, chain.verify(ledger), known) == (None, None, self.certificate().serial_number)
        finally:
            ledger.close()

    def certificate(self) -> x509.Certificate:
        """Return what is in place."""
        return x509.load_pem_x509_certificate((self.root / "store/web/current/certificate.pem").read_bytes())


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


@pytest.mark.parametrize("offset", OFFSETS)
def test_a_host_whose_clock_is_off_is_named_and_gets_what_every_host_gets(site: Site, offset: str) -> None:
    first = site.run("machine_identity", host=offset)
    assert (first["changed"], len(first["warnings"])) == (True, 1)
    assert re.match(OFF, first["warnings"][0])
    moment = f"{from_now_on():%Y-%m-%dT%H:%M:%SZ}"
    rotated = [site.run("key_rotate", host=offset, created_before=moment)["changed"] for _turn in range(2)]
    assert rotated == [True, False]
    assert site.is_well()
    assert site.run("machine_identity")["changed"] is False, "the clock was set right, and that alone"


@pytest.mark.parametrize("offset", OFFSETS)
def test_a_controller_whose_clock_is_off_ends_in_no_loop_and_the_next_run_mends_what_it_made(
    site: Site, offset: str
) -> None:
    site.run("machine_identity")
    moment = f"{from_now_on():%Y-%m-%dT%H:%M:%SZ}"
    ran = [site.run("key_rotate", controller=offset, created_before=moment) for _turn in range(2)]
    if offset.startswith("-"):  # the moment is to come, for it
        assert all("is to come, so every run would replace every key until then" in one["msg"] for one in ran)
    else:
        assert [one["changed"] for one in ran] == [True, False]
        assert re.match(OFF, ran[0]["warnings"][0])
    assert site.is_well()
    site.run("machine_identity")
    assert site.certificate().not_valid_before_utc < datetime.now(UTC) < site.certificate().not_valid_after_utc
    for module, said in (("key_rotate", {"created_before": moment}), ("machine_identity", {})):
        site.run(module, **said)
        assert site.run(module, **said)["changed"] is False
    assert site.is_well()
    assert site.certificate().not_valid_after_utc - datetime.now(UTC) < timedelta(days=30), "no longer than declared"
