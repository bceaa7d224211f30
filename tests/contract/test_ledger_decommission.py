# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What every ledger says of a host that goes: all that it ever had, who trusts it, and what others have as well."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.plugin_utils._decommission.held import held
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.port import (
    Event,
    KeyGone,
    KeyKept,
    Outcome,
    Withdrawn,
)
from ansible_collections.keystead.identity.tests.unit.plugins.plugin_utils._ledger.telling import (
    LIFE,
    NOW,
    batch,
    intent,
    outcome,
)

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.ledger import SqlLedger


def publish(ledger: SqlLedger, host: str, key: str, number: int = 1, **said: t.Any) -> None:
    """Have a generation issued and delivered."""
    ledger.intend(batch(host), [intent(number=number, key=key)._replace(**said)])
    ledger.record(batch(host), [outcome(number=number, key=key)])


def test_every_generation_is_there_with_its_paths_and_what_is_to_be_revoked(ledger: SqlLedger) -> None:
    publish(ledger, "web1", "one")
    publish(ledger, "web1", "two", number=2)
    publish(ledger, "web2", "three")
    found = held(ledger, "web1", NOW)
    assert [(one["identity"], one["generation"]) for one in found.credentials] == [("web", 1), ("web", 2)]
    assert [one["fingerprint_sha256"] for one in found.to_revoke] == [
        one["fingerprint_sha256"] for one in found.credentials
    ]
    assert all(one["paths"] for one in found.credentials)
    assert held(ledger, "web1", NOW + 2 * LIFE).to_revoke == []
    with pytest.raises(Misconfigured, match="knows nothing of web3"):
        held(ledger, "web3", NOW)


def test_what_another_host_uses_as_well_is_not_to_be_revoked_until_that_is_gone(ledger: SqlLedger) -> None:
    publish(ledger, "web1", "one")
    publish(ledger, "web2", "one", shared=True)
    (one,) = held(ledger, "web1", NOW).credentials
    assert (one["shared_with"], one["key_shared_with"], one["to_revoke"]) == (["web of web2"], ["web of web2"], False)
    ledger.record(batch("web2"), [Outcome("web", None, (Event("destroy", "why"),), (Withdrawn(),))])
    (one,) = held(ledger, "web1", NOW).credentials
    assert (one["shared_with"], one["to_revoke"]) == ([], True)


def test_a_key_counts_as_destroyed_until_the_host_gets_another(ledger: SqlLedger) -> None:
    def seen() -> list[bool]:
        return [one["destroyed_at"] is not None for one in held(ledger, "web1", NOW).credentials]

    publish(ledger, "web1", "one")
    ledger.record(batch(), [Outcome("web", None, (Event("destroy", "why", "failed"),))])
    assert seen() == [False]
    ledger.record(batch(), [Outcome("web", None, (Event("destroy", "why"),), (Withdrawn(),))])
    assert seen() == [True]
    ledger.intend(batch(), [intent(number=2, key="two")])
    told = outcome(number=2, key="two")
    ledger.record(batch(), [told._replace(events=(Event("publish", "generation 2 is the first"),))])
    assert seen() == [False, False]


def test_peers_by_service_and_by_issuer_are_named_and_keys_of_no_identity(ledger: SqlLedger) -> None:
    publish(ledger, "web1", "one", service="shop", issuer_id="local:a")
    publish(ledger, "desk1", "two", trusts=json.dumps([["service", "shop"], ["issuer", "local:b"]]))
    publish(ledger, "desk2", "three", trusts=json.dumps([["issuer", "local:a"]]))
    assert held(ledger, "web1", NOW).trusted_by == [
        {"host": "desk1", "identity": "web", "service": "shop"},
        {"host": "desk2", "identity": "web", "issuer": "local:a"},
    ]
    kept = KeyKept("pkcs11:object=release", "hsm", "release", "ecdsa-p256", made=True)
    ledger.record(batch(), [Outcome("release", None, (Event("stage_key", "why"),), (kept,))])
    assert [(one["label"], one["destroyed_at"]) for one in held(ledger, "web1", NOW).keys] == [("release", None)]
    ledger.record(batch(), [Outcome("release", None, (Event("destroy", "why"),), (KeyGone(kept.uri),))])
    assert held(ledger, "web1", NOW).keys[0]["destroyed_at"] is not None


def test_keys_of_no_identity_tell_where_they_are_and_whether_we_made_them(ledger: SqlLedger) -> None:
    place = "pkcs11:token=our%20rack;serial=5aff"
    for label, made in (("ours", True), ("theirs", False)):
        kept = KeyKept(f"{place};object={label};type=private", place, label, "ecdsa-p256", made=made)
        ledger.record(batch(), [Outcome(label, None, (Event("stage_key", "why"),), (kept,))])
    assert [(one["token_label"], one["token_serial"], one["origin"]) for one in held(ledger, "web1", NOW).keys] == [
        ("our rack", "5aff", "made"), ("our rack", "5aff", "adopted"),
    ]  # fmt: skip
