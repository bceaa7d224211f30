# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""RSA keys that share a factor are found wherever they are: in SSH, in authorities, and where thousands are weak."""

from __future__ import annotations

import json
import random
import sqlite3
import time
import typing as t
from datetime import UTC, datetime

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._options.common import COMMON
from ansible_collections.keystead.identity.plugins.module_utils._options.identity_report import OPTIONS
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.plugin_utils._identity_report.converge import Setting, report
from ansible_collections.keystead.identity.plugins.plugin_utils._rows.shared import Weak
from ansible_collections.keystead.identity.plugins.plugin_utils._rows.shared_factors import shared_factors
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated
from ansible_collections.keystead.identity.tests.harness.in_process import World, web
from ansible_collections.keystead.identity.tests.harness.judging import (
    Certificate,
    judged,
    of_ssh,
    records,
    rsa_of,
)
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa

if t.TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.one_core


def primes() -> tuple[int, int, int]:
    """Return three primes of 1024 bits."""
    one, other = (rsa.generate_private_key(65537, 2048).private_numbers() for _ in range(2))
    return one.p, one.q, other.p


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return a world with one identity, not of RSA."""
    made = World(tmp_path / "world")
    made.one(web(contact="me"))
    return made


def found(world: World, path: Path, **named: str) -> dict[str, dict[str, str]]:
    """Return what is found of records, by their names and codes."""
    of = {name: {"host": f"{name}.example.org", "contact": "me", "pem": pem} for name, pem in named.items()}
    entries = [{"name": name, **said} for name, said in of.items()]
    by_name: dict[str, dict[str, str]] = {}
    for one in judged(world, records=records(path, *entries), findings=True)["findings"]:
        by_name.setdefault(one["name"], {})[one["code"]] = one["msg"]
    return by_name


def reported(world: World, seen: list[str] | None = None) -> dict[str, dict[str, t.Any]]:
    """Return what a report says of each identity."""
    path = world.directory / "report.json"
    options = {"ledger": world.url, "json": str(path), "records": seen or []}
    args = validated(options, spec(COMMON, OPTIONS), module="identity_report")
    report(args, Setting(check=False), datetime.now(UTC))
    return {one["name"]: one for one in json.loads(path.read_text())["identities"]}


def test_keys_of_ssh_are_compared_with_all_others(world: World, tmp_path: Path) -> None:
    p, q, r = primes()
    authority = ed25519.Ed25519PrivateKey.generate()
    one, other = (of_ssh(rsa_of(p, each).public_key(), authority, "a.example.org") for each in (q, r))
    both = found(world, tmp_path / "r.json", a=one, b=other)
    assert "that of b on b.example.org" in both["a"]["shared_factor"]
    assert "that of a on a.example.org" in both["b"]["shared_factor"]
    mixed = found(world, tmp_path / "r.json", a=one, b=Certificate(key=rsa_of(p, r)).pem)
    assert "shared_factor" in mixed["a"].keys() & mixed["b"].keys()


def test_two_certificates_of_ssh_with_one_number_are_two(world: World, tmp_path: Path) -> None:
    authority, *keys = (ed25519.Ed25519PrivateKey.generate() for _ in range(3))
    one, other = (of_ssh(key.public_key(), authority, "a.example.org") for key in keys)
    assert found(world, tmp_path / "r.json", a=one, b=other) == {}
    again = found(world, tmp_path / "r.json", a=one, b=of_ssh(keys[0].public_key(), authority, "b.example.org"))
    assert again["a"].keys() == again["b"].keys() == {"shared_key"}
    assert "same_certificate" in found(world, tmp_path / "r.json", a=one, b=one)["a"]


def test_a_weak_modulus_of_ssh_is_found(world: World, tmp_path: Path) -> None:
    public_key = rsa.RSAPublicNumbers(65537, 3 * (1 << 2046 | 1)).public_key()
    pem = of_ssh(public_key, ed25519.Ed25519PrivateKey.generate(), "a.example.org")
    assert "has a factor below 752" in found(world, tmp_path / "r.json", a=pem)["a"]["weak_key"]


def test_the_key_of_an_authority_counts_as_well(world: World, tmp_path: Path) -> None:
    p, q, r = primes()
    chain = Certificate(common_name="Root", key=rsa_of(p, r)).pem
    with sqlite3.connect(world.ledger) as connection:
        connection.execute("UPDATE x509 SET chain = chain || ?", (chain,))
    connection.close()
    of_a = found(world, tmp_path / "r.json", a=Certificate(key=rsa_of(p, q)).pem)["a"]
    assert "that of the authority CN=Root, so both are broken" in of_a["shared_factor"]


def test_two_authorities_that_share_a_factor_are_a_finding_of_what_is_below_them(world: World) -> None:
    p, q, r = primes()
    world.one({**web(contact="me"), "name": "api", "dns_names": ["api.example.org"]})
    roots = {"web": Certificate(common_name="One", key=rsa_of(p, q)).pem, "api": Certificate(key=rsa_of(p, r)).pem}
    with sqlite3.connect(world.ledger) as connection:
        for name, pem in roots.items():
            below = "(SELECT g.id FROM generations g JOIN identities i ON i.id = g.identity WHERE i.name = ?)"
            connection.execute(f"UPDATE x509 SET chain = ? WHERE generation IN {below}", (pem, name))
    connection.close()
    said = {one["name"]: one["msg"] for one in judged(world, findings=True)["findings"]}
    assert said["web"].startswith("the RSA modulus of the authority CN=One shares a factor with that of the authority")
    assert said["api"].startswith("the RSA modulus of the authority CN=made shares a factor")


def test_an_authority_that_is_weak_by_itself_is_a_finding_of_what_is_below_it(world: World) -> None:
    chain = Certificate(common_name="Old", issuer="Root", key=rsa.generate_private_key(65537, 1024)).pem  # noqa: S505
    with sqlite3.connect(world.ledger) as connection:
        connection.execute("UPDATE x509 SET chain = ?", (chain,))
    connection.close()
    said = judged(world, findings=True, frameworks=["pci_dss"])
    (one,) = said["findings"]
    assert (one["name"], one["code"]) == ("web", "weak_key")
    assert one["msg"].startswith("of the authority CN=Old, above it: its modulus has 1024 bits")
    assert {one["control"]: one["state"] for one in said["controls"]}["12.3.3"] == "breached"
    report = reported(world)["web"]
    assert (report["risk"], report["findings"][0]["code"]) == ("high", "weak_key")


def test_a_factor_that_keys_share_is_critical_in_a_report(world: World, tmp_path: Path) -> None:
    p, q, r = primes()
    entries = ({"name": name, "host": name, "contact": "me", "pem": Certificate(key=rsa_of(p, each)).pem}
               for name, each in (("a", q), ("b", r)))  # fmt: skip
    found = reported(world, records(tmp_path / "r.json", *entries))
    assert {name: one["risk"] for name, one in found.items()} == {"web": "low", "a": "critical", "b": "critical"}
    assert "its RSA modulus shares a factor with that of b on b" in str(found["a"]["findings"])


def sieve(below: int) -> list[int]:
    """Return the odd primes below a number."""
    is_prime = [True] * below
    for one in range(2, int(below**0.5) + 1):
        if is_prime[one]:
            is_prime[one * one :: one] = [False] * len(is_prime[one * one :: one])
    return [one for one in range(3, below) if is_prime[one]]


ODD_PRIMES = sieve(100_000)
BROKEN: dict[str, t.Callable[[], set[int]]] = {
    "one prime in all": lambda: {1_000_003 * one for one in ODD_PRIMES[:6000]},
    "a small pool": lambda: {one * other for one in ODD_PRIMES[-110:] for other in ODD_PRIMES[-110:] if one < other},
    "whatever is odd": lambda: set(random.Random(1).sample(range(10**9 + 1, 10**10, 2), 6000)),  # noqa: S311
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN)
def test_thousands_of_broken_keys_are_told_in_seconds(kind: str) -> None:
    moduli = BROKEN[kind]()
    weak = Weak(shared_factors(moduli), {one: [f"host {one}"] for one in moduli})
    begun = time.process_time()
    told = [said for one in moduli for said in weak.of(one)]
    assert time.process_time() - begun < 5
    assert len(told) > 5000
    assert all("shares a factor with that of host" in one["msg"] for one in told)
