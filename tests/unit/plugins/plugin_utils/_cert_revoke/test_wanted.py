# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a task of cert_revoke may say, and how what it may not say is refused."""

from __future__ import annotations

import datetime as dt
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.module_utils._options.cert_revoke import OPTIONS
from ansible_collections.keystead.identity.plugins.module_utils._options.common import COMMON
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.plugin_utils._cert_revoke.wanted import Wanted, wanted
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated

if t.TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.one_core

DIGEST = "0d" * 32


def read(*certificates: t.Any, **said: t.Any) -> Wanted:
    options = {"certificates": list(certificates), **said}
    return wanted(validated(options, spec(COMMON, OPTIONS), module="cert_revoke"))


@pytest.mark.parametrize(
    ("said", "number"),
    [("4a:0b:9c", "4a0b9c"), ("4A0B9C", "4a0b9c"), ("00:4a:0b", "4a0b"), ("1", "1"), ("0F", "f"), (" 4a0b ", "4a0b")],
)
def test_a_serial_number_is_read_as_every_tool_writes_it(said: str, number: str) -> None:
    assert read({"serial_number": said}).entries[0].serial_number == number


@pytest.mark.parametrize(
    ("said", "moment"),
    [
        ("2026-03-01T10:40:00Z", dt.datetime(2026, 3, 1, 10, 40, tzinfo=dt.UTC)),
        ("2026-03-01T10:40:00+02:00", dt.datetime(2026, 3, 1, 8, 40, tzinfo=dt.UTC)),
        ("2026-03-01 10:40:00.5+00:00", dt.datetime(2026, 3, 1, 10, 40, 0, 500000, tzinfo=dt.UTC)),
    ],
)
def test_a_moment_is_read_with_its_time_zone(said: str, moment: dt.datetime) -> None:
    assert read({"identity": "web", "issued_before": said}).entries[0].issued_before == moment


def test_digests_may_have_colons_and_capitals() -> None:
    entry = read({"fingerprint_sha256": ":".join(["0D"] * 32), "spki_sha256": DIGEST}).entries[0]
    assert (entry.fingerprint, entry.spki) == (DIGEST, DIGEST)


MISTAKES: dict[str, tuple[tuple[t.Any, ...], dict[str, t.Any], str]] = {
    "nothing at all": ((), {}, "certificates: the list is empty"),
    "an empty entry": (({},), {}, r"certificates\[0\]: it is empty; write serial_number"),
    "a date alone": (
        ({"issued_before": "2026-03-01T10:40:00Z"},), {},
        r"certificates\[0\].issued_before: it stands alone, and would select nearly everything",
    ),
    "an issuer alone": (({"issuer": "local:issuing:00"},), {}, r"certificates\[0\].issuer: it stands alone"),
    "two certificates": (({"path": "/a.pem", "pem": "x"},), {}, "path and pem both say which"),
    "a number that YAML took": (({"serial_number": 4512},), {}, "4512 was read by YAML as something else than text"),
    "a truth value": (({"serial_number": True},), {}, "True was read by YAML as something else"),
    "no number": (({"serial_number": "web"},), {}, "'web' is no serial number"),
    "zero": (({"serial_number": "00:00"},), {}, "'00:00' is no serial number"),
    "too long a number": (({"serial_number": "ab" * 21},), {}, "is no serial number; write up to 20 bytes"),
    "a short digest": (({"fingerprint_sha256": "0d"},), {}, r"fingerprint_sha256: '0d' is no SHA-256"),
    "a short key digest": (({"spki_sha256": "xyz"},), {}, r"spki_sha256: 'xyz' is no SHA-256"),
    "no moment": (({"host": "a", "issued_before": "today"},), {}, "'today' is no moment"),
    "after the last moment": (
        ({"host": "a", "issued_before": "9999-12-31T23:59:59-23:00"},), {}, "is in no year from 1 to 9999 by UTC",
    ),
    "before the first moment": (
        ({"host": "a", "issued_before": "0001-01-01T00:00:00+23:00"},), {}, "is in no year from 1 to 9999 by UTC",
    ),
    "no time zone": (({"host": "a", "issued_before": "2026-03-01T10:40:00"},), {}, "has no time zone"),
    "no certificate": (({"pem": "-----BEGIN NOTHING-----"},), {}, r"\[0\].pem: it holds no certificate in PEM"),
    "no file": (({"path": "/nowhere/a.pem"},), {}, r"\[0\].path: /nowhere/a.pem cannot be read on the controller"),
    "no justification": (({"host": "a"},), {"emergency": True}, "emergency: justification is missing"),
    "an empty one": (({"host": "a"},), {"emergency": True, "justification": " "}, "justification: it is not 1 to 1000"),
    "no emergency": (({"host": "a"},), {"justification": "now"}, "justification: emergency is false"),
    "a negative number": (({"host": "a"},), {"expect": -1}, "expect: -1 is no number of certificates"),
    "a hold": (({"host": "a"},), {"reason": "certificate_hold"}, "reason: 'certificate_hold' is none of unspecified"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_names_option_value_and_remedy(mistake: str) -> None:
    entries, said, expected = MISTAKES[mistake]
    with pytest.raises(Misconfigured, match=f"cert_revoke: option .*{expected}"):
        read(*entries, **said)


def test_what_stands_in_a_file_is_not_repeated(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_text("-----BEGIN PRIVATE KEY-----\nCanary\n-----END PRIVATE KEY-----\n")
    for said in ({"path": str(path)}, {"pem": path.read_text()}):
        with pytest.raises(Misconfigured) as raised:
            read(said)
        assert "Canary" not in str(raised.value)
