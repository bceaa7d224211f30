# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is said of rows, whoever told of them: ends, doubles and the policy are judged alike."""

from __future__ import annotations

import json
import typing as t
from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.moments import stamp
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.load import load
from ansible_collections.keystead.identity.plugins.plugin_utils._records.record import row as record
from ansible_collections.keystead.identity.plugins.plugin_utils._rows.alike import Alike
from ansible_collections.keystead.identity.plugins.plugin_utils._rows.findings import findings
from ansible_collections.keystead.identity.plugins.plugin_utils._rows.row import Delivery, Row
from ansible_collections.keystead.identity.plugins.plugin_utils._rows.strength import weak_keys
from ansible_collections.keystead.identity.tests.harness.brownfield import pair

if t.TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 1, 31, 9, 0, tzinfo=UTC)


def row(name: str = "web", host: str | None = "web1", *, managed: bool = True, **said: t.Any) -> Row:
    plain = {"store": "/srv/store"} if managed else {}
    end = said.get("not_after", stamp(NOW + timedelta(days=300)))
    key = (end, int(not managed), abs(hash((name, host, managed, said.get("source")))) % 10**9)
    state = "current" if managed else "observed"
    return Row(key, managed, name, host, state, in_use=True, **{"not_after": end, "contact": "me", **plain, **said})


def codes(found: Row, *others: Row, policy: str | None = None, now: datetime = NOW) -> list[str]:
    return [one["code"] for one in findings(found, load(policy, now), Alike([found, *others]), weak_keys([found]), now)]


def messages(found: Row, *others: Row, policy: str | None = None) -> str:
    said = findings(found, load(policy, NOW), Alike([found, *others]), weak_keys([found]), NOW)
    return " ".join(one["msg"] for one in said)


@pytest.mark.parametrize("managed", [True, False])
@pytest.mark.parametrize(
    ("begun", "left", "expected"),
    [
        (None, 29, ["expires_soon"]),
        (None, 31, []),
        (-365, 29, ["expires_soon"]),
        (-10, 20, []),  # two thirds of a short life are left
        (-100, 20, ["expires_soon"]),
        (None, -1, ["expired"]),
    ],
)
def test_what_ends_soon_or_has_ended_is_said(
    begun: int | None, left: int, expected: list[str], *, managed: bool
) -> None:
    begins = None if begun is None else stamp(NOW + timedelta(days=begun))
    ends = stamp(NOW + timedelta(days=left, hours=1))
    assert codes(row(managed=managed, not_before=begins, not_after=ends)) == expected


def test_what_is_not_in_use_is_not_looked_at() -> None:
    old = row(not_after=stamp(NOW - timedelta(days=1)), spki="aa")
    assert codes(old._replace(in_use=False), row("api", spki="aa")) == []
    assert codes(row("api", spki="aa"), old._replace(in_use=False)) == []


def test_a_revoked_certificate_in_use_is_said_with_its_reason() -> None:
    revoked = row(revoked_at=stamp(NOW), revocation_reason="key_compromise")
    assert codes(revoked) == ["revoked"]
    assert "since 2026-01-31T09:00Z (key_compromise)" in messages(revoked)


def test_one_key_in_several_places_is_said_of_each_with_host_and_path() -> None:
    ours = row(spki="aa", fingerprint="c1", deliveries=(Delivery("/etc/web.pem", "fullchain"),))
    theirs = row("lb", "lb1", managed=False, spki="aa", fingerprint="c2", deliveries=(Delivery("/etc/lb.pem", "x"),))
    assert codes(ours, theirs) == codes(theirs, ours) == ["shared_key"]
    assert messages(ours, theirs) == "its key is also that of what is lb on lb1 (/etc/lb.pem), which is not managed"
    assert messages(theirs, ours) == "its key is also that of what is web on web1 (/etc/web.pem)"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"fingerprint": "c1", "spki": "aa"}, {"fingerprint": "c1", "spki": "aa"}),
        ({"fingerprint": "c1", "serial_number": "1", "spki": "aa"}, {"serial_number": "1", "spki": "aa"}),
        ({"fingerprint": "c1", "serial_number": "1", "issuer": "CN=A"}, {"serial_number": "1", "issuer": "CN=A"}),
    ],
)
def test_one_certificate_in_several_places_is_said_once_and_not_of_its_key(
    one: dict[str, str], other: dict[str, str]
) -> None:
    assert codes(row(**one), row("lb", "lb1", managed=False, **other)) == ["same_certificate"]
    assert codes(row(managed=False, **one), row("lb", "lb1", managed=False, **other)) == ["same_certificate"]


