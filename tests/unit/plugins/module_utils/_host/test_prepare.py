# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""The phase prepare, called as the module calls it: what it answers, and that looking touches nothing."""

from __future__ import annotations

import time
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core import wire
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import KeysteadError, Misconfigured
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Identity, Observed, Subject
from ansible_collections.keystead.identity.plugins.module_utils._host.running import run
from cryptography import x509

if t.TYPE_CHECKING:
    from pathlib import Path

WEB = Identity("web", subject=Subject(dns_names=("web.example.org",)))


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


def prepare(store: Path, *wanted: Identity, check: bool = False, **said: t.Any) -> list[dict[str, t.Any]]:
    params = {
        "phase": "prepare",
        "format": wire.FORMAT,
        "now": time.time(),
        "host": "web1",
        "store": str(store),
        "ledger_id": "ledger-1",
        "deadline": 300.0,
        "holder": {"pid": 1},
        "broken": {},
        "identities": [{"identity": wire.pack(one), "known": {}} for one in wanted],
        **said,
    }
    answers: list[dict[str, t.Any]] = run(params, check=check)["identities"]
    return answers


def test_it_answers_what_is_there_a_lease_and_a_request(store: Path) -> None:
    (answer,) = prepare(store, WEB)
    assert wire.unpack(Observed, answer["observed"]) == Observed("web")
    assert len(answer["lease"]) == 32
    csr = x509.load_der_x509_csr(wire.binary(answer["csr"]))
    assert csr.is_signature_valid
    assert sorted(path.name for path in (store / "web").iterdir()) == ["lease.json", "next"]
    assert (store / "web" / "next").stat().st_mode & 0o777 == 0o700


def test_a_check_answers_what_is_there_and_makes_nothing(store: Path) -> None:
    (answer,) = prepare(store, WEB, check=True)
    assert answer.keys() == {"name", "observed"}
    assert not store.exists()


def test_an_identity_that_somebody_works_on_is_busy_and_its_sibling_is_not(store: Path) -> None:
    prepare(store, WEB)
    busy, other = prepare(store, WEB, WEB._replace(name="other"))
    assert (busy["error"]["kind"], busy["error"]["holder"]) == ("Pending", {"pid": 1})
    assert busy["error"]["retry_after"] > 200
    assert "csr" in other


def test_a_lease_that_the_controller_knows_to_be_dead_is_broken_and_the_staged_key_is_used_again(store: Path) -> None:
    (first,) = prepare(store, WEB)
    (again,) = prepare(store, WEB, broken={"web": first["lease"]})
    assert again["public_id"] == first["public_id"]
    assert again["lease"] != first["lease"]


def test_another_format_is_refused_with_both_named(store: Path) -> None:
    with pytest.raises(Misconfigured, match="the wire has format 2, this host's half speaks 1"):
        prepare(store, WEB, format=2)


@pytest.mark.parametrize("content", ["a file", None])
def test_a_store_that_cannot_be_one_is_named(store: Path, content: str | None) -> None:
    if content:
        store.write_text(content)
    else:
        store.mkdir(mode=0o777)
        store.chmod(0o777)
    with pytest.raises(KeysteadError, match=str(store)):
        prepare(store, WEB)


def test_an_identity_s_directory_that_is_a_link_is_refused(store: Path, tmp_path: Path) -> None:
    prepare(store, WEB._replace(name="other"))
    (tmp_path / "elsewhere").mkdir()
    (store / "web").symlink_to(tmp_path / "elsewhere")
    (answer,) = prepare(store, WEB)
    assert str(store / "web") in answer["error"]["message"]
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_an_owner_that_the_host_does_not_know_is_named(store: Path) -> None:
    (answer,) = prepare(store, WEB._replace(files=WEB.files._replace(owner="nobody-of-that-name")))
    told = answer.get("error", {}).get("message", "nobody-of-that-name is asked for at install")
    assert "nobody-of-that-name" in told
