# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What issuers say of what they signed, asked of real ones: each once, however many nobody knows, and however named."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.credentials import encoded
from ansible_collections.keystead.identity.plugins.plugin_utils._identity_report.listed import Asked, Seen, ask
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.local import LocalIssuer
from ansible_collections.keystead.identity.plugins.plugin_utils._rows.alike import Alike
from ansible_collections.keystead.identity.tests.harness import local

if t.TYPE_CHECKING:
    from pathlib import Path

NOBODY = Seen(frozenset(), Alike(()))


@pytest.fixture
def options(tmp_path: Path) -> dict[str, t.Any]:
    local.authority(tmp_path, "issuing")
    return {"directory": str(tmp_path), "authority": "issuing", "accept_new_root": None, "timeout": "30s"}


def test_all_that_is_revoked_is_no_rogue_however_many_there_are(options: dict[str, t.Any]) -> None:
    issuer = LocalIssuer(options)
    signed = issuer.begin([local.request() for _number in range(210)])
    issuer.revoke([encoded(one.parts["certificate"].content) for one in signed[:-1]], "superseded")
    (said,) = ask([{"local": options}], NOBODY, datetime.now(UTC))
    assert [one["fingerprint_sha256"] for one in said.rogue or ()] == [signed[-1].credential_id]


def test_an_issuer_that_is_named_twice_has_one_list(options: dict[str, t.Any]) -> None:
    LocalIssuer(options).begin([local.request()])
    (said,) = ask([{"local": options}, {"local": {**options, "timeout": "9s"}}], NOBODY, datetime.now(UTC))
    assert len(said.rogue or ()) == 1
    assert len({one["check"] for one in said.checks}) == len(said.checks) > 0


@pytest.mark.parametrize(("asked", "unsaid"), [
    (Asked("local", "local:a", (), ()), None),
    (Asked("acme", "acme:a", (), None), "it cannot list what it signed"),
    (Asked("openbao", None, (), None, "openbao: no answer"), "openbao: no answer"),
    (Asked("openbao", "openbao:a", (), (), None, ("openbao: pki has too many certificates",)), "has too many"),
])  # fmt: skip
def test_who_did_not_say_all_that_it_signed_is_told(asked: Asked, unsaid: str | None) -> None:
    assert (asked.unsaid or "None").find(str(unsaid)) >= 0
