# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The sections of a report: services, backends, algorithms, findings and coverage, each from what is in use."""

from __future__ import annotations

import csv
import io
import json
import typing as t
from datetime import timedelta
from ssl import DER_cert_to_PEM_cert

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._identity_report import page, signatures, tables
from ansible_collections.keystead.identity.plugins.plugin_utils._identity_report.algorithms import strength
from ansible_collections.keystead.identity.plugins.plugin_utils._identity_report.backends import Told
from ansible_collections.keystead.identity.plugins.plugin_utils._identity_report.cbom import as_cbom
from ansible_collections.keystead.identity.plugins.plugin_utils._identity_report.figures import figures
from ansible_collections.keystead.identity.plugins.plugin_utils._identity_report.groups import called
from ansible_collections.keystead.identity.plugins.plugin_utils._identity_report.listed import Asked
from ansible_collections.keystead.identity.plugins.plugin_utils._identity_report.sentences import headline, tiles
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.moments import stamp
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.reported import Signed
from ansible_collections.keystead.identity.plugins.plugin_utils._rows.row import Delivery, Row
from ansible_collections.keystead.identity.tests.harness import estate
from ansible_collections.keystead.identity.tests.harness.estate import NOW
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

pytestmark = pytest.mark.one_core

SHA256_WITH_RSA = bytes.fromhex("2a864886f70d01010b")
SIGNED = (("sha1WithRSAEncryption", "2a864886f70d010105"), ("sha256WithRSAEncryption", "2a864886f70d01010b"),
          ("nobody knows", "2a864886f70d01013f"))  # fmt: skip
OLD, NEW = "local:issuing:" + "a" * 32, "local:issuing:" + "b" * 32
BAO = "openbao:https://bao.example.org:pki:" + "c" * 32


def row(number: int, issuer: str = NEW, service: str | None = "shop", **said: t.Any) -> Row:
    """Return a managed row that nothing is wrong with, but for what is said."""
    plain = estate.rows(1)[0]
    end = stamp(NOW + timedelta(days=said.pop("days", 200)))
    return plain._replace(
        key=(end, 0, number), issuer_id=issuer, service=service, spki=f"{number:064x}", fingerprint=f"{number:064x}",
        name=f"web{number}", serial_number=f"{number:x}", key_type=said.pop("key_type", "ecdsa-p256"), not_after=end,
        not_before=stamp(NOW - timedelta(days=100)), **said,
    )  # fmt: skip


def made(*rows: Row, **more: t.Any) -> dict[str, t.Any]:
    """Return the figures of some rows."""
    return figures(estate.known(list(rows), **more), NOW)


def backend(found: dict[str, t.Any], name: str) -> dict[str, t.Any]:
    """Return the figures of one backend."""
    return next(one for one in found["backends"] if one["name"] == name)


def test_a_service_has_its_worst_risk_its_next_end_and_its_contacts() -> None:
    rows = [row(1, days=300), row(2, days=90, contact="b@x"), row(3, days=-1), row(4, service=None)]
    shop, nobody = made(*rows)["services"]
    assert (shop["name"], shop["identities"], shop["risk"], shop["expired"]) == ("shop", 3, "critical", 1)
    assert shop["next_end"] == f"{stamp(NOW + timedelta(days=90))[:19]}Z"
    assert shop["contacts"] == ["b@x", "team-shop@example.org"]
    assert (nobody["name"], nobody["identities"], nobody["risk"]) == (None, 1, "none")


def test_an_issuer_whose_place_signs_with_a_later_key_is_outdated_and_one_that_nobody_uses_is_unused() -> None:
    signed = [Signed(OLD, 10, stamp(NOW - timedelta(days=200))), Signed(NEW, 5, stamp(NOW)), Signed(BAO, 1, stamp(NOW))]
    found = made(row(1, OLD), row(2, NEW, "mail"), told=Told(signed))
    codes = {one["name"]: [each.partition(":")[0] for each in one["remarks"]] for one in found["backends"]}
    assert (codes[OLD], codes[NEW], codes[BAO]) == (["idle", "outdated"], [], ["unused"])
    assert (backend(found, OLD)["ever"], backend(found, OLD)["last"]) == (10, f"{signed[0].last[:19]}Z")


