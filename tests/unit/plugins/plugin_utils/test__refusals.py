# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""What was signed and did not fit what is declared: the issuer is not asked for the same again in every run."""

from __future__ import annotations

import contextlib
import sqlite3
import typing as t
from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._options.machine_identity import OPTIONS
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.plugin_utils._declare import checked_issuer
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.moments import moment, stamp
from ansible_collections.keystead.identity.plugins.plugin_utils._signers import Signers
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated
from ansible_collections.keystead.identity.tests.harness.in_process import World, web
from ansible_collections.keystead.identity.tests.harness.local import authority
from ansible_collections.keystead.identity.tests.harness.revoking import Office

if t.TYPE_CHECKING:
    from pathlib import Path

LONG = {"lifetime": "30d", "renew_before": "10d"}


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return a world whose authority `short` signs for two days, and one run that it did so for no use."""
    world = World(tmp_path)
    authority(world.authorities, "short", lifetime="2d")
    assert "would make that due at once" in refused(world)
    assert asked(world) == 1
    return world


def refused(world: World, **options: t.Any) -> str:
    """Run, which has to fail; return what it says."""
    result = world.converge([web(**LONG)], **{"issuer": world.issuer("short"), **options})
    assert result["failed"]
    return str(result["msg"])


def asked(world: World) -> int:
    """Return how often the authority signed."""
    return len(world.issued("short"))


def later(world: World, hours: float) -> None:
    """Let time pass since whatever the ledger has."""
    with contextlib.closing(sqlite3.connect(world.ledger)) as connection, connection:
        for table, column in (("generations", "intended_at"), ("generations", "issued_at"), ("heads", "at")):
            rows = connection.execute(f"SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL")
            for (said,) in rows.fetchall():
                back = stamp(moment(said) - timedelta(hours=hours))
                connection.execute(f"UPDATE {table} SET {column} = ? WHERE {column} = ?", (back, said))


def test_the_next_run_asks_nobody_and_tells_what_was_wrong_when_and_how_to_try_again(world: World) -> None:
    (signed,) = world.issued("short")
    number = ":".join(f"{signed.serial_number:040x}"[place : place + 2] for place in range(0, 40, 2))
    for _turn in range(2):
        said = refused(world)
        hour = datetime.now(UTC) + timedelta(hours=1)
        assert said.startswith("local: it is not asked for web again before ")
        assert any(f"before {one:%Y-%m-%d %H:%M} UTC" in said for one in (hour, hour - timedelta(minutes=1)))
        assert "renew_before 864000s would make that due at once" in said
        assert number.upper() in said.upper()
        assert "; change what is declared, or the options of the issuer; where it was put right there, " in said
        assert said.endswith("run with retry_refused: true")
    assert asked(world) == 1
    assert not world.path("web", "lease.json").exists()


def test_check_mode_says_so_too(world: World) -> None:
    assert "it is not asked for web again" in refused(world, check=True)
    assert asked(world) == 1


def test_it_is_asked_again_after_an_hour_and_then_after_twice_as_long_up_to_a_day(world: World) -> None:
    waits = []
    for _turn in range(6):
        hours = 0
        while "is not asked for web again" in refused(world):
            later(world, 1)
            hours += 1
        waits.append(hours)
    assert waits == [1, 2, 4, 8, 16, 24]
    assert asked(world) == 7


@pytest.mark.parametrize(
    "said", [{"renew_before": "1d"}, {"lifetime": "36h", "renew_before": "33%"}, {"dns_names": ["x.org"]}]
)
def test_another_declaration_is_asked_for_at_once(world: World, said: dict[str, t.Any]) -> None:
    world.converge([web(**{**LONG, **said})], issuer=world.issuer("short"))
    assert asked(world) == 2


def test_what_is_declared_again_after_another_one_was_refused_is_not_asked_for(world: World) -> None:
    world.converge([web(**{**LONG, "renew_before": "11d"})], issuer=world.issuer("short"))
    assert asked(world) == 2
    assert "is not asked for web again" in refused(world)


def test_other_options_of_the_issuer_are_another_question(world: World) -> None:
    refused(world, issuer=world.issuer("short", accept_new_root="a" * 64))
    assert asked(world) == 2


def test_roots_that_are_put_right_in_their_file_are_another_question(tmp_path: Path) -> None:
    world = World(tmp_path)
    authority(world.authorities, "stranger")
    roots = tmp_path / "roots.pem"
    roots.write_bytes((world.authorities / "stranger/certificate.pem").read_bytes())
    issuer = world.issuer(roots=[str(roots)])
    for start in ("local:", "local: it is not asked for web again"):
        said = world.converge([web()], issuer=issuer)["msg"]
        assert said.startswith(start)
        assert "not signed by a pinned root" in said
    assert len(world.issued()) == 1
    roots.write_bytes((world.authorities / "issuing/certificate.pem").read_bytes())
    world.settled([web()], issuer=issuer)
    assert len(world.issued()) == 2


def test_whoever_put_it_right_at_the_authority_says_so(world: World) -> None:
    assert "would make that due at once" in refused(world, retry_refused=True)
    assert asked(world) == 2
    assert "is not asked for web again" in refused(world)


def incident(world: World) -> datetime:
    """Give the identity a key, let an hour pass, and let a renewal be refused; return a moment after that."""
    assert not world.one(web(), issuer=world.issuer("issuing"))["failed"]
    later(world, 5)
    return datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)


def test_a_key_that_is_too_old_is_replaced_whatever_was_refused(world: World) -> None:
    since = incident(world)
    for turn in (2, 3, 4):
        assert "would make that due at once" in refused(world, made_before=since)
        assert asked(world) == turn


def test_to_rotate_keys_asks_no_sooner_where_none_is_too_old(world: World) -> None:
    assert "is not asked for web again" in refused(world, made_before=datetime.now(UTC)), "it has none"
    incident(world)
    assert "would make that due at once" in refused(world)
    for _turn in range(2):
        long_ago = datetime.now(UTC) - timedelta(days=30)
        assert "is not asked for web again" in refused(world, made_before=long_ago)
    assert asked(world) == 2


def test_how_often_a_key_that_is_too_old_is_asked_for_keeps_nothing_else_waiting(world: World) -> None:
    since = incident(world)
    refused(world, made_before=since)
    assert "is not asked for web again" in refused(world), "it was answered just now"
    later(world, 0.5)
    refused(world, made_before=since)
    later(world, 0.6)
    assert asked(world) == 3
    refused(world)
    assert asked(world) == 4, "an hour after the first answer"
    for _turn in range(3):
        refused(world, made_before=since)
    later(world, 1)
    refused(world)
    assert asked(world) == 8, "an hour after the one of its own"


def test_what_was_revoked_since_is_not_to_be_revoked(world: World) -> None:
    assert refused(world).count("UTC: revoke it there);") == 1
    Office(world.url, world.issuer("short")).run({"orphaned": True})
    assert "revoke it" not in refused(world)


def test_a_sibling_is_asked_for(world: World) -> None:
    result = world.converge([web(**LONG), web(name="api")], issuer=world.issuer("short"))
    assert [one["failed"] for one in result["identities"]] == [True, False]
    assert asked(world) == 2


def test_a_series_ends_with_what_is_accepted(world: World) -> None:
    later(world, 1)
    refused(world)
    assert not world.one(web(), issuer=world.issuer("short"))["failed"]
    assert "would make that due at once" in refused(world), "what is accepted answers another question"
    later(world, 1)
    assert "would make that due at once" in refused(world), "an hour again, and not four"


@pytest.mark.parametrize(
    ("auth", "same"),
    [({"token": {"token": "two"}}, True), ({"token": {"token": None, "token_file": "/x"}}, False)],
)
def test_no_secret_of_an_issuer_is_in_what_is_remembered(auth: dict[str, t.Any], *, same: bool) -> None:
    def settings(**said: t.Any) -> str:
        openbao = {"url": "https://x", "role": "web", "auth": {"token": {"token": "one"}}, **said}
        declared = {"issuer": {"openbao": openbao}, "identities": []}
        args = validated(declared, spec(OPTIONS), module="machine_identity")
        signers = Signers([])
        return signers.settings(signers.of(t.cast("dict[str, t.Any]", checked_issuer(args["issuer"]))))

    assert (settings(auth=auth) == settings()) == same
    assert settings(timeout="7s") == settings(), "it changes no answer"
    assert settings(role="api") != settings()
