# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""An event is canonical JSON, whatever hosts and backends say."""

from __future__ import annotations

import hashlib
import json

import pytest
import rfc8785
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.entry import Entry, digest, text

TEXTS = [
    "", "missing", 'a "quoted" back\\slash / and \t\n\r\b\f', "".join(map(chr, range(1, 0x20))), "\x7f\x80\x9f",
    "\u2028\u2029\ufeff\ufffd\uffff", "Grüße \U0001f511 \u05d0\u202e", "</script><script>", "a" * 10_000,
]  # fmt: skip


def entry(said: str, number: int | None) -> Entry:
    actor = rfc8785.dumps({"operating_system_user": said, "awx_job": None}).decode()
    told = (said, number, said, said, said, said, 2**53 - 1, 1)
    return Entry(7, 3, "2026-01-31T09:00:00.000Z", said, said, actor, *told)


@pytest.mark.parametrize("said", TEXTS)
@pytest.mark.parametrize("number", [None, 0, 12])
def test_what_is_hashed_is_what_rfc_8785_says(said: str, number: int | None) -> None:
    one = entry(said, number)
    record = {"prev": said, **one._asdict(), "actor": json.loads(one.actor)}
    assert text(said, one).encode() == rfc8785.dumps(record)
    assert digest(said, one) == hashlib.sha256(rfc8785.dumps(record)).hexdigest()
