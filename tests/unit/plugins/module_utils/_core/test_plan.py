# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""What is decided, by tables: a sentence, what is wanted, what was found, and the steps."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.adopted import differences, once_adopted
from ansible_collections.keystead.identity.plugins.module_utils._core.checks import Look
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.module_utils._core.model import (
    Activation,
    Adopt,
    Credential,
    Finding,
    Identity,
    Known,
    LinkState,
    Observed,
    Original,
    Proof,
    Rotation,
    Subject,
    X509Facts,
)
from ansible_collections.keystead.identity.plugins.module_utils._core.plan import decide, generation_to_be

NOW = datetime(2026, 6, 1, tzinfo=UTC)
SUBJECT = Subject(dns_names=("web.example.org",))
WEB = Identity("web", subject=SUBJECT, issuer_id="local:a")
TOLD = WEB._replace(activate=Activation(command=("true",)), prove=Proof(port=443))
THERE = Observed("web", generation=1, newest=1, issuer_id="local:a", certificate=b"c")
TWO = THERE._replace(generation=2, newest=2, others=(1,))
NOTHING = Observed("web")


def facts(**said: t.Any) -> X509Facts:
    plain = X509Facts(SUBJECT, "ecdsa-p256", 1, "CN=a", "", is_ca=False, usages=("server_auth",))
    return plain._replace(**said)


def credential(name: str = "c1", days: float = 25, **said: t.Any) -> Credential:
    return Credential(name, "k1", NOW - timedelta(days=5), NOW + timedelta(days=days), facts(**said))


def link(state: str, path: str = "/etc/web.pem") -> tuple[LinkState, ...]:
    return (LinkState(path, "fullchain", state),)


def steps(
    wanted: Identity,
    found: Observed,
    there: Credential | None = None,
    known: Known | None = None,
    other: Credential | None = None,
) -> list[tuple[str, ...]]:
    look = Look(wanted, found, there, known or Known(), NOW, other)
    return [tuple(filter(None, step)) for step in decide(look)]


def renewal(reason: str, number: int = 2, before: int = 1) -> list[tuple[str, ...]]:
    return [
        ("stage_key", reason),
        ("issue", reason),
        ("publish", f"generation {number} takes the place of {before}"),
        ("destroy", f"generation {before} is superseded", str(before)),
    ]


FIRST = [
    ("stage_key", "there is no credential yet"),
    ("issue", "there is no credential yet"),
    ("publish", "generation 1 is the first"),
]

REASONS = [
    ("a mismatched pair", THERE._replace(damage=(Finding("pair_mismatched", "private_key.pem"),)), credential(),
     "the private key does not fit the certificate"),
    ("a changed part", THERE._replace(damage=(Finding("part_changed", "chain.pem"),)), credential(),
     "chain.pem was changed on the host"),
    ("a missing part", THERE._replace(damage=(Finding("part_missing", "chain.pem"),)), credential(),
     "chain.pem is missing from the current generation"),
    ("an unreadable part", THERE._replace(damage=(Finding("unreadable", "private_key.pem", "it is junk"),)),
     credential(), "private_key.pem cannot be read: it is junk"),
    ("a finding of a newer host", THERE._replace(damage=(Finding("moon_phase", "chain.pem"),)), credential(),
     "chain.pem is not as it should be"),
    ("a certificate that nobody can read", THERE, None, "the certificate cannot be read"),
    ("another issuer", THERE._replace(issuer_id="local:b"), credential(),
     "the issuer changed from local:b to local:a"),
    ("a certificate that is due", THERE, credential(days=1), "it ends on 2026-06-02 00:00 and is due for renewal"),
    ("a certificate that ended", THERE, credential(days=-1), "it ended on 2026-05-31 00:00"),
    ("a shortened lifetime", THERE, credential(days=90),
     "it lives until 2026-08-30 00:00, longer than the declared lifetime"),
    ("a further name", THERE, credential(subject=Subject()), "names differ: web.example.org is new"),
    ("a dropped name", THERE, credential(subject=SUBJECT._replace(ip_addresses=("10.0.0.1",))),
     "names differ: IP 10.0.0.1 is no longer declared"),
    ("another common name", THERE, credential(subject=SUBJECT._replace(common_name="old")),
     "the common name is old, declared is none"),
    ("another key type", THERE, credential(key_type="rsa-2048"), "the key is rsa-2048, declared is ecdsa-p256"),
    ("another profile", THERE, credential(usages=("client_auth",)),
     "its extended key usages are client_auth, declared is tls_server"),
]  # fmt: skip


