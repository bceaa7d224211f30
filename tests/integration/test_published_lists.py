# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Lists that somebody else signs, that are about some reasons, or that are in two pieces: by HTTP, as users ask."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import KeysteadError
from ansible_collections.keystead.identity.plugins.module_utils._options.cert_status import LOOKUP
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.plugin_utils._cert_status import WHO, tell
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated
from ansible_collections.keystead.identity.tests.harness.elsewhere import serving
from ansible_collections.keystead.identity.tests.harness.in_process import HOST, World, web
from ansible_collections.keystead.identity.tests.harness.list_issuers import (
    Shelf,
    Signer,
    authority,
    leaf,
    point,
    revocations,
    scope,
    signed,
)
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

if t.TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

pytestmark = pytest.mark.one_core
R = x509.ReasonFlags
SOME = frozenset({R.key_compromise, R.ca_compromise})
OTHERS = frozenset(R) - SOME - {R.unspecified, R.remove_from_crl}
ROOT = authority("root")
OLD = authority("ca", ROOT)
NEW = authority("ca", ROOT)


@pytest.fixture
def shelf() -> t.Iterator[Shelf]:
    with serving(Shelf()) as server:
        yield server


def asked(chain: Sequence[Signer], *, roots: Sequence[Signer] = (), known: Sequence[Signer] = ()) -> str:
    """Return how the first certificate of a chain stands, of whoever can tell now."""
    return asked_together(chain, roots=roots, known=known)[0]


def asked_together(
    *chains: Sequence[Signer], roots: Sequence[Signer] = (), known: Sequence[Signer] = ()
) -> list[t.Any]:
    said = {"check_status": "live", "roots": [one.pem for one in roots], "crl_issuers": [one.pem for one in known]}
    ledger = {"ledger": None, "ledger_password": None, "ledger_password_file": None}
    terms = ["".join(one.pem for one in chain) for chain in chains]
    return tell(ledger, terms, validated(said, spec(LOOKUP), module=WHO), HOST)


# the issuer by another key


def test_after_a_rollover_the_list_of_the_new_key_counts_where_its_certificate_is_given(shelf: Shelf) -> None:
    one = leaf(OLD, point(shelf.at("1.crl")))
    for entries, expected in (((), "good"), (((one, None),), "revoked")):
        shelf.content["1.crl"] = revocations(NEW, *entries)
        assert asked([one, OLD], roots=[ROOT]) == "unknown", "nobody knows whose key that is"
        assert asked([one, OLD], roots=[ROOT], known=[NEW]) == expected
        assert asked([one, OLD, NEW], roots=[ROOT]) == expected, "it may stand in the file as well"
        assert asked([one, OLD, ROOT], known=[NEW]) == "unknown", "nobody said that this root counts"


def test_a_successor_that_the_old_key_certified_needs_no_root(shelf: Shelf) -> None:
    one, successor = leaf(OLD, point(shelf.at("1.crl"))), authority("ca", OLD, certs=False)
    shelf.content["1.crl"] = revocations(successor)
    assert asked([one, OLD], known=[successor]) == "good"
    shelf.content["1.crl"] = revocations(successor, (one, None))
    assert asked([one, OLD], known=[successor]) == "revoked"


def test_a_key_of_that_name_counts_only_by_who_vouches_for_the_issuer(shelf: Shelf) -> None:
    one, other = leaf(OLD, point(shelf.at("1.crl"))), authority("other", ROOT)
    stranger, sibling = authority("root"), authority("ca", other)
    for impostor, why in (
        (authority("ca"), "it certified itself"),
        (authority("ca", stranger), "somebody with the name of the root certified it"),
        (sibling, "another authority below the root certified it"),
        (authority("ca", ROOT, lists=None), "its certificate does not say that it may sign lists"),
        (authority("ca", ROOT, lists=False), "its certificate says that it may not"),
        (authority("cb", ROOT), "it has another name"),
    ):
        shelf.content["1.crl"] = revocations(impostor)
        above = [stranger, other]
        assert asked([one, OLD, *above], roots=[ROOT], known=[impostor]) == "unknown", why
        assert asked([one, OLD, *above, impostor], roots=[ROOT, other]) == "unknown", why


def test_whoever_holds_a_revoked_certificate_makes_it_good_by_no_file(shelf: Shelf) -> None:
    """An own root certifies the key of the issuer, which is no secret, and a key of its own beside it."""
    one, own = leaf(OLD, point(shelf.at("1.crl"))), authority("root")
    crossed, beside = _crossed(OLD, own), authority("ca", own)
    shelf.content["1.crl"] = revocations(beside)
    for chain in ([one, OLD, crossed, own, beside], [one, crossed, beside, own], [one, crossed, beside, own, OLD]):
        for roots in ([], [ROOT]):
            assert asked(chain, roots=roots) == "unknown"
    assert asked([one, crossed, beside], roots=[own]) == "good", "who trusts that root, believes it"


