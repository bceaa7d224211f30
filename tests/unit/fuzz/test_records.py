# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Strange bytes in records of other systems: rows, or one sentence with the file that is wrong."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._edge import told
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.load import load
from ansible_collections.keystead.identity.plugins.plugin_utils._records.files import read
from ansible_collections.keystead.identity.plugins.plugin_utils._rows.alike import Alike
from ansible_collections.keystead.identity.plugins.plugin_utils._rows.findings import findings
from ansible_collections.keystead.identity.plugins.plugin_utils._rows.said import said
from ansible_collections.keystead.identity.plugins.plugin_utils._rows.strength import broken_keys
from ansible_collections.keystead.identity.tests.harness.brownfield import pair
from ansible_collections.keystead.identity.tests.harness.local import now
from ansible_collections.keystead.identity.tests.unit.fuzz import strange

if t.TYPE_CHECKING:
    from pathlib import Path

FIELDS = {"name": "lb", "host": "lb1", "serial_number": "4a:0b", "spki_sha256": "ab" * 32, "key_type": "rsa-2048",
          "not_before": "2026-01-01T00:00:00Z", "not_after": "2027-03-15T00:00:00Z"}  # fmt: skip


def good(form: str) -> bytes:
    """Return a file with two records."""
    pem = pair("imap.example.org").certificate.decode()
    if form == "json":
        return json.dumps([FIELDS, {"name": "imap", "pem": pem}], indent=1).encode()
    names = (*FIELDS, "pem")
    rows = [",".join(names), ",".join([*FIELDS.values(), ""]), f'imap{"," * len(FIELDS)}"{pem}"']
    return "\n".join(rows).encode()


def judged(path: Path) -> list[t.Any]:
    """Do all that is done with records, and what a result has to survive."""
    rows, policy = read([str(path)]), load(None, now())
    alike, broken = Alike(rows), broken_keys(None, rows)
    return [json.dumps(said(row, findings(row, policy, alike, broken, now()))) for row in rows]


@pytest.mark.parametrize("form", ["csv", "json"])
def test_a_file_of_records_may_hold_anything(tmp_path: Path, form: str) -> None:
    path, content, refused = tmp_path / f"records.{form}", good(form), 0
    path.write_bytes(content)
    assert len(judged(path)) == 2
    for mutant in strange.mutated(content, 400):
        path.write_bytes(mutant)
        with strange.Stopwatch():
            result = told("fuzz", lambda: {"done": judged(path)})
        message = str(result.get("msg", ""))
        assert "please report it" not in message, message
        assert message.isprintable()
        assert not message or message.startswith("records: ")
        refused += bool(message)
    assert refused > 200