@pytest.mark.parametrize(("found", "there", "reason"), [row[1:] for row in REASONS], ids=[row[0] for row in REASONS])
def test_a_reason_to_replace_is_a_sentence(found: Observed, there: Credential | None, reason: str) -> None:
    assert steps(WEB, found, there) == renewal(reason)


CASES: list[tuple[str, Identity, Observed, Credential | None, Known, list[tuple[str, ...]]]] = [
    ("nothing is there", WEB, NOTHING, None, Known(), FIRST),
    ("all is well", WEB, THERE, credential(), Known(), []),
    ("the order of names is nobody's business",
     WEB._replace(subject=Subject(dns_names=("a", "b"))), THERE,
     credential(subject=Subject(dns_names=("b", "a"))), Known(), []),
    ("a lifetime that is shorter by less than an hour is no reason",
     WEB._replace(lifetime=25 * 86400 - 1800), THERE, credential(), Known(), []),
    ("it was revoked", WEB, THERE, credential(), Known(revoked=(("c1", "key_compromise"),), newest=1),
     renewal("it was revoked (key_compromise)")),
    ("its key is too old by the record", WEB, THERE, credential(),
     Known(rotation=Rotation(NOW, "k1", NOW - timedelta(days=9)), newest=1),
     renewal("its key is from 2026-05-23 00:00, and those from before 2026-06-01 00:00 are replaced")),
    ("its key is older than its certificate says", WEB, THERE, credential(),
     Known(rotation=Rotation(NOW - timedelta(days=6), "k1", NOW - timedelta(days=9)), newest=1),
     renewal("its key is from 2026-05-23 00:00, and those from before 2026-05-26 00:00 are replaced")),
    ("its key is young, whatever its certificate says", WEB, THERE, credential(),
     Known(rotation=Rotation(NOW - timedelta(days=2), "k1", NOW - timedelta(days=1))), []),
    ("the record is of another key, so its certificate counts", WEB, THERE, credential(),
     Known(rotation=Rotation(NOW - timedelta(days=2), "k0", NOW), newest=1),
     renewal("its key is from 2026-05-27 00:00, and those from before 2026-05-30 00:00 are replaced")),
    ("a key that this run made is young", WEB, THERE, credential(), Known(rotation=Rotation(NOW, young="k1")), []),
    ("a key of that very moment is not from before it", WEB, THERE, credential(),
     Known(rotation=Rotation(NOW, "k1", NOW)), []),
    ("its key is dated by a clock that was ahead", WEB, THERE, credential(),
     Known(rotation=Rotation(NOW - timedelta(days=2), "k1", NOW + timedelta(days=2)), newest=1),
     renewal("nobody knows when its key was made: it is dated 2026-06-03 00:00, which is to come")),
    ("an adopted key is too old", WEB, THERE._replace(issuer_id="adopted:CN=a"), credential(),
     Known(rotation=Rotation(NOW), newest=1),
     renewal("its key is from 2026-05-27 00:00, and those from before 2026-06-01 00:00 are replaced")),
    ("another one was revoked", WEB, THERE, credential(), Known(revoked=(("c0", "key_compromise"),)), []),
    ("the ledger gave out higher numbers", WEB, NOTHING, None, Known(newest=7),
     [*FIRST[:2], ("publish", "generation 8 is the first")]),
    ("a run was cut off before anything was there", WEB, NOTHING._replace(unfinished=True), None, Known(),
     [("stage_key", "an earlier run ended before there was a credential"),
      ("issue", "an earlier run ended before there was a credential"), FIRST[2]]),
    ("a run was cut off while it renewed", WEB, THERE._replace(unfinished=True), credential(), Known(),
     [("destroy", "an earlier run left an unfinished generation behind")]),
    ("mode and owner drifted", WEB,
     THERE._replace(drift=(Finding("mode", "private_key.pem", "0644, not 0600"), Finding("owner", "chain.pem", "7:7"),
                           Finding("selinux", "chain.pem", "user_t, not cert_t"))), credential(), Known(),
     [("publish", "the mode of private_key.pem is 0644, not 0600"), ("publish", "the owner of chain.pem is 7:7"),
      ("publish", "the SELinux type of chain.pem is user_t, not cert_t")]),
    ("a link is missing", TOLD, THERE._replace(links=link("missing")), credential(), Known(),
     [("link", "/etc/web.pem does not lead to fullchain yet", "/etc/web.pem"), ("activate", "a link changed"),
      ("prove", "a link changed")]),
    ("a link leads elsewhere", WEB, THERE._replace(links=link("elsewhere")), credential(), Known(),
     [("link", "/etc/web.pem leads elsewhere, not to fullchain", "/etc/web.pem")]),
    ("a file with the same bytes is replaced without a word to the consumer", TOLD,
     THERE._replace(links=link("same_bytes")), credential(), Known(),
     [("link", "/etc/web.pem is a file with the same bytes as fullchain", "/etc/web.pem")]),
    ("a file is replaced when that is said", TOLD, THERE._replace(links=link("file")), credential(), Known(),
     [("link", "/etc/web.pem is a file that fullchain replaces, as replace_files says", "/etc/web.pem"),
      ("activate", "a link changed"), ("prove", "a link changed")]),
    ("a link is in order", TOLD, THERE._replace(links=link("ok"), served="ok"), credential(), Known(), []),
    ("a link is no longer declared", WEB, THERE._replace(stale_links=("/old",)), credential(), Known(),
     [("withdraw", "/old is no longer declared", "/old")]),
    ("the first one is told to its consumer", TOLD, NOTHING, None, Known(),
     [*FIRST, ("activate", "generation 1 is new"), ("prove", "generation 1 is new")]),
    ("a completed activation is pending", TOLD, THERE._replace(pending=1), credential(), Known(),
     [("activate", "generation 1 is in place, but its consumer was not told or not proved"),
      ("prove", "generation 1 is in place, but its consumer was not told or not proved")]),
    ("something is pending and nobody is to be told any more", WEB, THERE._replace(pending=1), credential(), Known(),
     [("publish", "generation 1 is in place, but its consumer was not told or not proved")]),
    ("another certificate is served", TOLD, THERE._replace(served="it serves another one"), credential(), Known(),
     [("activate", "it serves another one"), ("prove", "it serves another one")]),
    ("superseded ones beyond those to keep are destroyed", WEB._replace(keep_generations=1),
     THERE._replace(generation=3, newest=3, others=(1, 2)), credential(), Known(),
     [("destroy", "generation 1 is superseded", "1")]),
    ("a renewal keeps what it is told to keep", WEB._replace(keep_generations=2), TWO, credential(days=1), Known(),
     renewal("it ends on 2026-06-02 00:00 and is due for renewal", 3, 2)[:-1]),
    ("a damaged one is never kept", WEB._replace(keep_generations=2),
     TWO._replace(damage=(Finding("part_changed", "chain.pem"),)), credential(), Known(),
     renewal("chain.pem was changed on the host", 3, 2)),
    ("absent, and nothing is there", WEB._replace(state="absent"), NOTHING, None, Known(), []),
    ("absent, nothing was ever there, and it is to be revoked", WEB._replace(state="absent"), NOTHING, None,
     Known(revoke="gone"), []),
    ("absent, and it is to be revoked", WEB._replace(state="absent"), THERE._replace(stale_links=("/l",)),
     credential(), Known(revoke="gone"),
     [("revoke", "gone"), ("destroy", "the identity is declared absent"),
      ("withdraw", "/l leads to an identity declared absent", "/l")]),
    ("absent, only the ledger knows it, and it is to be revoked", WEB._replace(state="absent"), NOTHING, None,
     Known(revoke="gone", newest=1), [("revoke", "gone")]),
    ("absent, gone from the host, and the ledger lists it", WEB._replace(state="absent"), NOTHING, None,
     Known(newest=1, listed=True), [("withdraw", "it is not on the host, and the ledger still lists it")]),
    ("absent, still there, and the ledger lists it", WEB._replace(state="absent"), THERE, credential(),
     Known(newest=1, listed=True), [("destroy", "the identity is declared absent")]),
    ("released, gone from the host, and the ledger lists it", WEB._replace(state="released"), NOTHING, None,
     Known(newest=1, listed=True), [("withdraw", "it is not on the host, and the ledger still lists it")]),
    ("present, and the ledger lists it", WEB, THERE, credential(), Known(newest=1, listed=True), []),
    ("absent, and a run left something unfinished", WEB._replace(state="absent"), NOTHING._replace(unfinished=True),
     None, Known(), [("destroy", "the identity is declared absent")]),
    ("released", WEB._replace(state="released"), THERE._replace(stale_links=("/l",)), credential(), Known(),
     [("release", "/l becomes a plain file", "/l"), ("release", "the identity is no longer managed")]),
    ("released, and nothing is there", WEB._replace(state="released"), NOTHING, None, Known(), []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "found", "there", "known", "expected"), [row[1:] for row in CASES], ids=[row[0] for row in CASES]
)
def test_it_is_decided(
    wanted: Identity,
    found: Observed,
    there: Credential | None,
    known: Known,
    expected: list[tuple[str, ...]],
) -> None:
    assert steps(wanted, found, there, known) == expected