def test_a_signer_that_was_revoked_itself_says_nothing(shelf: Shelf) -> None:
    one = leaf(OLD, point(shelf.at("1.crl")))
    signer = authority("ca", ROOT, certs=False, places=[shelf.at("root.crl")])
    shelf.content = {"1.crl": revocations(signer), "root.crl": revocations(ROOT)}
    assert asked([one, OLD], roots=[ROOT], known=[signer]) == "good"
    shelf.content["root.crl"] = revocations(ROOT, (signer, None))
    assert asked([one, OLD], roots=[ROOT], known=[signer]) == "unknown"


def test_what_a_signer_said_before_it_was_found_revoked_counts_no_more(shelf: Shelf) -> None:
    """Its own list is read to judge it; the list that has it is its second one."""
    partly = point(shelf.at("own.crl"), SOME)
    usage = x509.CRLDistributionPoints([partly, point(shelf.at("root.crl"))])
    signer = authority("root", ROOT, certs=False, more=[(usage, False)])
    shelf.content = {
        "1.crl": revocations(signer),
        "own.crl": revocations(signer, more=[scope(shelf.at("own.crl"), SOME)]),
        "others.crl": revocations(ROOT, more=[scope(shelf.at("others.crl"), OTHERS)]),
        "root.crl": revocations(ROOT),
    }
    first = leaf(ROOT, point(shelf.at("1.crl")))
    second = leaf(ROOT, partly, point(shelf.at("others.crl"), OTHERS))
    chains = [first, ROOT], [second, ROOT]
    assert asked_together(*chains, known=[signer]) == ["good", "good"]
    shelf.content["root.crl"] = revocations(ROOT, (signer, None))
    assert asked_together(*chains, known=[signer]) == ["unknown", "unknown"]


# somebody else


def test_an_indirect_list_is_about_whom_each_entry_names(shelf: Shelf) -> None:
    office, other = authority("lists", ROOT, certs=False), authority("other", ROOT)
    place = point(shelf.at("all.crl"), by=office)
    ours, theirs = leaf(OLD, place, number=7), leaf(other, place, number=7)
    about = scope(shelf.at("all.crl"), indirect=True)
    chains = [ours, OLD], [theirs, other]
    for entries, expected in (
        ((), ["good", "good"]),
        (((ours, None),), ["good", "good"]),
        (((ours, OLD.certificate.subject),), ["revoked", "good"]),
        (((ours, other.certificate.subject),), ["good", "revoked"]),
        (((leaf(OLD, place), OLD.certificate.subject), (ours, None)), ["revoked", "good"]),
    ):
        shelf.content["all.crl"] = revocations(office, *entries, more=[about])
        assert [asked(chain, roots=[ROOT], known=[office]) for chain in chains] == expected


def test_a_list_of_somebody_else_counts_only_where_the_certificate_names_who_and_the_list_says_so(shelf: Shelf) -> None:
    office = authority("lists", ROOT, certs=False)
    place = shelf.at("all.crl")
    indirect, plain = scope(place, indirect=True), scope(place)
    for where, about in ((point(place), indirect), (point(place, by=NEW), indirect), (point(place, by=office), plain)):
        shelf.content["all.crl"] = revocations(office, more=[about])
        assert asked([leaf(OLD, where), OLD], roots=[ROOT], known=[office]) == "unknown"
    shelf.content["all.crl"] = revocations(office, more=[indirect])
    one = leaf(OLD, point(place, by=office))
    assert asked([one, OLD], roots=[ROOT], known=[office]) == "good"
    for impostor in (authority("lists", authority("root"), certs=False), authority("lists", one, certs=False)):
        shelf.content["all.crl"] = revocations(impostor, more=[indirect])
        assert asked([one, OLD], roots=[ROOT], known=[impostor, one]) == "unknown", "who certified it, may not"


# parts


def test_lists_of_some_reasons_say_good_together_and_revoked_each(shelf: Shelf) -> None:
    places = {"some.crl": SOME, "others.crl": OTHERS}
    one = leaf(OLD, *(point(shelf.at(name), reasons) for name, reasons in places.items()))
    empty = {name: revocations(OLD, more=[scope(shelf.at(name), reasons)]) for name, reasons in places.items()}
    shelf.content = dict(empty)
    assert asked([one, OLD]) == "good"
    for name, reasons in places.items():
        shelf.content = {other: content for other, content in empty.items() if other != name}
        assert asked([one, OLD]) == "unknown", f"without {name}"
        shelf.content[name] = revocations(OLD, (one, None), more=[scope(shelf.at(name), reasons)])
        assert asked([one, OLD]) == "revoked"


def test_a_list_counts_for_the_reasons_that_the_certificate_names_it_for(shelf: Shelf) -> None:
    shelf.content["1.crl"] = revocations(OLD)
    for reasons, expected in ((SOME, "unknown"), (SOME | OTHERS, "good")):
        assert asked([leaf(OLD, point(shelf.at("1.crl"), reasons)), OLD]) == expected


