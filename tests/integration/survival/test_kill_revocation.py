# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A revocation of many is killed in the middle of a part: the next run finishes it, and revokes nothing twice."""

from __future__ import annotations

import collections
import json
import signal
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._openbao.batch import AT_ONCE
from ansible_collections.keystead.identity.tests.harness import openbao as make
from ansible_collections.keystead.identity.tests.harness.in_process import World
from ansible_collections.keystead.identity.tests.harness.revoking import Office
from cryptography import x509

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.tests.harness.openbao_server import Server

MANY = 400
CHILD = """
import json, sys
sys.path.insert(0, sys.argv[1])
from ansible_collections.keystead.identity.tests.harness.revoking import Office
said = json.loads(sys.argv[2])
office = Office(said["url"], said["issuer"])
office.said = type("Printed", (), {"append": staticmethod(lambda line: print(line, flush=True))})
office.run({"identity": said["identity"]} if "identity" in said else {"host": said["host"]}, replaced_first=False)
"""


def many(world: World, issuer: dict[str, t.Any]) -> Office:
    """Issue so many certificates that they are revoked in several parts."""
    declared = [{"name": f"n{number}", "dns_names": [f"n{number}.example.org"]} for number in range(MANY)]
    done = world.converge(declared, issuer=issuer)
    assert not done.get("failed"), done.get("msg")
    return Office(world.url, issuer)


def killed(office: Office, host: str, after: int, pause: float) -> None:
    """Begin to revoke all of it, and be killed some milliseconds after so many parts were done."""
    root = str(Path(__file__).resolve().parents[3] / "build" / "collections")
    said = json.dumps({"url": office.url, "issuer": office.issuer, "host": host})
    command = [sys.executable, "-c", CHILD, root, said]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        for _part in range(after):
            line = child.stdout.readline()
            assert "certificates revoked" in line, line
        time.sleep(pause)
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL, "it was done before it could be killed"


def recorded(world: World) -> int:
    """Return how many the ledger calls revoked."""
    ((count,),) = world.query("SELECT count(*) FROM generations WHERE revoked_at IS NOT NULL")
    return int(count)


def finished(office: Office, world: World, before: int) -> None:
    """Run again, and once more: everything is revoked then, and a third run would do nothing."""
    shown = office.run({"host": world.host}, check=True, replaced_first=False)
    done = office.run({"host": world.host}, replaced_first=False)
    assert not done.get("failed"), done
    assert shown["steps"] == done["steps"]
    assert len(done["steps"]) <= MANY - before
    assert {one["status"] for one in done["certificates"]} == {"revoked"}
    assert recorded(world) == done["matched"] == MANY
    again = office.run({"host": world.host}, replaced_first=False)
    assert (again["changed"], again["steps"]) == (False, [])
    assert office.events()


@pytest.mark.parametrize("pause", [0.0, 0.01, 0.03, 0.05])
def test_over_a_local_authority_its_list_has_all_of_them_in_the_end(tmp_path: Path, pause: float) -> None:
    world = World(tmp_path)
    office = many(world, world.issuer())
    killed(office, world.host, 1, pause)
    before = recorded(world)
    assert 50 <= before < MANY
    written = list((world.authorities / "issuing" / "revoked").glob("*.json"))
    moments = {path: path.stat().st_mtime_ns for path in written}
    finished(office, world, before)
    assert {path: path.stat().st_mtime_ns for path in written} == moments, "one was revoked twice"
    listed = x509.load_pem_x509_crl((world.authorities / "issuing" / "crl.pem").read_bytes())
    assert {one.serial_number for one in listed} == {one.serial_number for one in world.issued()}


@pytest.mark.needs("openbao")
@pytest.mark.parametrize("pause", [0.0, 0.1])
def test_over_an_openbao_each_is_revoked_by_one_call(tmp_path: Path, openbao: Server, pause: float) -> None:
    world, pki = World(tmp_path), make.pki(openbao)
    office = many(world, {"openbao": pki.options()})
    begun = len(openbao.audited())
    killed(office, world.host, 1, pause)
    before = recorded(world)
    assert 50 <= before < MANY
    finished(office, world, before)
    calls = collections.Counter(
        one["request"]["data"]["certificate"]
        for one in openbao.audited()[begun:]
        if one["type"] == "request" and one["request"]["path"] == f"{pki.mount}/revoke"
    )
    assert len(calls) == MANY
    assert set(calls.values()) <= {1, 2}
    assert sum(calls.values()) - MANY <= AT_ONCE, "but for the calls that were cut off, each was revoked once"