BACK = TOLD._replace(generation="previous", keep_generations=1)


def test_the_previous_generation_is_published_and_told() -> None:
    assert steps(BACK, TWO, credential("c2"), other=credential("c1")) == [
        ("publish", "generation 1 is asked for", "1"),
        ("activate", "generation 1 is asked for"),
        ("prove", "generation 1 is asked for"),
    ]


def test_nothing_is_to_do_when_the_previous_generation_is_current() -> None:
    assert steps(BACK, TWO._replace(generation=1, others=(2,)), credential("c1")) == []


def test_links_and_drift_are_put_right_with_the_previous_generation_too() -> None:
    found = TWO._replace(
        generation=1, others=(2,), stale_links=("/old",), drift=(Finding("mode", "private_key.pem", "0644, not 0600"),)
    )
    assert steps(BACK, found, credential("c1")) == [
        ("publish", "the mode of private_key.pem is 0644, not 0600"),
        ("withdraw", "/old is no longer declared", "/old"),
    ]


def test_without_the_option_the_newest_generation_comes_back() -> None:
    wanted = WEB._replace(keep_generations=1)
    found = TWO._replace(generation=1, others=(2,))
    assert steps(wanted, found, credential("c1"), other=credential("c2")) == [
        ("publish", "generation 2 is the newest", "2")
    ]
    assert steps(WEB, found, credential("c1"), other=credential("c2")) == [
        ("publish", "generation 2 is the newest", "2"),
        ("destroy", "generation 1 is superseded", "1"),
    ]


