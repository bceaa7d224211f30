# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""PKITS: what NIST calls invalid or revoked is never good here, and what it calls valid is, or a reason is named below.

A path is what `check_path` accepts, and each certificate in it is good by what `_revocation_list` reads from the lists
of the test. OpenSSL is asked the same. Certificate policies (4.8 to 4.12, 63 tests) do not apply: nobody here decides
by a policy of certificates, and an extension about them that is critical is refused as one that nobody understands.
"""

from __future__ import annotations

import functools
import itertools
import typing as t
from datetime import UTC, datetime

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied
from ansible_collections.keystead.identity.plugins.module_utils._core.ports import Good, Unknown
from ansible_collections.keystead.identity.plugins.plugin_utils import _revocation_list as revocation_list
from ansible_collections.keystead.identity.plugins.plugin_utils._path import check_path
from ansible_collections.keystead.identity.tests.harness import pkits
from cryptography import x509

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

pytestmark = [pytest.mark.needs("openssl"), pytest.mark.one_core]
NOW = datetime.now(UTC)
CASES = {case.number: case for case in pkits.cases()}
_WHY = {
    "DSA and inherited parameters: no key of ours is one": "4.1.4 4.1.5",
    "names have to be the same byte for byte, as RFC 5280 (4.1.2.4) has authorities write them": (
        "4.3.3 4.3.4 4.3.5 4.3.6 4.3.10 4.3.11"
    ),
    "the list is signed by another key than the certificate": "4.4.19 4.5.1 4.5.4 4.5.6 4.6.15 4.6.17 4.13.19",
    "the list is about some reasons only": "4.14.18 4.14.19",
    "the list is indirect": "4.14.22 4.14.24 4.14.25 4.14.28 4.14.29 4.14.30 4.14.33",
}
UNKNOWN = {number: why for why, numbers in _WHY.items() for number in numbers.split()}
"""Valid for PKITS, and unknown here: never good, never revoked."""
BEYOND_OPENSSL = {"4.1.5", "4.3.6", "4.14.30"}
"""Valid for PKITS, and refused by OpenSSL 3.0."""


def ways(
    leaf: x509.Certificate, above: Sequence[x509.Certificate], root: x509.Certificate
) -> Iterator[list[x509.Certificate]]:
    """Yield every way from a certificate to the root, by names alone."""
    if leaf.issuer == root.subject:
        yield []
    for one in above:
        if one.subject == leaf.issuer:
            yield from ([one, *rest] for rest in ways(one, [other for other in above if other != one], root))


@functools.cache
def standing(number: str) -> Good | t.Any:
    """Return Good where everything in one of the ways is; else what kept the last one from it."""
    case = CASES[number]
    try:
        leaf, root, *above = map(x509.load_der_x509_certificate, (case.leaf, pkits.ANCHOR, *case.above))
    except ValueError:
        return Unknown()
    found: t.Any = Unknown()
    for way in ways(leaf, above, root):
        try:
            check_path(leaf, way, [root], NOW)
        except Denied as error:
            found = error
            continue
        said = [listed(one, issuer, case.lists) for one, issuer in itertools.pairwise([leaf, *way, root])]
        found = next((one for one in said if not isinstance(one, Good)), Good())
        if isinstance(found, Good):
            break
    return found


def listed(certificate: x509.Certificate, issuer: x509.Certificate, lists: Sequence[bytes]) -> t.Any:
    """Return what the lists of a test say of one certificate: the delta list belongs to the complete one."""
    read = [one for der in lists if (one := revocation_list.read(der, issuer, NOW))]
    delta = next((one for one in read if one.base is not None), None)
    said = [revocation_list.said(certificate, issuer, one, delta) for one in read]
    return next((one for one in said if not isinstance(one, Unknown)), Unknown())


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


def test_it_is_the_whole_suite_and_few_verdicts_are_missing() -> None:
    assert len(CASES) == 161
    assert UNKNOWN.keys() <= {number for number, case in CASES.items() if case.is_valid}
    assert len(UNKNOWN) <= 24
    ours = [number for number in CASES if number.startswith(("4.4.", "4.7.", "4.14.", "4.15."))]
    assert len([number for number in ours if number in UNKNOWN]) <= 10, "of 71 about lists and who signs them"


@pytest.mark.parametrize("case", pkits.of_policies(), ids=lambda case: case.name)
def test_what_a_policy_of_certificates_forbids_is_not_good_either(case: pkits.Case) -> None:
    """They do not apply, and none is good for want of that."""
    leaf, root, *above = map(x509.load_der_x509_certificate, (case.leaf, pkits.ANCHOR, *case.above))
    for way in ways(leaf, above, root):
        with pytest.raises(Denied):
            check_path(leaf, way, [root], NOW)
