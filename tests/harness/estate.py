# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a large site looks like to a report: rows of many services, some in trouble, the same ones every time."""

from __future__ import annotations

import functools
import typing as t
from datetime import UTC, datetime, timedelta

from ansible_collections.keystead.identity.plugins.plugin_utils._identity_report.backends import Told
from ansible_collections.keystead.identity.plugins.plugin_utils._identity_report.figures import Known, figures
from ansible_collections.keystead.identity.plugins.plugin_utils._identity_report.listed import Asked
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.moments import stamp
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.reported import Signed
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.load import load
from ansible_collections.keystead.identity.plugins.plugin_utils._rows.alike import Alike
from ansible_collections.keystead.identity.plugins.plugin_utils._rows.row import OBSERVED, Delivery, Row
from ansible_collections.keystead.identity.plugins.plugin_utils._rows.strength import broken_keys
from ansible_collections.keystead.identity.tests.harness.brownfield import pair

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
SERVICES = ("shop", "checkout", "search", "mail", "directory", "metrics", "billing", "intranet", "build", "vpn")
ISSUERS = (
    ("local:issuing:0d2f0c7ea5b94bd2a4ad9a5fc4b34a04", "CN=Example Issuing CA 2"),
    ("openbao:https://bao.example.org:pki:3fe81b70c2a4d9f05be6a7718c9d0e21", "CN=Example Edge CA"),
    ("acme:https://acme.example.org/directory", "CN=Public CA R11"),
)
KEYS = ("ecdsa-p256",) * 6 + ("ed25519",) * 2 + ("rsa-2048", "rsa-3072", "ml-dsa-65")
HOSTILE = (
    "<script>document.title = 'harmed'</script>",
    "\"><img src=x onerror=\"document.title = 'harmed'\">",
    "</script><script>document.title = 'harmed'</script>",
    "invoice\u202efdp.exe",
    "x" * 10_240,
    "{{ 7 * 7 }}{% raw %}",
    '=HYPERLINK("https://example.org")',
    "line\u2028separated\x00\x1b[31m",
)
"""Names that somebody may have chosen so that they do harm."""


def rows(count: int, now: datetime = NOW) -> list[Row]:
    """Return so many rows: most of them well, a few ended, revoked, shared, weak, or nobody's."""
    return [_row(number, now) for number in range(count)]


def hostile(now: datetime = NOW) -> list[Row]:
    """Return a row for each hostile name, which it has in every place that takes a text."""
    plain = rows(len(HOSTILE), now)
    return [
        one._replace(
            name=bad, host=bad, service=bad, contact=bad, issuer_id=f"local:{bad}:00", subject=bad, store=bad,
            names={"dns": (bad,)}, deliveries=(Delivery(bad, "fullchain"),), labels={bad: bad},
        )
        for one, bad in zip(plain, HOSTILE, strict=True)
    ]  # fmt: skip


