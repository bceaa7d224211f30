# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What every key store that is not files must do, over the real thing (tests/harness/keystores.py)."""

from __future__ import annotations

import time
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import KeysteadError, Misconfigured
from ansible_collections.keystead.identity.plugins.module_utils._core.keys import key_type_of
from ansible_collections.keystead.identity.plugins.module_utils._core.ports import Leftovers, SigningKey
from ansible_collections.keystead.identity.tests.harness.issuers import check_sentence
from ansible_collections.keystead.identity.tests.harness.keystores import CUSTODIES, Kept, custody, in_a_fork, verify
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

DATA = b"what stands in a certificate"
BATCH = 20


def spki(key: SigningKey) -> bytes:
    """Return the public key as DER."""
    return t.cast("bytes", key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))


def quickest(kept: Kept) -> str:
    """Return a key type that is made quickly."""
    return kept.custody.key_types[0]


def left(store: t.Any) -> str | None:
    """Return what is left to do, of a key store that can tell."""
    return t.cast("str | None", store.left()) if isinstance(store, Leftovers) else None


# what is made


def test_every_custody_that_is_tested_says_what_it_is(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    said = kept.custody.describe()
    with capsys.disabled():
        print(f"\n{kept.custody.name} on {kept.module}: {said}")  # noqa: T201
    assert said.isprintable()
    assert len(said) > 4


def test_there_is_nothing_before_something_is_made(kept: Kept) -> None:
    store = kept.store()
    assert (store.current(), store.staged(), left(store)) == (None, None, None)
    assert kept.seen() == []


def test_a_key_is_made_once_and_found_again_in_a_new_process(kept: Kept) -> None:
    made = kept.store().stage(quickest(kept))
    assert kept.store().staged().uri == made.uri
    assert kept.elsewhere("print(store.staged().uri)") == made.uri
    assert kept.store().staged().public_key() == made.public_key()
    assert kept.store().current() is None
    assert kept.seen()


def test_making_it_again_makes_no_second_one(kept: Kept) -> None:
    made = kept.store().stage(quickest(kept))
    before = kept.seen()
    assert kept.store().stage(quickest(kept)).uri == made.uri
    assert kept.elsewhere(f"print(store.stage({quickest(kept)!r}).uri)") == made.uri
    assert kept.seen() == before


@pytest.mark.parametrize("key_type", sorted({key_type for name in CUSTODIES for key_type in custody(name).key_types}))
def test_cryptography_verifies_what_a_key_of_each_type_signs(kept: Kept, key_type: str) -> None:
    if key_type not in kept.custody.key_types:
        with pytest.raises(Misconfigured, match=key_type):
            kept.store().stage(key_type)
        assert kept.seen() == []
        return
    made = kept.store().stage(key_type)
    assert key_type_of(made.public_key()) == key_type
    for one in (made, kept.store().staged()):
        for data in kept.messages:
            verify(made.public_key(), one.sign(data), data)


def test_many_signatures_are_all_right(kept: Kept) -> None:
    key = kept.store().stage(quickest(kept))
    for number in range(BATCH):
        verify(key.public_key(), key.sign(b"%d" % number), b"%d" % number)


def test_a_key_type_that_it_cannot_make_is_refused_by_name_and_nothing_is_left(kept: Kept) -> None:
    with pytest.raises(
        Misconfigured, match=f"key.type.*{kept.custody.lacks}|{kept.custody.lacks}.*key.type"
    ) as refused:
        kept.store().stage(kept.custody.lacks)
    said = check_sentence(refused.value, kept.custody.name)
    assert quickest(kept) in said, "it says what it can do"
    assert kept.seen() == []


def test_another_type_replaces_what_was_staged_or_is_refused_where_a_label_has_one_type(kept: Kept) -> None:
    first = kept.store().stage(kept.custody.key_types[0])
    if kept.custody.one_type:
        with pytest.raises(Misconfigured, match=f"{kept.custody.key_types[1]}.*name") as refused:
            kept.store().stage(kept.custody.key_types[1])
        check_sentence(refused.value, kept.custody.name)
        assert kept.store().staged().uri == first.uri
        return
    second = kept.store().stage(kept.custody.key_types[1])
    assert second.uri != first.uri
    assert kept.store().staged().uri == second.uri
    assert key_type_of(second.public_key()) == kept.custody.key_types[1]


# what becomes current


def test_a_promoted_key_is_current_and_no_longer_staged(kept: Kept) -> None:
    made = kept.store().stage(quickest(kept))
    for _twice in range(2):
        kept.store(made.uri).promote()
        store = kept.store(made.uri)
        assert store.current().uri == made.uri
        assert store.staged() is None
        assert left(store) is None
    verify(made.public_key(), kept.store(made.uri).current().sign(DATA), DATA)


def test_the_next_key_stands_beside_the_current_one_which_still_signs(kept: Kept) -> None:
    old = kept.store().stage(quickest(kept))
    kept.store(old.uri).promote()
    new = kept.store(old.uri).stage(quickest(kept))
    assert new.uri != old.uri
    assert spki(new) != spki(old)
    store = kept.store(old.uri)
    assert (store.current().uri, store.staged().uri) == (old.uri, new.uri)
    for one in (store.current(), store.staged()):
        verify(one.public_key(), one.sign(DATA), DATA)
    assert spki(store.current()) == spki(old)


def test_the_old_key_goes_when_the_new_one_is_in_use(kept: Kept) -> None:
    old = kept.store().stage(quickest(kept))
    kept.store(old.uri).promote()
    new = kept.store(old.uri).stage(quickest(kept))
    kept.store(new.uri, old.uri).promote()
    kept.store(new.uri, old.uri).delete()
    verify(spki_key(old), kept.store(old.uri, new.uri).current().sign(DATA), DATA)
    kept.store(new.uri).delete()
    assert kept.store(old.uri, new.uri).current() is None
    verify(spki_key(new), kept.store(new.uri).current().sign(DATA), DATA)


def spki_key(key: SigningKey) -> t.Any:
    """Return the public key of a key as it was when it was made."""
    return key.public_key()


# what never comes out


@pytest.mark.parametrize("number", [0, -1])
def test_a_private_key_does_not_come_out(kept: Kept, number: int) -> None:
    made = kept.store().stage(kept.custody.key_types[number])
    assert kept.custody.extract(made.uri) is None
    verify(made.public_key(), kept.store().staged().sign(DATA), DATA)


# what is destroyed


def test_what_nobody_uses_is_destroyed_and_a_tool_that_is_not_ours_sees_nothing_of_it(kept: Kept) -> None:
    made = kept.store().stage(quickest(kept))
    assert kept.seen()
    kept.store().delete()
    assert kept.seen() == []
    assert kept.store().staged() is None
    assert kept.store(made.uri).current() is None
    kept.store().delete()


def test_destroying_leaves_the_key_that_is_in_use_and_those_of_others(kept: Kept) -> None:
    used = kept.store().stage(quickest(kept))
    kept.store(used.uri).promote()
    others = f"{kept.label}-other"
    other = kept.store(label=others).stage(quickest(kept))
    before = kept.seen()
    kept.store(used.uri).stage(quickest(kept))
    assert kept.seen() != before
    kept.store(used.uri).delete()
    if kept.custody.destroys_one:
        assert kept.seen() == before
        assert kept.store(used.uri).staged() is None
    verify(used.public_key(), kept.store(used.uri).current().sign(DATA), DATA)
    assert kept.store(label=others).staged().uri == other.uri
    kept.store(label=others).delete()


def test_a_key_that_is_gone_is_none_and_one_that_was_destroyed_in_between_says_so(kept: Kept) -> None:
    made = kept.store().stage(quickest(kept))
    kept.store(made.uri).promote()
    kept.elsewhere("store.delete()")
    assert kept.store(made.uri).current() is None


# what is left when a run is killed


def test_a_run_that_is_killed_after_any_step_is_finished_by_the_next(kept: Kept) -> None:
    first = kept.elsewhere(f"print(store.stage({quickest(kept)!r}).uri)")
    assert kept.store().staged().uri == first
    kept.elsewhere("store.promote()", first)
    second = kept.elsewhere(f"print(store.stage({quickest(kept)!r}).uri)", first)
    assert kept.store(first).staged().uri == second
    kept.elsewhere("store.promote()", second, first)
    store = kept.store(second)
    assert store.current().uri == second
    if isinstance(store, Leftovers):
        said = store.left()
        assert said
        assert said.isprintable()
    kept.elsewhere("store.delete()", second)
    store = kept.store(second)
    assert (store.current().uri, store.staged(), left(store)) == (second, None, None)
    kept.elsewhere("store.delete()")
    assert kept.seen() == []


def test_a_key_whose_promotion_was_never_reached_is_promoted_by_the_next_run(kept: Kept) -> None:
    made = kept.elsewhere(f"print(store.stage({quickest(kept)!r}).uri)")
    store = kept.store(made)
    assert store.current().uri == made
    store.promote()
    assert left(kept.store(made)) is None


def test_a_process_that_was_forked_from_one_that_used_it_signs_or_says_at_once_why_not(kept: Kept) -> None:
    key = kept.store().stage(quickest(kept))
    verify(key.public_key(), key.sign(DATA), DATA)
    begun = time.monotonic()
    answer = in_a_fork(lambda: key.sign(DATA))
    assert time.monotonic() - begun < 10
    if isinstance(answer, KeysteadError):
        check_sentence(answer, kept.custody.name)
    else:
        verify(key.public_key(), answer, DATA)
    verify(key.public_key(), key.sign(DATA), DATA)
