# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Fills a ledger by a few statements, in either database: of every identity some generations, the last one current.

It is for measuring. The events are no chain, and all certificates have one and the same text.
"""

from __future__ import annotations

import typing as t

from ansible_collections.keystead.identity.tests.harness.brownfield import pair

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.ledger import SqlLedger

GENERATIONS_EACH = 10
SERVICES, CONTACTS, ISSUERS = 200, 50, 5
_PADDED = "substr('{zeros}', 1, {digits} - length(CAST({number} AS {text}))) || CAST({number} AS {text})"


def padded(number: str, digits: int = 64) -> str:
    """Return an expression: a number as so many decimal digits, which are hexadecimal ones too."""
    return _PADDED.format(zeros="0" * digits, digits=digits, number=number, text="TEXT")


_NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
"""As many rows as the parameter says."""


def _day(number: str) -> str:
    """Return an expression: the moment so many days, of months of 28, after the year 2017 began."""
    year, month, day = f"2017 + {number} / 336", f"1 + {number} / 28 % 12", f"1 + {number} % 28"
    return f"{padded(year, 4)} || '-' || {padded(month, 2)} || '-' || {padded(day, 2)} || 'T09:00:00.000Z'"


def _statements(generations: int, events: int) -> Iterator[tuple[str, tuple[t.Any, ...]]]:
    identities, each = max(1, generations // GENERATIONS_EACH), GENERATIONS_EACH
    yield (
        f"""{_NUMBERS} INSERT INTO identities (id, host, store, name, kind, contact, service, labels, state, newest,
            current, created_at)
        SELECT i, 'web' || (i / 2) || '.example.org', '/var/lib/keystead/identities', 'web' || (i % 2), 'x509',
            'team' || (i % {CONTACTS}) || '@example.org', 'service-' || (i % {SERVICES}), '{{}}', 'present', {each},
            {each}, '2017-01-01T09:00:00.000Z' FROM n""",
        (identities,),
    )
    of, number = f"(1 + (i - 1) / {each})", f"(1 + (i - 1) % {each})"
    begins = f"({number} * 300 + {of} % 300)"
    yield (
        f"""{_NUMBERS} INSERT INTO generations (id, identity, number, state, issuer_id, custody, key_type, public_id,
            intended_at, credential_id, not_before, not_after, issued_at)
        SELECT i, {of}, {number}, CASE WHEN {number} = {each} THEN 'current' ELSE 'superseded' END,
            'local:ca' || ({of} % {ISSUERS}) || ':0123', CASE WHEN {of} % 50 = 0 THEN 'pkcs11' ELSE 'file' END,
            CASE WHEN {of} % 20 = 0 THEN 'rsa-2048' ELSE 'ecdsa-p256' END, {padded("i")}, {_day(begins)},
            {padded("(i + 500000000)")}, {_day(begins)}, {_day(f"({begins} + 330)")}, {_day(begins)} FROM n""",
        (generations,),
    )
    certificate = pair("web.example.org").certificate.decode()
    yield (
        f"""{_NUMBERS} INSERT INTO x509 (generation, serial_number, subject, issuer_dn, names, certificate, chain)
        SELECT i, {padded("(i + 100000000)", 10)}, 'CN=web' || i,
            'CN=Issuing ' || ({of} % {ISSUERS}), '{{"dns": ["web.example.org"]}}', CAST(? AS TEXT), '' FROM n""",
        (generations, certificate),
    )
    yield (
        f"""{_NUMBERS} INSERT INTO deliveries (identity, generation, path, part, delivered_at, proved_at, succeeded_at)
        SELECT {of}, i, '/etc/nginx/tls/web' || ({of} % 2) || '.pem', 'fullchain', {_day(begins)}, {_day(begins)},
            CASE WHEN {number} = {each} THEN NULL ELSE {_day(f"({begins} + 300)")} END FROM n""",
        (generations,),
    )
    if events:
        yield from _events(identities, events)


def _events(identities: int, events: int) -> Iterator[tuple[str, tuple[t.Any, ...]]]:
    batches = max(1, events // 10)
    who = f"(1 + i % {identities})"
    yield (
        f"""{_NUMBERS} INSERT INTO heads (batch, at, host, store, actor, seq, hash)
        SELECT i, {_day("(i % 3600)")}, 'web' || ({who} / 2) || '.example.org', '/var/lib/keystead/identities', '{{}}',
            i * 10, {padded("i")} FROM n""",
        (batches,),
    )
    yield (
        f"""{_NUMBERS} INSERT INTO events (seq, batch, identity, generation, action, reason, outcome, message,
            milliseconds, attempts, hash)
        SELECT i, 1 + (i - 1) / 10, 'web' || (((i - 1) / 10) % 2), 1, 'issue', 'it is due', 'ok', '', 5, 1,
            {padded("i")} FROM n""",
        (batches * 10,),
    )


def fill(ledger: SqlLedger, generations: int, events: int = 0) -> None:
    """Fill a new ledger."""
    with ledger._database.transaction() as connection:
        for statement, values in _statements(generations, events):
            connection.execute(statement, values)
