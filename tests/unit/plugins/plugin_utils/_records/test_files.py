# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Records of other systems: what is read, and that what is wrong is named by file, line and field."""

from __future__ import annotations

import csv
import io
import json
import os
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.plugin_utils._records.files import read
from ansible_collections.keystead.identity.tests.harness.brownfield import pair
from cryptography import x509
from cryptography.hazmat.primitives import hashes

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.plugins.plugin_utils._rows.row import Row

ENDS = "2027-03-15T00:00:00Z"
GOOD = {"name": "lb", "not_after": ENDS}


def written(directory: Path, content: str | bytes, name: str = "r.json") -> str:
    path = directory / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


def in_json(directory: Path, *records: t.Any) -> list[Row]:
    return read([written(directory, json.dumps(records, indent=1))])


def in_csv(directory: Path, *records: dict[str, str]) -> list[Row]:
    file = io.StringIO()
    writer = csv.DictWriter(file, sorted({name for one in records for name in one}))
    writer.writeheader()
    writer.writerows(records)
    return read([written(directory, file.getvalue(), "r.csv")])


def refusal(*arguments: t.Any, **more: t.Any) -> str:
    with pytest.raises(Misconfigured) as caught:
        read(*arguments, **more)
    return str(caught.value)


@pytest.mark.parametrize("reader", [in_csv, in_json])
def test_a_record_with_its_certificate_has_all_that_this_says(
    tmp_path: Path, reader: t.Callable[..., list[Row]]
) -> None:
    pem = pair("imap.example.org").certificate.decode()
    said = {"name": "imap", "host": "mail1", "path": "/etc/imap.pem", "service": "mail", "contact": "me", "pem": pem}
    (row,) = reader(tmp_path, said)
    certificate = x509.load_pem_x509_certificate(pem.encode())
    assert (row.managed, row.state, row.in_use, row.kind) == (False, "observed", True, "x509")
    assert (row.name, row.host, row.service, row.contact) == ("imap", "mail1", "mail", "me")
    assert row.live_paths == ("/etc/imap.pem",)
    assert row.serial_number == f"{certificate.serial_number:x}"
    assert row.fingerprint == certificate.fingerprint(hashes.SHA256()).hex()
    assert row.names["dns"] == ("imap.example.org",)
    assert (row.key_type, row.not_after, row.certificate) == (
        "ecdsa-p256", f"{certificate.not_valid_after_utc:%Y-%m-%dT%H:%M:%S}.000Z", pem,
    )  # fmt: skip


@pytest.mark.parametrize("reader", [in_csv, in_json])
def test_a_record_of_fields_is_normalised_and_what_is_empty_is_absent(
    tmp_path: Path, reader: t.Callable[..., list[Row]]
) -> None:
    said = {
        **GOOD, "serial_number": "00:4A:0b:9c", "spki_sha256": "AB" * 32, "key_type": "rsa-2048", "host": "",
        "not_before": "2026-03-15T02:00:00+02:00", "dns_names": "a.example.org b.example.org", "issuer": "CN=Theirs",
    }  # fmt: skip
    (row,) = reader(tmp_path, said)
    assert (row.serial_number, row.spki, row.fingerprint, row.host) == ("4a0b9c", "ab" * 32, None, None)
    assert (row.not_before, row.not_after) == ("2026-03-15T00:00:00.000Z", "2027-03-15T00:00:00.000Z")
    assert (row.names, row.issuer) == ({"dns": ("a.example.org", "b.example.org")}, "CN=Theirs")
    assert row.deliveries == ()


def test_rows_say_the_file_and_line_that_they_come_from(tmp_path: Path) -> None:
    pem = pair("imap.example.org").certificate.decode()
    lines = pem.count("\n")
    text = f'name,pem,not_after\nfirst,"{pem}",\n\nsecond,,{ENDS}\n'
    path = written(tmp_path, text, "r.CSV")
    assert [row.source for row in read([path, path])] == [f"{path}:2", f"{path}:{2 + lines + 2}"]