def test_serial_numbers_of_two_issuers_are_two_certificates() -> None:
    ours = row(serial_number="1", issuer="CN=A", spki="aa")
    assert codes(ours, row("lb", "lb1", managed=False, serial_number="1", issuer="CN=B", spki="bb")) == []


@pytest.mark.parametrize(
    "seen",
    [
        {"deliveries": (Delivery("/etc/web.pem", "certificate"),)},
        {"deliveries": (Delivery("/srv/store/web/current/certificate.pem", "certificate"),)},
        {},
    ],
)
def test_a_record_of_what_we_put_there_is_no_second_place(seen: dict[str, t.Any]) -> None:
    ours = row(fingerprint="c1", spki="aa", deliveries=(Delivery("/etc/web.pem", "fullchain"),))
    theirs = row("scanned", "web1", managed=False, fingerprint="c1", spki="aa", **seen)
    assert codes(ours, theirs) == codes(theirs, ours) == []
    elsewhere = theirs._replace(deliveries=(Delivery("/srv/copy.pem", "certificate"),))
    assert codes(ours, elsewhere) == ["same_certificate"]
    assert codes(ours, theirs._replace(host="web2")) == ["same_certificate"]


def test_many_places_are_named_up_to_a_number_and_hostile_names_are_cut() -> None:
    others = [row("n" * 10_000 + "\x1b", f"h{n}", spki="aa") for n in range(20)]
    text = messages(row(spki="aa"), *others)
    assert "and in 12 more places" in text
    assert len(text) < 1500
    assert text.isprintable()


def test_a_policy_judges_a_record_by_its_certificate_and_by_its_fields_alike(tmp_path: Path) -> None:
    rules = [
        {"id": "no-p256", "key_type": {"allow": ["ed25519"]}},
        {"id": "names", "names": {"dns_names": ["*.example.net"]}},
        {"id": "short", "lifetime": {"longest": "100d"}},
        {"id": "who", "contact": {"like": ["team-*"]}},
    ]
    path = tmp_path / "policy.yml"
    path.write_text(json.dumps({"format": 1, "rules": rules}))
    pem = pair("imap.example.org").certificate.decode()
    place = {"name": "imap", "host": "mail1", "contact": "me"}
    whole = record({**place, "pem": pem}, "here", 0, "here")
    facts = {"key_type": "ecdsa-p256", "dns_names": ["imap.example.org"]}
    moments = {"not_before": "2026-01-01T00:00:00Z", "not_after": "2026-12-01T00:00:00Z"}
    fields = record({**place, **facts, **moments}, "here", 1, "here")
    for one in (whole, fields):
        found = [said["msg"] for said in findings(one, load(str(path), NOW), Alike([one]), {}, NOW)]
        assert [text.partition(":")[0] for text in found if text.startswith("rule")] == [
            "rule no-p256", "rule names", "rule short", "rule who",
        ]  # fmt: skip


def test_nothing_is_guessed_of_what_a_record_does_not_tell(tmp_path: Path) -> None:
    path = tmp_path / "policy.yml"
    strict = [{"id": "k", "key_type": {"allow": ["ed25519"]}}, {"id": "l", "lifetime": {"longest": "1d"}}]
    path.write_text(json.dumps({"format": 1, "rules": strict}))
    bare = record({"name": "lb", "not_after": "2026-12-01T00:00:00Z"}, "here", 0, "here")
    assert codes(bare, policy=str(path)) == []
