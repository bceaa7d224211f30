# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What was revoked is looked for where clients look: a list that is not published there yet is said."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core import pki
from ansible_collections.keystead.identity.plugins.module_utils._options.cert_status import LOOKUP
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.plugin_utils._cert_status import WHO, tell
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.local import LocalIssuer
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated
from ansible_collections.keystead.identity.tests.harness.elsewhere import Lists, serving
from ansible_collections.keystead.identity.tests.harness.in_process import World, web
from ansible_collections.keystead.identity.tests.harness.local import authority, request
from ansible_collections.keystead.identity.tests.harness.revoking import Office

if t.TYPE_CHECKING:
    from pathlib import Path


class Copy(Lists):
    """Serves a copy of a list, or that itself."""

    content_of: Path | None = None

    @property
    def content(self) -> bytes:
        """Return what is served."""
        return self.content_of.read_bytes() if self.content_of else self.copied

    copied = b""


class Site:
    """An authority whose certificates name a list that is served from a copy, and two identities."""

    def __init__(self, directory: Path, lists: Copy) -> None:
        self.world, self.lists = World(directory), lists
        authority(self.world.authorities, "published", crl_url=lists.url)
        issuer = self.world.issuer("published")
        self.world.converge([web(), web(name="api")], issuer=issuer)
        self.office = Office(self.world.url, issuer)

    def publish(self) -> None:
        """Copy the list to where clients find it."""
        self.lists.copied = (self.world.authorities / "published" / "crl.pem").read_bytes()

    def revoke(self, name: str) -> dict[str, t.Any]:
        """Revoke what an identity has."""
        return self.office.run({"identity": name}, replaced_first=False, reason="superseded")


@pytest.fixture
def site(tmp_path: Path) -> t.Iterator[Site]:
    with serving(Copy()) as lists:
        yield Site(tmp_path, lists)


def unseen(done: dict[str, t.Any]) -> list[str]:
    """Return what is said of clients; the revocation itself went well."""
    assert not done.get("failed"), done
    assert [one["status"] for one in done["certificates"]] == ["revoked"]
    return [one for one in done.get("warnings", ()) if "what clients ask" in one]


def test_a_list_that_clients_find_and_that_is_older_is_said(site: Site) -> None:
    site.publish()
    (warning,) = unseen(site.revoke("web"))
    assert warning.startswith("cert_revoke: local:published:")
    assert " has revoked them, and what clients ask does not say so yet: certificate " in warning
    assert "of web on web1.example.org, generation 1 is good by crl of 20" in warning
    assert warning.endswith("; see that its list is published there, and its responder answers")


def test_a_place_that_does_not_answer_is_said(site: Site) -> None:
    site.lists.status = 404
    (warning,) = unseen(site.revoke("web"))
    assert f"{site.lists.url} say nothing that holds now" in warning


def test_what_clients_see_is_not_mentioned(site: Site) -> None:
    site.lists.content_of = site.world.authorities / "published" / "crl.pem"
    assert not unseen(site.revoke("web"))
    assert site.lists.asked == 1


def test_nobody_is_asked_where_nothing_was_revoked(site: Site) -> None:
    shown = site.office.run({"identity": "web"}, check=True, replaced_first=False)
    assert (shown["changed"], site.lists.asked) == (True, 0)
    assert unseen(site.revoke("web"))
    asked = site.lists.asked
    assert not unseen(site.revoke("web"))
    assert site.lists.asked == asked, "it was revoked before"


def told(site: Site, term: str, **said: t.Any) -> tuple[str, str | None, str | None]:
    """Return how a certificate stands for its clients, who says so, and why nobody else does."""
    given = validated({"check_status": "published", "part": "record", **said}, spec(LOOKUP), module=WHO)
    ledger = {"ledger": site.world.url, "ledger_password": None, "ledger_password_file": None}
    (found,) = tell(ledger, [term], given, site.world.host)
    assert isinstance(found, dict)
    return found["status"], found["source"], found["why"]


def test_who_asks_as_clients_do_is_told_what_they_are_and_not_what_the_ledger_has(site: Site) -> None:
    assert unseen(site.revoke("api")), "there is no list before"
    site.publish()
    asked = {"issuers": [site.office.issuer]}
    assert told(site, "web", **asked) == ("good", "crl", None)
    site.revoke("web")
    assert told(site, "web", **asked) == ("good", "crl", None)
    assert told(site, "web", check_status="live", **asked) == ("revoked", "ledger", None)
    site.lists.status = 404
    nothing = f"{site.lists.url} say nothing that holds now"
    assert told(site, "web", **asked) == ("revoked", "issuer", nothing)
    who = site.world.remembered("web").issuer_id
    unknown = f"the certificate that signed it is not known here; name {who}, which signed it, in issuers"
    assert told(site, "web") == ("unknown", None, unknown)
    site.lists.status = 200
    site.publish()
    assert told(site, "web", **asked) == ("revoked", "crl", None)


def test_a_stranger_is_asked_about_by_its_certificate_and_not_by_its_number(site: Site) -> None:
    (issuer,) = site.office.issuer.values()
    stray: t.Any = LocalIssuer(issuer).begin([request()])[0]
    pem = stray.parts["certificate"].content.decode()
    (done,) = site.office.run({"pem": pem}, reason="superseded")["certificates"]
    site.publish()
    assert done["identity"] is None
    why = "the ledger has its number alone; give the certificate itself, by its path or as PEM"
    assert told(site, done["fingerprint_sha256"]) == ("unknown", None, why)
    root = (site.world.authorities / "published" / "certificate.pem").read_text()
    assert told(site, pem + root) == ("revoked", "crl", None)
    assert pki.fingerprint(pki.der_certificates(pem.encode())[0]) == done["fingerprint_sha256"]
