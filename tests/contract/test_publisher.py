# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What every publisher must do, over the real place that it writes to; somebody else's program reads what it wrote."""

from __future__ import annotations

import contextlib
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import KeysteadError, Misconfigured
from ansible_collections.keystead.identity.plugins.module_utils._core.publication import COPY_STATES
from ansible_collections.keystead.identity.tests.harness.issuers import check_sentence
from ansible_collections.keystead.identity.tests.harness.publishers import BACKENDS, Backend, Parts, held
from ansible_collections.keystead.identity.tests.harness.publishers import parts as generation

if t.TYPE_CHECKING:
    from pathlib import Path

Make = t.Callable[..., Parts]
pytestmark = pytest.mark.one_core


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.needs(*BACKENDS[name].needs)) for name in BACKENDS])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> t.Iterator[Backend]:
    kind = BACKENDS[request.param]
    made = kind(tmp_path, request.getfixturevalue(kind.server) if kind.server else None)
    with getattr(made, "open", contextlib.nullcontext()):
        yield made


@pytest.fixture
def parts(backend: Backend) -> t.Callable[..., Parts]:
    """Return the parts of a generation that go there."""

    def of(number: int = 0) -> Parts:
        return {part: content for part, content in generation(number).items() if part in backend.takes}

    return of


def test_nothing_is_there_before(backend: Backend, parts: Make) -> None:
    assert backend.publisher().read(None).state == "missing"
    assert backend.publisher().read(parts()).state == "missing"
    assert backend.seen() is None


def test_what_is_written_is_what_somebody_else_reads(backend: Backend, parts: Make) -> None:
    made = parts()
    backend.publisher().write(made)
    assert backend.seen() == held(b"".join(made.values()))
    assert backend.publisher().read(made).state == "ok"


def test_a_look_changes_nothing(backend: Backend, parts: Make, tmp_path: Path) -> None:
    made = parts()
    backend.publisher().write(made)
    before = {path: path.stat() for path in tmp_path.rglob("*")}
    assert [backend.publisher().read(made).state for _time in range(2)] == ["ok", "ok"]
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == {
        path: facts.st_mtime_ns for path, facts in before.items()
    }


def test_the_same_may_be_written_again(backend: Backend, parts: Make) -> None:
    made = parts()
    for _time in range(2):
        backend.publisher().write(made)
    assert backend.seen() == held(b"".join(made.values()))
    assert backend.publisher().read(made).state == "ok"


@pytest.mark.parametrize(("number", "state"), [(0, "certificate"), (1, "key")])
def test_another_generation_differs_and_takes_the_place(backend: Backend, parts: Make, number: int, state: str) -> None:
    first, second = parts(), parts(number)
    backend.publisher().write(first)
    assert backend.publisher().read(second).state == (state if "private_key" in first else "certificate")
    backend.publisher().write(second)
    assert backend.seen() == held(b"".join(second.values()))
    assert backend.publisher().read(second).state == "ok"


def test_what_others_did_is_named_and_put_right(backend: Backend, parts: Make) -> None:
    made = parts()
    backend.publisher().write(made)
    for state, spoil in backend.spoilt(made).items():
        spoil()
        assert state in COPY_STATES
        assert backend.publisher().read(made).state == state
        backend.publisher().write(made)
        assert backend.publisher().read(made).state == "ok", state
        assert backend.seen() == held(b"".join(made.values())), state


@pytest.mark.parametrize("known", [True, False], ids=["before a renewal", "before the first"])
def test_what_is_somebody_elses_is_refused_and_left_alone(backend: Backend, parts: Make, *, known: bool) -> None:
    backend.occupy()
    before = backend.seen()
    with pytest.raises(Misconfigured) as refused:
        backend.publisher().read(parts() if known else None)
    assert "replace_files: true" in check_sentence(refused.value, backend.refuses[:-2])
    with pytest.raises(Misconfigured):
        backend.publisher().write(parts())
    backend.publisher().delete()
    assert backend.seen() == before is not None


def test_what_was_written_is_deleted_and_may_be_deleted_again(backend: Backend, parts: Make) -> None:
    backend.publisher().write(parts())
    for _time in range(2):
        backend.publisher().delete()
        assert backend.seen() is None
    assert backend.publisher().read(parts()).state == "missing"


def test_what_others_changed_since_is_not_deleted(backend: Backend, parts: Make) -> None:
    made = parts()
    backend.publisher().write(made)
    backend.spoilt(made)["certificate"]()
    changed = backend.seen()
    backend.publisher().delete()
    assert backend.seen() == changed != held(b"".join(made.values()))


def test_a_failure_is_one_sentence_and_leaves_what_was_there(backend: Backend, parts: Make) -> None:
    first, second = parts(), parts(1)
    backend.publisher().write(first)
    backend.fail()
    with pytest.raises(KeysteadError) as failed:
        backend.publisher().write(second)
    check_sentence(failed.value, backend.refuses[:-2], ["PRIVATE KEY"])
    backend.mend()
    assert backend.seen() == held(b"".join(first.values()))
    backend.publisher().write(second)
    assert backend.seen() == held(b"".join(second.values()))
