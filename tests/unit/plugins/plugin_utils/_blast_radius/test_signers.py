# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What an authority signed is below it; what its issuer signed with the key that followed is not."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.keys import spki_sha256
from ansible_collections.keystead.identity.plugins.module_utils._options.blast_radius import OPTIONS
from ansible_collections.keystead.identity.plugins.module_utils._options.common import COMMON
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.plugin_utils._blast_radius.answer import answer
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_ledger
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated
from ansible_collections.keystead.identity.tests.harness.brownfield import PEM, Authority
from ansible_collections.keystead.identity.tests.unit.plugins.plugin_utils._ledger.telling import (
    batch,
    intent,
    issued,
    outcome,
)
from cryptography.hazmat.primitives.asymmetric import ec

if t.TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.one_core

ONE_ID = "openbao:https://bao.example.org/pki"
OLD, NEW = Authority("Issuing"), Authority("Issuing")


def signed(url: str, name: str, authority: Authority, *, chain: bool) -> None:
    """Have a host get a certificate of an authority, from the one issuer that there is."""
    made = authority.sign(ec.generate_private_key(ec.SECP256R1()), name, (name,)).public_bytes(PEM).decode()
    above = authority.certificate.public_bytes(PEM).decode() if chain else ""
    answered = issued(1, name)._replace(certificate=made, chain=above, credential_id=name, issuer_dn="CN=Issuing")
    told = outcome(name, 1, name)
    ledger = open_ledger(url)
    ledger.intend(batch(name), [intent(name, 1, name)._replace(issuer_id=ONE_ID)])
    ledger.record(batch(name), [told._replace(changes=(answered, *told.changes[1:]))])
    ledger.close()


@pytest.mark.parametrize("chain", [True, False], ids=["with chains", "without"])
def test_what_was_signed_with_the_next_key_of_an_authority_is_not_touched(tmp_path: Path, *, chain: bool) -> None:
    url = f"sqlite:///{tmp_path}/ledger.sqlite"
    for name, authority in (("a", OLD), ("b", NEW), ("c", OLD), ("d", NEW)):
        signed(url, name, authority, chain=chain)
    ledger = open_ledger(url)
    ledger.intend(batch("e"), [intent("e", 1, "e")._replace(issuer_id=ONE_ID)])
    ledger.close()

    def touched(**said: t.Any) -> list[str]:
        args = validated({"ledger": url, **said}, spec(COMMON, OPTIONS), module="blast_radius")
        return sorted(one["name"] for one in answer(args, datetime.now(UTC))["affected"])

    said = {"authority": [OLD.certificate.public_bytes(PEM).decode()], "reason": "ca_compromise"}
    assert touched(**said) == ["a", "c", "e"], "who was asked and never answered may have signed with either key"
    if chain:
        assert touched(spki_sha256=[spki_sha256(OLD.key.public_key())]) == ["a", "c", "e"]