def told(found: list[Row], now: datetime = NOW) -> dict[str, t.Any]:
    """Return what else is known of such a site: its inventory, its backends, and what happened last."""
    hosts = sorted({one.host or "" for one in found})
    old = "local:issuing:9b1de40f2c66a7d8e03b5f7712c4ad90"
    signed = [Signed(old, 812, "2026-01-05T08:00:00.000Z")]
    for number, (issuer, _name) in enumerate(ISSUERS):
        signed.append(Signed(issuer, 4000 * number + 10, stamp(now - timedelta(days=40 * number, hours=5))))
    rogue = {
        "issuer_id": ISSUERS[0][0], "serial_number": "4a:0b:9c:11", "subject": "CN=admin", "key_type": "rsa-2048",
        "dns_names": ["admin.example.org"], "fingerprint_sha256": "ab" * 32, "spki_sha256": "cd" * 32,
        "issued_at": "2026-10-30T02:11:00Z", "not_after": "2027-10-30T02:11:00Z",
    }  # fmt: skip
    fine = {"check": "answer", "state": "ok", "found": "it answers", "remedy": ""}
    asked = [Asked("local", ISSUERS[0][0], (fine,), (rogue,)), Asked("acme", ISSUERS[2][0], (fine,), None),
             Asked("est", None, (), None, "est: https://est.example.org does not answer within 30s")]  # fmt: skip
    kept = [Signed("file", 9000, stamp(now)), Signed("pkcs11", 900, stamp(now)), Signed("aws_kms", 4, stamp(now))]
    answers = {ISSUERS[1][0]: {"ok": 410, "failed": 3}}
    events = [
        {"seq": 90_000 - number, "at": stamp(now - timedelta(minutes=17 * number)), "host": hosts[number % len(hosts)],
         "store": "/var/lib/keystead/identities", "identity": "web", "generation": number % 9 + 1,
         "action": ("issue", "link", "activate", "prove")[number % 4],
         "reason": "it is due: 33% of its life are left", "outcome": {7: "failed", 9: "pending"}.get(number % 41, "ok"),
         "message": "", "actor": {"operating_system_user": "ansible", "controller": "control1.example.org"}}
        for number in range(200 if hosts else 0)
    ]  # fmt: skip
    return {
        "told": Told(signed, kept, answers, asked), "hosts": [*hosts[5:], "db9.example.org", "jump1.example.org"],
        "never": [{"host": "shop7.example.org", "store": "/var/lib/keystead/identities", "name": "queue",
                   "service": "shop", "contact": "team-shop@example.org"}],
        "events": events,
    }  # fmt: skip


def known(found: list[Row], **more: t.Any) -> Known:
    """Return what a report is made of."""
    plain = {"ledger_id": "6f1c1d1e6c5b4f0f", "title": "Machine identities", "policy": load(None, NOW)}
    return Known(**{**plain, "rows": found, "alike": Alike(found), "broken": broken_keys(None, found), **more})


def made(count: int, now: datetime = NOW) -> dict[str, t.Any]:
    """Return the figures of such a site."""
    found = rows(count, now)
    return figures(known(found, **told(found, now)), now)


@functools.cache
def _certificate() -> str:
    """Return a certificate for those rows whose own one is to be parsed."""
    return pair("web.example.org").certificate.decode()


def _row(number: int, now: datetime) -> Row:
    managed = number % 9 != 4
    issuer_id, issuer = ISSUERS[number % 7 % 3]
    life = (30, 90, 90, 200, 365)[number % 5]
    left = life - (number * 37 % (life * 62 // 100)) + number % 3 / 3
    left = -2.5 if number % 411 == 17 else 3.2 if number % 307 == 11 else 12.4 if number % 149 == 7 else left
    ends, service = now + timedelta(days=left), SERVICES[number * 7 % 31 % len(SERVICES)]
    host, name = f"{service}{number // 23 % 40 + 1}.example.org", ("web", "api", "db", "mesh")[number % 4]
    spki = f"{number % 997 if number % 503 == 3 else number:064x}"
    plain = Row(
        key=(stamp(ends), int(not managed), number), managed=managed, name=name, host=host,
        state="current" if managed else OBSERVED, in_use=True, service=service,
        contact=None if number % 83 == 5 else f"team-{service}@example.org",
        key_type="rsa-1024" if number % 613 == 9 else KEYS[number * 5 % len(KEYS)], spki=spki,
        fingerprint=f"{number + 10**9:064x}", serial_number=f"{number + 10**12:x}", issuer=issuer,
        subject=f"CN={host}", names={"dns": (host, f"{service}.example.org")},
        not_before=stamp(ends - timedelta(days=life)), not_after=stamp(ends),
        revoked_at=stamp(now - timedelta(days=1)) if number % 701 == 23 else None,
        revocation_reason="key_compromise" if number % 701 == 23 else None,
        certificate=_certificate() if number * 5 % len(KEYS) < 6 and number % 613 != 9 else None,
        deliveries=() if number % 97 == 31 else (Delivery(f"/etc/ssl/{name}.pem", "fullchain"),),
    )  # fmt: skip
    if not managed:
        return plain._replace(source=f"/etc/keystead/appliances.csv:{number + 2}")
    custody = ("file",) * 8 + ("pkcs11", "openbao_transit")
    return plain._replace(
        store="/var/lib/keystead/identities", generation=number % 12 + 1, issuer_id=issuer_id,
        custody=custody[number % 10],
    )
