# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the tests tell a ledger: one batch, one intent, one issued certificate, with everything that does not matter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.port import (
    Batch,
    Delivered,
    Event,
    Intent,
    Issued,
    Outcome,
)

NOW = datetime(2026, 1, 31, 9, 0, tzinfo=UTC)
LIFE = timedelta(days=36500)
ACTOR = {"operating_system_user": "ops", "controller": "ctl", "awx_job": None, "playbook": "site.yml"}
LINKS = (("/etc/nginx/web.key", "private_key"), ("/etc/nginx/web.pem", "fullchain"))


def batch(host: str = "web1", *, after: float = 0, store: str = "/srv/store") -> Batch:
    """Return what a run on one host is, `after` seconds."""
    return Batch(host, store, ACTOR, NOW + timedelta(seconds=after))


def key_of(name: str) -> str:
    """Return the id of an identity's key: two identities never share one."""
    return {"web": "aa"}.get(name, f"key of {name}")


def intent(name: str = "web", number: int = 1, key: str | None = None, holder: str = "run-1") -> Intent:
    """Return an intent."""
    return Intent(
        name, number, key or key_of(name), "local:/srv/ca/issuing", "ecdsa-p256", holder, scope="shop",
        reason="missing", contact="team@example.org", service="shop", labels={"tier": "1"},
    )


def issued(number: int = 1, key: str = "aa") -> Issued:
    """Return what an issuer answered."""
    return Issued(
        certificate=f"PEM {number}", credential_id=f"c{number}", public_id=key, serial_number=2**150 + number,
        issuer_dn="CN=Issuing", subject="CN=web", names={"dns": ("web.example.org",)}, key_type="ecdsa-p256",
        not_before=NOW, not_after=NOW + LIFE, chain="CHAIN",
    )


def outcome(name: str = "web", number: int = 1, key: str | None = None) -> Outcome:
    """Return that a generation was issued, delivered and proved."""
    events = (Event("issue", "missing", seconds=0.5), Event("prove", "missing", seconds=1.25, attempts=2))
    delivered = Delivered(LINKS, activated=True, proved=True)
    return Outcome(name, number, events, (issued(number, key or key_of(name)), delivered))