@pytest.mark.parametrize("other", [None, credential("c2", days=-1), credential("c2", key_type="rsa-2048")])
def test_a_newest_generation_that_would_be_replaced_at_once_does_not_come_back(other: Credential | None) -> None:
    found = TWO._replace(generation=1, others=(2,))
    assert steps(WEB._replace(keep_generations=1), found, credential("c1"), other=other) == []


def test_a_newer_generation_does_not_come_back_while_an_activation_is_pending() -> None:
    found = TWO._replace(generation=1, others=(2,), pending=1)
    told = steps(TOLD._replace(keep_generations=1), found, credential("c1"), other=credential("c2"))
    assert [step[0] for step in told] == ["activate", "prove"]


@pytest.mark.parametrize(
    ("found", "there", "other", "known", "why"),
    [
        (THERE, credential(), None, Known(), "there is no previous generation on the host; remove the option"),
        (TWO, credential("c2"), credential(days=-1), Known(), "generation 1 cannot be used, it ended on 2026-05-31"),
        (TWO, credential("c2"), None, Known(), "generation 1 cannot be used, its certificate cannot be read"),
        (TWO, credential("c2"), credential(), Known(revoked=(("c1", "superseded"),)), "it was revoked .superseded."),
        (TWO._replace(generation=1, others=(2,)), credential(days=-1), None, Known(), "generation 1 cannot be used"),
    ],
)
def test_a_previous_generation_that_is_of_no_use_is_refused(
    found: Observed, there: Credential, other: Credential | None, known: Known, why: str
) -> None:
    with pytest.raises(Misconfigured, match=why):
        steps(BACK, found, there, known, other)