def test_issuers_of_the_same_service_overlap() -> None:
    found = made(row(1, NEW), row(2, BAO), row(3, BAO, "mail"))
    assert backend(found, NEW)["remarks"] == [f"overlap: {called(BAO)} signs for shop too"]
    assert backend(found, BAO)["remarks"] == [f"overlap: {called(NEW)} signs for shop too"]


def test_what_moving_takes_is_what_renewals_do_and_what_is_left_to_hands() -> None:
    rows = [row(1, days=40), row(2, days=90), row(3, "adopted:CN=Old")]
    found = made(*rows)
    end = f"{stamp(NOW + timedelta(days=90))[:19]}Z"
    assert backend(found, NEW)["moving"] == {"by_renewal": 2, "by_hand": 0, "until": end}
    assert backend(found, "adopted:CN=Old")["moving"] == {"by_renewal": 0, "by_hand": 1, "until": None}
    assert backend(found, "file")["moving"]["by_hand"] == 1


CHECK = {"check": "login", "found": "the token ends soon", "remedy": "renew it"}
HEALTH: list[tuple[str, Told, str, str]] = [
    ("it was not asked", Told(), "unknown", "not asked for 30 days"),
    ("all was signed", Told(answers={NEW: {"ok": 3}}), "ok", "of 3 requests in 30 days, 0 failed"),
    ("some failed", Told(answers={NEW: {"ok": 3, "failed": 1}}), "warning", "of 4 requests in 30 days, 1 failed"),
    ("all failed", Told(answers={NEW: {"failed": 2}}), "failed", "of 2 requests in 30 days, 2 failed"),
    ("it would sign", Told(asked=[Asked("local", NEW, ({**CHECK, "state": "ok"},))]), "ok", "would sign"),
    ("it warns", Told(asked=[Asked("local", NEW, ({**CHECK, "state": "warning"},))]), "warning", "login: the token"),
    ("it would not", Told(asked=[Asked("local", NEW, ({**CHECK, "state": "failed"},))]), "failed", "; renew it"),
    ("it is silent", Told(asked=[Asked("local", NEW, (), None, "local: broken")]), "failed", "local: broken"),
]


@pytest.mark.parametrize(("told", "health", "said"), [case[1:] for case in HEALTH], ids=[case[0] for case in HEALTH])
def test_the_health_of_an_issuer_is_what_it_says_now_else_what_it_answered(told: Told, health: str, said: str) -> None:
    found = backend(made(row(1), told=told), NEW)
    assert found["health"] == health
    assert said in " ".join(found["because"])


def test_an_issuer_that_does_not_even_say_who_it_is_stands_there_by_its_kind() -> None:
    found = backend(made(row(1), told=Told(asked=[Asked("est", None, (), None, "est: no answer")])), "est")
    assert (found["health"], found["because"], found["identities"]) == ("failed", ["est: no answer"], 0)


def test_custodies_and_publishers_are_backends_too() -> None:
    copy = Delivery("/srv/app.p12", "pkcs12", delivered_at="2026-11-01T08:00:00.000Z")
    found = made(row(1, custody="pkcs11", deliveries=(copy,)), told=Told(kept=[Signed("aws_kms", 3, stamp(NOW))]))
    kinds = {(one["kind"], one["name"]): one for one in found["backends"]}
    assert kinds["custody", "pkcs11"]["identities"] == kinds["publisher", "pkcs12"]["identities"] == 1
    assert kinds["publisher", "pkcs12"]["last"] == "2026-11-01T08:00:00Z"
    assert kinds["custody", "aws_kms"]["remarks"] == ["unused: nothing of it is in use"]


