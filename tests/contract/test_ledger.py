# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What every ledger does, whatever it is kept in."""

from __future__ import annotations

import contextlib
import typing as t
from datetime import datetime, timedelta

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied, Misconfigured, Pending
from ansible_collections.keystead.identity.plugins.plugin_utils._key_rotate import history
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger import key_runs, queries
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.moments import stamp
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.nouns import (
    Cleared,
    KeyClaimed,
    KeyLeft,
    KeyPrepared,
)
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.port import (
    INTENT_HOLDS,
    UNPLACED,
    Delivered,
    Event,
    Held,
    KeyGone,
    KeyKept,
    Ordered,
    Orphaned,
    Outcome,
    Refused,
    Remembered,
    RevokedChange,
    RolledBack,
    Used,
    Withdrawn,
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

WHERE = ("web1", "/srv/store")


def publish(ledger: SqlLedger, number: int = 1, key: str = "aa") -> None:
    ledger.intend(batch(), [intent(number=number, key=key)])
    ledger.record(batch(), [outcome(number=number, key=key)])


def web(ledger: SqlLedger) -> Remembered:
    return ledger.remembered(*WHERE)["web"]


def test_what_was_delivered_is_remembered(ledger: SqlLedger) -> None:
    publish(ledger)
    found = web(ledger)
    assert (found.name, found.kind, found.scope, found.state) == ("web", "x509", "shop", "present")
    assert (found.contact, found.service) == ("team@example.org", "shop")
    assert (found.newest, found.generation, found.last) == (1, 1, 1)
    assert (found.credential_id, found.public_id) == ("c1", "aa")
    assert (found.issuer_id, found.serial_number) == ("local:/srv/ca/issuing", 2**150 + 1)
    assert (found.certificate, found.not_after) == ("PEM 1", NOW + LIFE)
    assert (found.revoked, found.open_intent) == ((), None)
    assert found.links == tuple(path for path, _ in LINKS)


def ordered(ledger: SqlLedger, reference: str, *events: Event) -> None:
    ledger.record(batch(), [Outcome("web", 1, events, (Ordered(reference),))])


def test_what_was_placed_for_an_order_is_known_until_it_is_taken_away(ledger: SqlLedger) -> None:
    url, record = "https://x/order/1", "_acme-challenge.web.example.org=abc"
    ledger.intend(batch(), [intent()])
    ordered(ledger, f"{url}#told")
    assert queries.placed(ledger, *WHERE) == []
    ordered(ledger, f"{url}#told#{record}")
    ledger.record(batch(), [Outcome("web", 1, (Event("issue", "", "failed"),), (Refused(),))])
    assert queries.placed(ledger, *WHERE) == [("web", f"{url}#told#{record}")], "whatever became of the order"
    assert queries.placed(ledger, "web2", WHERE[1]) == queries.placed(ledger, WHERE[0], "/srv/other") == []
    ledger.record(batch(), [Outcome("web", None, (), (Cleared(f"{url}#told#{record}", url),))])
    assert queries.placed(ledger, *WHERE) == []


def test_when_an_order_was_begun_is_when_it_was_told_first(ledger: SqlLedger) -> None:
    ledger.intend(batch(), [intent()])
    ordered(ledger, "u/1", Event("issue", "", "pending", "order u/1"))
    assert queries.ordered_at(ledger, *WHERE, "web", "order u/1") == stamp(NOW)
    assert queries.ordered_at(ledger, *WHERE, "web", "order u/11") is None
    assert queries.ordered_at(ledger, *WHERE, "api", "order u/1") is None


def test_what_did_not_fit_is_known_until_something_is_accepted(ledger: SqlLedger) -> None:
    failed = (Event("issue", "", "failed", "it did not fit"),)
    ledger.intend(batch(), [intent()._replace(asked='{"question": "q"}')])
    ledger.record(batch(), [Outcome("web", 1, failed, (Orphaned(issued(1, "aa")),))])
    (found,) = queries.unfit(ledger, *WHERE)
    told = {"name": "web", "asked": '{"question": "q"}', "at": stamp(NOW), "message": "it did not fit"}
    assert found == {**told, "revoked_at": None}
    ledger.intend(batch(), [intent(key="bb")])
    ledger.record(batch(), [Outcome("web", 1, failed, (Orphaned(),))])
    assert queries.unfit(ledger, *WHERE) == [found], "nobody knows what the second one was"
    publish(ledger, key="cc")
    assert queries.unfit(ledger, *WHERE) == []


def test_another_host_and_another_store_remember_nothing(ledger: SqlLedger) -> None:
    publish(ledger)
    assert ledger.remembered("web2", "/srv/store") == {}
    assert ledger.remembered("web1", "/srv/other") == {}


def test_an_intent_is_open_until_its_outcome_and_uses_up_no_number(ledger: SqlLedger) -> None:
    ledger.intend(batch(), [intent()])
    found = web(ledger)
    assert (found.newest, found.generation, found.certificate) == (0, None, None)
    opened = found.open_intent
    assert (opened.number, opened.public_id, opened.holder, opened.since) == (1, "aa", "run-1", NOW)
    assert (opened.issuer_id, opened.key_type) == ("local:/srv/ca/issuing", "ecdsa-p256")
    ledger.record(batch(), [outcome()])
    assert web(ledger).open_intent is None


def test_what_was_issued_and_never_published_is_found_with_its_certificate(ledger: SqlLedger) -> None:
    ledger.intend(batch(), [intent()])
    ledger.record(batch(), [Outcome("web", 1, (), (issued(),))])
    found = web(ledger)
    assert (found.newest, found.generation) == (1, None)
    assert (found.open_intent.number, found.open_intent.certificate, found.open_intent.chain) == (1, "PEM 1", "CHAIN")
    publish(ledger, 2, "bb")
    assert web(ledger).open_intent is None


def test_another_run_with_another_key_is_told_to_wait_and_nothing_of_its_batch_is_written(ledger: SqlLedger) -> None:
    ledger.intend(batch(), [intent()])
    with pytest.raises(Held) as held:
        ledger.intend(batch(after=60), [intent("api", key="cc", holder="run-2"), intent(key="bb", holder="run-2")])
    assert held.value.names == ("web",)
    assert held.value.retry_after == INTENT_HOLDS - 60
    assert isinstance(held.value, Pending)
    assert set(ledger.remembered(*WHERE)) == {"web"}
    assert web(ledger).open_intent.public_id == "aa"


@pytest.mark.parametrize(
    "later",
    [
        {"key": "aa", "holder": "run-2"},
        {"key": "bb", "holder": "run-1"},
    ],
    ids=["the same key", "the same run"],
)
def test_the_same_key_or_the_same_run_may_repeat_an_intent(ledger: SqlLedger, later: dict[str, str]) -> None:
    ledger.intend(batch(), [intent()])
    ledger.intend(batch(after=1), [intent(**later)])
    opened = web(ledger).open_intent
    assert (opened.public_id, opened.holder) == (later["key"], later["holder"])


def test_an_intent_whose_run_ended_without_an_answer_is_taken_over_and_the_key_kept_as_an_orphan(
    ledger: SqlLedger,
) -> None:
    ledger.intend(batch(), [intent()])
    ledger.record(batch(), [Outcome("web", 1, (Event("issue", "missing", "failed", "timeout"),))])
    ledger.intend(batch(), [intent(key="bb", holder="run-2")])
    assert web(ledger).open_intent.public_id == "bb"
    assert ledger.read("SELECT number, public_id FROM generations WHERE state = 'orphaned'") == [(1, "aa")]


def test_an_intent_whose_run_never_came_back_is_taken_over_when_its_time_is_up(ledger: SqlLedger) -> None:
    ledger.intend(batch(), [intent()])
    ledger.intend(batch(after=INTENT_HOLDS), [intent(key="bb", holder="run-2")])
    assert web(ledger).open_intent.public_id == "bb"


def test_a_slow_run_cannot_record_under_an_intent_that_was_taken_over(ledger: SqlLedger) -> None:
    ledger.intend(batch(), [intent()])
    ledger.intend(batch(after=INTENT_HOLDS), [intent(key="bb", holder="run-2")])
    with pytest.raises(Pending, match="another run took over generation 1 of web"):
        ledger.record(batch(after=INTENT_HOLDS), [outcome()])


def test_a_number_that_another_run_has_used_meanwhile_is_not_intended_again(ledger: SqlLedger) -> None:
    publish(ledger)
    with pytest.raises(Held, match="run again"):
        ledger.intend(batch(), [intent(key="bb", holder="run-2")])


@pytest.mark.parametrize("change", [Refused(), Orphaned()])
def test_a_closed_intent_frees_its_number(ledger: SqlLedger, change: t.Any) -> None:
    ledger.intend(batch(), [intent()])
    ledger.record(batch(), [Outcome("web", 1, (), (change,))])
    assert (web(ledger).open_intent, web(ledger).newest) == (None, 0)
    publish(ledger, 1, "bb")
    assert web(ledger).public_id == "bb"


def test_an_orphan_whose_answer_is_known_is_kept_with_it_and_frees_its_number(ledger: SqlLedger) -> None:
    ledger.intend(batch(), [intent()])
    answer = issued()
    ledger.record(batch(), [Outcome("web", 1, (), (Orphaned(answer),))])
    assert (web(ledger).open_intent, web(ledger).newest) == (None, 0)
    kept = "SELECT g.state, g.credential_id, x.serial_number FROM generations g JOIN x509 x ON x.generation = g.id"
    assert ledger.read(kept) == [("orphaned", answer.credential_id, f"{answer.serial_number:x}")]


def test_an_orphan_of_an_intent_that_was_taken_over_changes_nothing(ledger: SqlLedger) -> None:
    ledger.intend(batch(), [intent()])
    ledger.intend(batch(after=INTENT_HOLDS), [intent(key="bb", holder="run-2")])
    ledger.record(batch(after=INTENT_HOLDS), [Outcome("web", 1, (), (Orphaned(issued()),))])
    assert web(ledger).open_intent.public_id == "bb"
    assert ledger.read("SELECT public_id, credential_id FROM generations WHERE state = 'orphaned'") == [("aa", None)]


def test_a_successor_that_is_proved_ends_the_deliveries_of_its_predecessor(ledger: SqlLedger) -> None:
    publish(ledger)
    publish(ledger, 2, "bb")
    assert (web(ledger).generation, web(ledger).newest) == (2, 2)
    assert ledger.read(
        "SELECT DISTINCT g.number, g.state, CASE WHEN d.succeeded_at IS NULL THEN 1 ELSE 0 END"
        " FROM deliveries d JOIN generations g ON g.id = d.generation ORDER BY g.number",
    ) == [(1, "superseded", 0), (2, "current", 1)]


def test_while_a_successor_is_pending_its_predecessor_is_still_delivered(ledger: SqlLedger) -> None:
    publish(ledger)
    ledger.intend(batch(), [intent(number=2, key="bb")])
    ledger.record(batch(), [Outcome("web", 2, (), (issued(2, "bb"), Delivered(LINKS, pending=True)))])
    live = "SELECT count(*) FROM deliveries WHERE withdrawn_at IS NULL AND succeeded_at IS NULL"
    assert ledger.read(live) == [(4,)]
    assert web(ledger).links == tuple(path for path, _ in LINKS)
    ledger.record(batch(after=9), [Outcome("web", 2, (), (Delivered(LINKS, activated=True, proved=True),))])
    assert ledger.read(live) == [(2,)]


def test_a_link_that_is_no_longer_delivered_is_withdrawn(ledger: SqlLedger) -> None:
    publish(ledger)
    ledger.record(batch(), [Outcome("web", 1, (), (Delivered(LINKS[:1]),))])
    assert web(ledger).links == (LINKS[0][0],)
    ledger.record(batch(), [Outcome("web", 1, (), (Delivered(),))])
    assert web(ledger).links == ()


@pytest.mark.parametrize("pending", [True, False])
def test_a_generation_that_is_rolled_back_gives_its_predecessor_everything_back(
    ledger: SqlLedger, *, pending: bool
) -> None:
    publish(ledger)
    ledger.intend(batch(), [intent(number=2, key="bb")])
    changes = (issued(2, "bb"), Delivered(LINKS[:1], pending=pending), RolledBack(1))
    ledger.record(batch(), [Outcome("web", 2, (), changes)])
    found = web(ledger)
    assert (found.generation, found.newest, found.public_id, found.links) == (1, 2, "aa", (LINKS[0][0],))
    assert found.open_intent is None
    assert ledger.read("SELECT number, state FROM generations ORDER BY number") == [(1, "current"), (2, "rolled_back")]


def test_a_rollback_before_anything_was_published_leaves_the_predecessor(ledger: SqlLedger) -> None:
    publish(ledger)
    ledger.intend(batch(), [intent(number=2, key="bb")])
    ledger.record(batch(), [Outcome("web", 2, (), (issued(2, "bb"), RolledBack(1)))])
    found = web(ledger)
    assert (found.generation, found.newest, found.links) == (1, 2, tuple(path for path, _ in LINKS))


@pytest.mark.parametrize(("state", "generation"), [("absent", "withdrawn"), ("released", "released")])
def test_a_removed_identity_keeps_its_record_and_its_newest_number(
    ledger: SqlLedger, state: str, generation: str
) -> None:
    publish(ledger)
    publish(ledger, 2, "bb")
    ledger.record(batch(), [Outcome("web", None, (Event("withdraw", "not wanted"),), (Withdrawn(state),))])
    found = web(ledger)
    assert (found.state, found.newest, found.generation, found.links) == (state, 2, None, ())
    assert ledger.read("SELECT DISTINCT state FROM generations") == [(generation,)]
    publish(ledger, 3, "cc")
    assert (web(ledger).state, web(ledger).generation) == ("present", 3)


def test_a_revoked_generation_stays_the_published_one_and_says_why(ledger: SqlLedger) -> None:
    publish(ledger)
    ledger.record(batch(), [Outcome("web", 1, (), (RevokedChange("key_compromise", NOW),))])
    assert (web(ledger).revoked, web(ledger).generation) == ((("c1", "key_compromise"),), 1)
    publish(ledger, 2, "bb")
    assert (web(ledger).revoked, web(ledger).generation) == ((("c1", "key_compromise"),), 2)
    assert ledger.read("SELECT state FROM generations ORDER BY number") == [("revoked",), ("current",)]


def test_a_revoked_credential_that_has_ended_is_not_spoken_of_any_more(ledger: SqlLedger) -> None:
    ledger.intend(batch(), [intent()])
    ended = issued()._replace(not_after=NOW + timedelta(days=1))
    changes = (ended, Delivered(LINKS), RevokedChange("superseded", NOW))
    ledger.record(batch(), [Outcome("web", 1, (), changes)])
    assert (web(ledger).revoked, web(ledger).generation) == ((), 1)


def test_what_was_published_last_is_known_after_the_identity_is_gone_until_it_comes_back(ledger: SqlLedger) -> None:
    publish(ledger)
    publish(ledger, 2, "bb")
    ledger.record(batch(), [Outcome("web", 2, (), (RolledBack(1),)), Outcome("web", None, (), (Withdrawn(),))])
    found = web(ledger)
    assert (found.generation, found.last, found.credential_id, found.certificate) == (None, 1, "c1", "PEM 1")
    assert queries.identities(ledger)[0]["generation"] is None
    ledger.record(batch(), [Outcome("web", 1, (), (RevokedChange("superseded", NOW),))])
    assert web(ledger).revoked == (("c1", "superseded"),)
    ledger.intend(batch(), [intent(number=3, key="cc")])
    assert (web(ledger).state, web(ledger).generation, web(ledger).last) == ("present", None, None)


@pytest.mark.parametrize(
    ("where", "name", "user"),
    [
        ({"host": "web2"}, "web", "identity web of web1"),
        ({"store": "/srv/other"}, "web", "identity web in /srv/store"),
        ({}, "api", "identity web"),
    ],
    ids=["another host", "another store", "another name"],
)
@pytest.mark.parametrize("state", ["intended", "published", "withdrawn"])
def test_the_key_of_another_identity_is_refused_and_nothing_of_its_batch_is_written(
    ledger: SqlLedger, where: dict[str, str], name: str, user: str, state: str
) -> None:
    ledger.intend(batch(), [intent()])
    if state != "intended":
        ledger.record(batch(), [outcome()])
    if state == "withdrawn":
        ledger.record(batch(), [Outcome("web", None, (), (Withdrawn(),))])
    before = queries.events(ledger)
    with pytest.raises(Used) as used:
        ledger.intend(batch(**where), [intent("db"), intent(name, key="aa")])
    assert used.value.users == {name: user}
    assert isinstance(used.value, Denied)
    assert queries.events(ledger) == before
    assert ledger.read("SELECT count(*) FROM identities") == [(1,)]


def test_of_two_identities_of_a_batch_with_one_key_the_first_has_it(ledger: SqlLedger) -> None:
    with pytest.raises(Used) as used:
        ledger.intend(batch(), [intent(), intent("api", key="aa")])
    assert used.value.users == {"api": "identity web"}


def test_an_event_without_an_identity_is_kept(ledger: SqlLedger) -> None:
    ledger.record(batch(), [Outcome("web", None, (Event("issue", "missing", "failed", "lone \udc80 surrogate"),))])
    assert ledger.remembered(*WHERE) == {}
    assert queries.events(ledger, identity="web")[0]["message"] == "lone ? surrogate"


def test_a_listed_credential_gets_its_place_only_when_a_host_was_found_to_have_it(ledger: SqlLedger) -> None:
    listed = batch(UNPLACED, store="local:/srv/ca/issuing")
    ledger.intend(listed, [intent("serial-1", key="aa")])
    ledger.record(listed, [Outcome("serial-1", 1, (), (issued(3), Orphaned(), Withdrawn()))])
    with pytest.raises(Used) as used:
        ledger.intend(batch(), [intent()])
    assert used.value.users == {"web": "identity serial-1 in local:/srv/ca/issuing"}
    ledger.intend(batch(), [intent(number=3)._replace(found="c3")])
    ledger.record(batch(), [outcome(number=3)])
    assert (web(ledger).generation, web(ledger).credential_id) == (3, "c3")
    assert ledger.read("SELECT number, state FROM generations") == [(3, "current")]
    with pytest.raises(Used):
        ledger.intend(batch("web2"), [intent()._replace(found="c3")])


def test_a_key_that_was_found_on_hosts_may_be_shared_and_who_has_it_now_is_known(ledger: SqlLedger) -> None:
    publish(ledger)
    for host in ("web2", "web3"):
        ledger.intend(batch(host), [intent()._replace(shared=True)])
        ledger.record(batch(host), [outcome()])
    assert [one["host"] for one in queries.holders(ledger, "aa")] == ["web1", "web2", "web3"]
    with pytest.raises(Used):
        ledger.intend(batch("web4"), [intent()])
    ledger.intend(batch(), [intent(number=2, key="bb")])
    ledger.record(batch(), [outcome(number=2, key="bb")])
    ledger.record(batch("web2"), [Outcome("web", changes=(Withdrawn("absent"),))])
    assert queries.holders(ledger, "aa") == [{"host": "web3", "store": "/srv/store", "name": "web"}]
    assert queries.holders(ledger, "none") == []


@pytest.mark.parametrize(
    ("number", "change"),
    [
        (1, issued()),
        (1, Delivered()),
        (2, Delivered()),
        (None, RevokedChange("unspecified", NOW)),
    ],
)
def test_a_change_of_something_unknown_is_refused_and_nothing_is_written(
    ledger: SqlLedger, number: int | None, change: t.Any
) -> None:
    if number != 1:
        ledger.intend(batch(), [intent()])
    before = queries.events(ledger)
    with pytest.raises(Misconfigured, match="not in this ledger"):
        ledger.record(batch(), [Outcome("web", number, (Event("issue", "missing"),), (change,))])
    assert queries.events(ledger) == before


def test_a_rollback_to_an_unknown_generation_is_refused(ledger: SqlLedger) -> None:
    publish(ledger)
    with pytest.raises(Misconfigured, match="generation 7 of web"):
        ledger.record(batch(), [Outcome("web", 1, (), (RolledBack(7),))])


def test_trust_anchors_are_pinned_for_each_issuer_and_replaced_as_a_whole(ledger: SqlLedger) -> None:
    assert ledger.pinned("a") == ()
    ledger.pin("a", ["22", "11", "22"])
    ledger.pin("b", ["33"])
    assert (ledger.pinned("a"), ledger.pinned("b")) == (("11", "22"), ("33",))
    ledger.pin("a", ["44"])
    assert (ledger.pinned("a"), ledger.pinned("b")) == (("44",), ("33",))


def test_the_queries_tell_who_did_what_and_what_is_there(ledger: SqlLedger) -> None:
    publish(ledger)
    ledger.intend(batch("web2"), [intent("api")])
    told = queries.events(ledger, host="web1")
    assert [(event["action"], event["outcome"], event["milliseconds"], event["attempts"]) for event in told] == [
        ("intend", "pending", 0, 1),
        ("issue", "ok", 500, 1),
        ("prove", "ok", 1250, 2),
    ]
    assert told[0]["actor"]["operating_system_user"] == "ops"
    assert [head["seq"] for head in queries.heads(ledger)] == [1, 3, 4]
    first, second = queries.identities(ledger)
    assert (first["name"], first["generation"], first["names"]) == ("web", 1, {"dns": ["web.example.org"]})
    assert (second["name"], second["generation"], second["labels"]) == ("api", None, {"tier": "1"})
    assert queries.identities(ledger, host="web2", name="web") == []


def test_the_same_answer_may_be_recorded_twice(ledger: SqlLedger) -> None:
    publish(ledger)
    ledger.record(batch(), [outcome()])
    assert web(ledger).generation == 1


def test_a_key_is_as_old_as_its_first_intent_or_as_a_certificate_that_began_before(ledger: SqlLedger) -> None:
    day = 86400.0
    publish(ledger)
    assert web(ledger).key_since == NOW
    ledger.intend(batch(after=day), [intent(number=2, key="aa")])
    ledger.record(batch(after=day), [outcome(number=2, key="aa")])
    assert web(ledger).key_since == NOW, "a renewal that keeps the key"
    ledger.intend(batch(after=3 * day), [intent(number=3, key="bb")._replace(found="c3")])
    began = issued(3, "bb")._replace(not_before=NOW + timedelta(days=2))
    ledger.record(batch(after=3 * day), [outcome(number=3)._replace(changes=(began, Delivered(LINKS)))])
    assert web(ledger).key_since == NOW + timedelta(days=2), "a certificate that was found there"
    ledger.intend(batch(after=5 * day), [intent(number=4, key="cc")])
    backdated = issued(4, "cc")._replace(not_before=NOW + timedelta(days=4))
    ledger.record(batch(after=5 * day), [outcome(number=4)._replace(changes=(backdated, Delivered(LINKS)))])
    assert web(ledger).key_since == NOW + timedelta(days=5), "an issuer may date a certificate back, and no key"


SIGNING = KeyKept(
    "pkcs11:token=a;serial=1;id=%0A;object=signing", "pkcs11:token=a;serial=1", "signing", "ed25519", made=True,
    public_id="aa", public_key="PEM",
)  # fmt: skip


def told_of(*changes: KeyKept | KeyGone | KeyPrepared) -> list[Outcome]:
    return [Outcome("signing", None, (Event("stage_key", "there is none"),), changes)]


def test_a_key_of_no_identity_is_remembered_until_it_is_gone(ledger: SqlLedger) -> None:
    ledger.record(batch(), told_of(SIGNING))
    (row,) = queries.backend_keys(ledger)
    wanted = ("uri", "place", "label", "host", "key_type", "public_id", "public_key", "origin", "backend")
    assert [row[name] for name in wanted] == [
        SIGNING.uri, SIGNING.place, "signing", "web1", "ed25519", "aa", "PEM", "made", "pkcs11",
    ]  # fmt: skip
    for said, count in (({"label": "signing"}, 1), ({"label": "x"}, 0), ({"host": "web2"}, 0), ({"place": "p"}, 0)):
        assert len(queries.backend_keys(ledger, **said)) == count
    ledger.record(batch(after=1), told_of(KeyGone(SIGNING.uri)))
    assert queries.backend_keys(ledger) == []
    assert ledger.read("SELECT count(*) FROM backend_keys WHERE destroyed_at IS NOT NULL") == [(1,)]
    assert [event["identity"] for event in queries.events(ledger)] == ["signing", "signing"]


def test_a_key_that_has_the_uri_of_another_takes_its_place(ledger: SqlLedger) -> None:
    ledger.record(batch(), told_of(SIGNING))
    ledger.record(batch("web2", after=1), told_of(SIGNING._replace(made=False, public_id=None, public_key=None)))
    (row,) = queries.backend_keys(ledger)
    assert (row["host"], row["origin"], row["public_key"]) == ("web2", "adopted", None)
    assert ledger.read("SELECT count(*) FROM backend_keys") == [(2,)]


def test_generations_of_a_key_share_a_name_and_the_newest_that_is_not_destroyed_is_the_active_one(
    ledger: SqlLedger,
) -> None:
    second = SIGNING._replace(uri=SIGNING.uri.replace("object=signing", "object=signing.2"), public_id=None)
    begun = Outcome("signing", 2, (Event("stage_key", "it is too old", "pending"),))
    ledger.record(batch(after=1)._replace(store=SIGNING.place), told_of(SIGNING))
    ledger.record(batch(after=2)._replace(store=SIGNING.place), [begun])
    before = history.history(ledger, SIGNING.place, "signing")
    assert ([one.number for one in before.kept], before.begun) == ([1], [2])
    assert before.staged[2] == NOW + timedelta(seconds=2)
    made = Outcome("signing", 2, (Event("stage_key", "it is too old"),), (second,))
    ledger.record(batch(after=3)._replace(store=SIGNING.place), [made])
    ledger.record(batch(after=4)._replace(store=SIGNING.place), told_of(KeyGone(SIGNING.uri)))
    after = history.history(ledger, SIGNING.place, "signing")
    assert [(one.number, one.gone is None) for one in after.kept] == [(1, False), (2, True)]
    assert [row["uri"] for row in history.in_use(queries.backend_keys(ledger))] == [second.uri]
    assert queries.key_claims(ledger, second.uri, None, SIGNING.place, "signing") == []
    (claim,) = queries.key_claims(ledger, second.uri, None, "elsewhere", "signing")
    assert claim["label"] == "signing"


CLAIM = KeyClaimed(SIGNING.place, "signing", "one")


def claim(ledger: SqlLedger, *changes: KeyClaimed | KeyLeft) -> None:
    ledger.record(batch(), [Outcome("signing", None, (), changes)])


def let_pass(ledger: SqlLedger, seconds: int) -> None:
    """Let a claim be so many seconds older: its moments are the database's."""
    ((since,),) = ledger.read("SELECT since FROM key_runs")
    with ledger._database.transaction() as connection:
        earlier = stamp(datetime.fromisoformat(since) - timedelta(seconds=seconds))
        connection.execute("UPDATE key_runs SET since = ?", (earlier,))


def test_one_run_is_at_work_on_a_key_and_others_wait_for_its_end(ledger: SqlLedger) -> None:
    other = CLAIM._replace(holder="other")
    claim(ledger, CLAIM)
    claim(ledger, CLAIM)
    with pytest.raises(Held, match=r"another run is at work on key signing; run again in (900|899) s"):
        ledger.record(batch(), [Outcome("signing", 2, (Event("stage_key", "old", "pending"),), (other,))])
    assert queries.events(ledger) == [], "what cannot be claimed is not begun"
    for elsewhere in (other._replace(label="x"), other._replace(place="pkcs11:token=b")):
        claim(ledger, elsewhere)
    claim(ledger, KeyLeft(CLAIM.place, "signing", "other"))
    assert key_runs.at_work(ledger, CLAIM.place, "signing") == "one", "nobody ends what another one does"
    claim(ledger, KeyLeft(CLAIM.place, "signing", "one"))
    assert key_runs.at_work(ledger, CLAIM.place, "signing") is None
    claim(ledger, other)
    assert key_runs.at_work(ledger, CLAIM.place, "signing") == "other"


@pytest.mark.parametrize(
    ("seconds", "free"), [(INTENT_HOLDS - 60, False), (INTENT_HOLDS + 1, True), (-60, False), (-2 * 86400, True)]
)
def test_a_run_that_was_not_heard_of_for_long_or_is_of_a_clock_that_was_ahead_is_over(
    ledger: SqlLedger, seconds: int, *, free: bool
) -> None:
    claim(ledger, CLAIM)
    let_pass(ledger, seconds)
    with contextlib.nullcontext() if free else pytest.raises(Held):
        claim(ledger, CLAIM._replace(holder="other"))
    with pytest.raises(Held) if free else contextlib.nullcontext():
        claim(ledger, CLAIM)


def test_a_run_that_was_taken_over_does_not_go_on_also_where_the_other_one_has_ended(ledger: SqlLedger) -> None:
    goes_on, other = CLAIM._replace(goes_on=True), CLAIM._replace(holder="other", dead="one")
    claim(ledger, CLAIM)
    claim(ledger, goes_on)
    claim(ledger, other)
    for left in ((), (KeyLeft(CLAIM.place, "signing", "other"),)):
        claim(ledger, *left)
        with pytest.raises(Held, match="another run is at work on key signing; run again"):
            ledger.record(batch(), [Outcome("signing", 2, (Event("prove", "old", "pending"),), (goes_on,))])
    assert queries.events(ledger) == []
    claim(ledger, CLAIM)
    claim(ledger, goes_on)


def test_a_run_that_is_known_to_be_dead_is_over_at_once(ledger: SqlLedger) -> None:
    claim(ledger, CLAIM)
    with pytest.raises(Held):
        claim(ledger, CLAIM._replace(holder="other", dead="a third"))
    claim(ledger, CLAIM._replace(holder="other", dead="one"))
    assert key_runs.at_work(ledger, CLAIM.place, "signing") == "other"


def test_which_key_was_prepared_is_known_until_it_is_active_or_gone(ledger: SqlLedger) -> None:
    prepared = KeyPrepared(SIGNING.place, "signing", 2, SIGNING.uri, "aa")
    for change in (SIGNING, KeyGone(SIGNING.uri)):
        ledger.record(batch(), told_of(prepared._replace(uri="first")))
        ledger.record(batch(), told_of(prepared))
        assert key_runs.prepared(ledger, SIGNING.place, "signing") == {2: (SIGNING.uri, "aa")}
        assert key_runs.prepared(ledger, SIGNING.place, "other") == {}
        ledger.record(batch(), told_of(change))
        assert key_runs.prepared(ledger, SIGNING.place, "signing") == {}


def test_the_ledger_tells_whose_key_an_authority_signs_with_and_where_that_of_an_identity_is(ledger: SqlLedger) -> None:
    key, uri = "ab" * 32, "pkcs11:id=%0A"
    opened = intent(key="aa")._replace(issuer_id=f"local:issuing:{key[:32]}", custody="pkcs11", key_uri=uri)
    ledger.intend(batch(), [opened])
    ledger.record(batch(), [outcome(key="aa")])
    now, later = "2000-01-01T00:00:00.000Z", "9999-01-01T00:00:00.000Z"
    assert queries.signers(ledger, key, now) == [f"local:issuing:{key[:32]}"]
    assert queries.signers(ledger, key, later) == queries.signers(ledger, "cd" * 32, now) == []
    assert queries.key_of(ledger, "web1", "/srv/store", "web") == ("pkcs11", uri)
    assert queries.key_of(ledger, "web1", "/srv/store", "api") is None
