# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a host says of a scan is read with care, and made into proposals that can be declared."""

from __future__ import annotations

import base64
import json
import ssl
import typing as t
import warnings
from datetime import UTC, datetime

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core import pki
from ansible_collections.keystead.identity.plugins.module_utils._host.scan import scan
from ansible_collections.keystead.identity.plugins.module_utils._options.common import COMMON
from ansible_collections.keystead.identity.plugins.module_utils._options.machine_identity import OPTIONS
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.plugin_utils._declare import declarations
from ansible_collections.keystead.identity.plugins.plugin_utils._scan import scanned
from ansible_collections.keystead.identity.plugins.plugin_utils._snake_oil import PUBLISHED, origin
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated
from ansible_collections.keystead.identity.tests.harness.brownfield import Pair, pair

if t.TYPE_CHECKING:
    from pathlib import Path

ZERO = b"\xa0\x03\x02\x01\x02\x02\x01\x00"  # version 3, serial number 0
NOW = datetime.now(UTC)
Entry = dict[str, t.Any]


def entry(path: str, kind: str, **said: t.Any) -> Entry:
    """Return what a host says of a file."""
    plain = {"path": path, "real": path, "kind": kind, "owner": "root", "group": "root", "mode": "0600"}
    return {**plain, "managed": False, **said}


def halves(made: Pair, key: str, certificate: str, **said: t.Any) -> list[Entry]:
    """Return what a host says of a key and its certificate."""
    der = pki.der_certificates(made.certificate)[0]
    public_id = pki.credential(der).public_id
    shown = {"certificate": base64.b64encode(der).decode(), "certificates": 1}
    return [
        entry(key, "private_key", public_id=public_id, key_type="ecdsa-p256", **said),
        entry(certificate, "certificate", **shown),
    ]


def of(*files: t.Any, notes: t.Any = ()) -> dict[str, t.Any]:
    """Return what a scan tells, from a host's answer that went through JSON."""
    answer = json.loads(json.dumps({"scan": {"files": list(files), "notes": list(notes)}}))
    return scanned(answer, "web1", None, NOW)


def test_a_proposal_can_be_declared_as_it_stands() -> None:
    found = of(*halves(pair("www.example.org", "*.example.org"), "/etc/a.key", "/etc/a.pem", mode="0640"))
    (proposed,) = found["proposals"]
    assert proposed["mode"] == "0640"
    args = {"issuer": {"local": {"directory": "/ca", "authority": "issuing"}}, "identities": found["proposals"]}
    (declared,) = declarations(validated(args, spec(COMMON, OPTIONS), module="machine_identity"))
    assert declared.identity.name == "www.example.org"
    assert declared.identity.adopt is not None
    assert declared.identity.subject.dns_names == ("www.example.org", "*.example.org")


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["*.example.org"], "example.org"),
        (["WWW.Example.ORG", "a_b.example.org"], "www.example.org"),
        (["x" * 60 + ".example.org"], "x" * 50),
    ],
)
def test_the_name_of_a_proposal_is_a_name_of_an_identity(names: list[str], expected: str) -> None:
    (proposed,) = of(*halves(pair(*names, common_name=""), "/etc/a.key", "/etc/a.pem"))["proposals"]
    assert proposed["name"] == expected
    assert "a_b.example.org" not in proposed["dns_names"]


def test_two_pairs_for_one_name_get_two_names_and_the_newest_certificate_of_a_key_counts() -> None:
    one, other = pair("www.example.org"), pair("www.example.org")
    found = of(*halves(one, "/etc/a.key", "/etc/a.pem"), *halves(other, "/etc/b.key", "/etc/b.pem"))
    assert [proposed["name"] for proposed in found["proposals"]] == ["www.example.org", "www.example.org-2"]