@pytest.mark.parametrize(
    ("key_type", "bits"),
    [("rsa-1024", 80), ("rsa-2048", 112), ("rsa-3072", 128), ("rsa-4096", 128), ("ecdsa-p384", 192), ("ml-dsa-65", 192),
     ("quux", None), (None, None), ("rsa-512", 0)],
)  # fmt: skip
def test_a_type_of_key_has_a_strength(key_type: str | None, bits: int | None) -> None:
    assert strength(key_type) == bits


def test_a_service_with_both_kinds_of_keys_stands_side_by_side() -> None:
    rows = [row(1), row(2, key_type="ml-dsa-65"), row(3, service="mail"), row(4, service="dns", key_type="ml-dsa-44"),
            row(5, service="cups", key_type=None)]  # fmt: skip
    found = made(*rows)
    assert {one["name"]: one["post_quantum"] for one in found["services"]} == {
        "shop": "side by side", "mail": "classical", "dns": "ready", "cups": "unknown",
    }  # fmt: skip
    assert {name: found["post_quantum"][name] for name in ("ready", "classical", "unknown", "share")} == {
        "ready": 2, "classical": 2, "unknown": 1, "share": 0.4,
    }  # fmt: skip
    assert found["post_quantum"]["services"] == {"ready": 1, "side by side": 1, "classical": 1, "unknown": 1}
    assert found["algorithms"][0]["key_type"] == "ecdsa-p256"


def test_dated_facts_count_what_outlives_their_day() -> None:
    rows = [row(1, key_type="rsa-2048", days=365 * 6), row(2, key_type="rsa-2048"), row(3, key_type="ml-dsa-87")]
    dated = {one["fact"]: (one["not_permitted"], one["outlive_it"]) for one in made(*rows)["post_quantum"]["dated"]}
    assert dated == {"nist-112-bits": (2, 1), "nist-quantum-safe": (2, 0), "cnsa-2.0": (2, 2)}


def rsa(oid: bytes = b"") -> str:
    """Return a certificate that an RSA key signed; with an OID of as many bytes, one that says so."""
    key = generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "web")])
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, NOW, NOW + timedelta(days=9)).sign(key, SHA256())
    der = made.public_bytes(Encoding.DER)
    return DER_cert_to_PEM_cert(der.replace(SHA256_WITH_RSA, oid) if oid else der)


def test_what_is_signed_with_sha_1_can_be_forged_and_what_is_signed_with_ml_dsa_cannot() -> None:
    signed = {name: row(number, certificate=rsa(bytes.fromhex(oid))) for number, (name, oid) in enumerate(SIGNED)}
    found = made(*signed.values())
    identities = {one["name"]: one for one in found["identities"]}
    weak = identities[signed["sha1WithRSAEncryption"].name]
    assert (weak["signature"], weak["risk"]) == ("sha1WithRSAEncryption", "high")
    assert "its signature is over sha1" in str(weak["findings"])
    assert {one["signature"]: (one["weak"], one["post_quantum"]) for one in found["signatures"]} == {
        "sha1WithRSAEncryption": (True, False), "sha256WithRSAEncryption": (False, False),
        "1.2.840.113549.1.1.63": (False, None),
    }  # fmt: skip
    bill = {one["bom-ref"]: one["cryptoProperties"] for one in json.loads(as_cbom(found))["components"]}
    assert bill["signature/sha1WithRSAEncryption"]["oid"] == "1.2.840.113549.1.1.5"
    assert bill["signature/1.2.840.113549.1.1.63"]["oid"] == "1.2.840.113549.1.1.63"
    said = bill[f"certificate/{weak['certificate']['fingerprint_sha256']}"]["certificateProperties"]
    assert said["signatureAlgorithmRef"] == "signature/sha1WithRSAEncryption"
    assert signatures.is_ready("ML-DSA-65") is True


def test_findings_are_counted_by_kind_the_heaviest_first() -> None:
    found = made(row(1, days=-1), row(2, days=-2, service="mail"), row(3, deliveries=()))["findings"]
    assert [(one["code"], one["risk"], one["identities"], one["services"]) for one in found] == [
        ("expired", "critical", 2, 2), ("delivered_nowhere", "low", 1, 1),
    ]  # fmt: skip
    assert all(one["means"] and one["remedy"] for one in found)


