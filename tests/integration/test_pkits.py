# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""PKITS: what NIST calls invalid or revoked is never good here, and what it calls valid is, DSA aside.

The way to the root is that of `_ways`, `check_path` accepts it, and each certificate in it is good by what the lists of
the test say together. OpenSSL is asked the same. Certificate policies (4.8 to 4.12, 63 tests) do not apply: nobody here
decides by a policy of certificates, and an extension about them that is critical is refused as one that nobody
understands. OpenSSL accepts these, also where they are invalid, unless it is told to look at policies.
"""

from __future__ import annotations

import functools
import itertools
import typing as t
from datetime import UTC, datetime

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied
from ansible_collections.keystead.identity.plugins.module_utils._core.ports import Good, Revoked, Unknown
from ansible_collections.keystead.identity.plugins.plugin_utils import _revocation_list as revocation_list
from ansible_collections.keystead.identity.plugins.plugin_utils._list_signers import ListSigners
from ansible_collections.keystead.identity.plugins.plugin_utils._path import check_path, signed_by
from ansible_collections.keystead.identity.plugins.plugin_utils._revocation_status import said
from ansible_collections.keystead.identity.plugins.plugin_utils._ways import shortest
from ansible_collections.keystead.identity.tests.harness import pkits
from cryptography import x509

if t.TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

pytestmark = [pytest.mark.needs("openssl"), pytest.mark.one_core]
NOW = datetime.now(UTC)
CASES = {case.number: case for case in pkits.cases()}
_WHY = {"DSA with SHA-1, which counts for nothing": "4.1.4 4.1.5"}
UNKNOWN = {number: why for why, numbers in _WHY.items() for number in numbers.split()}
"""Valid for PKITS, and unknown here: never good, never revoked."""
BEYOND_OPENSSL = {"4.1.5", "4.14.30"}
"""Valid for PKITS, and refused by OpenSSL 3.0."""


@functools.cache
def standing(number: str) -> Good | t.Any:
    """Return Good where everything in the way to the root is; else what keeps it from it."""
    case = CASES[number]
    try:
        leaf, root, *above = map(x509.load_der_x509_certificate, (case.leaf, pkits.ANCHOR, *case.above))
    except ValueError:
        return Unknown()
    way = shortest(leaf, above, root, NOW)
    if way is None:
        return Unknown()
    try:
        check_path(leaf, way[1:-1], [root], NOW)
    except Denied as error:
        return error
    listed = Listed([*above, root], root, case.lists)
    found = (listed.status(one, issuer) for one, issuer in itertools.pairwise(way))
    return next((one for one in found if not isinstance(one, Good)), Good())


class Listed:
    """Says what the lists of a test say."""

    def __init__(self, known: Sequence[x509.Certificate], root: x509.Certificate, lists: Sequence[bytes]) -> None:
        self._known, self._root, self._lists = known, root, lists
        self._asked: list[x509.Certificate] = []

    def status(self, certificate: x509.Certificate, issuer: x509.Certificate) -> t.Any:
        """Return how one certificate stands."""
        signers = ListSigners(issuer, self._known, [self._root], self._is_revoked)
        read = [one for der in self._lists if (one := revocation_list.read(der, signers, NOW))]
        return said(certificate, read)

    def _is_revoked(self, signer: x509.Certificate) -> bool:
        if signer in self._asked:
            return False
        self._asked.append(signer)
        issuers = [one for one in self._known if signed_by(signer, one)]
        return any(isinstance(self.status(signer, one), Revoked) for one in issuers)


@pytest.mark.parametrize("number", [number for number, case in CASES.items() if not case.is_valid])
def test_what_is_invalid_is_never_good(number: str, tmp_path: Path) -> None:
    assert not isinstance(standing(number), Good), CASES[number].name
    assert not pkits.openssl(CASES[number], tmp_path), "the oracle does not read this test as we do"


@pytest.mark.parametrize("number", [number for number, case in CASES.items() if case.is_valid])
def test_what_is_valid_is_good_or_a_reason_is_named(number: str, tmp_path: Path) -> None:
    found = standing(number)
    assert isinstance(found, Good) is (number not in UNKNOWN), (CASES[number].name, found)
    if number in UNKNOWN:
        assert isinstance(found, (Unknown, Denied)), "nobody may call it revoked"
    assert pkits.openssl(CASES[number], tmp_path) or number in BEYOND_OPENSSL, CASES[number].name


def test_it_is_the_whole_suite_and_nothing_but_dsa_is_missing() -> None:
    assert len(CASES) == 161
    assert len([case for case in CASES.values() if case.is_valid]) == 69
    assert UNKNOWN.keys() <= {number for number, case in CASES.items() if case.is_valid and "DSA" in case.name}
    assert len([case for case in CASES.values() if "DSA" not in case.name]) == 158
    assert len(BEYOND_OPENSSL - UNKNOWN.keys()) == 1, "of these, OpenSSL calls 157 as NIST does"


@pytest.mark.parametrize("case", pkits.of_policies(), ids=lambda case: case.name)
def test_what_a_policy_of_certificates_forbids_is_not_good_either(case: pkits.Case) -> None:
    """They do not apply, and none is good for want of that."""
    leaf, root, *above = map(x509.load_der_x509_certificate, (case.leaf, pkits.ANCHOR, *case.above))
    way = shortest(leaf, above, root, NOW)
    assert way, "no name and no signature is wrong"
    with pytest.raises(Denied):
        check_path(leaf, way[1:-1], [root], NOW)
