# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""Strange bytes on the controller: requests, answers, authorities and ledgers end in an answer or in one sentence."""

from __future__ import annotations

import shutil
import sqlite3
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied, KeysteadError
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Generation, Part
from ansible_collections.keystead.identity.plugins.plugin_utils._answer import accepted
from ansible_collections.keystead.identity.plugins.plugin_utils._edge import told
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.local import LocalIssuer
from ansible_collections.keystead.identity.plugins.plugin_utils._request import checked
from ansible_collections.keystead.identity.tests.harness import local, tally
from ansible_collections.keystead.identity.tests.harness.in_process import World, web
from ansible_collections.keystead.identity.tests.unit.fuzz import strange

if t.TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

AUTHORITY = {
    "authority.json": 100, "certificate.pem": 150, "chain.pem": 100, "private_key.pem": 80, "crl.pem": 150,
    "crl.der": 60, "crl_number": 60, "certificate.der": 40, "publication.json": 100, "issued": 60, "revoked": 100,
}  # fmt: skip


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory with a two-tier authority that has signed and revoked."""
    directory = tmp_path_factory.mktemp("ca")
    issuer = LocalIssuer(local.two_tiers(directory))
    answers = issuer.begin([local.request(), local.request(number=1)])
    issuer.revoke([_leaf(answers[0])], "superseded")
    return directory


def _leaf(answer: t.Any) -> bytes:
    from ansible_collections.keystead.identity.plugins.module_utils._core.pki import der_certificates

    return der_certificates(answer.parts["certificate"].content)[0]


def says(work: Callable[[], t.Any]) -> str:
    """Do something and return what went wrong, if anything did: one printable sentence, soon."""
    with strange.Stopwatch():
        result = told("fuzz", lambda: {"done": work()})
    message = str(result.get("msg", ""))
    assert "please report it" not in message, message
    assert message.isprintable()
    return message


def test_a_request_may_hold_anything() -> None:
    good = local.request().csr
    mutants = strange.mutated(good, 500)
    refused = sum(bool(says(lambda csr=csr: checked(csr, local.identity(), local.public_id()))) for csr in mutants)
    assert refused == 500
    checked(good, local.identity(), local.public_id())


@pytest.mark.parametrize("part", ["certificate", "chain", "fullchain", "roots"])
def test_an_answer_may_hold_anything(ca: Path, part: str) -> None:
    issuer, request = LocalIssuer({"directory": str(ca), "authority": "issuing"}), local.request()
    (good,) = issuer.begin([request])
    assert isinstance(good, Generation)
    for content in strange.mutated(good.parts[part].content, 150):
        parts = {**good.parts, part: Part(content)}
        if part in ("certificate", "chain"):
            parts["fullchain"] = Part(parts["certificate"].content + parts["chain"].content)
        changed = good._replace(parts=parts)
        says(lambda changed=changed: accepted(changed, request, local.public_id(), issuer.roots(), local.now()))


@pytest.mark.parametrize("weird", strange.WEIRD)
def test_a_weird_answer_is_denied(ca: Path, weird: str) -> None:
    issuer, request = LocalIssuer({"directory": str(ca), "authority": "issuing"}), local.request()
    (good,) = issuer.begin([request])
    assert isinstance(good, Generation)
    pem = Part(strange.pem(strange.WEIRD[weird]))
    for parts in (
        {**good.parts, "certificate": pem, "fullchain": Part(pem.content + good.parts["chain"].content)},
        {**good.parts, "chain": pem, "fullchain": Part(good.parts["certificate"].content + pem.content)},
    ):
        with pytest.raises(Denied):
            accepted(good._replace(parts=parts), request, local.public_id(), issuer.roots(), local.now())


@pytest.mark.parametrize("name", AUTHORITY)
def test_a_file_of_an_authority_may_hold_anything(ca: Path, name: str) -> None:
    place = ca / "issuing"
    path = next(iter(sorted((place / name).iterdir()))) if (place / name).is_dir() else place / name
    good = path.read_bytes()
    try:
        for content in strange.mutated(good, AUTHORITY[name]):
            path.write_bytes(content)
            says(lambda: _use(ca))
            for said in ({"check": True}, {}, {"check": True, "state": "absent"}):
                says(lambda said=said: local.authority(ca, "issuing", parent={"name": "root"}, **said))
    finally:
        path.write_bytes(good)
    assert not says(lambda: _use(ca))


@pytest.mark.parametrize("weird", strange.WEIRD)
def test_a_weird_certificate_of_an_authority_is_refused(ca: Path, weird: str) -> None:
    for name in ("certificate.pem", "chain.pem"):
        path = ca / "issuing" / name
        good = path.read_bytes()
        path.write_bytes(strange.pem(strange.WEIRD[weird]))
        try:
            assert says(lambda: _use(ca))
            says(lambda: local.authority(ca, "issuing", parent={"name": "root"}))
        finally:
            path.write_bytes(good)


@pytest.mark.parametrize("name", ["zz.json", "-1.json", "0.json", "\u0661.json", "f" * 60 + ".json", "x.txt", ".json"])
def test_a_file_among_the_revocations_may_have_any_name(ca: Path, name: str) -> None:
    path = ca / "issuing" / "revoked" / name
    path.write_bytes(b'{"reason": "superseded", "when": "2026-01-01T00:00:00+00:00"}')
    try:
        says(lambda: local.authority(ca, "issuing", parent={"name": "root"}))
    finally:
        path.unlink()


def test_a_ledger_may_hold_anything(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert not world.converge([web()]).get("failed")
    good = world.ledger.read_bytes()
    for content in strange.mutated(good, 150):
        world.ledger.write_bytes(content)
        says(lambda: world.converge([web()], check=True))
        says(lambda: world.converge([web()]))
        for beside in ("-wal", "-shm", "-journal"):
            world.ledger.with_name(world.ledger.name + beside).unlink(missing_ok=True)


def test_every_cell_of_a_ledger_may_hold_anything(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert not world.converge([web()]).get("failed")
    good = tmp_path / "good"
    shutil.copy(world.ledger, good)
    cells = _cells(good)
    values = (None, "", "x", b"\xff\x00", -1, 1e300, "\x1b[2J", "[" * 100_000, "9999-99-99T99:99:99Z", 10**18)
    for number, (table, column) in enumerate(cells):
        for value in (values[number % len(values)], values[(number + 5) % len(values)]):
            shutil.copy(good, world.ledger)
            connection = sqlite3.connect(world.ledger)
            try:
                connection.execute("PRAGMA ignore_check_constraints = 1")
                connection.execute(f"UPDATE {table} SET {column} = ?", (value,))
                connection.commit()
            except sqlite3.Error:
                continue
            finally:
                connection.close()
            tally.point()
            says(lambda: world.converge([web()], check=True))
            says(lambda: world.converge([web(lifetime="20d")]))
    assert len(cells) > 50


def _cells(path: Path) -> list[tuple[str, str]]:
    connection = sqlite3.connect(path)
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    columns = [(table, row[1]) for table in tables for row in connection.execute(f"PRAGMA table_info({table})")]
    connection.close()
    return columns


def _use(directory: Path) -> None:
    """Sign, look up and list, as a run does."""
    issuer = LocalIssuer({"directory": str(directory), "authority": "issuing"})
    issuer.roots()
    answers = issuer.begin([local.request()])
    if isinstance(answers[0], KeysteadError):
        raise answers[0]
    issuer.status(_leaf(answers[0]))
    list(issuer.issued(local.now()))
