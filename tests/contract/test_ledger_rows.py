# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What every ledger says row by row: the same as a look at each row says, page by page, and by its indexes."""

from __future__ import annotations

import time
import typing as t
from datetime import timedelta

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger import rows
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.ledger import REMEMBERED
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.moments import stamp
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.port import (
    Delivered,
    Event,
    Issued,
    Outcome,
    RevokedChange,
    Withdrawn,
)
from ansible_collections.keystead.identity.plugins.plugin_utils._records.record import row as record
from ansible_collections.keystead.identity.plugins.plugin_utils._rows.alike import around
from ansible_collections.keystead.identity.plugins.plugin_utils._rows.page import key_of, page
from ansible_collections.keystead.identity.plugins.plugin_utils._rows.selection import IN_USE, STATES, Selection, fits
from ansible_collections.keystead.identity.tests.harness.full_ledger import fill
from ansible_collections.keystead.identity.tests.unit.plugins.plugin_utils._ledger.telling import (
    LINKS,
    NOW,
    batch,
    intent,
    issued,
)

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.ledger import SqlLedger
    from ansible_collections.keystead.identity.plugins.plugin_utils._rows.row import Row
    from ansible_collections.keystead.identity.tests.harness.ledgers import Place

SECONDS = 1.0
EVERYTHING = Selection()
USED = Selection(states=(IN_USE,))


def answer(days: int, number: int, key: str) -> Issued:
    return issued(number, key)._replace(
        credential_id=f"c of {key}", serial_number=int.from_bytes(key.encode()), not_after=NOW + timedelta(days=days)
    )


def publish(
    ledger: SqlLedger, host: str = "web1", number: int = 1, *, days: int = 90, pending: bool = False, **said: t.Any
) -> None:
    key = said.pop("key", f"{host}{number}")
    ledger.intend(batch(host), [intent(number=number, key=key)._replace(**said)])
    delivered = Delivered(LINKS, activated=True, proved=not pending, pending=pending)
    ledger.record(batch(host), [Outcome("web", number, (), (answer(days, number, key), delivered))])


def tell(ledger: SqlLedger, host: str, change: t.Any, number: int | None = None) -> None:
    ledger.record(batch(host), [Outcome("web", number, (Event("intend", "why"),), (change,))])


@pytest.fixture
def peopled(ledger: SqlLedger) -> SqlLedger:
    """Return a ledger with something in most states."""
    publish(ledger, "web1", issuer_id="local:a:0123", service="store", days=10)
    publish(ledger, "web1", 2, issuer_id="local:a:0123", service="store", days=100)
    publish(ledger, "web2", issuer_id="local:ab:0123", service="mail", custody="pkcs11", days=20)
    publish(ledger, "web2", 2, issuer_id="local:ab:0123", service="mail", custody="pkcs11", days=30, pending=True)
    publish(ledger, "web3", key_type="rsa-2048", contact=None, service=None, days=20)
    tell(ledger, "web3", RevokedChange("key_compromise", NOW), 1)
    publish(ledger, "web4", days=40)
    tell(ledger, "web4", Withdrawn("absent"))
    publish(ledger, "web5", days=50)
    tell(ledger, "web5", Withdrawn("released"))
    ledger.intend(batch("web6"), [intent(key="web61")])
    return ledger


def by(found: t.Sequence[Row]) -> list[tuple[str | None, int | None]]:
    return [(row.host, row.generation) for row in found]


SELECTIONS = {
    "everything": EVERYTHING,
    "in use": USED,
    "service": Selection(services=("store", "none")),
    "no service": Selection(services=("none",)),
    "contact": Selection(contacts=("team@example.org",)),
    "issuer": Selection(issuers=("local:a:0123",)),
    "an issuer without its key": Selection(issuers=("local:a",)),
    "a part of an issuer": Selection(issuers=("local",)),
    "the beginning of a word": Selection(issuers=("local:a:0", "loc")),
    "an issuer by its name": Selection(issuers=("CN=Issuing",), states=("revoked",)),
    "key type": Selection(key_types=("rsa-2048",)),
    "custody": Selection(custodies=("pkcs11",), states=(IN_USE,)),
    "host": Selection(hosts=("web1", "web2")),
    "identity": Selection(identities=("web",), hosts=("web3",)),
    "SPKI": Selection(spki=("web12", "web51")),
    "fingerprint": Selection(fingerprints=("c of web21",)),
    "serial number": Selection(serial_numbers=(f"{int.from_bytes(b'web11'):x}",)),
    "from": Selection(ends_from=stamp(NOW + timedelta(days=30))),
    "until": Selection(ends_until=stamp(NOW + timedelta(days=30))),
    "window": Selection(ends_from=stamp(NOW + timedelta(days=20)), ends_until=stamp(NOW + timedelta(days=20))),
    "issued by now": Selection(issued_until=stamp(NOW)),
    "issued later": Selection(issued_from=stamp(NOW + timedelta(milliseconds=1))),
    "issued now": Selection(issued_from=stamp(NOW), issued_until=stamp(NOW)),
    "records": Selection(managed=False),
    "no records": Selection(managed=True),
    **{state: Selection(states=(state,)) for state in STATES},
    "two states": Selection(states=("revoked", IN_USE)),
}


