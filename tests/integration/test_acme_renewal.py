# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Renewal information (RFC 9773) and profiles: a real Pebble behind a front that gives it what it lacks."""

from __future__ import annotations

import datetime as dt
import sqlite3
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._acme.renewal import chosen, identifier
from ansible_collections.keystead.identity.tests.harness import acme_front
from ansible_collections.keystead.identity.tests.harness import local as make
from ansible_collections.keystead.identity.tests.harness.acme import Backend
from ansible_collections.keystead.identity.tests.harness.in_process import World, reason, steps, web
from ansible_collections.keystead.identity.tests.harness.issuers import Made, der, settled
from cryptography.hazmat.primitives.serialization import Encoding

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.acme_front import AcmeFront
    from ansible_collections.keystead.identity.tests.harness.pebble import Pebbles

pytestmark = [pytest.mark.needs("pebble", "curl"), pytest.mark.one_core]
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


@pytest.fixture
def backend(pebbles: Pebbles, tmp_path: Path) -> Backend:
    return Backend(tmp_path, pebbles)


@pytest.fixture
def front(backend: Backend) -> t.Iterator[AcmeFront]:
    with acme_front.before(backend.upstream) as found:
        yield found


class Site(t.NamedTuple):
    """A host whose identity is certified through the front."""

    world: World
    front: AcmeFront
    options: dict[str, t.Any]

    def run(self, *, check: bool = False, **said: t.Any) -> dict[str, t.Any]:
        """Run the task."""
        identity = web(profile="tls_peer", **said)
        result = self.world.converge([identity], issuer={"acme": self.options}, check=check)
        assert not result.get("failed"), result["msg"]
        return t.cast("dict[str, t.Any]", result["identities"][0])

    def name(self) -> str:
        """Return what names the certificate of the host."""
        return str(identifier(self.world.certificate().public_bytes(Encoding.DER)))

    def later(self) -> None:
        """Let the time pass after which the server may be asked."""
        with sqlite3.connect(self.world.ledger) as connection:
            connection.execute("UPDATE generations SET ask_again = '2026-01-01T00:00:00.000Z'")
        connection.close()


@pytest.fixture
def site(tmp_path: Path, front: AcmeFront, backend: Backend) -> Site:
    found = Site(World(tmp_path / "world"), front, backend.options(directory_url=f"{front.url}/dir"))
    found.run()
    return found


def window(begins: dt.timedelta, ends: dt.timedelta) -> tuple[dt.datetime, dt.datetime]:
    return make.now() + begins, make.now() + ends


def test_what_was_just_issued_is_not_asked_for(site: Site) -> None:
    assert steps(site.run()) == []
    assert site.front.asked == []


def test_a_window_that_is_over_renews_at_once_and_names_what_is_replaced(site: Site) -> None:
    old = site.name()
    site.front.windows[old] = window(-2 * DAY, -DAY)
    site.later()
    foreseen = site.run(check=True)
    assert reason(foreseen).startswith("its issuer wants it renewed since ")
    done = site.run()
    assert steps(done) == steps(foreseen)
    assert done["changed"]
    assert site.front.orders[-1]["replaces"] == old
    assert site.name() != old
    assert steps(site.run()) == []


def test_a_window_that_is_ahead_renews_nothing_and_is_kept(site: Site) -> None:
    site.front.windows[""] = window(10 * DAY, 11 * DAY)
    site.later()
    for _turn in range(3):
        assert steps(site.run()) == []
    assert len(site.front.asked) == 1
    known = site.world.remembered()
    assert known.renew_at
    assert 10 * DAY - HOUR < known.renew_at - make.now() < 11 * DAY + HOUR
    assert known.ask_again
    assert 5 * HOUR < known.ask_again - make.now() < 7 * HOUR


def test_it_is_asked_again_when_the_server_said_and_then_hears_of_a_change(site: Site) -> None:
    site.front.windows[""] = window(10 * DAY, 11 * DAY)
    site.later()
    site.run()
    site.front.windows[""] = window(-2 * HOUR, -HOUR)
    assert steps(site.run()) == []
    site.later()
    assert "issue" in steps(site.run())


@pytest.mark.parametrize("said", ["0", "999999999", "never", "Sun, 06 Nov 1994 08:49:37 GMT"])
def test_a_server_cannot_be_asked_without_end_or_never_again(site: Site, said: str) -> None:
    site.front.windows[""], site.front.retry_after = window(10 * DAY, 11 * DAY), said
    site.later()
    site.run()
    known = site.world.remembered()
    assert known.ask_again
    assert dt.timedelta(0) < known.ask_again - make.now() <= DAY


