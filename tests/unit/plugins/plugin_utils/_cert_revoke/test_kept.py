# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which certificates an entry selects: within it everything must hold, between entries anything."""

from __future__ import annotations

import datetime as dt
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.ports import Revoked
from ansible_collections.keystead.identity.plugins.plugin_utils._cert_revoke.kept import Holder, Kept, fits, targets
from ansible_collections.keystead.identity.plugins.plugin_utils._cert_revoke.wanted import Entry

pytestmark = pytest.mark.one_core

NOON = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
WEB = Holder("web1", "/store", "web", 3, "present")
KEPT = Kept("aa", "bb", "4a0b", NOON, NOON + 24 * HOUR, b"DER", "local:issuing:0d", NOON + HOUR / 2, None, WEB)
LATER = NOON + HOUR
NOW, TOMORROW = NOON + 2 * HOUR, NOON + 26 * HOUR
GONE = Revoked("superseded", NOON)


CASES: dict[str, tuple[dict[str, t.Any], dict[str, t.Any], bool]] = {
    "its serial number": ({"serial_number": "4a0b"}, {}, True),
    "another serial number": ({"serial_number": "4a0c"}, {}, False),
    "its fingerprint": ({"fingerprint": "aa"}, {}, True),
    "another fingerprint": ({"fingerprint": "ab"}, {}, False),
    "its key": ({"spki": "bb"}, {}, True),
    "another key": ({"spki": "ba"}, {}, False),
    "itself": ({"certificate": b"DER"}, {}, True),
    "another certificate": ({"certificate": b"REM"}, {}, False),
    "its issuer": ({"serial_number": "4a0b", "issuer": "local:issuing:0d"}, {}, True),
    "another issuer": ({"serial_number": "4a0b", "issuer": "local:other:0d"}, {}, False),
    "an issuer where none is known": ({"serial_number": "4a0b", "issuer": "local:other:0d"}, {"issuer_id": None}, True),
    "its identity and host": ({"identity": "web", "host": "web1"}, {}, True),
    "its identity on another host": ({"identity": "web", "host": "web2"}, {}, False),
    "another identity of its host": ({"identity": "api", "host": "web1"}, {}, False),
    "an identity where none has it": ({"identity": "web"}, {"holder": None}, False),
    "a host where none has it": ({"host": "web1"}, {"holder": None}, False),
    "before it was issued": ({"identity": "web", "issued_before": NOON + HOUR / 4}, {}, False),
    "after it was issued": ({"identity": "web", "issued_before": LATER}, {}, True),
    "just when it was issued": ({"identity": "web", "issued_before": NOON + HOUR / 2}, {}, False),
    "what the ledger learned of days later": (
        {"identity": "web", "issued_before": LATER}, {"issued_at": NOON + 48 * HOUR}, True,
    ),
    "what was issued tomorrow, by a clock that was ahead": (
        {"identity": "web", "issued_before": NOON}, {"not_before": TOMORROW, "issued_at": TOMORROW}, True,
    ),
    "what begins tomorrow, and no ledger saw": (
        {"identity": "web", "issued_before": NOON}, {"not_before": TOMORROW, "issued_at": None}, True,
    ),
    "what was issued a minute from now, by a clock that is a little ahead": (
        {"identity": "web", "issued_before": NOON}, {"issued_at": NOW + HOUR / 60, "not_before": NOW}, False,
    ),
    "what no ledger saw": ({"identity": "web", "issued_before": LATER}, {"issued_at": None}, True),
    "all but one": ({"serial_number": "4a0b", "identity": "web", "host": "web2"}, {}, False),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_everything_that_an_entry_says_must_hold(case: str) -> None:
    said, kept, expected = CASES[case]
    assert fits(Entry("certificates[0]", **said), KEPT._replace(**kept), NOW) == expected


def test_what_several_entries_select_is_meant_once_with_everybody_who_holds_it() -> None:
    api = KEPT._replace(holder=WEB._replace(identity="api"))
    other = KEPT._replace(fingerprint="cc")
    first, second = targets([("certificates[0]", KEPT), ("certificates[0]", other), ("certificates[1]", api)])
    assert (first.at, [one.identity for one in first.holders]) == ("certificates[0]", ["web", "api"])
    assert (second.kept.fingerprint, len(second.holders)) == ("cc", 1)


def test_it_is_revoked_where_the_ledger_says_so_for_all_who_hold_it() -> None:
    gone, not_yet = KEPT._replace(revoked=GONE), KEPT._replace(holder=WEB._replace(identity="api"))
    also = not_yet._replace(revoked=GONE)
    assert targets([("", gone), ("", also)])[0].kept.revoked == GONE
    assert targets([("", gone), ("", not_yet)])[0].kept.revoked is None


def test_a_holder_that_knows_the_issuer_tells_it_the_others() -> None:
    adopted = KEPT._replace(issuer_id=None, holder=WEB._replace(identity="api"))
    assert targets([("", adopted), ("", KEPT)])[0].kept.issuer_id == "local:issuing:0d"


@pytest.mark.parametrize(
    ("holders", "called"),
    [
        ((), "certificate 4a:0b"),
        ((WEB,), "certificate 4a:0b of web on web1, generation 3"),
        ((WEB, WEB._replace(identity="api")), "certificate 4a:0b of web on web1, generation 3 and 1 more"),
        ((WEB._replace(host=""),), "certificate 4a:0b of web on no known host, generation 3"),
    ],
)
def test_a_certificate_is_called_by_its_number_and_who_has_it(holders: tuple[Holder, ...], called: str) -> None:
    (target,) = targets([("", KEPT._replace(holder=None))])
    assert target._replace(holders=holders).called == called
