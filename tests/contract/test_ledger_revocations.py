# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What every ledger keeps of credentials that are taken back, and of where they are in use."""

from __future__ import annotations

import typing as t
from datetime import timedelta

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger import revocations, trusts
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.nouns import CredentialRevoked, ProvedAt
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.port import (
    UNPLACED,
    Delivered,
    Event,
    Orphaned,
    Outcome,
)
from ansible_collections.keystead.identity.tests.unit.plugins.plugin_utils._ledger.telling import (
    LIFE,
    LINKS,
    NOW,
    batch,
    intent,
    issued,
    outcome,
)

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.ledger import SqlLedger

SINCE = NOW + timedelta(hours=2)
AT = ProvedAt("192.0.2.7", 443, "web.example.org", None)


def publish(ledger: SqlLedger, name: str = "web", number: int = 1, key: str = "aa") -> None:
    ledger.intend(batch(), [intent(name, number=number, key=key)])
    ledger.record(batch(), [outcome(name, number=number, key=key)])


def revoked(credential_id: str = "c1", reason: str = "superseded", after: int = 0) -> CredentialRevoked:
    when = SINCE + timedelta(seconds=after)
    return CredentialRevoked(credential_id, "aa", "4a0b", "local:issuing", NOW + LIFE, reason, when)


def record(ledger: SqlLedger, change: CredentialRevoked, name: str = "web", number: int | None = 1) -> None:
    ledger.record(batch(), [Outcome(name, number, (Event("revoke", "why", "ok"),), (change,))])


def states(ledger: SqlLedger) -> list[tuple[t.Any, ...]]:
    return ledger.read("SELECT number, state, revocation_reason FROM generations ORDER BY id")


def test_a_revoked_credential_is_remembered_as_a_reason_to_replace_it(ledger: SqlLedger) -> None:
    publish(ledger)
    record(ledger, revoked())
    assert ledger.remembered("web1", "/srv/store")["web"].revoked == (("c1", "superseded"),)
    assert states(ledger) == [(1, "revoked", "superseded")]
    assert revocations.strangers(ledger, {"credential_id": "c1"}) == []


def test_the_first_record_of_a_revocation_stands(ledger: SqlLedger) -> None:
    publish(ledger)
    record(ledger, revoked())
    record(ledger, revoked(reason="key_compromise", after=9))
    (row,) = revocations.credentials(ledger, {"credential_id": "c1"})
    assert (row["reason"], row["revoked_at"]) == ("superseded", "2026-01-31T11:00:00.000Z")


def test_a_reason_that_counts_more_takes_the_place_of_the_first_one(ledger: SqlLedger) -> None:
    publish(ledger)
    for known in ("c1", "c9"):  # of an identity, and of nobody
        record(ledger, revoked(known))
        record(ledger, revoked(known, reason="key_compromise", after=9)._replace(instead=True))
    (mine,) = revocations.credentials(ledger, {"credential_id": "c1"})
    (stranger,) = revocations.strangers(ledger, {"credential_id": "c9"})
    for row in (mine, stranger):
        assert (row["reason"], row["revoked_at"]) == ("key_compromise", "2026-01-31T11:00:00.000Z")


def test_it_is_revoked_for_everybody_who_has_it(ledger: SqlLedger) -> None:
    publish(ledger)
    ledger.intend(batch("web2"), [intent(key="aa")._replace(shared=True)])
    ledger.record(batch("web2"), [outcome(key="aa")])
    record(ledger, revoked())
    assert [row["host"] for row in revocations.credentials(ledger, {"credential_id": "c1"})] == ["web1", "web2"]
    assert {state for _number, state, _reason in states(ledger)} == {"revoked"}


def test_an_orphan_stays_one_beside_the_generation_that_has_its_number(ledger: SqlLedger) -> None:
    ledger.intend(batch(), [intent()])
    ledger.record(batch(), [Outcome("web", 1, (), (Orphaned(issued()),))])
    ledger.intend(batch(after=1), [intent(key="bb")])
    record(ledger, revoked(), number=None)
    assert states(ledger) == [(1, "orphaned", "superseded"), (1, "intended", None)]
    assert ledger.remembered("web1", "/srv/store")["web"].open_intent is not None


def test_one_of_no_identity_is_kept_once_and_found_by_what_only_it_has(ledger: SqlLedger) -> None:
    for _turn in range(2):
        record(ledger, revoked("cc"), "certificate cc", None)
    for by in ({"credential_id": "cc"}, {"serial_number": "4a0b"}, {"public_id": "aa", "issuer_id": "local:issuing"}):
        (row,) = revocations.strangers(ledger, by)
        assert (row["credential_id"], row["reason"]) == ("cc", "superseded")
    for by in ({}, {"serial_number": "4a0c"}, {"host": "web1"}):
        assert revocations.strangers(ledger, by) == []