def test_a_server_that_does_not_answer_it_changes_nothing(site: Site) -> None:
    site.later()
    assert steps(site.run()) == []  # 404
    for wrong in (window(DAY, DAY - HOUR), window(DAY, DAY)):
        site.front.windows[""] = wrong
        site.later()
        assert steps(site.run()) == []
    assert len(site.front.asked) == 3


@pytest.mark.parametrize("silent", [0, 1])
def test_a_certificate_that_the_server_says_nothing_of_silences_none_of_its_siblings(site: Site, silent: int) -> None:
    both = [web(name=name, dns_names=[f"{name}.example.org"], profile="tls_peer") for name in ("one", "two")]
    issuer = {"acme": site.options}
    site.world.settled(both, issuer=issuer)
    told = both[1 - silent]["name"]
    name = identifier(site.world.certificate(told).public_bytes(Encoding.DER))
    site.front.windows[str(name)] = window(-2 * HOUR, -HOUR)
    site.later()
    result = site.world.converge(both, issuer=issuer)
    assert not result.get("failed"), result["msg"]
    assert [record["changed"] for record in result["identities"]] == [one["name"] == told for one in both]
    asked = len(site.front.asked)
    assert asked == 2
    site.world.settled(both, issuer=issuer)
    assert len(site.front.asked) == asked, "the other one is asked for again after some hours"


@pytest.mark.parametrize(("status", "asked"), [(503, 1), (429, 1), (400, 2)])
def test_a_server_that_is_down_or_busy_is_asked_for_one_certificate_a_run(
    site: Site, status: int, asked: int
) -> None:
    both = [web(name=name, dns_names=[f"{name}.example.org"], profile="tls_peer") for name in ("one", "two")]
    site.world.settled(both, issuer={"acme": site.options})
    site.later()
    site.front.without = status
    result = site.world.converge(both, issuer={"acme": site.options})
    assert not result["changed"]
    assert not result.get("failed")
    assert len(site.front.asked) == asked


def test_a_certificate_of_before_is_not_renewed_for_the_window_of_another(site: Site) -> None:
    site.front.windows[""] = window(-2 * HOUR, -HOUR)
    site.later()
    assert "issue" in steps(site.run())
    assert steps(site.run()) == []


def test_a_replacement_that_is_refused_is_ordered_without_it(site: Site) -> None:
    site.front.refused["replaces"] = "alreadyReplaced"
    done = site.run(lifetime="10d")
    assert "issue" in steps(done)
    assert ["replaces" in order for order in site.front.orders[-2:]] == [True, False]


def test_the_time_in_a_window_is_the_same_for_all_and_uniform_over_certificates() -> None:
    start = make.now()
    times = [chosen(start, start + DAY, f"aki.{number}") for number in range(1000)]
    assert times == [chosen(start, start + DAY, f"aki.{number}") for number in range(1000)]
    fractions = sorted((one - start) / DAY for one in times)
    assert all(0 <= one < 1 for one in fractions)
    assert max(abs(one - number / 1000) for number, one in enumerate(fractions)) < 0.06  # Kolmogorov-Smirnov, 0.1 %


def test_a_certificate_is_named_as_the_standard_and_its_library_do(site: Site) -> None:
    from acme.client import _renewal_info_path_component

    certificate = site.world.certificate()
    assert site.name() == _renewal_info_path_component(certificate)


def test_a_profile_that_the_server_has_is_asked_for(front: AcmeFront, backend: Backend) -> None:
    made = Made("acme", backend)
    options = {**backend.options(directory_url=f"{front.url}/dir"), "profile": "short"}
    (generation,) = settled(made.issuer(options), made.request())
    assert der(generation)
    assert front.orders[-1]["profile"] == "short"


def test_a_server_that_takes_no_wish_about_the_life_is_asked_without(front: AcmeFront, backend: Backend) -> None:
    front.refused["notAfter"] = "malformed"
    made = Made("acme", backend)
    issuer = made.issuer(backend.options(directory_url=f"{front.url}/dir"))
    settled(issuer, made.request(), made.request(number=1))
    assert ["notAfter" in order for order in front.orders] == [True, False, False]
