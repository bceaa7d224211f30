# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What nobody here can revoke is no step of cert_revoke: whoever signed it is told."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._options.blast_radius import OPTIONS
from ansible_collections.keystead.identity.plugins.module_utils._options.common import COMMON
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.plugin_utils._blast_radius.answer import answer
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_ledger
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated
from ansible_collections.keystead.identity.tests.unit.plugins.plugin_utils._ledger.telling import (
    batch,
    intent,
    issued,
    key_of,
    outcome,
)

if t.TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.one_core

OURS, FOREIGN = "CN=Issuing", "CN=Old Corp CA"


class Site:
    """A ledger in which each identity has one certificate, of the issuer that it is named with."""

    def __init__(self, directory: Path) -> None:
        self.url = f"sqlite:///{directory}/ledger.sqlite"

    def had(self, name: str, issuer_id: str, by: str = OURS, number: int = 1, kind: str = "x509") -> None:
        """Have an identity get a certificate, on the host that is named as it is."""
        ledger = open_ledger(self.url)
        key = f"{key_of(name)} {number}"
        ledger.intend(batch(name), [intent(name, number, key)._replace(issuer_id=issuer_id, kind=kind)])
        told, signed = outcome(name, number, key), issued(number, key)._replace(credential_id=key, issuer_dn=by)
        ledger.record(batch(name), [told._replace(changes=(signed, *told.changes[1:]))])
        ledger.close()

    def asked(self, **said: t.Any) -> dict[str, t.Any]:
        """Ask what all of it needs."""
        args = {"ledger": self.url, "service": ["shop"], "reason": "superseded", **said}
        return answer(validated(args, spec(COMMON, OPTIONS), module="blast_radius"), datetime.now(UTC))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def done_about(found: dict[str, t.Any]) -> dict[str, tuple[str, ...]]:
    """Return what is done about each."""
    return {one["name"]: tuple(act["action"] for act in one["actions"]) for one in found["affected"]}


def test_whoever_signed_is_told_of_what_nobody_here_can_revoke(site: Site) -> None:
    site.had("ours", "local:/srv/ca/issuing")
    site.had("lost", f"adopted:{FOREIGN}", FOREIGN)
    site.had("seen", f"observed:{FOREIGN}", FOREIGN)
    site.had("enrolled", "est:https://est.example.org", "CN=EST")
    site.had("login", "openbao_ssh:https://bao.example.org/ssh", kind="ssh_host")
    found = site.asked()
    told = dict.fromkeys(("lost", "seen", "enrolled", "login"), ("replace", "tell"))
    assert done_about(found) == {"ours": ("replace", "revoke"), **told}
    *_replacing, revoke, tell = found["actions"]
    assert (revoke["action"], len(revoke["certificates"])) == ("revoke", 1)
    assert tell["issuers"] == [FOREIGN, "est:https://est.example.org", "openbao_ssh:https://bao.example.org/ssh"]
    assert sorted(tell["identities"]) == ["enrolled on enrolled", "login on login", "lost on lost", "seen on seen"]
    said = {one["name"]: one["solution"].partition("; then ")[2] for one in found["affected"]}
    assert said["lost"].endswith(f"revoked by {FOREIGN}: nobody here can revoke it.")
    assert said["login"].startswith("have clients refuse it by RevokedHostKeys, and tell openbao_ssh:")


def test_what_nobody_uses_and_nobody_here_can_revoke_is_told_before_anything_is_replaced(site: Site) -> None:
    site.had("ours", "local:/srv/ca/issuing")
    site.had("gone", "scep:https://scep.example.org", "CN=SCEP")
    site.had("gone", "local:/srv/ca/issuing", number=2)
    ledger = open_ledger(site.url)
    ledger.intend(batch(), [intent("asked")._replace(issuer_id="est:https://est.example.org")])
    ledger.close()
    found = site.asked(issued_before="2090-01-01T00:00:00Z")
    tell, *rest = found["actions"]
    assert tell["issuers"] == ["est:https://est.example.org", "scep:https://scep.example.org"]
    assert [one["action"] for one in rest] == ["replace", "replace", "revoke"]
    solutions = {one["name"]: one["solution"] for one in found["affected"] if not one["exposure"]["in_use"]}
    assert solutions["asked"].endswith("has signed it: ask there, and have it revoked, since nobody here can.")
    assert solutions["gone"].startswith("Nobody here can revoke it: have serial number ")


def test_what_was_adopted_of_an_authority_of_ours_is_revoked_as_everything_else(site: Site) -> None:
    site.had("ours", "local:/srv/ca/issuing")
    site.had("copy", f"adopted:{OURS}")
    assert done_about(site.asked()) == dict.fromkeys(("ours", "copy"), ("replace", "revoke"))
