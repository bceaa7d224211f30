# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A publisher that speaks to a server, while that server or the way to it fails.

Whatever happens is one sentence of the right kind, within the one deadline, without a credential or the private key,
and what stands there is the copy of one generation or of the other.
"""

from __future__ import annotations

import time
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import KeysteadError, Unavailable
from ansible_collections.keystead.identity.tests.harness import faulty_proxy as faulty
from ansible_collections.keystead.identity.tests.harness.front import MARGIN, TIMEOUT
from ansible_collections.keystead.identity.tests.harness.issuers import check_sentence
from ansible_collections.keystead.identity.tests.harness.publishers import OpenBaoKvWithKey, held, parts

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.publishers import Parts

pytestmark = [pytest.mark.one_core, pytest.mark.needs("openbao")]
BODY = parts()["private_key"].decode().splitlines()[1]
NO_ANSWER: dict[str, faulty.Fault] = {
    "hangs": faulty.hang,
    "drips": faulty.drip,
    "resets": faulty.reset,
    "cuts": faulty.cut,
    "says 500": faulty.says(500),
    "says 502 in HTML": faulty.says(502, "<html>\r\n<h1>Bad Gateway</h1></html>"),
    "says 503": faulty.says(503),
    "answers garbage": faulty.garbage,
    "answers a page": faulty.says(200, "<html>Please log in.</html>", Content_Type="text/html"),
    "answers deep nesting": faulty.says(200, "[" * 100_000),
}
LIES: dict[str, faulty.Fault] = {
    "a list": faulty.says(200, "[]"),
    "nothing": faulty.says(200, ""),
    "an empty object": faulty.says(200, {"data": {}}),
    "numbers": faulty.says(200, {"data": 7}),
    "numbers deeper down": faulty.says(200, {"data": {"data": 7, "metadata": 7}}),
    "an entry of numbers": faulty.says(200, {"data": {"data": {"private_key": 7, "keystead": 7}, "metadata": {}}}),
}


class Way(t.NamedTuple):
    """An entry, and the faulty way to it."""

    entry: Entry
    proxy: faulty.FaultyProxy

    def failing(self, what: t.Callable[[], object]) -> KeysteadError:
        """Return how something failed, in time and in a sentence that tells no secret."""
        begun = time.monotonic()
        with pytest.raises(KeysteadError) as failed:
            what()
        assert time.monotonic() - begun < 2 * TIMEOUT + MARGIN, failed.value
        check_sentence(failed.value, "openbao_kv", [self.entry.running.token, BODY, "PRIVATE KEY"])
        return failed.value


class Entry(OpenBaoKvWithKey):
    """An entry that a task reaches by another way than its tests."""

    through = ""

    def options(self) -> dict[str, t.Any]:
        """Return what a task says."""
        return {**super().options(), "url": self.through, "timeout": f"{TIMEOUT:.0f}s"}


@pytest.fixture
def way(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Way]:
    server = request.getfixturevalue("openbao")
    entry = Entry(tmp_path, server)
    with faulty.before(server.url, server.ca_bundle, server.authority) as proxy:
        entry.through = proxy.url
        yield Way(entry, proxy)


@pytest.fixture
def made(way: Way) -> Parts:
    """Return the parts of a generation that is there."""
    there = parts()
    way.entry.publisher().write(there)
    return there


@pytest.mark.parametrize("name", NO_ANSWER)
def test_what_gives_no_answer_is_out_of_service_and_loses_nothing(way: Way, made: Parts, name: str) -> None:
    publisher, later = way.entry.publisher(), parts(1)
    way.proxy.fail(NO_ANSWER[name], "/data/")
    assert isinstance(way.failing(lambda: publisher.read(made)), Unavailable)
    assert isinstance(way.failing(lambda: publisher.write(later)), Unavailable)
    assert isinstance(way.failing(publisher.delete), Unavailable)
    way.proxy.heal()
    assert way.entry.seen() == held(b"".join(made.values()))
    way.entry.publisher().write(later)
    assert way.entry.seen() == held(b"".join(later.values()))


@pytest.mark.parametrize("name", NO_ANSWER)
def test_a_write_without_an_answer_leaves_one_generation_or_the_other(way: Way, made: Parts, name: str) -> None:
    later = parts(1)
    way.proxy.fail(NO_ANSWER[name], "POST ")
    assert isinstance(way.failing(lambda: way.entry.publisher().write(later)), Unavailable)
    assert way.entry.seen() in [held(b"".join(one.values())) for one in (made, later)]
    way.proxy.heal()
    way.entry.publisher().write(later)
    assert way.entry.publisher().read(later).state == "ok"


def test_a_write_whose_answer_got_lost_is_found_by_the_next_look(way: Way, made: Parts) -> None:
    later = parts(1)
    assert way.entry.publisher().read(made).state == "ok"
    way.proxy.fail(faulty.lose, "POST ", times=1)
    way.failing(lambda: way.entry.publisher().write(later))
    assert way.entry.publisher().read(later).state == "ok"
    assert way.entry.seen() == held(b"".join(later.values()))


@pytest.mark.parametrize("name", LIES)
def test_what_lies_is_never_taken_for_our_copy(way: Way, made: Parts, name: str) -> None:
    way.proxy.fail(LIES[name], "GET ")
    publisher = way.entry.publisher()
    try:
        assert publisher.read(made).state != "ok"
    except KeysteadError as error:
        check_sentence(error, "openbao_kv", [way.entry.running.token, BODY])
    way.failing(lambda: publisher.write(parts(1)))
    way.proxy.heal()
    assert way.entry.publisher().read(made).state in ("ok", "key")  # the latter where the write came through


@pytest.mark.parametrize("name", ["of another name", "expired", "of an unknown authority"])
def test_who_shows_a_wrong_certificate_hears_neither_token_nor_key(
    request: pytest.FixtureRequest, tmp_path: Path, name: str
) -> None:
    server = request.getfixturevalue("openbao")
    entry = Entry(tmp_path, server)
    with faulty.before(server.url, server.ca_bundle, server.authority, name) as proxy:
        entry.through = proxy.url
        Way(entry, proxy).failing(lambda: entry.publisher().write(parts()))
        assert (proxy.seen, proxy.trapped) == ([], [])


def test_a_redirect_to_a_place_without_tls_gets_nothing(way: Way) -> None:
    way.proxy.fail(faulty.redirect)
    way.failing(lambda: way.entry.publisher().write(parts()))
    assert way.proxy.trapped == []
