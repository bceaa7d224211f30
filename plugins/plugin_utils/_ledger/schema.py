# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The schema of the ledger, as numbered migrations. Once released, a migration is never changed; a new one is added.

Two releases that follow each other use one ledger at the same time (ADR 35): a migration expands, and what it replaces
is taken away a minor release later at the earliest.

Moments are text in UTC, `2026-01-31T09:00:00.000Z`, and sort as they are. Serial numbers are lower-case hex.
"""

from __future__ import annotations

import typing as t

_FIRST = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL);
CREATE TABLE identities (
    id INTEGER PRIMARY KEY,
    host TEXT NOT NULL, store TEXT NOT NULL, name TEXT NOT NULL,
    kind TEXT NOT NULL, scope TEXT, contact TEXT, service TEXT, labels TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('present', 'absent', 'released')),
    newest INTEGER NOT NULL DEFAULT 0,
    current INTEGER,
    created_at TEXT NOT NULL,
    UNIQUE (host, store, name)
);
CREATE TABLE generations (
    id INTEGER PRIMARY KEY,
    identity INTEGER NOT NULL REFERENCES identities (id),
    number INTEGER NOT NULL CHECK (number > 0),
    state TEXT NOT NULL CHECK (state IN ('intended', 'refused', 'orphaned', 'issued', 'current', 'superseded',
                                         'rolled_back', 'withdrawn', 'released', 'revoked')),
    issuer_id TEXT NOT NULL, custody TEXT NOT NULL, key_uri TEXT, key_type TEXT NOT NULL, public_id TEXT NOT NULL,
    holder TEXT,
    intended_at TEXT NOT NULL,
    credential_id TEXT, not_before TEXT, not_after TEXT, issued_at TEXT,
    revoked_at TEXT, revocation_reason TEXT
);
CREATE UNIQUE INDEX generations_number ON generations (identity, number) WHERE state NOT IN ('refused', 'orphaned');
CREATE INDEX generations_state ON generations (identity, state);
CREATE INDEX generations_not_after ON generations (not_after);
CREATE INDEX generations_public_id ON generations (public_id);
CREATE INDEX generations_credential_id ON generations (credential_id);
CREATE TABLE x509 (
    generation INTEGER PRIMARY KEY REFERENCES generations (id),
    serial_number TEXT NOT NULL, subject TEXT NOT NULL, issuer_dn TEXT NOT NULL, names TEXT NOT NULL,
    certificate TEXT NOT NULL, chain TEXT NOT NULL
);
CREATE INDEX x509_serial_number ON x509 (serial_number);
CREATE TABLE deliveries (
    id INTEGER PRIMARY KEY,
    identity INTEGER NOT NULL REFERENCES identities (id),
    generation INTEGER NOT NULL REFERENCES generations (id),
    path TEXT NOT NULL, part TEXT NOT NULL,
    delivered_at TEXT NOT NULL, activated_at TEXT, proved_at TEXT, withdrawn_at TEXT, succeeded_at TEXT,
    UNIQUE (generation, path)
);
CREATE INDEX deliveries_live ON deliveries (identity) WHERE withdrawn_at IS NULL AND succeeded_at IS NULL;
CREATE TABLE heads (
    batch INTEGER PRIMARY KEY,
    at TEXT NOT NULL, host TEXT NOT NULL, store TEXT NOT NULL, actor TEXT NOT NULL,
    seq INTEGER NOT NULL, hash TEXT NOT NULL
);
CREATE INDEX heads_host ON heads (host, store);
CREATE TABLE events (
    seq INTEGER PRIMARY KEY,
    batch INTEGER NOT NULL,
    identity TEXT NOT NULL, generation INTEGER,
    action TEXT NOT NULL, reason TEXT NOT NULL, outcome TEXT NOT NULL, message TEXT NOT NULL,
    milliseconds INTEGER NOT NULL, attempts INTEGER NOT NULL,
    hash TEXT NOT NULL
);
CREATE INDEX events_batch ON events (batch);
CREATE TABLE pins (
    issuer_id TEXT NOT NULL, fingerprint TEXT NOT NULL, pinned_at TEXT NOT NULL, PRIMARY KEY (issuer_id, fingerprint)
);
"""
_KEYS = """
CREATE TABLE backend_keys (
    id INTEGER PRIMARY KEY,
    backend TEXT NOT NULL, uri TEXT NOT NULL, place TEXT NOT NULL, label TEXT NOT NULL,
    host TEXT NOT NULL,
    key_type TEXT NOT NULL, public_id TEXT, public_key TEXT,
    origin TEXT NOT NULL CHECK (origin IN ('made', 'adopted')),
    recorded_at TEXT NOT NULL, destroyed_at TEXT
);
CREATE UNIQUE INDEX backend_keys_live ON backend_keys (uri) WHERE destroyed_at IS NULL;
CREATE INDEX backend_keys_label ON backend_keys (label);
CREATE INDEX backend_keys_public_id ON backend_keys (public_id);
CREATE INDEX generations_key_uri ON generations (key_uri);
"""