def test_a_byte_order_mark_is_none_of_the_first_name(tmp_path: Path) -> None:
    path = written(tmp_path, f"\ufeffname,not_after\r\nlb,{ENDS}\r\n", "r.csv")
    assert [row.name for row in read([path])] == ["lb"]


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"not_after": ENDS}, "field name is missing"),
        ({"name": "lb"}, "neither pem nor not_after is there"),
        ({**GOOD, "owner": "me"}, "field 'owner' is unknown; known are name, host, path"),
        ({**GOOD, "not_after": "2027-03-15"}, "field not_after: '2027-03-15' has no time zone"),
        ({**GOOD, "not_after": "soon"}, "field not_after: 'soon' is no moment"),
        ({**GOOD, "not_after": "0001-01-01T00:00:00+05:00"}, "is in no year from 1"),
        ({**GOOD, "not_before": "2028-01-01T00:00:00Z"}, "is before not_before"),
        ({**GOOD, "serial_number": "xyz"}, "field serial_number: 'xyz' is no serial number"),
        ({**GOOD, "spki_sha256": "ab"}, "field spki_sha256: 'ab' is no SHA-256"),
        ({**GOOD, "key_type": "RSA"}, "field key_type: 'RSA' is no type of a key; write it as rsa-2048"),
        ({**GOOD, "profile": "smime"}, "field profile: 'smime' is none of tls_server"),
        ({**GOOD, "host": "a" * 1001}, "field host has 1001 characters, more than 1000"),
        ({**GOOD, "contact": "a\u202eb"}, "field contact has characters that cannot be printed"),
        ({"name": "lb", "pem": "nothing"}, "field pem holds no certificate in PEM"),
        ({"name": "lb", "pem": "-----BEGIN PRIVATE KEY-----"}, "field pem has a private key in it"),
    ],
)
@pytest.mark.parametrize("reader", [in_csv, in_json])
def test_what_is_wrong_in_a_record_is_named(
    tmp_path: Path, reader: t.Callable[..., list[Row]], record: dict[str, str], expected: str
) -> None:
    with pytest.raises(Misconfigured) as caught:
        reader(tmp_path, record)
    assert expected in str(caught.value)
    assert str(caught.value).startswith(f"records: {tmp_path}/r.")
    assert ", line " in str(caught.value)


def test_a_certificate_and_what_it_says_already_are_refused_together(tmp_path: Path) -> None:
    pem = pair("imap.example.org").certificate.decode()
    for name, value in (("serial_number", "1"), ("dns_names", "a"), ("not_after", ENDS)):
        with pytest.raises(Misconfigured, match=f"field pem says {name} already; leave {name} out"):
            in_json(tmp_path, {"name": "a", "pem": pem, name: value})


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "line 1: it is no array of records"),
        ('{"name": "a"}', "line 1: it is no array of records"),
        ('[\n{"name": "a",\n "not_after": }]', "line 3: it is no JSON"),
        ('[\n{"name": "a", "name": "b"}]', "line 2: field 'name' is there twice"),
        ('[\n\n"a"]', "line 3: it is no object"),
        (f"[{json.dumps(GOOD)}\n{json.dumps(GOOD)}]", "line 2: after a record, there is neither , nor ]"),
        (f"[{json.dumps(GOOD)},\n]", "line 2: after a record"),
        (f"[{json.dumps(GOOD)}", "line 1: after a record"),
        (f"[{json.dumps(GOOD)}]\n{{}}", "there is more after the array"),
        (f'[\n{{"name": {"[" * 100_000}', "line 2: it is no"),
        (f'[\n{{"name": {"1" * 5000}}}]', "line 2: it is no record"),
        ('[{"name": 1, "not_after": "x"}]', "line 1: field name is no text"),
        ('[{"name": "a", "not_after": "2027-03-15T00:00:00Z", "dns_names": [1]}]', "dns_names is no list of names"),
        ('[{"name": "a", "not_after": "2027-03-15T00:00:00Z", "dns_names": {"a": 1}}]', "dns_names is no list"),
    ],
)
def test_what_is_no_json_of_records_is_refused_by_line(tmp_path: Path, content: str, expected: str) -> None:
    assert expected in refusal([written(tmp_path, content)])


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "is empty; its first line names the fields"),
        ("name,owner\n", "line 1: field 'owner' is unknown"),
        ("name,name\n", "line 1: field name is named twice"),
        (f"name,not_after\na,{ENDS}\nb\n", "line 3: it has 1 fields, and the first line names 2"),
        (f'name,not_after\na,{ENDS}\n"b,{ENDS}\n', "line 3: it is no CSV"),
        (f"name,not_after\n{'a' * 200_000},{ENDS}\n", "line 2: it is no CSV (field larger than field limit"),
    ],
)
def test_what_is_no_csv_of_records_is_refused_by_line(tmp_path: Path, content: str, expected: str) -> None:
    assert expected in refusal([written(tmp_path, content, "r.csv")])


def test_what_is_no_text_is_refused_by_line(tmp_path: Path) -> None:
    path = written(tmp_path, b"name,not_after\nb\xff,\n", "r.csv")
    assert "line 2: it is not text in UTF-8" in refusal([path])


def test_files_are_regular_ones_that_say_what_they_hold(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    assert "is no regular file" in refusal([str(tmp_path / "pipe.json")])
    assert "cannot be read on the controller (No such file or directory)" in refusal([str(tmp_path / "none.csv")])
    assert "ends neither in .csv nor in .json" in refusal([written(tmp_path, "", "r.txt")])


def test_there_are_bounds(tmp_path: Path) -> None:
    path = written(tmp_path, json.dumps([GOOD] * 3))
    assert "there are more than 2 records" in refusal([path], most=2)
    large = tmp_path / "large.csv"
    with large.open("wb") as file:
        file.truncate((64 << 20) + 1)
    assert "has more than 64 MiB" in refusal([str(large)])