def test_the_ledger_selects_what_a_look_at_each_row_does(peopled: SqlLedger) -> None:
    everything = rows.select(peopled, EVERYTHING)
    for name, asked in SELECTIONS.items():
        found = rows.select(peopled, asked)
        assert found == [row for row in everything if fits(row, asked)], name
        assert rows.count(peopled, asked) == len(found), name


def test_selections_tell_rows_apart(peopled: SqlLedger) -> None:
    told = {name: by(rows.select(peopled, asked)) for name, asked in SELECTIONS.items()}
    assert len(told["everything"]) == 8
    assert told["issuer"] == told["an issuer without its key"] == told["service"] == [("web1", 1), ("web1", 2)]
    assert len(told["a part of an issuer"]) == 8
    assert told["no service"] == told["the beginning of a word"] == told["records"] == []
    assert told["window"] == [("web2", 1), ("web3", 1)]
    assert told["current"] == [("web2", 2), ("web1", 2)]


def test_what_is_in_use_is_what_is_current_released_or_still_delivered(peopled: SqlLedger) -> None:
    assert by(rows.select(peopled, USED)) == [("web2", 1), ("web3", 1), ("web2", 2), ("web5", 1), ("web1", 2)]


def test_a_serial_number_leads_to_the_host_and_its_paths_also_where_it_was_replaced(peopled: SqlLedger) -> None:
    (row,) = rows.select(peopled, SELECTIONS["serial number"])
    assert (row.host, row.store, row.name, row.generation, row.state) == ("web1", "/srv/store", "web", 1, "superseded")
    assert [(one.path, one.part, one.live) for one in row.deliveries] == [(*link, False) for link in LINKS]
    assert all(one.ended_at and one.proved_at for one in row.deliveries)
    assert (row.live_paths, row.in_use) == ((), False)
    (now,) = rows.select(peopled, Selection(hosts=("web1",), states=(IN_USE,)))
    assert now.live_paths == tuple(path for path, _part in LINKS)


def test_soonest_end_is_first_and_what_has_none_is_last(peopled: SqlLedger) -> None:
    ends = [row.not_after for row in rows.select(peopled, EVERYTHING)]
    assert ends[-1] is None
    assert ends[:-1] == sorted(t.cast("list[str]", ends[:-1]))


def records() -> list[Row]:
    days = [5, 20, 20, 200]
    moments = [stamp(NOW + timedelta(days=one)) for one in days]
    return [record({"name": f"r{n}", "not_after": at}, "here", n, f"here:{n}") for n, at in enumerate(moments)]


def test_pages_together_are_all_rows_each_once_and_in_order(peopled: SqlLedger) -> None:
    for limit in (1, 2, 3, 5, 11, 12, 100):
        _pages(peopled, limit)