@pytest.mark.parametrize(
    ("option", "current", "others", "expected"),
    [
        (None, None, (), None),
        (None, 1, (), 1),
        (None, 1, (2, 3), 3),
        ("previous", 1, (), None),
        ("previous", 3, (1, 2), 2),
        ("previous", 2, (1, 3), 2),
    ],
)
def test_the_generation_to_be_is_the_newest_or_the_one_before(
    option: str | None, current: int | None, others: tuple[int, ...], expected: int | None
) -> None:
    assert generation_to_be(WEB._replace(generation=option), current, others) == expected


def test_a_reason_with_a_thousand_names_stays_short_and_printable() -> None:
    many = Subject(dns_names=tuple(f"\x1b[2Jh{number}" + "x" * 500 for number in range(1000)))
    (_stage, (_issue, reason), *_rest) = steps(WEB, THERE, credential(subject=many))
    assert len(reason) < 4096
    assert reason.isprintable()
    assert reason.endswith("and 993 more")


ADOPTING = WEB._replace(adopt=Adopt("/etc/web.pem", "/etc/web.key"))
ORIGINAL = NOTHING._replace(original=Original(b"c", credential()))
BECOMES = ("adopt", "/etc/web.pem and its key are on the host already and become generation 1", "1")
ADOPTED = THERE._replace(issuer_id="adopted:CN=Old Corp CA")
NOW_ADOPTING = ADOPTING._replace(adopt=Adopt("/etc/web.pem", "/etc/web.key", None, "now"))
FOREIGN: list[tuple[str, Identity, Observed, Credential | None, list[tuple[str, ...]]]] = [
    ("a pair is there", ADOPTING, ORIGINAL, None, [BECOMES]),
    ("no pair is there", ADOPTING, NOTHING, None, FIRST),
    ("nobody wants it", WEB, ORIGINAL, None, FIRST),
    ("its consumer is told nothing, and its links are made",
     ADOPTING._replace(activate=TOLD.activate, prove=TOLD.prove),
     ORIGINAL._replace(links=(*link("original"), *link("missing", "/etc/new.pem"))), None,
     [BECOMES, ("link", "/etc/web.pem is what was adopted, and fullchain takes its place", "/etc/web.pem"),
      ("link", "/etc/new.pem does not lead to fullchain yet", "/etc/new.pem")]),
    ("what an earlier run left goes", ADOPTING, ORIGINAL._replace(unfinished=True), None,
     [BECOMES, ("destroy", "an earlier run left an unfinished generation behind")]),
    ("once there is a generation, the pair is nobody's business", ADOPTING, THERE._replace(original=ORIGINAL.original),
     credential(), []),
    ("a link that was not made yet", TOLD, ADOPTED._replace(links=link("original")), credential(),
     [("link", "/etc/web.pem is what was adopted, and fullchain takes its place", "/etc/web.pem")]),
    ("another issuer, a long life, another key and further names wait", ADOPTING, ADOPTED,
     credential(days=300, key_type="rsa-2048", subject=SUBJECT._replace(dns_names=("web.example.org", "b"))), []),
    ("they wait without the option as well", WEB, ADOPTED, credential(days=300, usages=()), []),
    ("it is due", ADOPTING, ADOPTED, credential(days=1), renewal("it ends on 2026-06-02 00:00 and is due for renewal")),
    ("a declared name is missing", ADOPTING, ADOPTED, credential(subject=Subject(dns_names=("b",))),
     renewal("it lacks web.example.org")),
    ("a usage is missing", ADOPTING, ADOPTED, credential(usages=("client_auth",)),
     renewal("it lacks the extended key usage server_auth of tls_server")),
    ("no usage is every usage", ADOPTING, ADOPTED, credential(usages=()), []),
    ("it is damaged", ADOPTING, ADOPTED._replace(damage=(Finding("pair_mismatched", "private_key.pem"),)), credential(),
     renewal("the private key does not fit the certificate")),
    ("it is to go at once", NOW_ADOPTING, ADOPTED, credential(), renewal("it was adopted, and adopt.replace is now")),
    ("once it has gone, nothing more", NOW_ADOPTING, THERE, credential(), []),
    ("the renewed one is ours, and held to everything", ADOPTING, THERE, credential(days=90),
     renewal("it lives until 2026-08-30 00:00, longer than the declared lifetime")),
    ("it is observed", ADOPTING._replace(state="observed"), ORIGINAL, None, []),
    ("the store's own is observed", WEB._replace(state="observed"), THERE._replace(unfinished=True),
     credential(days=-9), []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "found", "there", "expected"), [row[1:] for row in FOREIGN], ids=[row[0] for row in FOREIGN]
)
def test_what_somebody_else_had_issued(
    wanted: Identity, found: Observed, there: Credential | None, expected: list[tuple[str, ...]]
) -> None:
    assert steps(wanted, found, there) == expected