def test_a_delta_list_is_fetched_where_the_complete_one_says_and_changes_what_it_may(shelf: Shelf) -> None:
    one = leaf(OLD, point(shelf.at("1.crl")))
    freshest = [(x509.FreshestCRL([point(shelf.at("1+.crl"))]), False)]
    held = {"reason": R.certificate_hold}
    for before, after, expected in (
        ((), revocations(OLD, (one, None), number=6, base=5), "revoked"),
        (((one, None),), revocations(OLD, (one, None), number=6, base=5, reason=R.remove_from_crl), "good"),
        (((one, None),), revocations(OLD, number=6, base=5), "revoked"),
        ((), revocations(OLD, number=6, base=5), "good"),
        ((), revocations(OLD, (one, None), number=8, base=7), "unknown"),
        ((), revocations(authority("ca", ROOT), (one, None), number=6, base=5), "good"),
        (((one, None),), revocations(NEW, (one, None), number=6, base=5, reason=R.remove_from_crl), "revoked"),
        ((), b"", "good"),
    ):
        shelf.content = {"1.crl": revocations(OLD, *before, more=freshest, **held), "1+.crl": after}
        assert asked([one, OLD], roots=[ROOT], known=[NEW]) == expected
    assert shelf.asked == ["1.crl", "1+.crl"] * 8


def test_a_certificate_that_names_its_delta_list_as_those_of_active_directory_do(shelf: Shelf) -> None:
    points = x509.CRLDistributionPoints([point(shelf.at("ca.crl"))]), x509.FreshestCRL([point(shelf.at("ca+.crl"))])
    one = signed("web.example.org", OLD, [(extension, False) for extension in points])
    shelf.content = {"ca.crl": revocations(OLD), "ca+.crl": revocations(OLD, (one, None), number=6, base=5)}
    assert asked([one, OLD]) == "revoked"


# ways to a root

def test_a_file_with_a_cross_signed_authority_leads_to_each_root_that_is_trusted(shelf: Shelf) -> None:
    """As files of large authorities do, whose new root an old one signed."""
    elder = authority("elder")
    one, crossed = leaf(OLD, point(shelf.at("1.crl"))), authority("root", elder, key=ROOT.key)
    shelf.content["1.crl"] = revocations(OLD)
    for root in (ROOT, elder):
        assert asked([one, OLD, crossed], roots=[root]) == "good"
    assert asked([one, OLD], roots=[elder]) == "unknown"
    assert asked([one, OLD, crossed], roots=[authority("elder")]) == "unknown"


def test_what_an_old_key_signed_leads_to_the_new_root_that_certified_it(shelf: Shelf) -> None:
    old, new = authority("itself"), authority("itself")
    one, linked = leaf(old, point(shelf.at("1.crl"))), authority("itself", new, key=old.key)
    for by in (old, new):
        shelf.content["1.crl"] = revocations(by)
        assert asked([one, linked], roots=[new]) == "good"
        shelf.content["1.crl"] = revocations(by, (one, None))
        assert asked([one, linked], roots=[new]) == "revoked"
    assert asked([one, linked], roots=[authority("itself")]) == "unknown"


def test_an_authority_that_ended_is_no_way_where_another_certificate_of_it_is(shelf: Shelf) -> None:
    one, ended = leaf(OLD, point(shelf.at("1.crl"))), authority("ca", ROOT, key=OLD.key, days=-1)
    shelf.content["1.crl"] = revocations(OLD)
    assert asked([one, ended, OLD], roots=[ROOT]) == "good"
    assert asked([one, ended], roots=[ROOT]) == "unknown"


# where users say it


def test_a_task_that_asks_replaces_what_the_new_key_of_another_authority_revoked(shelf: Shelf, tmp_path: Path) -> None:
    one, world = leaf(OLD, point(shelf.at("1.crl"))), World(tmp_path)
    successor = authority("ca", OLD, certs=False)
    shelf.content["1.crl"] = revocations(successor, (one, None))
    for name, content in (("web.pem", one.pem), ("ca.pem", OLD.pem), ("web.key", _key(one))):
        (tmp_path / name).write_text(content, encoding="ascii")
    paths = {"private_key": "web.key", "certificate": "web.pem", "chain": "ca.pem"}
    adopted = web(adopt={option: str(tmp_path / name) for option, name in paths.items()})
    world.one(adopted)
    ignorant = world.converge([adopted], check_status="live")
    assert "nobody tells whether web is revoked" in " ".join(ignorant["warnings"])
    told = world.converge([adopted], check_status="live", crl_issuers=[successor.pem])
    assert [step["action"] for step in told["identities"][0]["steps"]].count("issue") == 1


def test_a_path_that_cannot_be_read_is_named_with_its_option() -> None:
    given = validated({"check_status": "live", "crl_issuers": ["/nowhere"]}, spec(LOOKUP), module=WHO)
    with pytest.raises(KeysteadError, match=r"cert_status: option crl_issuers: '/nowhere' cannot be read: No such"):
        tell({"ledger": None}, [OLD.pem], given, HOST)


def _crossed(one: Signer, above: Signer) -> Signer:
    """Return a certificate for the key of an authority that somebody else signed, without that key."""
    made = authority("ca", above, key=one.key)
    assert made.certificate.public_key() == one.certificate.public_key()
    return made


def _key(one: Signer) -> str:
    return one.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