def _pages(peopled: SqlLedger, limit: int) -> None:
    found, after, pages = list[t.Any](), None, 0
    while pages == 0 or after:
        one = page(peopled, records(), EVERYTHING, key_of(after, "x") if after else None, limit)
        assert (one.managed, one.observed) == (8, 4)
        assert len(one.rows) <= limit
        found, after, pages = [*found, *one.rows], one.after, pages + 1
    assert [row.key for row in found] == sorted({row.key for row in found})
    assert (len(found), pages) == (12, -(-12 // limit))


def test_a_page_is_not_moved_by_what_is_written_meanwhile(peopled: SqlLedger) -> None:
    first = page(peopled, records(), USED, None, 4)
    assert first.after
    publish(peopled, "web0", days=1)
    publish(peopled, "web9", days=500)
    second = page(peopled, records(), USED, key_of(first.after, "x"), 100)
    hosts = [row.host or row.name for row in (*first.rows, *second.rows)]
    assert len(hosts) == len(set(hosts)) + 1, "web2 has two generations in use"
    assert "web0" not in hosts, "it ends before the second page begins"
    assert hosts[-1] == "web9"


def test_what_is_alike_is_found_beyond_the_page(peopled: SqlLedger) -> None:
    publish(peopled, "web7", key="web12", shared=True)
    serial = f"{int.from_bytes(b'web51'):x}"
    seen = record(
        {"name": "lb", "not_after": stamp(NOW), "serial_number": serial, "issuer": "CN=Issuing"}, "here", 0, "here:1"
    )
    (ours,) = rows.select(peopled, Selection(hosts=("web1",), states=(IN_USE,)))
    alike = around(peopled, [ours, seen], [seen])
    assert by(alike.same_certificate(seen).first) == [("web5", 1)]
    assert by([*alike.same_key(ours).first, *alike.same_certificate(ours).first]) == [("web7", 1)]


def test_a_ledger_that_is_read_only_answers_as_well(place: Place) -> None:
    writing = place.open()
    publish(writing)
    writing.close()
    reading = place.open(read_only=True)
    assert by(rows.select(reading, USED)) == [("web1", 1)]
    reading.close()


def test_a_full_ledger_answers_at_once_by_its_indexes(place: Place) -> None:
    ledger = place.open()
    fill(ledger, 20_000, 20_000)
    asked = {
        "service": Selection(services=("service-7",), states=(IN_USE,)),
        "key type": Selection(key_types=("rsa-2048",), states=(IN_USE,)),
        "serial number": Selection(serial_numbers=("0100005000",)),
        "SPKI": Selection(spki=(f"{5000:064d}",)),
        "window": Selection(ends_from="2027-01-01", ends_until="2027-02-01", states=(IN_USE,)),
        "issuer": Selection(issuers=("local:ca1",), states=(IN_USE,)),
    }
    for name, one in asked.items():
        begun = time.perf_counter()
        found = page(ledger, (), one, None, 100)
        took = time.perf_counter() - begun
        assert found.managed, name
        assert took < SECONDS, f"{name}: {took:.2f} s"
    ledger.close()


INDEXES = {
    "generations_end": EVERYTHING,
    "generations_public_id": Selection(spki=(f"{5000:064d}",)),
    "generations_credential_id": Selection(fingerprints=(f"{500005000:064d}",)),
    "x509_serial_number": Selection(serial_numbers=("0100005000",)),
    "deliveries_of_live": USED,
}


class Overheard:
    """A ledger that keeps the last statement that it was asked."""

    def __init__(self, ledger: SqlLedger) -> None:
        """Stand before it."""
        self._ledger, self.asked = ledger, list[tuple[str, tuple[t.Any, ...]]]()

    def read(self, statement: str, parameters: tuple[t.Any, ...] = ()) -> list[tuple[t.Any, ...]]:
        """Pass it on."""
        self.asked.append((statement, parameters))
        return self._ledger.read(statement, parameters)


def test_rows_are_found_by_indexes(place: Place) -> None:
    ledger = place.open()
    fill(ledger, 20_000)
    place.tamper("ANALYZE")
    explain = "EXPLAIN" if "postgresql" in place.options["ledger"] else "EXPLAIN QUERY PLAN"
    for index, asked in INDEXES.items():
        before = Overheard(ledger)
        rows.select(before, asked, limit=100)
        statement, parameters = before.asked[0]
        plan = str(ledger.read(f"{explain} {statement}", parameters))
        assert index in plan, f"{index} is not in {plan}"
    ledger.close()


def test_what_a_store_has_is_remembered_without_going_along_all_that_its_issuer_signed(place: Place) -> None:
    ledger = place.open()
    fill(ledger, 20_000)
    explain = "EXPLAIN" if "postgresql" in place.options["ledger"] else "EXPLAIN QUERY PLAN"
    moment, where = "2027-01-01T00:00:00.000Z", ("web1.example.org", "/var/lib/keystead/identities")
    plan = str(ledger.read(f"{explain} {REMEMBERED}", (moment, moment, *where)))
    assert "generations" in plan
    assert "generations_issuer_id" not in plan, plan
    assert "SCAN s" not in plan, plan
    ledger.close()


def test_a_cursor_that_nobody_returned_is_refused() -> None:
    for wrong in ("", "1", "~/0", "~/2/1", "2027-01-01T00:00:00.000Z/0/x", "~/0/" + "1" * 30):
        with pytest.raises(Exception, match="was not returned as `next` by a page before"):
            key_of(wrong, "option after")