def test_what_follows_an_adoption_is_known_before_it() -> None:
    wanted = NOW_ADOPTING._replace(files=NOW_ADOPTING.files._replace(links=()))
    then = once_adopted(Look(wanted, ORIGINAL._replace(links=link("original")), None, Known(newest=3), NOW))
    assert (then.found.generation, then.found.issuer_id) == (4, "adopted:CN=a")
    assert [step.action for step in decide(then)] == ["stage_key", "issue", "publish", "destroy"]
    assert differences(then._replace(wanted=WEB._replace(lifetime=86400))) == (
        "it lives until 2026-06-26 00:00, longer than the declared lifetime",
    )
    assert differences(then._replace(found=THERE)) == ()
    assert once_adopted(Look(WEB, THERE, None, Known(), NOW)).found == THERE


def test_what_its_issuer_may_have_revoked_is_replaced_unless_there_is_another_reason_to() -> None:
    doubted = Known(doubted="c1")
    assert steps(WEB, THERE, credential(), doubted) == renewal(
        "its issuer was asked to renew it, and may have revoked it"
    )
    assert steps(WEB, THERE, credential(subject=Subject()), doubted) == renewal(
        "names differ: web.example.org is new"
    )
    assert steps(WEB, THERE, credential("c2"), doubted) == []
    back = steps(WEB._replace(generation="previous"), TWO._replace(generation=1, others=(2,)), credential(), doubted)
    assert "issue" not in [action for action, *_why in back]
