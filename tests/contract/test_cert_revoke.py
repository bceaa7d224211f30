# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What cert_revoke does with every issuer in the registry, over its real backend; facts.py says in what they differ."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.pki import fingerprint, pem_certificate
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.facts import FACTS
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.registry import ISSUERS
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_ledger
from ansible_collections.keystead.identity.tests.harness import local as make
from ansible_collections.keystead.identity.tests.harness.issuers import Made, der, settled
from ansible_collections.keystead.identity.tests.harness.revoking import Office

if t.TYPE_CHECKING:
    from pathlib import Path

LATER, NEVER = "its list tells of a revocation only when it is written anew", "cannot be asked whether"


@pytest.fixture
def office(made: Made, tmp_path: Path) -> Office:
    """Return an office with a ledger that knows nothing yet."""
    url = f"sqlite:///{tmp_path}/ledger.sqlite"
    open_ledger(url).close()
    return Office(url, {made.name: made.backend.options()})


def pem(certificate: bytes) -> str:
    return pem_certificate(certificate).decode()


def test_a_certificate_is_revoked_once_and_what_the_issuer_keeps_and_tells_is_said(made: Made, office: Office) -> None:
    facts = FACTS[made.name]
    (generation,) = settled(made.issuer(), made.request())
    certificate = der(generation)
    if not facts.revokes:
        assert "nobody here can revoke it" in office.refusal({"pem": pem(certificate)})
        named = office.refusal({"pem": pem(certificate), "issuer": made.issuer().id})
        assert "cannot revoke" in named
        return
    done = office.settled({"pem": pem(certificate)}, reason="superseded")
    (record,) = done["certificates"]
    assert (record["status"], record["changed"], record["issuer_id"]) == ("revoked", True, made.issuer().id)
    assert record["reason"] == ("superseded" if facts.keeps_reasons else "unspecified")
    warned = " ".join(done.get("warnings", []))
    assert ("keeps no reason" in warned) == (not facts.keeps_reasons)
    assert (LATER in warned) == facts.tells_status_later
    assert (NEVER in warned) == (not facts.tells_status)
    if not facts.tells_status:
        assert made.backend.revoked(certificate) == "superseded"


def test_several_are_revoked_together_and_none_of_them_twice(made: Made, office: Office) -> None:
    if not FACTS[made.name].revokes:
        assert made.name not in {name for name in ISSUERS if FACTS[name].revokes}
        return
    made_now = [der(one) for one in settled(made.issuer(), *(made.request(number=number) for number in range(3)))]
    first = office.settled({"pem": pem(made_now[0])})
    every = office.settled(*({"pem": pem(one)} for one in made_now), expect=3)
    assert [one["changed"] for one in every["certificates"]] == [False, True, True]
    assert every["certificates"][0] == {**first["certificates"][0], "changed": False}
    assert [one["fingerprint_sha256"] for one in every["certificates"]] == [fingerprint(one) for one in made_now]


def test_a_certificate_of_another_authority_is_revoked_nowhere(
    made: Made, office: Office, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = make.two_tiers(tmp_path_factory.mktemp("elsewhere"))
    (stranger,) = settled(ISSUERS["local"](elsewhere), made.request())
    facts = FACTS[made.name]
    if not facts.revokes or (facts.tells_status and not facts.tells_status_later):  # it is known before it is asked
        assert office.refusal({"pem": pem(der(stranger))}).startswith("cert_revoke: certificate ")
    else:
        done = office.run({"pem": pem(der(stranger))})
        assert (done["failed"], done["changed"]) == (True, False)
    if FACTS[made.name].lists:
        assert "the ledger knows no such certificate" in office.refusal({"serial_number": "4a:0b:9c"})
