# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What was revoked is looked for where clients look: a list that is not published there yet is said."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness.elsewhere import Lists, serving
from ansible_collections.keystead.identity.tests.harness.in_process import World, web
from ansible_collections.keystead.identity.tests.harness.local import authority
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
