# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The way from a leaf to a root through what a server names: the shortest, and found or given up in time."""

from __future__ import annotations

import datetime as dt
import time
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._est.chain import path
from ansible_collections.keystead.identity.tests.harness.est_server import Authority, certificate
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

pytestmark = pytest.mark.one_core
DAY = dt.timedelta(days=1)


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Made(t.NamedTuple):
    """An authority of a path."""

    name: x509.Name
    key: ec.EllipticCurvePrivateKey

    def signs(self, other: Made) -> x509.Certificate:
        return certificate(other.name, other.key.public_key(), self.name, self.key, DAY, ca=True)


def made(text: str, curve: ec.EllipticCurve | None = None) -> Made:
    return Made(name(text), ec.generate_private_key(curve or ec.SECP256R1()))


def test_the_shortest_of_several_ways_is_taken() -> None:
    root, upper, lower, leaf = map(made, ("root", "upper", "lower", "leaf"))
    short, long = root.signs(lower), upper.signs(lower)
    above = [long, root.signs(upper), short, root.signs(root)]
    assert path(lower.signs(leaf), above, [root.signs(root)])[0] == [short]
    assert path(lower.signs(leaf), above[:2], [root.signs(root)])[0] == above[:2]


def test_a_circle_ends() -> None:
    one, other, leaf = map(made, ("one", "other", "leaf"))
    stranger = made("stranger")
    circle = [other.signs(one), one.signs(other)]
    assert path(one.signs(leaf), circle, [stranger.signs(stranger)]) == ([], None)


def test_the_whole_of_a_root_that_rolls_over_is_found_among_what_is_not_it() -> None:
    authority = Authority()
    old = authority.root
    authority.roll()
    leaf = made("leaf")
    below = certificate(leaf.name, leaf.key.public_key(), authority.issuing_name, authority.issuing_key, DAY)
    between, anchor = path(below, authority.named, [old])
    assert (len(between), anchor) == (2, old)


@pytest.mark.parametrize("keys", [1, 8])
def test_a_crowd_of_one_name_and_the_slowest_key_is_given_up_in_time(keys: int) -> None:
    """Certificates that all sign each other, or only say so."""
    crowd = [made("crowd", ec.SECP521R1()) for _number in range(keys)]
    named = [crowd[number % len(crowd)].signs(crowd[number % len(crowd)]) for number in range(62)]
    stranger, leaf = made("crowd"), made("leaf")
    begun = time.process_time()
    for _identity in range(3):
        assert path(crowd[0].signs(leaf), named, [stranger.signs(stranger)]) == ([], None)
    assert time.process_time() - begun < 4