def test_one_of_no_identity_that_comes_to_have_one_is_known_as_revoked(ledger: SqlLedger) -> None:
    record(ledger, revoked(), "certificate c1", None)
    publish(ledger)
    assert ledger.remembered("web1", "/srv/store")["web"].revoked == (("c1", "superseded"),)
    publish(ledger, number=2, key="bb")
    assert states(ledger) == [(1, "revoked", "superseded"), (2, "current", None)]


def test_credentials_are_found_by_what_is_asked_and_only_those(ledger: SqlLedger) -> None:
    publish(ledger)
    publish(ledger, number=2, key="bb")
    publish(ledger, "api", key="cc")
    serial = f"{2**150 + 1:x}"
    for by, expected in (
        ({"identity": "web"}, [("web", 1), ("web", 2)]),
        ({"host": "web1"}, [("web", 1), ("web", 2), ("api", 1)]),
        ({"host": "web1", "public_id": "bb"}, [("web", 2)]),
        ({"serial_number": serial}, [("web", 1), ("api", 1)]),
        ({"issuer_id": "local:/srv/ca/issuing", "identity": "api"}, [("api", 1)]),
        ({"host": "web2"}, []),
    ):
        assert [(row["identity"], row["generation"]) for row in revocations.credentials(ledger, by)] == expected
    current = {(row["generation"], row["current"]) for row in revocations.credentials(ledger, {"identity": "web"})}
    assert current == {(1, None), (2, "present")}


def test_credentials_that_several_have_are_told_from_others(ledger: SqlLedger) -> None:
    publish(ledger)
    publish(ledger, number=2, key="bb")
    publish(ledger, "api", key="cc")  # its first one is named like that of web
    assert revocations.shared(ledger, ["c1", "c2", "c1", "c9"]) == {"c1"}
    assert revocations.shared(ledger, ["c2"]) == revocations.shared(ledger, []) == frozenset()


def test_live_deliveries_are_those_that_nothing_ended(ledger: SqlLedger) -> None:
    publish(ledger)
    first, *_none = revocations.credentials(ledger, {"identity": "web"})
    assert revocations.live(ledger, [first["row"]]) == {first["row"]: [path for path, _part in LINKS]}
    publish(ledger, number=2, key="bb")
    assert revocations.live(ledger, [first["row"]]) == {}
    assert revocations.live(ledger, []) == {}


def test_endpoints_of_all_generations_are_known_to_each_of_them(ledger: SqlLedger) -> None:
    publish(ledger)
    for number, key, where in ((2, "bb", AT), (3, "cc", AT), (4, "dd", AT._replace(host="192.0.2.8"))):
        ledger.intend(batch(), [intent(number=number, key=key)])
        delivered = Delivered(LINKS, activated=True, proved=True, endpoint=where)
        ledger.record(batch(), [Outcome("web", number, (), (issued(number, key), delivered))])
    first, *_rest = revocations.credentials(ledger, {"identity": "web"})
    found = revocations.endpoints(ledger, [first["identity_row"]])
    assert found == {first["identity_row"]: [AT, AT._replace(host="192.0.2.8")]}


def test_what_a_run_set_out_to_revoke_is_known(ledger: SqlLedger) -> None:
    publish(ledger)
    assert revocations.begun(ledger) == frozenset()
    ledger.record(batch(), [Outcome("web", 1, (Event("revoke", "why", "pending"),))])
    assert revocations.begun(ledger) == {("web1", "/srv/store", "web", 1)}


def test_what_is_known_of_an_issuer_comes_with_the_certificates_that_are_kept(ledger: SqlLedger) -> None:
    record(ledger, revoked("c9", reason="key_compromise"), name="certificate c9", number=None)
    (one,) = revocations.with_certificates(ledger, "local:issuing", NOW)
    assert (one.serial_number, one.revoked.reason, one.certificate) == (0x4A0B, "key_compromise", None)
    assert revocations.with_certificates(ledger, "local:issuing", NOW + LIFE) == []
    publish(ledger)
    issuer = revocations.credentials(ledger, {})[0]["issuer_id"]
    record(ledger, revoked())
    with pytest.raises(Misconfigured, match="a certificate that cannot be read; put a backup in its place"):
        revocations.with_certificates(ledger, issuer, NOW)  # it is "PEM 1"


def test_an_orphan_of_no_host_counts_as_a_peer_until_a_host_has_it(ledger: SqlLedger) -> None:
    ledger.intend(batch(UNPLACED), [intent("serial-1", key="aa")])
    done = Outcome("serial-1", 1, (Event("rebuild", "listed"),), (issued(1, "aa"), Orphaned()))
    ledger.record(batch(UNPLACED), [done])
    (row,) = trusts.peers(ledger, "web1", NOW).rows
    assert (row.host, row.name, row.replaced) == (UNPLACED, "serial-1", 0)
    ledger.intend(batch(), [intent(key="aa")._replace(shared=True)])
    ledger.record(batch(), [outcome(key="aa")])
    assert [row.host for row in trusts.peers(ledger, "web1", NOW).rows] == ["web1"]