@pytest.mark.parametrize(
    "said",
    [
        "text", None, 7, [], {}, {"path": "/x"},
        entry("/x", "tractor"),
        entry("/x", "private_key", mode=600),
        entry("/x\n", "private_key"),
        entry("/x", "certificate", certificate="AAAA"),
        entry("/x", "private_key", public_id="a" * 9999, key_type="x"),
        entry("/x", "private_key", findings=[{"code": 1}]),
        entry("/x", "private_key", managed="no"),
        entry("/x", "pair", certificates=-1),
    ],
)  # fmt: skip
def test_an_entry_of_another_form_is_left_out_and_counted(said: t.Any) -> None:
    found = of(said, entry("/etc/good.key", "private_key", public_id="ab", key_type="ed25519"))
    assert [one["path"] for one in found["scan"]] == ["/etc/good.key"]
    assert found["notes"] == ["1 files are left out: what the host says of them cannot be read"]
    assert not found["scan_complete"]


@pytest.mark.parametrize("answer", [{}, {"scan": None}, {"scan": []}, {"scan": {"files": "x", "notes": 3}}])
def test_an_answer_without_a_scan_is_an_empty_one(answer: dict[str, t.Any]) -> None:
    assert scanned(answer, "web1", None, NOW)["scan"] == []


def test_a_mode_that_is_none_is_refused_and_notes_are_shown_only_where_they_are_text() -> None:
    found = of(entry("/x", "private_key", mode="rw-"), notes=["it ended", "\x1b[2J", 5])
    assert found["scan"] == []
    assert found["notes"] == ["it ended", "1 files are left out: what the host says of them cannot be read"]


def test_what_the_library_thinks_of_old_certificates_is_not_printed(tmp_path: Path) -> None:
    made = pair("www.example.org", serial_number=1)
    der = pki.der_certificates(made.certificate)[0].replace(b"\xa0\x03\x02\x01\x02\x02\x01\x01", ZERO, 1)
    assert ZERO in der
    (tmp_path / "old.pem").write_bytes(ssl.DER_cert_to_PEM_cert(der).encode())
    (tmp_path / "new\nline.pem").write_bytes(b"-----BEGIN " + b"x" * 1_000_000)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        pki.credential(der)
        assert told, "else there is nothing to keep quiet"
        told.clear()
        answer = scan(str(tmp_path / "store"), [str(tmp_path)])
        found = scanned({"scan": json.loads(json.dumps(answer))}, "web1", None, NOW)
        assert told == []
    assert [one["path"] for one in found["scan"]] == [str(tmp_path / "old.pem")]
    assert found["notes"] == [f"1 files are larger than 262144 bytes: '{tmp_path}/new\\nline.pem'"]


def test_what_everybody_has_is_known_by_key_by_place_and_by_name() -> None:
    assert all(len(one) == 64 and set(one) <= set("0123456789abcdef") for one in PUBLISHED)
    assert "published with" in (origin("/x", next(iter(PUBLISHED)), None) or "")
    assert "when that was installed" in (origin("/etc/ssl/private/ssl-cert-snakeoil.key", None, None) or "")
    facts = pki.credential(pki.der_certificates(pair("www.example.org").certificate)[0]).facts
    assert origin("/x", "00", facts) is None
    default = facts._replace(subject_name="O=Internet Widgits Pty Ltd,C=AU", issuer="O=Internet Widgits Pty Ltd,C=AU")
    assert "as defaults do" in (origin("/x", "00", default) or "")
    assert origin("/x", "00", default._replace(issuer="CN=real")) is None


def test_a_snake_oil_key_is_proposed_to_be_replaced_at_once() -> None:
    key, certificate = "/etc/ssl/private/ssl-cert-snakeoil.key", "/etc/ssl/certs/ssl-cert-snakeoil.pem"
    found = of(*halves(pair("host.example.org"), key, certificate))
    assert [finding["code"] for one in found["scan"] for finding in one["findings"]] == ["snake_oil"] * 2
    assert found["proposals"][0]["adopt"] == {"private_key": key, "certificate": certificate, "replace": "now"}