def test_hosts_without_a_live_identity_and_identities_without_a_host_are_named() -> None:
    revoked = row(5, host="d")._replace(revoked_at=stamp(NOW), revocation_reason="superseded")
    ahead = row(6, host="e")._replace(not_before=stamp(NOW + timedelta(days=1)))
    rows = [row(1, host="a"), row(2, host="b", days=-1), row(3, host="gone"), row(4, host=None), revoked, ahead]
    figures = made(*rows, hosts=["a", "b", "c", "d", "e"])
    found = figures["coverage"]
    assert (found["hosts"], found["hosts_without_identity"]) == (5, ["b", "c", "d", "e"])
    assert [figures["totals"][name] for name in ("expired", "revoked", "not_valid_yet")] == [1, 1, 1]
    assert [one["host"] for one in found["identities_without_host"]] == [None, "gone"]
    assert made(*rows)["coverage"]["identities_without_host"] == [], "there was no inventory to compare with"


ROGUE = {"issuer_id": NEW, "serial_number": "0a", "dns_names": [], "issued_at": None, "not_after": None}
FIRST: list[tuple[str, list[Row], list[Asked], str]] = [
    ("all is well", [row(1)], [Asked("local", NEW, (), ())], "Nothing is urgent: none of 1 identity is at critical or"),
    ("rogue", [row(1)], [Asked("local", NEW, (), (ROGUE,) * 3)], "high risk. Nobody here knows 3 certificates that"),
    ("not urgent", [row(1)], [Asked("local", NEW, (), (ROGUE,))], "None of 1 identity is at critical or high risk."),
    ("an issuer fails", [row(1)], [Asked("est", None, (), None, "no")], "high risk. 1 backend is in trouble."),
    ("all of it", [row(1, days=-1), row(2)._replace(not_before=stamp(NOW + timedelta(1)))],
     [Asked("local", NEW, (), (ROGUE,))],
     "Of 2 identities, 2 need help now (1 ended, 1 not valid yet). Nobody here knows 1 certificate that issuers list."),
]


@pytest.mark.parametrize(("rows", "asked", "said"), [case[1:] for case in FIRST], ids=[case[0] for case in FIRST])
def test_the_first_sentence_says_what_has_to_be_done(rows: list[Row], asked: list[Asked], said: str) -> None:
    found = made(*rows, told=Told(asked=asked))
    assert said in headline(found)
    numbers = {one.label: one.number for one in tiles(found)}
    assert numbers["certificates nobody here knows"] == found["totals"]["rogue"]
    assert numbers["backends in trouble"] == ("trouble" in said)


def test_services_come_worst_first_and_programs_get_all_their_names() -> None:
    rows = [row(number, service=f"s{number:02}", contact="me") for number in range(30)]
    found = made(*rows, row(99, service="z", days=-1), row(100, service=None, days=-1))
    assert [one["name"] for one in found["services"]][:3] == ["z", None, "s00"]
    assert len(next(one for one in found["contacts"] if one["name"] == "me")["services"]) == 30


def test_the_page_and_the_tables_have_every_section() -> None:
    found = estate.made(400)
    text, files = page.as_html(found).decode(), tables.as_csv(found)
    assert "4a:0b:9c:11" in text
    assert "jump1.example.org" in text
    assert "est: https://est.example.org does not answer within 30s" in text
    assert "acme:https://acme.example.org/directory: it cannot list what it signed" in text
    counts = {name: len(list(csv.DictReader(io.StringIO(content.decode())))) for name, content in files.items()}
    covered = found["coverage"]
    assert counts["backends.csv"] == len(found["backends"])
    assert counts["services.csv"] == len(found["services"])
    assert counts["events.csv"] == 200
    assert counts["rogue.csv"] == len(covered["rogue"]) == 1
    assert counts["hosts_without_identity.csv"] == len(covered["hosts_without_identity"])
    assert counts["identities_without_host.csv"] == len(covered["identities_without_host"]) > 0
    assert min(counts.values()) > 0, "and none is empty here"
