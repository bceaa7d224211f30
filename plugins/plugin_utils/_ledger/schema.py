# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The schema of the ledger, as numbered migrations. Once released, a migration is never changed; a new one is added.

Moments are text in UTC, `2026-01-31T09:00:00.000Z`, and sort as they are. Serial numbers are lower-case hex.
"""

from __future__ import annotations

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


def _statements(text: str) -> tuple[str, ...]:
    return tuple(text.split(";\n")[:-1])


MIGRATIONS = (("the first schema", _statements(_FIRST)), ("keys in a backend by themselves", _statements(_KEYS)),
              ("orders that are answered later, and times of renewal", _statements(_REFERENCES)),
              ("keys that were there before they were recorded", _statements(_FOUND)),
              ("where generations were proved, and revoked certificates of no identity", _statements(_REVOCATIONS)),
              ("what an issuer was asked for", _statements(_ASKED)),
              ("whom identities trust", _statements(_TRUSTS)))
"""Their names and statements; the first has number 1."""