_REFERENCES = """
ALTER TABLE generations ADD COLUMN reference TEXT;
ALTER TABLE generations ADD COLUMN renew_at TEXT;
ALTER TABLE generations ADD COLUMN ask_again TEXT;
"""
_REVOCATIONS = """
CREATE TABLE endpoints (
    generation INTEGER PRIMARY KEY REFERENCES generations (id),
    host TEXT NOT NULL, port INTEGER NOT NULL, server_name TEXT, starttls TEXT, proved_at TEXT NOT NULL
);
CREATE TABLE revocations (
    credential_id TEXT PRIMARY KEY,
    public_id TEXT NOT NULL, serial_number TEXT NOT NULL, issuer_id TEXT NOT NULL, not_after TEXT NOT NULL,
    reason TEXT NOT NULL, revoked_at TEXT NOT NULL, recorded_at TEXT NOT NULL
);
CREATE INDEX revocations_serial_number ON revocations (serial_number);
CREATE INDEX revocations_public_id ON revocations (public_id);
"""

_FOUND = """
ALTER TABLE generations ADD COLUMN found INTEGER NOT NULL DEFAULT 0;
UPDATE generations SET found = 1 WHERE substr(issuer_id, 1, 8) = 'adopted:' OR substr(issuer_id, 1, 9) = 'observed:';
"""

_ASKED = """
ALTER TABLE generations ADD COLUMN asked TEXT;
"""

_TRUSTS = """
ALTER TABLE identities ADD COLUMN trusts TEXT;
"""

_CHECKPOINTS = """
CREATE TABLE checkpoints (
    seq INTEGER PRIMARY KEY,
    signed TEXT NOT NULL, public_key TEXT NOT NULL, signed_at TEXT NOT NULL
);
CREATE TABLE shipments (
    checkpoint INTEGER NOT NULL, receiver TEXT NOT NULL, shipped_at TEXT NOT NULL, PRIMARY KEY (checkpoint, receiver)
);
CREATE TABLE archives (
    last INTEGER PRIMARY KEY,
    first INTEGER NOT NULL, hash TEXT NOT NULL, digest TEXT NOT NULL, name TEXT NOT NULL, archived_at TEXT NOT NULL
);
"""

_SHOWN = """
ALTER TABLE generations ADD COLUMN shown INTEGER NOT NULL DEFAULT 0;
UPDATE generations SET shown = 1 WHERE state IN ('current', 'superseded', 'rolled_back', 'released') AND NOT EXISTS (
    SELECT 1 FROM generations later WHERE later.identity = generations.identity AND later.number > generations.number
    AND (EXISTS (SELECT 1 FROM endpoints e WHERE e.generation = later.id) OR EXISTS (
        SELECT 1 FROM deliveries d WHERE d.generation = later.id AND d.proved_at IS NOT NULL)));
"""
"""`shown` is 1 from when a generation was published until another one of its identity was proved to be used."""

_ASKED_FOR = """
CREATE INDEX generations_end ON generations (coalesce(not_after, '~'), id);
CREATE INDEX generations_issuer_id ON generations (issuer_id);
CREATE INDEX generations_key_type ON generations (key_type);
CREATE INDEX x509_issuer_dn ON x509 (issuer_dn);
CREATE INDEX deliveries_of_live ON deliveries (generation) WHERE withdrawn_at IS NULL AND succeeded_at IS NULL;
CREATE INDEX identities_service ON identities (service);
CREATE INDEX identities_contact ON identities (contact);
"""

_KEY_RUNS = """
CREATE TABLE key_runs (
    place TEXT NOT NULL, label TEXT NOT NULL,
    holder TEXT NOT NULL, since TEXT NOT NULL,
    PRIMARY KEY (place, label)
);
CREATE TABLE prepared_keys (
    place TEXT NOT NULL, label TEXT NOT NULL, number INTEGER NOT NULL,
    uri TEXT NOT NULL, public_id TEXT,
    PRIMARY KEY (place, label, number)
);
"""


def _statements(text: str) -> tuple[str, ...]:
    return tuple(text.split(";\n")[:-1])


class Migration(t.NamedTuple):
    """A step of the schema: its name, its statements, and which schema a release must know to use the ledger then."""

    name: str
    statements: tuple[str, ...]
    usable_from: int


EXPANDS = 0
"""Whoever could use the ledger before such a migration can use it afterwards as well."""

MIGRATIONS = (
    Migration("the first schema", _statements(_FIRST), usable_from=1),
    Migration("keys in a backend by themselves", _statements(_KEYS), EXPANDS),
    Migration("orders that are answered later, and times of renewal", _statements(_REFERENCES), EXPANDS),
    Migration("keys that were there before they were recorded", _statements(_FOUND), usable_from=4),
    Migration("where generations were proved, and revoked certificates of no identity", _statements(_REVOCATIONS),
              EXPANDS),
    Migration("what an issuer was asked for", _statements(_ASKED), EXPANDS),
    Migration("whom identities trust", _statements(_TRUSTS), EXPANDS),
    Migration("what services may still show", _statements(_SHOWN), usable_from=8),
    Migration("signed checkpoints, and what was archived", _statements(_CHECKPOINTS), EXPANDS),
    Migration("what rows are found by", _statements(_ASKED_FOR), EXPANDS),
    Migration("who is at work on a key by itself, and what it prepared", _statements(_KEY_RUNS), usable_from=11),
)  # fmt: skip
"""The first has number 1. `found` and `shown` ask for more: a release that does not write them says 0, which is wrong
for what it adopts and publishes; and one that does not say that it is at work on a key keeps nobody else from it."""
