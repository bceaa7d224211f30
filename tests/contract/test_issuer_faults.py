# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Every issuer that speaks to a server, while that server or the way to it fails.

Whatever happens is one sentence of the right kind, within the one deadline, and without a credential.
"""

from __future__ import annotations

import re
import time
import typing as t

import pytest
import trustme
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import (
    Denied,
    KeysteadError,
    Misconfigured,
    Pending,
    Unavailable,
)
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Generation
from ansible_collections.keystead.identity.plugins.module_utils._core.ports import Lister, Revoker, Unknown
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.facts import FACTS
from ansible_collections.keystead.identity.tests.harness import faulty_proxy as faulty
from ansible_collections.keystead.identity.tests.harness import local as make
from ansible_collections.keystead.identity.tests.harness.front import MARGIN, TIMEOUT, Front
from ansible_collections.keystead.identity.tests.harness.issuers import (
    Made,
    ServerBackend,
    answers,
    check_sentence,
    der,
    leaf,
    refusal,
    settled,
)

if t.TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.one_core
REMEDY = (Denied, Misconfigured)
UNREADABLE: dict[str, faulty.Fault] = {
    "garbage": faulty.garbage,
    "a page": faulty.says(200, "<html>Please log in.</html>", Content_Type="text/html"),
    "nothing": faulty.says(200, ""),
    "a list": faulty.says(200, "[]"),
    "an empty object": faulty.says(200, {"data": {}}),
    "numbers": faulty.says(200, {"data": 7, "auth": 7}),
    "numbers deeper down": faulty.says(
        200,
        {
            "data": dict.fromkeys(("certificate", "ca_chain", "issuing_ca", "keys", "key_info", "revocation_time"), 7),
            "auth": {"client_token": 7, "lease_duration": "7"},
            "warnings": 7,
        },
    ),
    "lists of numbers": faulty.says(
        200,
        {
            "data": {"certificate": [7], "ca_chain": [7], "keys": [7], "key_info": [7]},
            "auth": {"client_token": "s.7", "lease_duration": -7, "renewable": 7},
            "warnings": [7],
        },
    ),
    "deep nesting": faulty.says(200, "[" * 100_000),
}
UNAVAILABLE: dict[str, faulty.Fault] = {
    "hangs": faulty.hang,
    "drips": faulty.drip,
    "resets": faulty.reset,
    "cuts": faulty.cut,
    "says 500": faulty.says(500),
    "says 502 in HTML": faulty.says(502, "<html>\r\n<h1>Bad Gateway</h1></html>"),
    "says 503": faulty.says(503),
    **{f"answers {what}": fault for what, fault in UNREADABLE.items()},
}


def backend_of(served: Made) -> ServerBackend:
    """Return the backend, which is a server."""
    return t.cast("ServerBackend", served.backend)


@pytest.mark.parametrize("fault", UNAVAILABLE)
@pytest.mark.parametrize("where", ["every request", "the request to sign"])
def test_a_server_that_does_not_answer_as_it_should_is_unavailable(front: Front, where: str, fault: str) -> None:
    front.proxy.fail(UNAVAILABLE[fault], front.backend.signs if where != "every request" else "")
    error, _said = front.refused()
    assert isinstance(error, Unavailable), repr(error)
    front.proxy.heal()
    assert settled(front.issuer(), front.made.request())


def test_a_server_that_shakes_no_hands_is_unavailable(front: Front) -> None:
    front.proxy.silent = True
    error, _said = front.refused()
    assert isinstance(error, Unavailable), repr(error)


def test_a_server_that_is_not_there_is_unavailable(served: Made) -> None:
    error = refusal(served.issuer(served.backend.unreachable()), served.request())
    assert isinstance(error, Unavailable), repr(error)
    check_sentence(error, served.name, served.backend.secrets)


def test_a_server_that_is_out_of_service_says_what_helps(front: Front) -> None:
    with front.backend.outage() as pattern:
        error, said = front.refused()
    assert isinstance(error, Unavailable), repr(error)
    assert re.search(pattern, said), said
    assert settled(front.issuer(), front.made.request())


def test_who_asks_too_often_is_told_when_to_come_again(front: Front) -> None:
    for when in ("", front.backend.signs):
        front.proxy.fail(faulty.says(429, Retry_After="7"), when)
        error, _said = front.refused()
        assert isinstance(error, Pending), repr(error)
        assert error.retry_after == 7


@pytest.mark.parametrize("header", ["", "soon", "-7", "9" * 400, "Sun, 06 Nov 1994 08:49:37 GMT"])
def test_what_cannot_be_waited_for_is_no_crash(front: Front, header: str) -> None:
    front.proxy.fail(faulty.says(429, Retry_After=header), front.backend.signs)
    error, _said = front.refused()
    assert isinstance(error, (Pending, Unavailable)), repr(error)
    assert 0 <= getattr(error, "retry_after", 0.0) <= 86400


@pytest.mark.parametrize("where", ["every request", "the request to sign"])
def test_what_is_forbidden_is_denied_with_the_remedy(front: Front, where: str) -> None:
    front.proxy.fail(faulty.says(403), front.backend.signs if where != "every request" else "")
    error, said = front.refused()
    assert isinstance(error, Denied), repr(error)
    assert ";" in said, f"no remedy: {said}"


@pytest.mark.parametrize("where", ["every request", "the request to sign"])
def test_what_is_not_found_has_a_remedy(front: Front, where: str) -> None:
    front.proxy.fail(faulty.says(404), front.backend.signs if where != "every request" else "")
    error, said = front.refused()
    assert isinstance(error, REMEDY), repr(error)
    assert re.search("; .*(correct|check) ", said), said


def test_what_a_server_says_cannot_write_to_the_terminal_or_fill_it(front: Front) -> None:
    said = {"errors": ["\x1b]0;owned\x07\nsecond line", "x" * 100_000]}
    front.proxy.fail(faulty.says(400, said), front.backend.signs)
    error, _said = front.refused()
    assert isinstance(error, (*REMEDY, Unavailable)), repr(error)


def test_a_credential_that_a_server_repeats_is_not_shown(front: Front) -> None:
    (secret, *_others) = front.backend.secrets
    front.proxy.fail(faulty.says(400, {"errors": [f"I do not like {secret}"]}))
    error, _said = front.refused()
    assert isinstance(error, (*REMEDY, Unavailable)), repr(error)


def test_nobody_follows_to_a_place_without_tls(front: Front) -> None:
    for when in ("", front.backend.signs):
        front.proxy.fail(faulty.redirect, when)
        error, said = front.refused()
        assert isinstance(error, (*REMEDY, Unavailable)), repr(error)
        assert "not followed" in said, said
    assert front.proxy.trapped == []


def test_a_url_without_tls_is_refused_before_anything_is_sent(served: Made) -> None:
    backend = backend_of(served)
    with faulty.before(*backend.upstream, tls=False) as proxy:
        with pytest.raises(Misconfigured) as refused:
            raise refusal(served.issuer(backend.through(proxy.url)), served.request())
        assert re.search("https", check_sentence(refused.value, served.name, backend.secrets))
        assert proxy.seen == []


@pytest.mark.parametrize("certificate", sorted(set(faulty.CERTIFICATES) - {"good"}))
def test_a_certificate_that_does_not_fit_is_refused_with_the_remedy(served: Made, certificate: str) -> None:
    backend = backend_of(served)
    with faulty.before(*backend.upstream, certificate) as proxy:
        error, said = Front(served, proxy).refused()
        assert isinstance(error, REMEDY), repr(error)
        assert re.search("certificate.*;", said), said
        assert proxy.seen == []


def test_no_variable_of_the_environment_turns_the_verification_off(
    served: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend, rogue = backend_of(served), trustme.CA()
    rogue.cert_pem.write_to_path(str(tmp_path / "rogue.pem"))
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "VAULT_CACERT", "BAO_CACERT"):
        monkeypatch.setenv(name, str(tmp_path / "rogue.pem"))
    for name in ("VAULT_SKIP_VERIFY", "BAO_SKIP_VERIFY"):
        monkeypatch.setenv(name, "true")
    monkeypatch.setenv("PYTHONHTTPSVERIFY", "0")
    upstream = backend.upstream
    with faulty.before(upstream.url, upstream.ca_bundle, rogue) as proxy:
        error, _said = Front(served, proxy).refused()
        assert isinstance(error, REMEDY), repr(error)
        assert proxy.seen == []


ASKED = {
    **{name: UNAVAILABLE[name] for name in ("resets", "cuts", "hangs", "says 500")},
    "says 403": faulty.says(403),
    **UNREADABLE,
}


def _raised(answer: t.Any) -> t.Any:
    """Return an answer, and raise one that is an error."""
    if isinstance(answer, KeysteadError):
        raise answer
    return answer


@pytest.mark.parametrize("name", ASKED)
def test_what_cannot_be_asked_is_not_taken_for_an_answer(front: Front, name: str) -> None:
    begun = make.now()
    (generation,) = settled(front.issuer(), front.made.request())
    front.proxy.fail(ASKED[name])
    asked: list[t.Callable[[], t.Any]] = [lambda: front.issuer().roots()] if FACTS[front.made.name].names_roots else []
    if isinstance(front.issuer(), Revoker):
        asked += [lambda: front.issuer().status(der(generation))] if FACTS[front.made.name].tells_status else []
        asked.append(lambda: _raised(*front.issuer().revoke([der(generation)], "superseded")))
    if isinstance(front.issuer(), Lister):
        asked.append(lambda: list(front.issuer().issued(begun)))
    for ask in asked:
        since = time.monotonic()
        with pytest.raises((Denied, Unavailable)) as refused:
            ask()
        assert time.monotonic() - since < TIMEOUT + MARGIN
        check_sentence(refused.value, front.made.name, front.backend.secrets)
    assert front.issuer().id == front.issuer().id


def test_a_revocation_that_fails_is_told_and_can_be_done_again(front: Front) -> None:
    issuer = front.issuer()
    if not isinstance(issuer, Revoker):
        return  # its facts say so: test_a_power_is_there_as_the_facts_say
    (generation,) = settled(issuer, front.made.request())
    front.proxy.fail(faulty.lose, front.backend.revokes)
    try:
        (failed,) = issuer.revoke([der(generation)], "key_compromise")
    except KeysteadError as error:
        failed = error
    assert isinstance(failed, Unavailable), repr(failed)
    front.proxy.heal()
    if FACTS[front.made.name].tells_status_later:
        front.backend.publish()
    (first,) = front.issuer().revoke([der(generation)], "key_compromise")
    assert front.issuer().status(der(generation)) == (first if FACTS[front.made.name].tells_status else Unknown())


def test_an_answer_that_got_lost_is_not_asked_for_twice_and_is_found(front: Front) -> None:
    begun, issuer = make.now(), front.issuer()
    front.proxy.fail(faulty.lose, front.backend.signs, times=1)
    if FACTS[front.made.name].answers_later:
        (order,) = issuer.begin([front.made.request()])
        (failed,) = issuer.finish([order])
        assert isinstance(failed, Unavailable), repr(failed)
        (found,) = front.issuer().finish([order])
        assert isinstance(found, Generation), repr(found)
        assert found.public_id == front.made.public_id()
        assert sum(front.backend.signs in one for one in front.proxy.seen) == 1
        return
    if FACTS[front.made.name].same_again:  # then the client asks again by itself
        (generation,) = settled(issuer, front.made.request())
        assert front.backend.signed() == [f"{leaf(generation).serial_number:x}"]
        return
    error = refusal(issuer, front.made.request())
    assert isinstance(error, Unavailable), repr(error)
    assert sum(front.backend.signs in one for one in front.proxy.seen) == 1
    if isinstance(issuer, Lister):
        (record,) = front.issuer().issued(begun)
        assert record.public_id == front.made.public_id()


def test_what_was_signed_before_a_fault_stays_signed(front: Front) -> None:
    issuer, asked = front.issuer(), [front.made.request(number=number) for number in range(3)]
    front.proxy.fail(faulty.after(1, faulty.says(500)), front.backend.signs)
    granted, *refused = answers(issuer, *asked)
    assert isinstance(granted, Generation), repr(granted)
    assert [type(one) for one in refused] == [Unavailable] * 2
